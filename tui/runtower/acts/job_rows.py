"""Jobs as rows of a table, members of an array folded into one, and what is to be said of one of them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Final

from runtower.acts.listed import Cell, Head, ListedRow
from runtower.domain.jobs import Job, JobState, Where
from runtower.domain.links import Link, Relation
from runtower.jobs.queueing import number_of
from runtower.present.console import console_lines
from runtower.present.glyphs import Glyphs
from runtower.present.job_cells import job_state, job_states, on_text, reason_text, since_text
from runtower.present.spans import Line
from runtower.present.times import clock, duration

_ORDER: Final = {JobState.RUN: 0, JobState.WAIT: 1}
_NO_MOMENT: Final = 0.0


def job_heads(jobs: Sequence[Job]) -> list[Head]:
    """The columns, as wide as what stands in them."""
    on = max((len(on_text(job)) for job in jobs), default=0)
    longest = max((len(job.id) for job in jobs), default=0)
    return [
        Head("name", "job", 16, grows=True),
        Head("state", "state", 10),
        Head("id", "id", max(4, min(14, longest + 2))),
        Head("since", "since", 9, right=True),
        Head("took", "took", 6, right=True, least=70),
        Head("on", "on", max(6, min(24, on)), least=90),
        Head("says", "says", 24, grows=True, least=76),
    ]


def job_rows(jobs: Sequence[Job], unfolded: set[str], glyphs: Glyphs, now_ms: float) -> list[ListedRow]:
    """All jobs: what runs, what waits in the order of its turn, what is over, the newest first; an array stands where
    its first member would."""
    ordered = sorted(jobs, key=_place)
    members: dict[str, list[Job]] = {}
    for job in ordered:
        if job.array:
            members.setdefault(job.array, []).append(job)
    rows: list[ListedRow] = []
    shown: set[str] = set()
    for job in ordered:
        family = members.get(job.array, [])
        if len(family) < 2:
            rows.append(_row(job, job.name, glyphs, now_ms))
        elif job.array not in shown:
            shown.add(job.array)
            is_open = job.array in unfolded
            rows.append(_array_row(family, is_open, glyphs, now_ms))
            if is_open:
                rows += _members(family, glyphs, now_ms)
    return rows


def _members(family: Sequence[Job], glyphs: Glyphs, now_ms: float) -> list[ListedRow]:
    *others, last = sorted(family, key=lambda job: _member(job.id))
    drawn = [(glyphs.branch, job) for job in others] + [(glyphs.corner, last)]
    return [_row(job, f" {branch} {job.id}", glyphs, now_ms) for branch, job in drawn]


def array_of(row_id: Hashable) -> str:
    """The array whose row this is, '' for a job's own."""
    return row_id[1] if isinstance(row_id, tuple) and row_id[0] == "array" else ""


def _row(job: Job, name: str, glyphs: Glyphs, now_ms: float) -> ListedRow:
    since, took = since_text(job, now_ms)
    state, tone = job_state(job.state, glyphs)
    says = reason_text(job) or _last(job, glyphs)
    tone_of_says = "warning" if job.state in (JobState.FAIL, JobState.LOST) else "dim"
    moment = job.started_ms if job.state is JobState.RUN else job.ended_ms or job.queued_ms
    length = (job.ended_ms or now_ms) - job.started_ms if job.started_ms is not None else None
    cells = {
        "name": Cell(name, "bright" if not job.state.is_over else ""),
        "state": Cell(state, tone, str(job.state)),
        "id": Cell(job.id, "dim", float(number_of(job.id)) if number_of(job.id) >= 0 else job.id),
        "since": Cell(since, "dim", moment),
        "took": Cell(took, "", length),
        "on": Cell(on_text(job), "", on_text(job) or None),
        "says": Cell(says, tone_of_says, says or None, begins=True),
    }
    return ListedRow(job.id, cells, " ".join([*job.command, job.folder, str(job.where)]))


def _array_row(family: Sequence[Job], is_open: bool, glyphs: Glyphs, now_ms: float) -> ListedRow:
    first = family[0]
    since, _ = since_text(first, now_ms)
    mark = glyphs.descending if is_open else glyphs.folded
    counted, tone = job_states([job.state for job in family], glyphs)
    cells = {
        "name": Cell(f"{mark} {first.name}", "bright"),
        "state": Cell(counted, tone, str(first.state)),
        "id": Cell(first.array, "dim", first.array),
        "since": Cell(since, "dim", first.queued_ms),
        "on": Cell(on_text(first), ""),
        "says": Cell(f"{len(family)} members", "dim"),
    }
    return ListedRow(("array", first.array), cells, " ".join(first.command))


def _place(job: Job) -> tuple[int, float]:
    """What runs first, the longest last; then what waits, the next one first; then what is over."""
    if job.state is JobState.WAIT:
        return 1, job.queued_ms or _NO_MOMENT
    moment = job.started_ms if job.state is JobState.RUN else job.ended_ms or job.queued_ms
    return _ORDER.get(job.state, 2), -(moment or _NO_MOMENT)


def _member(job_id: str) -> int:
    member = job_id.rpartition("_")[2]
    return int(member) if member.isdecimal() else 0


def _last(job: Job, glyphs: Glyphs) -> str:
    lines = console_lines(job.last_line[-400:], glyphs) if job.last_line else []
    return lines[-1] if lines else ""


def about_job(job: Job, links: Sequence[Link], names: Mapping[str, str], glyphs: Glyphs, now_ms: float) -> list[Line]:
    """What there is to say of a job, what matters most first; `names` are those of runs by their id."""
    state, tone = job_state(job.state, glyphs)
    first: list[tuple[str, str]] = [(state, tone)]
    if job.source_state and job.where is Where.SLURM:
        first.append((f"  {job.source_state}", "dim"))
    if reason_text(job):
        first.append((f"  {reason_text(job)}", "warning" if job.state in (JobState.FAIL, JobState.LOST) else ""))
    lines: list[Line] = [tuple(first)]
    belongs = _belongs(links, names)
    if belongs:
        lines.append(belongs)
    if job.command:
        lines.append(_pair("command", " ".join(job.command)))
    times = [
        f"{word} {clock(at, now_ms)}"
        for word, at in (("queued", job.queued_ms), ("started", job.started_ms), ("ended", job.ended_ms))
        if at is not None
    ]
    if job.started_ms is not None:
        end = job.ended_ms if job.state.is_over and job.ended_ms else now_ms
        times.append(f"took {duration(end - job.started_ms)}")
    lines.append(_pair("times", ", ".join(times)))
    if job.folder:
        lines.append(_pair("folder", job.folder))
    if job.log:
        lines.append(_pair("log", job.log))
    if (last := _last(job, glyphs)) and last not in reason_text(job):
        lines.append(_pair("says", last))
    return lines


def _pair(name: str, text: str) -> Line:
    return ((f"{name:<9}", "dim"), (text, ""))


def _belongs(links: Sequence[Link], names: Mapping[str, str]) -> Line:
    """The runs, processes and GPUs, those that are only guessed with a question mark."""
    said: list[tuple[str, str]] = []
    for link in links:
        if link.relation is Relation.LOG:
            continue
        name = names.get(link.target, link.target[:12]) if link.relation is Relation.RUN else link.target
        said.append((f"{link.relation} ", "dim"))
        said.append((f"{name}{'' if link.sure else '?'}   ", "hit" if link.relation is Relation.RUN else ""))
    return ((f"{'with':<9}", "dim"), *said) if said else ()
