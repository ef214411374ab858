"""GPUs as rows of a table, each with the processes on it below, and what is to be said of one of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Final

from runtower.acts.box import Box
from runtower.acts.listed import Cell, Head, ListedRow
from runtower.domain.box import Gpu, GpuProcess, Host, Process
from runtower.present.glyphs import Glyphs
from runtower.present.sizes import size_text
from runtower.present.spans import Line
from runtower.present.times import ago

_SPARK: Final = 12
_BUSY: Final = 70.0
_HOT: Final = 84.0


def gpu_heads() -> list[Head]:
    """The columns."""
    return [
        Head("name", "gpu", 22, grows=True),
        Head("use", "use", 5, right=True),
        Head("curve", "lately", _SPARK, least=90),
        Head("memory", "memory", 15, right=True),
        Head("held", "lately", _SPARK, least=140),
        Head("temperature", "temp", 5, right=True, least=70),
        Head("power", "power", 9, right=True, least=100),
        Head("user", "user", 8, least=76),
        Head("age", "since", 9, right=True, least=110),
        Head("run", "run", 14, grows=True, least=60),
    ]


def gpu_rows(box: Box, names: Mapping[int, str], glyphs: Glyphs, now_ms: float) -> list[ListedRow]:
    """Each GPU, and below it its processes; `names` are those of the runs by pid."""
    rows: list[ListedRow] = []
    for gpu in box.gpus.gpus if box.gpus is not None else ():
        rows.append(_gpu_row(gpu, box, glyphs))
        for place, process in enumerate(gpu.processes):
            is_last = place == len(gpu.processes) - 1
            known = box.processes.get(process.pid)
            mark = glyphs.corner if is_last else glyphs.branch
            rows.append(_process_row(gpu, process, known, names.get(process.pid, ""), mark, now_ms))
    return rows


def pid_of(row_id: Hashable) -> int:
    """The process whose row this is, 0 for a GPU's."""
    return int(row_id[2]) if isinstance(row_id, tuple) and row_id[0] == "process" else 0


def index_of(row_id: Hashable) -> int:
    """The GPU that a row is of."""
    return int(row_id[1]) if isinstance(row_id, tuple) else -1


def _gpu_row(gpu: Gpu, box: Box, glyphs: Glyphs) -> ListedRow:
    hot = gpu.temperature is not None and gpu.temperature >= _HOT
    limit = f"/{gpu.power_limit:.0f}" if gpu.power_limit else ""
    share = gpu.memory_used / gpu.memory_total * 100 if gpu.memory_used is not None and gpu.memory_total else None
    cells = {
        "name": Cell(
            f"{gpu.index} {_short(gpu.name) or 'not there'}", "bright" if not gpu.error else "warning", gpu.index
        ),
        "use": Cell(f"{gpu.use:.0f}%" if gpu.use is not None else "", _tone(gpu.use), gpu.use),
        "curve": Cell(spark(box.uses.get(gpu.index, ()), 100.0, _SPARK, glyphs), "state-running", gpu.use),
        "memory": Cell(_memory(gpu), _tone(share), share),
        "held": Cell(spark(box.memories.get(gpu.index, ()), 1.0, _SPARK, glyphs), "state-running", share),
        "temperature": Cell(
            f"{gpu.temperature:.0f}C" if gpu.temperature is not None else "", "warning" if hot else "", gpu.temperature
        ),
        "power": Cell(f"{gpu.power:.0f}{limit}W" if gpu.power is not None else "", "", gpu.power),
        "user": Cell(""),
        "age": Cell(""),
        "run": Cell(gpu.error, "warning") if gpu.error else Cell("" if gpu.is_busy else "free", "better"),
    }
    return ListedRow(("gpu", gpu.index), cells, f"{gpu.uuid} {gpu.name}")


