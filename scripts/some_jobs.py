"""Jobs for the pictures: two trainings on GPUs, one that waits for a third, one that failed at import, and an array of
Slurm's. The jobs, the queue and Slurm are real; the GPUs are those of the tests' double of NVML."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support import slurm
from support.jobs import Bench, a_gpu, gpu_box, until

from runtower.domain.jobs import JobState
from runtower.folders import Folders
from runtower.jobs.queueing import Queue

_TRAIN = """\
import math, sys, time
import mlflow
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("detector")
lr = float(sys.argv[1])
with mlflow.start_run(run_name=f"vit lr={lr:g}"):
    mlflow.log_params({"lr": lr, "model": "vit", "epochs": 90})
    for epoch in range(90):
        loss = 0.9 * math.exp(-epoch * lr * 9) + 0.21
        mlflow.log_metrics({"val_loss": loss, "train_loss": loss - 0.02}, step=epoch)
        print(f"epoch {epoch + 1}/90  val_loss {loss:.4f}", flush=True)
        time.sleep(0.5)
"""
_FAILS = "import torchvision\n"
_SWEEP = "for epoch in 1 2 3 4 5 6 7 8 9; do echo epoch $epoch of 9; sleep $((SLURM_ARRAY_TASK_ID + 1)); done"


@contextmanager
def some_jobs(project: Path) -> Iterator[None]:
    """Start them, under the state's folder of the environment; all are ended afterwards."""
    for name, text in (("train.py", _TRAIN), ("evaluate.py", _FAILS)):
        (project / name).write_text(text)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, slurm.running(Path(folder)) as cluster:
        box, before = Path(folder) / "gpus.json", dict(os.environ)
        tuning = subprocess.Popen(["python", "-S", "-c", "input()", "finetune.py"], stdin=subprocess.PIPE)
        others = a_gpu(2, 74, 99, [(tuning.pid, 73 << 30)])
        os.environ.update(cluster | gpu_box(box, a_gpu(0), a_gpu(1), others))
        os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        bench = Bench(project, at_once=3)
        bench.queue = Queue(Folders.of().jobs)
        failed = bench.add("python", "evaluate.py")
        bench.over(failed)
        pids = []
        for lr in ("0.003", "0.001"):
            name = bench.add("python", "train.py", lr, gpus=1)
            job = bench.running(name)
            pids.append(job.pid)
            until(lambda: bench.job(name).last_line, f"{name} printed nothing", 90)  # noqa: B023  used at once
            used = [(58 + 9 * place, 97 - place, [(pid, (57 + 9 * place) << 30)]) for place, pid in enumerate(pids)]
            gpus = [a_gpu(place, *one) for place, one in enumerate(used)]
            gpus += [a_gpu(place) for place in range(len(gpus), 2)]
            gpu_box(box, *gpus, others)
        bench.add("python", "train.py", "0.01", gpus=1)
        words = ["sbatch", "--array=0-3%2", "--job-name=sweep", f"--output={folder}/%A_%a.log", "--wrap", _SWEEP]
        subprocess.run(words, check=True, capture_output=True)
        try:
            yield
        finally:
            tuning.communicate()
            for job in bench.jobs().values():
                if job.state is JobState.WAIT:
                    bench.queue.cancel(job.id)
                elif job.state is JobState.RUN:
                    with suppress(ProcessLookupError):
                        os.killpg(job.pid, 9)
            os.environ.clear()
            os.environ.update(before)
