"""Starts what waits in a host's queue, as its limits allow: `python -I -S keeper.py FOLDER`.

One at a time keeps a queue, by a lock on `keeper.lock`; it leaves when nothing waits. Whoever adds a job starts one,
each supervisor becomes one at its end while something waits, and a runtower that is open sees to it too. So the queue
goes on when any of them dies. A program of its own, of the standard library alone.

First come, first served. A job that asks for GPUs waits for them, and those that ask for GPUs behind it wait with it,
so that a large one is not overtaken for ever; jobs that ask for none pass.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time

_LAP = 1.0
_PROBE_SECONDS = 20
_AGAIN = 30.0
_SUPERVISOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "supervisor.py")


def main(queue: str) -> None:
    for one in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    os.umask(0o077)
    waiting = os.path.join(queue, "waiting")
    while os.path.exists(waiting):
        lock = os.open(os.path.join(queue, "keeper.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return  # another keeps it
        try:
            Keeper(queue).keep()
        finally:
            os.close(lock)
        # Who added a job meanwhile met the lock, and left its mark before: hence the look again.


class Keeper:
    """One turn at a queue, under its lock."""

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        self._placed: dict[str, list[int]] = {}
        self._over: set[str] = set()
        self._said: dict[str, str] = {}
        self._retry: dict[str, float] = {}

    def keep(self) -> None:
        """Until nothing waits."""
        woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        waiting = os.path.join(self._queue, "waiting")
        while True:
            if not self._lap():
                _unlink(waiting)
                if not self._lap():
                    return
                with open(waiting, "a", encoding="utf-8"):
                    pass
            _wait(woken, _LAP)

    def _lap(self) -> bool:
        """Start what may start now; gives whether something is left that waits."""
        self._collect()
        waits, runs = self._look()
        if not waits:
            return False
        limits = _read(os.path.join(self._queue, "queue.json")) or {}
        per_gpu = max(1, int(limits.get("per_gpu") or 1))
        wants_gpus = any(spec.get("gpus") for _, spec in waits)
        gpus = self._probe(limits) if wants_gpus or not limits.get("at_once") else []
        most = int(limits.get("at_once") or 0) or max(1, len(gpus) * per_gpu)
        used: dict[int, int] = {}
        for spec in runs:
            for index in spec["on"]:
                used[index] = used.get(index, 0) + 1
        running, blocked = sum(not spec.get("now") for spec in runs), False
        for job, spec in waits:
            count = int(spec.get("gpus") or 0)
            if not spec.get("now") and running >= most:
                self._say(job, f"{running} of {most} at a time are running")
                continue
            if time.monotonic() < self._retry.get(job, 0.0):
                continue
            chosen: list[int] = []
            if count:
                free = [] if blocked else _free(gpus, used, per_gpu, limits, spec)
                if len(free) < count:
                    self._say(job, _why(count, gpus, len(free), blocked))
                    blocked = True
                    continue
                chosen = sorted(free[:count])
                for index in chosen:
                    used[index] = used.get(index, 0) + 1
            running += not spec.get("now")
            self._start(job, chosen)
        return True

    def _look(self) -> tuple[list[tuple[str, dict]], list[dict]]:  # type: ignore[type-arg]
        """The jobs that wait, by number, and those that run, each with the GPUs that it is `on`."""
        waits, runs = [], []
        for job in sorted(os.listdir(self._queue), key=_number):
            if _number(job) < 0 or job in self._over:
                continue
            folder = os.path.join(self._queue, job)
            if os.path.exists(os.path.join(folder, "end.json")):
                self._over.add(job)
                continue
            spec = _read(os.path.join(folder, "spec.json"))
            if spec is None:
                continue
            has_claim = os.path.exists(os.path.join(folder, "claim"))
            if job in self._started and not has_claim:  # its supervisor is about to begin it
                runs.append({**spec, "on": self._placed[job]})
            elif has_claim:
                on = _runs_on(folder)
                if on is not None:
                    runs.append({**spec, "on": on})
            elif os.path.exists(os.path.join(folder, "ticket")):
                waits.append((job, spec))
        return waits, runs

    def _start(self, job: str, gpus: list[int]) -> None:
        folder = os.path.join(self._queue, job)
        words = [sys.executable, "-I", "-S", _SUPERVISOR, folder, ",".join(map(str, gpus))]
        try:
            self._placed[job] = gpus
            self._started[job] = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            self._later(job, f"its supervisor can't be started: {error.strerror}")

    def _collect(self) -> None:
        """See to supervisors that have ended: one that never began its job is said, and tried again later."""
        for job, process in list(self._started.items()):
            if process.poll() is None:
                if process.stderr is not None and not os.path.exists(os.path.join(self._queue, job, "ticket")):
                    process.stderr.close()
                    process.stderr = None
                continue
            del self._started[job]
            said = process.stderr.read().decode("utf-8", "replace").strip() if process.stderr is not None else ""
            if os.path.exists(os.path.join(self._queue, job, "ticket")):
                last = said.rpartition("\n")[2] or f"exit code {process.returncode}"
                self._later(job, f"its supervisor could not begin it: {last[:300]}")

    def _later(self, job: str, text: str) -> None:
        self._retry[job] = time.monotonic() + _AGAIN
        self._say(job, f"{text}; next try in {_AGAIN:.0f} s")

    def _say(self, job: str, text: str) -> None:
        """Why it waits, for those who look."""
        if self._said.get(job) != text:
            self._said[job] = text
            try:
                _write(os.path.join(self._queue, job, "wait"), text)
            except OSError:
                self._said.pop(job, None)

    def _probe(self, limits: dict) -> list[dict]:  # type: ignore[type-arg]
        """The GPUs as runtower.jobs.gpus prints them; a driver that hangs costs patience and no more."""
        words = limits.get("probe") or []
        if not words:
            return []
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE_SECONDS, check=True
            )
            return list(json.loads(done.stdout))
        except (OSError, ValueError, subprocess.SubprocessError):
            return []


def _free(gpus: list[dict], used: dict[int, int], per_gpu: int, limits: dict, spec: dict) -> list[int]:  # type: ignore[type-arg]
    """The GPUs on which one more of ours may start, the emptiest first."""
    share = float(limits.get("gpu_free") or 0.5) / per_gpu
    most_use = float(limits.get("gpu_use") or 50.0)
    allowed = spec.get("visible")
    found = []
    for gpu in gpus:
        index, total = gpu["index"], gpu.get("memory_total") or 0
        ours = used.get(index, 0)
        if gpu.get("error") or ours >= per_gpu or (allowed is not None and not _is_named(gpu, allowed)):
            continue
        free = total - (gpu.get("memory_used") or 0)
        if total and free < share * total:
            continue
        if not ours and (gpu.get("use") or 0.0) >= most_use:
            continue
        found.append((ours, -free, index))
    return [index for _, _, index in sorted(found)]


def _is_named(gpu: dict, names: list[str]) -> bool:  # type: ignore[type-arg]
    """As CUDA_VISIBLE_DEVICES names GPUs: by index, or by the beginning of a UUID."""
    return any(name == str(gpu["index"]) or str(gpu.get("uuid", "")).startswith(name) for name in names)


def _why(count: int, gpus: list[dict], free: int, blocked: bool) -> str:  # type: ignore[type-arg]
    wants = f"wants {count} GPU{'s' if count > 1 else ''}"
    if not gpus:
        return f"{wants}; none can be seen on this machine"
    if count > len(gpus):
        return f"{wants}; this machine has {len(gpus)}"
    if blocked:
        return f"{wants}; a job before it waits for GPUs too"
    return f"{wants}; {free} of {len(gpus)} free"


def _runs_on(folder: str) -> list[int] | None:
    """The GPUs of a job that runs; None of one that doesn't."""
    try:
        with open(os.path.join(folder, "claim"), encoding="utf-8") as file:
            words = file.read().split()
        boot, namespace, pid, start = words[1:5]
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            here = file.read().strip()
        if words[0] != "start" or boot != here:
            return None
        if namespace == str(os.stat("/proc/self/ns/pid").st_ino):
            with open(f"/proc/{pid}/stat", "rb") as stat:
                fields = stat.read().rsplit(b")", 1)[1].split()
            if fields[19].decode() != start or fields[0] in b"ZX":
                return None
        return [int(one) for one in (words[8] if len(words) > 8 else "").split(",") if one]
    except (OSError, ValueError, IndexError):
        return None


def _number(job: str) -> int:
    return int(job[1:]) if job[:1] == "j" and job[1:].isdecimal() else -1


def _wait(woken: int, seconds: float) -> None:
    select.select([woken], [], [], seconds)
    try:
        while os.read(woken, 4096):
            pass
    except BlockingIOError:
        pass


def _read(path: str):  # type: ignore[no-untyped-def]
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def _write(path: str, text: str) -> None:
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(f"{path}.new", path)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


if __name__ == "__main__":
    main(sys.argv[1])
