"""Where a run's console output is looked for, in which order, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from runtower.acts.find_log import Facts, LogPlace, Search, find_log, rank
from runtower.domain.artifacts import Artifact, Folder
from runtower.domain.errors import Unreachable
from runtower.sources import disk


def entries(folder: Path) -> Sequence[Artifact] | None:
    return disk.listed(folder, "").entries if folder.is_dir() else None


class Here:
    """Artifacts in a folder, and this machine's own folders."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def folder(self, path: str) -> Folder:
        return disk.listed(self.root, path)

    async def beginning(self, path: str) -> str:
        return disk.part(self.root, path, 0, 10_000).data.decode()

    async def files(self, folder: Path) -> Sequence[Artifact] | None:
        return entries(folder)


class Gone(Here):
    async def folder(self, path: str) -> Folder:
        raise Unreachable("http://gpu-7 doesn't answer.")


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


async def search(folder: Path, said: Mapping[str, str] | None = None, **more: str) -> Search:
    return await find_log(Facts(said or {}, **more), Here(folder / "artifacts"))


def names(found: Search) -> list[str]:
    return [place.path for place in found.found]


async def test_artifacts_that_look_like_logs_the_likeliest_first(tmp_path: Path) -> None:
    put(tmp_path / "artifacts", "stderr.txt", "model/model.log", "logs/rank0.log", "stdout.txt", "train.log", "a.json")
    put(tmp_path / "artifacts", "files/output.log", "requirements.txt", "slurm-12.out")
    found = await search(tmp_path)
    assert names(found) == [
        "train.log",
        "files/output.log",
        "logs/rank0.log",
        "stdout.txt",
        "slurm-12.out",
        "stderr.txt",
    ]
    assert found.found[0] == LogPlace("train.log", True, 1)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("train.log", 0), ("output.log", 0), ("console.txt", 0), ("worker-3.log", 1), ("stdout", 2), ("stdout.txt", 2),
        ("std_log_process_0.txt", None), ("slurm-9.out", 3), ("44_0_log.out", 3), ("44_0_log.err", 4), ("stderr", 4),
        ("model.pkl", None), ("logo.png", None), ("catalog.json", None), ("log.txt", 2),
    ],
)  # fmt: skip
def test_what_looks_like_a_log(name: str, place: int | None) -> None:
    assert rank(name) == place


async def test_hydras_output_folder_by_a_tag(tmp_path: Path) -> None:
    output = tmp_path / "outputs" / "2025-01-01" / "12-00-00"
    put(output, ".hydra/config.yaml", "train.log", "other.txt")
    found = await search(tmp_path, {"hydra.runtime.output_dir": str(output)})
    assert names(found) == [str(output / "train.log")]
    assert not found.found[0].is_artifact
    assert any(str(output) in text for text in found.looked)


async def test_a_folder_that_is_not_hydras_is_left_alone(tmp_path: Path) -> None:
    put(tmp_path / "results", "secret.log")
    assert names(await search(tmp_path, {"output_dir": str(tmp_path / "results")})) == []


async def test_hydras_output_folder_by_its_own_file_among_the_artifacts(tmp_path: Path) -> None:
    output = tmp_path / "outputs"
    put(output, ".hydra/config.yaml", "main.log")
    put(tmp_path / "artifacts", ".hydra/hydra.yaml")
    text = f"hydra:\n  run:\n    dir: outputs\n  runtime:\n    version: 1.3.2\n    output_dir: {output}\n"
    (tmp_path / "artifacts/.hydra/hydra.yaml").write_text(text)
    assert names(await search(tmp_path)) == [str(output / "main.log")]


async def test_a_run_inside_hydras_folder_finds_it_above_its_artifacts(tmp_path: Path) -> None:
    output = tmp_path / "multirun" / "3"
    put(output, ".hydra/config.yaml", "main.log", "lightning_logs/version_0/metrics.csv")
    uri = (output / "lightning_logs" / "version_0").as_uri()
    assert names(await search(tmp_path, artifact_uri=uri)) == [str(output / "main.log")]


async def test_a_folder_on_another_machine_is_said(tmp_path: Path) -> None:
    found = await search(tmp_path, {"hydra.runtime.output_dir": "/cluster/outputs/7"})
    assert any("/cluster/outputs/7, which isn't on this machine" in text for text in found.looked)


