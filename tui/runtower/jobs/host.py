"""The machine itself: processors, memory, disks, by psutil."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from runtower.domain.box import Disk, Host


class HostReader:
    """Use of the processors is measured from one lap to the next."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """`paths`: whose disks matter."""
        self._paths = paths
        psutil.cpu_percent(None)

    def lap(self) -> Host:
        """The machine as it is now."""
        memory = psutil.virtual_memory()
        return Host(
            at_ms=time.time() * 1000,
            name=socket.gethostname(),
            cpu=psutil.cpu_percent(None),
            cores=psutil.cpu_count() or 1,
            load=os.getloadavg()[0],
            memory_used=memory.total - memory.available,
            memory_total=memory.total,
            disks=tuple(self._disks()),
        )

    def _disks(self) -> list[Disk]:
        """One a file system, by the first of the paths that lie on it."""
        found: dict[int, Disk] = {}
        for path in self._paths:
            try:
                device, usage = os.stat(path).st_dev, psutil.disk_usage(str(path))
            except OSError:
                continue
            found.setdefault(device, Disk(str(path), usage.free, usage.total))
        return list(found.values())
