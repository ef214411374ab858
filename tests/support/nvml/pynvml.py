"""NVIDIA's own Python binding on a double of the C library below it: GPUs as a file says they are.

Put in front of the real one by PYTHONPATH; `NVML_DOUBLE` names a JSON file that is read at every call:
{"driver": "550.54", "failing": {"nvmlInitWithFlags": 9}, "gpus": [{"uuid", "name", "total", "used", "use",
"temperature", "power", "limit", "processes": [[pid, bytes]], "failing": {function: code}}]}. Memory in bytes, power in
milliwatts; a value that is missing is "not supported". The functions have the C signatures of nvml.h.
"""

import ctypes
import json
import os
from importlib.metadata import distribution
from pathlib import Path

_real = distribution("nvidia-ml-py").locate_file("pynvml.py")
exec(compile(Path(str(_real)).read_text(encoding="utf-8"), str(_real), "exec"), globals())

_NOT_SUPPORTED, _TOO_SMALL, _LOST = 3, 7, 15


class _Library:
    def __getattr__(self, name):
        if not hasattr(_Functions, name):
            raise AttributeError(name)

        def call(*arguments):
            with open(os.environ["NVML_DOUBLE"], encoding="utf-8") as file:
                box = json.load(file)
            code = box.get("failing", {}).get(name, 0)
            return code or getattr(_Functions, name)(box, *arguments)

        return call


def _put(target, value):
    if value is None:
        return _NOT_SUPPORTED
    target._obj.value = value
    return 0


def _of(box, handle, function):
    """The GPU behind a handle, and what its own failure is."""
    gpu = box["gpus"][(ctypes.cast(handle, ctypes.c_void_p).value or 0) - 1]
    return gpu, gpu.get("failing", {}).get(function, 0)


def _text(buffer, text):
    if text is None:
        return _NOT_SUPPORTED
    buffer.value = text.encode()
    return 0


def _listed(count, array, processes):
    room = count._obj.value
    count._obj.value = len(processes)
    if not processes:
        return 0
    if array is None or room < len(processes):
        return _TOO_SMALL
    for place, (pid, memory) in enumerate(processes):
        array[place].pid, array[place].usedGpuMemory = pid, memory if memory is not None else 2**64 - 1
    return 0


class _Functions:
    def nvmlInitWithFlags(box, flags):
        return 0

    def nvmlSystemGetDriverVersion(box, buffer, size):
        return _text(buffer, box.get("driver", "550.54.14"))

    def nvmlDeviceGetCount_v2(box, count):
        return _put(count, len(box["gpus"]))

    def nvmlDeviceGetHandleByIndex_v2(box, index, handle):
        code = box["gpus"][index.value].get("failing", {}).get("nvmlDeviceGetHandleByIndex_v2", 0)
        if not code:
            ctypes.cast(handle, ctypes.POINTER(ctypes.c_void_p))[0] = index.value + 1
        return code

    def nvmlDeviceGetUUID(box, handle, buffer, size):
        gpu, code = _of(box, handle, "nvmlDeviceGetUUID")
        return code or _text(buffer, gpu.get("uuid"))

    def nvmlDeviceGetName(box, handle, buffer, size):
        gpu, code = _of(box, handle, "nvmlDeviceGetName")
        return code or _text(buffer, gpu.get("name"))

    def nvmlDeviceGetMemoryInfo(box, handle, memory):
        gpu, code = _of(box, handle, "nvmlDeviceGetMemoryInfo")
        if code or "total" not in gpu:
            return code or _NOT_SUPPORTED
        memory._obj.total, memory._obj.used = gpu["total"], gpu.get("used", 0)
        memory._obj.free = gpu["total"] - gpu.get("used", 0)
        return 0

    def nvmlDeviceGetUtilizationRates(box, handle, rates):
        gpu, code = _of(box, handle, "nvmlDeviceGetUtilizationRates")
        if code or "use" not in gpu:
            return code or _NOT_SUPPORTED
        rates._obj.gpu, rates._obj.memory = gpu["use"], 0
        return 0

    def nvmlDeviceGetTemperature(box, handle, sensor, value):
        gpu, code = _of(box, handle, "nvmlDeviceGetTemperature")
        return code or _put(value, gpu.get("temperature"))

    def nvmlDeviceGetPowerUsage(box, handle, value):
        gpu, code = _of(box, handle, "nvmlDeviceGetPowerUsage")
        return code or _put(value, gpu.get("power"))

    def nvmlDeviceGetEnforcedPowerLimit(box, handle, value):
        gpu, code = _of(box, handle, "nvmlDeviceGetEnforcedPowerLimit")
        return code or _put(value, gpu.get("limit"))

    def nvmlDeviceGetComputeRunningProcesses_v3(box, handle, count, array):
        gpu, code = _of(box, handle, "nvmlDeviceGetComputeRunningProcesses_v3")
        return code or _listed(count, array, gpu.get("processes", []))

    def nvmlDeviceGetGraphicsRunningProcesses_v3(box, handle, count, array):
        gpu, code = _of(box, handle, "nvmlDeviceGetGraphicsRunningProcesses_v3")
        return code or _listed(count, array, gpu.get("drawing", []))


nvmlLib = _Library()
