"""What NVML says, through NVIDIA's own binding on a double of the C library below it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.jobs import a_gpu, gpu_box

_LAP = """
import json, sys
from dataclasses import asdict
from runtower.jobs.gpus import GpuReader
reader = GpuReader()
for _ in range(int(sys.argv[1])):
    print(json.dumps(asdict(reader.lap())))
    sys.stdin.readline()
"""


def lap(environ: dict[str, str]) -> dict[str, Any]:
    """One look, in a process of its own as the real one."""
    words = [sys.executable, "-P", "-c", _LAP, "1"]
    done = subprocess.run(words, env=os.environ | environ, capture_output=True, text=True, check=True, input="\n")
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_all_that_a_gpu_tells(tmp_path: Path) -> None:
    found = lap(gpu_box(tmp_path / "box", a_gpu(0, 40, 97, [(11, 30 << 30), (12, 1 << 30)]), a_gpu(1), driver="550.1"))
    assert (found["driver"], found["said"]) == ("550.1", "")
    busy, idle = found["gpus"]
    assert (busy["name"], busy["memory_used"], busy["memory_total"]) == ("NVIDIA A100-SXM4-80GB", 40 << 30, 80 << 30)
    assert (busy["use"], busy["temperature"], busy["power"], busy["power_limit"]) == (97.0, 40, 61.0, 400.0)
    assert busy["processes"] == [{"pid": 11, "memory": 30 << 30}, {"pid": 12, "memory": 1 << 30}]
    assert (idle["index"], idle["uuid"], idle["processes"]) == (1, "GPU-00000001", [])


def test_what_a_gpu_does_not_tell_is_missing_and_the_rest_is_there(tmp_path: Path) -> None:
    (gpu,) = lap(gpu_box(tmp_path / "box", {"name": "GeForce GT 710", "total": 1 << 30, "used": 5}))["gpus"]
    assert (gpu["memory_used"], gpu["use"], gpu["temperature"], gpu["power"], gpu["error"]) == (5, None, None, None, "")


def test_a_gpu_that_fell_off_the_bus_keeps_its_place(tmp_path: Path) -> None:
    lost = a_gpu(0) | {"failing": {"nvmlDeviceGetHandleByIndex_v2": 15}}
    first, second = lap(gpu_box(tmp_path / "box", lost, a_gpu(1)))["gpus"]
    assert (first["index"], first["error"]) == (0, "A GPU has fallen off the bus; the machine wants a restart.")
    assert (second["index"], second["error"]) == (1, "")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (9, "No NVIDIA driver answers on this machine."),
        (12, "No NVIDIA driver answers on this machine."),
        (4, "The NVIDIA driver may not be asked by this user."),
        (18, "The NVIDIA driver and its library are of different versions; the machine wants a restart."),
        (999, "The NVIDIA driver says: Unknown Error."),
    ],
)
def test_no_gpus_is_one_calm_sentence(tmp_path: Path, code: int, said: str) -> None:
    found = lap(gpu_box(tmp_path / "box", failing={"nvmlInitWithFlags": code}))
    assert (found["gpus"], found["said"]) == ([], said)


def test_a_machine_without_the_library() -> None:
    found = lap({})
    assert found["gpus"] or found["said"]


def test_a_driver_that_was_lost_is_asked_again(tmp_path: Path) -> None:
    environ = gpu_box(tmp_path / "box", a_gpu(0))
    words = [sys.executable, "-P", "-c", _LAP, "3"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, env=os.environ | environ, text=True, **pipes) as reader:  # type: ignore[call-overload]
        assert len(json.loads(reader.stdout.readline())["gpus"]) == 1
        gpu_box(tmp_path / "box", a_gpu(0), failing={"nvmlDeviceGetCount_v2": 1})
        print(file=reader.stdin, flush=True)
        assert json.loads(reader.stdout.readline())["said"] == "No NVIDIA driver answers on this machine."
        gpu_box(tmp_path / "box", a_gpu(0), a_gpu(1))
        print(file=reader.stdin, flush=True)
        assert len(json.loads(reader.stdout.readline())["gpus"]) == 2
        print(file=reader.stdin, flush=True)