async def test_slurms_files_by_job_and_folder(tmp_path: Path) -> None:
    put(tmp_path / "submit", "slurm-4711.out", "slurm-4712.out", "slurm-4711_3.out", "slurm-4711.txt")
    said = {"SLURM_JOB_ID": "4711", "slurm_submit_dir": str(tmp_path / "submit")}
    assert names(await search(tmp_path, said)) == [
        str(tmp_path / "submit" / name) for name in ("slurm-4711.out", "slurm-4711_3.out")
    ]


async def test_submitits_files_below_a_sweep(tmp_path: Path) -> None:
    put(tmp_path / "sweep" / ".submitit" / "88", "88_0_log.out", "88_0_log.err", "88_submitted.pkl")
    put(tmp_path / "sweep" / "0", ".hydra/config.yaml", "main.log")
    said = {
        "slurm_job_id": "88",
        "hydra.sweep.dir": str(tmp_path / "sweep"),
        "hydra.runtime.output_dir": str(tmp_path / "sweep/0"),
    }
    logs = [str(tmp_path / "sweep" / ".submitit" / "88" / name) for name in ("88_0_log.out", "88_0_log.err")]
    assert names(await search(tmp_path, said)) == [str(tmp_path / "sweep/0/main.log"), *logs]


async def test_slurms_file_beside_the_script(tmp_path: Path) -> None:
    put(tmp_path / "project", "slurm-5.out", "train.py")
    found = await search(tmp_path, {"slurm_job_id": "5"}, script=str(tmp_path / "project" / "train.py"))
    assert names(found) == [str(tmp_path / "project" / "slurm-5.out")]


async def test_wandbs_output_by_folder_and_by_id(tmp_path: Path) -> None:
    run = tmp_path / "w" / "wandb" / "run-20250101_120000-abc123"
    put(run, "files/output.log", "files/config.yaml")
    assert names(await search(tmp_path, {"wandb_dir": str(run)})) == [str(run / "files/output.log")]
    said = {"wandb_run_id": "abc123", "work_dir": str(tmp_path / "w")}
    assert names(await search(tmp_path, said)) == [str(run / "files/output.log")]


async def test_where_there_is_none_each_place_is_named(tmp_path: Path) -> None:
    found = await search(tmp_path)
    assert found.found == ()
    assert [text.split()[0] for text in found.looked] == ["its", "Hydra's", "Slurm's", "W&B's"]


async def test_artifacts_that_do_not_answer_do_not_end_the_search(tmp_path: Path) -> None:
    put(tmp_path / "submit", "slurm-1.out")
    said = {"slurm_job_id": "1", "slurm_submit_dir": str(tmp_path / "submit")}
    found = await find_log(Facts(said), Gone(tmp_path))
    assert names(found) == [str(tmp_path / "submit" / "slurm-1.out")]
    assert "http://gpu-7 doesn't answer." in found.looked[0]


async def test_a_run_that_names_its_job_has_that_jobs_log_first(tmp_path: Path) -> None:
    put(tmp_path / "artifacts", "train.log")
    put(tmp_path / "jobs/gpu-7/j3", "log", "spec.json")
    said = {"runtower.job": "gpu-7:j3"}
    found = await search(tmp_path, said, jobs=str(tmp_path / "jobs"))
    assert names(found) == [str(tmp_path / "jobs/gpu-7/j3/log"), "train.log"]
    assert found.looked[0] == "job j3 of gpu-7"


async def test_a_job_of_another_machine_and_a_tag_that_is_no_job(tmp_path: Path) -> None:
    found = await search(tmp_path, {"runtower.job": "gpu-8:j3"}, jobs=str(tmp_path / "jobs"))
    assert found.looked[0] == "job j3 of gpu-8, whose files are not on this machine"
    put(tmp_path / "jobs/secrets", "log")
    found = await search(tmp_path, {"runtower.job": "..:secrets"}, jobs=str(tmp_path / "jobs"))
    assert names(found) == []


async def test_what_dvcs_queue_printed(tmp_path: Path) -> None:
    put(tmp_path / "run", "a.out", "a.json")
    found = await search(tmp_path, {"dvc.log": str(tmp_path / "run/a.out")})
    assert names(found) == [str(tmp_path / "run/a.out")]
    assert names(await search(tmp_path, {"dvc.log": str(tmp_path / "run/gone.out")})) == []
