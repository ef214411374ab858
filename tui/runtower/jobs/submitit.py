"""How a job of submitit's ended, from its result file: Slurm calls it COMPLETED whatever its function raised.

submitit writes a pickle of ("success", result) or ("error", traceback); Hydra's launcher catches what its task raised,
so that its result is a JobReturn with a status (hydra.core.utils.JobStatus: 1 completed, 2 failed). A pickle can do
anything when it is loaded, so it isn't: its opcodes are read (pickletools), which runs nothing.
"""

from __future__ import annotations

import pickletools
from pathlib import Path
from typing import Final

from runtower.domain.jobs import JobState

_MOST: Final = 4_000_000
_JOB_STATUS: Final = "JobStatus"
_FAILED: Final = 2


def verdict(log: str, job: str) -> JobState | None:
    """OK or FAIL, by the result beside a job's `log`; None where there is none, or it says neither."""
    if not log:
        return None
    file = Path(log).parent / f"{job}_0_result.pkl"
    try:
        if file.stat().st_size > _MOST:
            return None
        return _read(file.read_bytes())
    except (OSError, ValueError):
        return None


def _read(data: bytes) -> JobState | None:
    first, status_comes, recent = "", False, ""
    for opcode, argument, _ in pickletools.genops(data):
        if isinstance(argument, str):
            first = first or argument
            if argument.rpartition(" ")[2] == _JOB_STATUS or (argument == _JOB_STATUS and recent.startswith("hydra")):
                status_comes = True
            recent = argument
        elif status_comes and opcode.name in ("BININT1", "BININT", "BININT2", "INT", "LONG1"):
            return JobState.FAIL if argument == _FAILED else JobState.OK
    if first == "error":
        return JobState.FAIL
    return JobState.OK if first == "success" else None
