"""The GPUs of this machine, from NVML itself (docs.nvidia.com/deploy/nvml-api). Lives in a process of its own.

A driver may take seconds, hang, or end the process it is called from; nothing of the terminal waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import pynvml

from runtower.domain.box import Gpu, GpuProcess, Gpus

T = TypeVar("T")

NO_DRIVER: Final = "No NVIDIA driver answers on this machine."


class GpuReader:
    """Reads laps. NVML is begun at the first one, and again after it was lost."""

    def __init__(self) -> None:
        self._begun = False
        self._driver = ""

    def lap(self) -> Gpus:
        """All GPUs as they are now. Never raises: what NVML says becomes a sentence."""
        at = time.time() * 1000
        try:
            if not self._begun:
                pynvml.nvmlInit()
                self._begun = True
                self._driver = _asked(pynvml.nvmlSystemGetDriverVersion) or ""
            count = pynvml.nvmlDeviceGetCount()
            gpus = tuple(_gpu(index) for index in range(count))
        except pynvml.NVMLError as error:
            self._begun = False
            return Gpus(at, said=_sentence(error))
        return Gpus(at, gpus, self._driver, "" if gpus else "The NVIDIA driver sees no GPU.")


def _gpu(index: int) -> Gpu:
    """What is known of one; a GPU that fell off the bus keeps its place and says so."""
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    except pynvml.NVMLError as error:
        return Gpu(index, "", "", error=_sentence(error))
    memory = _asked(pynvml.nvmlDeviceGetMemoryInfo, handle)
    use = _asked(pynvml.nvmlDeviceGetUtilizationRates, handle)
    power = _asked(pynvml.nvmlDeviceGetPowerUsage, handle)
    limit = _asked(pynvml.nvmlDeviceGetEnforcedPowerLimit, handle)
    return Gpu(
        index=index,
        uuid=_asked(pynvml.nvmlDeviceGetUUID, handle) or "",
        name=_asked(pynvml.nvmlDeviceGetName, handle) or "",
        memory_used=int(memory.used) if memory is not None else None,
        memory_total=int(memory.total) if memory is not None else None,
        use=float(use.gpu) if use is not None else None,
        temperature=_asked(pynvml.nvmlDeviceGetTemperature, handle, pynvml.NVML_TEMPERATURE_GPU),
        power=power / 1000 if power is not None else None,
        power_limit=limit / 1000 if limit is not None else None,
        processes=tuple(_processes(handle)),
        error="" if memory is not None or use is not None else "It doesn't answer.",
    )


def _processes(handle: object) -> Iterator[GpuProcess]:
    """Those that compute and those that draw, each once."""
    found: dict[int, int | None] = {}
    for ask in (pynvml.nvmlDeviceGetComputeRunningProcesses, pynvml.nvmlDeviceGetGraphicsRunningProcesses):
        for one in _asked(ask, handle) or ():
            found.setdefault(one.pid, one.usedGpuMemory)
    return (GpuProcess(pid, memory) for pid, memory in sorted(found.items()))


def _asked(function: Callable[..., T], *arguments: Any) -> T | None:
    """What it says; None where this GPU or driver doesn't tell that."""
    try:
        said = function(*arguments)
    except pynvml.NVMLError:
        return None
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said  # type: ignore[return-value]


def _sentence(error: Exception) -> str:
    number = getattr(error, "value", None)
    if number in (
        pynvml.NVML_ERROR_LIBRARY_NOT_FOUND,
        pynvml.NVML_ERROR_DRIVER_NOT_LOADED,
        pynvml.NVML_ERROR_UNINITIALIZED,
    ):
        return NO_DRIVER
    if number == pynvml.NVML_ERROR_NO_PERMISSION:
        return "The NVIDIA driver may not be asked by this user."
    if number == pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH:
        return "The NVIDIA driver and its library are of different versions; the machine wants a restart."
    if number == pynvml.NVML_ERROR_GPU_IS_LOST:
        return "A GPU has fallen off the bus; the machine wants a restart."
    return f"The NVIDIA driver says: {error}."
