"""Starts one job, waits for it and writes down how it ended: `python -I -S supervisor.py FOLDER [GPU,GPU]`.

A program of its own, of the standard library alone and run without site-packages, so that a job costs little memory and
depends on nothing of runtower's that may be replaced while it runs. It lives in its own session, ignores hang-ups, and
the command gets a session of its own, so that a signal to its process group meets all of the command and not this.

A job is begun at most once: the command's own process, before it becomes the command, takes the file `ticket` away by
renaming it, which one of several can do, writes into it who it is, and renames it `claim`. From then on it is known
what to look for, whatever dies. The files `ticket`, `log` and `.end` were made when the job was queued, with room in
them, so that a job is begun and its end is known on a full disk too. docs/jobs.md describes all files.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

_TAKEN = b"taken"
_IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE)
_RUN_CONTEXT = "MLFLOW_RUN_CONTEXT"


def main(folder: str, gpus: str) -> None:
    folder = os.path.abspath(folder)
    os.umask(0o077)
    for one in _IGNORED:
        signal.signal(one, signal.SIG_IGN)
    if not os.path.exists(os.path.join(folder, "ticket")):
        return
    with open(os.path.join(folder, "spec.json"), encoding="utf-8") as file:
        spec = json.load(file)
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        _become(folder, spec, gpus, theirs)
    os.close(theirs)
    said = b""
    while piece := os.read(ours, 65536):
        said += piece
    os.close(ours)
    if said == _TAKEN:
        os.waitpid(pid, 0)
        return
    _forget_secrets(folder)
    _, status, used = os.wait4(pid, 0)
    _write_end(
        folder,
        {
            "ended_ms": time.time_ns() // 1_000_000,
            "exit_code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
            "error": said.decode("utf-8", "replace"),
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
            "peak_kib": used.ru_maxrss,
        },
    )


def _become(folder: str, spec: dict, gpus: str, tell: int) -> None:  # type: ignore[type-arg]
    """In the child: claim the job and become its command; says why that can't be, and ends."""
    try:
        os.setsid()
        environ = _environ(folder)
        environ["RUNTOWER_JOB"] = os.path.basename(folder)
        if gpus:
            environ["CUDA_DEVICE_ORDER"], environ["CUDA_VISIBLE_DEVICES"] = "PCI_BUS_ID", gpus
        identity, start = _identity()
        environ[_RUN_CONTEXT] = _context(
            environ.get(_RUN_CONTEXT, ""), f"{spec['host']}:{os.path.basename(folder)}", identity
        )
        claim = ["start", identity, _stat(os.getppid()), str(time.time_ns() // 1_000_000), gpus]
        if not _claim(folder, " ".join(claim).rstrip(), start):
            os.write(tell, _TAKEN)
            os._exit(0)
        log = os.open(os.path.join(folder, "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        for one in _IGNORED:
            signal.signal(one, signal.SIG_DFL)
        os.umask(spec.get("umask", 0o022))
        try:
            os.chdir(spec["folder"])
        except OSError as error:
            _give_up(tell, f"The folder {spec['folder']} can't be entered: {error.strerror}.")
        command = spec["argv"]
        try:
            os.execvpe(command[0], command, environ)  # noqa: S606 - the user's own command
        except OSError as error:
            _give_up(tell, _why_not_begun(command[0], error))
    except Exception as error:  # noqa: BLE001 - whatever it is, the job's end has to tell it
        _give_up(tell, f"It could not be started: {type(error).__name__}: {error}.")


def _give_up(tell: int, text: str) -> None:
    os.write(tell, text.encode())
    os._exit(127)


def _why_not_begun(program: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        if "/" in program and os.path.exists(program):
            return f"{program} can't be started: the interpreter that its first line names isn't there."
        where = "" if "/" in program else " in the PATH that it was launched with"
        return f"There is no program {program}{where}."
    return f"{program} can't be started: {error.strerror}."


def _environ(folder: str) -> dict[str, str]:
    with open(os.path.join(folder, "environ.json"), encoding="utf-8") as file:
        return dict(json.load(file))


def _context(given: str, job: str, identity: str) -> str:
    """What MLflow shall tag this job's runs with (its SystemEnvironmentContext), besides what was given already."""
    try:
        tags = json.loads(given) if given else {}
    except ValueError:
        return given
    if not isinstance(tags, dict):
        return given
    tags.update({"runtower.job": job, "runtower.process": identity})
    return json.dumps(tags)


def _forget_secrets(folder: str) -> None:
    """The command has its environment; of the copy on disk only what is no secret stays."""
    path = os.path.join(folder, "environ.json")
    try:
        with open(os.path.join(folder, "secret.json"), encoding="utf-8") as file:
            secret = set(json.load(file))
        kept = {key: "(not kept)" if key in secret else value for key, value in _environ(folder).items()}
        with open(f"{path}.new", "w", encoding="utf-8") as new:
            json.dump(kept, new)
        os.rename(f"{path}.new", path)
    except (OSError, ValueError):
        os.unlink(path)


def _claim(folder: str, text: str, own: str) -> bool:
    """Whether this one may begin the job. `own`: a name that no other process has had since the boot."""
    taken = os.path.join(folder, f".taken.{os.getpid()}.{own}")
    try:
        os.rename(os.path.join(folder, "ticket"), taken)
    except FileNotFoundError:
        return False
    _overwrite(taken, text)
    os.rename(taken, os.path.join(folder, "claim"))
    return True


def _identity() -> tuple[str, str]:
    """This process as runtower.jobs.proofs.process_tag says it, and its start in clock ticks."""
    pid = _stat(os.getpid())
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        return f"{boot} {os.stat('/proc/self/ns/pid').st_ino} {pid}", pid.partition(" ")[2]
    except OSError:
        return f"- - {pid}", "-"


def _stat(pid: int) -> str:
    """A process as `pid start`, the start in clock ticks since the boot (proc_pid_stat(5))."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return f"{pid} {stat.read().rsplit(b')', 1)[1].split()[19].decode()}"
    except OSError:
        return f"{pid} -"


def _write_end(folder: str, end: dict) -> None:  # type: ignore[type-arg]
    """Over the room that was taken, then renamed."""
    room = os.path.join(folder, ".end")
    text = json.dumps(end)
    if len(text) > os.path.getsize(room) - 1:
        text = json.dumps({**end, "error": end["error"][:300]})
    _overwrite(room, text)
    os.rename(room, os.path.join(folder, "end.json"))


def _overwrite(path: str, text: str) -> None:
    """All of a file that has room enough: it keeps its length, and so needs no more of the disk."""
    with open(path, "r+b") as file:
        file.write(text.encode().ljust(os.path.getsize(path) - 1) + b"\n")
        file.flush()
        os.fsync(file.fileno())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
    # Its place is free for what waits: where nobody keeps the queue any more, this process does.
    keeper = os.path.join(os.path.dirname(os.path.abspath(__file__)), "keeper.py")
    queue = os.path.dirname(os.path.abspath(sys.argv[1]))
    if os.path.exists(os.path.join(queue, "waiting")):
        os.execv(sys.executable, [sys.executable, "-I", "-S", keeper, queue])  # noqa: S606 - a program of ours