def _process_row(gpu: Gpu, process: GpuProcess, known: Process | None, run: str, mark: str, now_ms: float) -> ListedRow:
    words = known.command if known is not None else ()
    command, plain = " ".join(words), " ".join([word.rpartition("/")[2] for word in words[:1]] + list(words[1:]))
    cells = {
        "name": Cell(f" {mark} {process.pid} {program(known)}", "" if known is not None and known.is_ours else "dim"),
        "memory": Cell(size_text(process.memory) if process.memory is not None else "", "", process.memory),
        "user": Cell(known.user if known is not None else "?", "dim"),
        "age": Cell(ago(known.started_ms, now_ms) if known is not None else "", "dim"),
        "run": Cell(run or plain, "hit" if run else "dim", begins=True),
    }
    return ListedRow(("process", gpu.index, process.pid), cells, command)


def program(process: Process | None) -> str:
    """What a process runs, short: the script of an interpreter."""
    if process is None or not process.command:
        return ""
    words = [word.rpartition("/")[2] for word in process.command]
    script = next((word for word in words[1:6] if word.endswith((".py", ".sh"))), "")
    return script or words[0]


def spark(values: Iterable[float | None], most: float, width: int, glyphs: Glyphs) -> str:
    """The newest values at the right, against a scale that begins at 0 and doesn't move."""
    newest = list(values)[-width:]
    steps = glyphs.spark
    drawn = [" " if one is None else steps[min(len(steps) - 1, int(one / most * len(steps)))] for one in newest]
    return "".join(drawn).rjust(width)


def about_gpu(gpu: Gpu, driver: str) -> list[Line]:
    """What there is to say of a GPU."""
    lines: list[Line] = [((gpu.error, "warning"),)] if gpu.error else []
    lines.append((("memory   ", "dim"), (_memory(gpu) or "not told", "")))
    lines.append((("uuid     ", "dim"), (gpu.uuid or "not told", ""), (f"   driver {driver}" if driver else "", "dim")))
    count = len(gpu.processes)
    said = f"{count} process{'es' if count != 1 else ''}" if count else "nobody is on it"
    lines.append((("use      ", "dim"), (said, "")))
    return lines


def about_process(process: Process | None, links: Sequence[tuple[str, str, bool]], now_ms: float) -> list[Line]:
    """What there is to say of a process; `links`: the names of its runs, how that is known, whether it is sure."""
    if process is None:
        return [(("It can't be seen from here: another container's, or it is just ending.", "dim"),)]
    lines: list[Line] = [((" ".join(process.command), ""),)]
    for name, evidence, sure in links:
        lines.append((("run      ", "dim"), (name + ("" if sure else "?"), "hit"), (f"   {evidence}", "dim")))
    lines.append((("owner    ", "dim"), (process.user, ""), (f"   started {ago(process.started_ms, now_ms)}", "dim")))
    if process.folder:
        lines.append((("folder   ", "dim"), (process.folder, "")))
    if process.environ:
        said = " ".join(f"{name}={value}" for name, value in process.environ.items())
        lines.append((("names    ", "dim"), (said, "")))
    return lines


def host_line(host: Host | None, width: int) -> Line:
    """The machine in one line, what matters most first; what has no room is left out."""
    if host is None:
        return ()
    full = [disk for disk in host.disks if disk.is_full_soon]
    spans: list[tuple[str, str]] = [(host.name, "bright")]
    spans += [(f"{disk.path}: {size_text(disk.free)} free, full soon", "warning") for disk in full]
    spans += [
        (f"cpu {host.cpu:.0f}% of {host.cores}", "warning" if host.cpu > 95 else ""),
        (f"memory {size_text(host.memory_used)} of {size_text(host.memory_total)}", ""),
    ]
    spans += [(f"{disk.path}: {size_text(disk.free)} free", "dim") for disk in host.disks if not disk.is_full_soon]
    spans.append((f"load {host.load:.1f}", "dim"))
    shown: list[tuple[str, str]] = []
    for text, tone in spans:
        if width >= len(text):
            shown.append((f"{text}   ", tone))
            width -= len(text) + 3
    return tuple(shown)


def _memory(gpu: Gpu) -> str:
    if gpu.memory_used is None or not gpu.memory_total:
        return ""
    return f"{gpu.memory_used / 2**30:.1f} of {gpu.memory_total / 2**30:.0f} GB"


def _tone(percent: float | None) -> str:
    return "bright" if percent is not None and percent >= _BUSY else ""


def _short(name: str) -> str:
    return name.removeprefix("NVIDIA ").removeprefix("GeForce ")
