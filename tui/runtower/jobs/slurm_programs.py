"""Slurm's own programs: the only way here to ask it or tell it something. Their times are read as UTC."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

from runtower.domain.errors import Forbidden, Invalid, NotFound, TowerError, Unreachable

_PATIENCE: Final = 20.0
# Slurm prints local times without a zone, in the format that SLURM_TIME_FORMAT asks for.
_CLOCK: Final = {"TZ": "UTC", "SLURM_TIME_FORMAT": "standard"}
# `squeue: error: `, `slurm_load_jobs error: `.
_PREFIX: Final = re.compile(r"^(?:\w+: )?(?:\w+ )?error: ")
_OURS_TO_CHOOSE: Final = ("SQUEUE_", "SBATCH_", "SCANCEL_", "SINFO_")


class NotSetUp(TowerError):
    """Slurm's programs are installed, and know of no cluster."""


def why_not() -> str:
    """Why Slurm can't be used here, as a sentence; '' where it can."""
    missing = [name for name in ("sbatch", "squeue", "scancel", "scontrol") if shutil.which(name) is None]
    return f"Slurm isn't installed here: there is no {missing[0]} in PATH." if missing else ""


def run(program: str, *words: str, environ: Mapping[str, str] | None = None, patience: float = _PATIENCE) -> str:
    """What a program of Slurm's prints, started with `environ`, else with ours.

    Raises NotSetUp, NotFound for a job that it doesn't know, Forbidden, Unreachable where its controller doesn't
    answer, Invalid for what it refuses, TowerError else; each with Slurm's own words.
    """
    given = os.environ if environ is None else environ
    known = {name: value for name, value in given.items() if not name.startswith(_OURS_TO_CHOOSE)}
    try:
        done = subprocess.run(
            [program, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience,
            check=False,
            env=known | _CLOCK,
            encoding="utf-8",
            errors="replace",
        )
    except FileNotFoundError:
        raise TowerError(why_not() or f"There is no {program} in PATH.", "Load the cluster's module.") from None
    except subprocess.TimeoutExpired:
        raise Unreachable(
            f"Slurm did not answer {program} for {patience:g} s.", "Its controller may be busy."
        ) from None
    if done.returncode == 0:
        return done.stdout
    raise _refused(program, words, done.stderr.strip() or f"{program} exited with {done.returncode}")


def _refused(program: str, words: Sequence[str], said: str) -> TowerError:
    lines = [_PREFIX.sub("", line) for line in said.splitlines()]
    text = f"Slurm says: {'; '.join(line.rstrip('.') for line in lines if line)}."
    low = said.casefold()
    if "configuration source" in low or "unable to process configuration file" in low:
        return NotSetUp("Slurm's programs are here, and know of no cluster.", "Is SLURM_CONF set? " + text)
    if "invalid job id" in low:
        return NotFound(text, "It may have ended long ago.")
    if "access/permission denied" in low or "access denied" in low:
        return Forbidden(text, "Only its owner may do that.")
    if "unable to contact slurm controller" in low or "connection refused" in low or "socket timed out" in low:
        return Unreachable(text, "Is the cluster's controller up?")
    return Invalid(text, f"The command was: {program} {' '.join(words[:12])}")
