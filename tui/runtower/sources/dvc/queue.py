"""Experiments that wait, run or failed: DVC's queue and its runs, read from their files."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from runtower.sources.dvc.contract import TASK, TEMPORARY
from runtower.sources.dvc.places import stamp

_FINISHED: Final = 3  # TaskStatus.SUCCESS; what is greater is over too


class QueueState(StrEnum):
    """As DVC names them."""

    QUEUED = "queued"
    RUNNING = "running"
    FAILED = "failed"


@dataclass(frozen=True)
class Entry:
    """An experiment that is none yet. `stash` is its commit in the queue's stash, `baseline` the commit that it starts
    from, `name` '' until it has one. While it runs its files are in `folder`, its output in `log`; '' where there are
    none. `why`: how it failed."""

    stash: str
    baseline: str
    name: str
    state: QueueState
    folder: str = ""
    log: str = ""
    why: str = ""
    pid: int = 0


def lives(entry: Entry) -> bool:
    """Whether something still runs that says it does: its process, or any in its folder (proc(5)); True where that
    can't be told."""
    if entry.pid:
        return is_alive(entry.pid)
    folder = os.path.realpath(entry.folder) if entry.folder else ""
    if not folder or not os.path.isdir("/proc/self"):
        return True
    return any(cwd == folder or cwd.startswith(f"{folder}/") for cwd in _working_folders())


def _working_folders() -> Iterator[str]:
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with suppress(OSError):
                yield os.readlink(f"/proc/{name}/cwd")


def entries(root: Path) -> list[Entry]:
    """All of them, those of the queue in its order."""
    base = root / TEMPORARY
    broker = base / "celery/broker"
    found = [Entry(*told, QueueState.QUEUED) for _, told in _messages(broker / "in")]
    for task, told in _messages(broker / "processed"):
        is_over = (base / "celery/result" / f"celery-task-meta-{task}").exists()
        entry = _begun(base / "run", told, is_over, base / "celery")
        if entry is not None:
            found.append(_checked(entry, bool(entry.pid) and not _has_worker(base / "celery")))
    known = {entry.stash for entry in found}
    standalone = _standalone(base / "standalone/run")
    found += [_checked(entry, True) for entry in standalone if entry.stash not in known]
    return found


def _checked(entry: Entry, provable: bool) -> Entry:
    """The entry, failed where what runs it is provably gone: DVC calls it running for ever."""
    if entry.state is not QueueState.RUNNING or not provable or lives(entry):
        return entry
    return replace(entry, state=QueueState.FAILED, why="what ran it is gone, and left no result")


def _has_worker(celery: Path) -> bool:
    """Whether a worker of the queue lives, which would go on with it."""
    return any(is_alive(_json(file).get("pid")) for file in celery.glob("dvc-exp-worker-*.json"))


def fingerprint(root: Path) -> list[object]:
    """What changes when the queue does."""
    base = root / TEMPORARY
    folders = [base / "celery/broker/in", base / "celery/broker/processed", base / "celery/result", base / "run"]
    folders.append(base / "standalone/run")
    stamps: list[object] = [stamp(folder) for folder in folders]
    for runs in (base / "run", base / "standalone/run"):
        try:
            with os.scandir(runs) as found:
                stamps += [(one.name, stamp(Path(one.path) / f"{one.name}.run")) for one in found]
        except OSError:
            continue
    return stamps


def _messages(folder: Path) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Of each message of a task that runs an experiment, oldest first, the task's id, and stash, baseline and name."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".celery.msg"))
    except OSError:
        return
    for name in names:
        message = _json(folder / name)
        headers = message.get("headers")
        if not isinstance(headers, dict) or headers.get("task") != TASK:
            continue
        try:
            args, kwargs, *_ = json.loads(base64.b64decode(message["body"]))
            told = kwargs.get("entry_dict") or args[0]
            yield str(headers["id"]), (str(told["stash_rev"]), str(told["baseline_rev"]), str(told.get("name") or ""))
        except (KeyError, IndexError, TypeError, ValueError):
            continue  # another DVC's


def _begun(runs: Path, told: tuple[str, str, str], is_over: bool, celery: Path) -> Entry | None:
    """An entry that a worker took; None of one that became an experiment."""
    stash, baseline, name = told
    run, process = _json(runs / stash / f"{stash}.run"), _json(runs / stash / f"{stash}.json")
    name = name or str(run.get("name") or "")
    log = str(process.get("stdout") or "")
    if not is_over:
        folder, pid = str(run.get("root_dir") or ""), int(process.get("pid") or 0)
        return Entry(stash, baseline, name, QueueState.RUNNING, folder, log, pid=pid)
    if run.get("result_hash") is not None:
        return None
    if not run:
        logs = sorted(str(one) for one in celery.glob("*.out"))
        return Entry(stash, baseline, name, QueueState.FAILED, "", logs[0] if logs else "", "it failed before it began")
    code = process.get("returncode")
    why = f"exit code {code}" if isinstance(code, int) and code else "it left no result"
    return Entry(stash, baseline, name, QueueState.FAILED, "", log, why)


def _standalone(runs: Path) -> Iterator[Entry]:
    """Those that `dvc exp run --temp` began, and that have no result."""
    try:
        names = sorted(os.listdir(runs))
    except OSError:
        return
    for stash in names:
        run, process = _json(runs / stash / f"{stash}.run"), _json(runs / stash / f"{stash}.json")
        folder, pid = str(run.get("root_dir") or ""), int(process.get("pid") or 0)
        if int(run.get("status") or 0) >= _FINISHED or not os.path.isdir(folder):
            continue
        told = str(run.get("baseline_rev") or ""), str(run.get("name") or "")
        yield Entry(stash, *told, QueueState.RUNNING, folder, str(process.get("stdout") or ""), pid=pid)


def is_alive(pid: object) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(int(str(pid)), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return True


def _json(path: Path) -> dict[str, Any]:
    """What a file holds; empty where there is none, or it is being written."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
