"""The two lines above the rows: how the sources are, and what is shown of how much."""

from __future__ import annotations

import time
from typing import Final

from runtower.acts.desk import Desk
from runtower.acts.layout import title
from runtower.domain import runs
from runtower.link.events import Health, State
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line, inert, shortened
from runtower.present.times import clock

_QUIET_POLLS: Final = 2


def sources_line(desk: Desk, glyphs: Glyphs, width: int) -> tuple[Line, Line]:
    """Left: the product and its screens; right: each source's name and state, in brackets where its runs aren't shown,
    and how many runs there are in those that are."""
    name = " runtower  " if width >= 60 else " "
    left: Line = ((name, "title"), ("[1 runs]", "active"), (_beside(width, bool(desk.pipelines.numbers)), "dim"))
    right = _sources(desk, glyphs, width, False)
    counts = _counts(desk)
    if sum(len(text) for text, _ in (*left, *right)) + len(counts) > width:
        right = _sources(desk, glyphs, width, True)
    busy = gpus_busy(desk)
    if busy and sum(len(text) for text, _ in (*left, *right)) + len(counts) + len(busy) <= width:
        right.append((busy, ""))
    right.append((counts, ""))
    if desk.paused:
        right.append(("  paused (w)", "warning"))
    return left, (*right, (" ", ""))


def gpus_busy(desk: Desk) -> str:
    """How many GPUs of this machine are in use, '' where it has none."""
    gpus = desk.box.gpus
    return f"gpu {gpus.busy}/{len(gpus.gpus)} busy   " if gpus is not None and gpus.gpus else ""


def _beside(width: int, has_pipeline: bool) -> str:
    """The screens beside the runs, each with its digit."""
    if width >= 110:
        return f" 2 models  {'3 pipeline  ' if has_pipeline else ''}5 jobs  6 gpu"
    return f" 2 {'3 ' if has_pipeline else ''}5 6" if width >= 60 else ""


def _sources(desk: Desk, glyphs: Glyphs, width: int, short: bool) -> list[tuple[str, str]]:
    """Each source's sign and name; `short`: only the signs of those that are well and shown."""
    right: list[tuple[str, str]] = []
    room = max(8, (width - 50) // max(1, len(desk.targets)) - 4)
    for number, target in enumerate(desk.targets):
        health = desk.tower.health(number)
        identity = desk.tower.identities.get(number)
        alone = len(desk.targets) == 1 and width >= 110
        name = identity.address if identity is not None and alone else target.name
        glyph, tone = sign(health, bool(target.held), glyphs)
        said, plain = shortened(inert(name, glyphs), room, glyphs), "" if tone == "better" else tone
        if not desk.browser.shows(number):
            said, plain = f"({said})", "dim"
        elif short and tone == "better":
            right.append((glyph + " ", tone))
            continue
        right += [(glyph + " ", tone), (said, plain)]
        age = age_of(health)
        right.append((f"{age}   " if age else "   ", "warning"))
    return right


def sign(health: Health, held: bool, glyphs: Glyphs) -> tuple[str, str]:
    """The glyph of a source's state and its tone; `held`: nobody may ask it yet."""
    if held:
        return glyphs.off, "warning"
    match health.state:
        case State.LIVE:
            return glyphs.healthy, "better"
        case State.STARTING:
            return glyphs.off, "dim"
        case State.STALE:
            return glyphs.stale, "warning"
        case _ if health.error is not None and health.error.name == "not_found" and health.heard is None:
            return glyphs.off, "dim"
        case _:
            return glyphs.stale if health.error and health.error.name == "busy" else glyphs.failed, "warning"


def age_of(health: Health) -> str:
    """How old what is shown is, once the source has been silent for a while; '' for a healthy one."""
    if health.state in (State.LIVE, State.STARTING) or health.heard is None:
        return ""
    seconds = int(time.monotonic() - health.heard)
    return f" {seconds // 60}m old" if seconds >= 60 else f" {seconds // 10 * 10}s old" if seconds >= 10 else " silent"


def _counts(desk: Desk) -> str:
    catalogue = desk.tower.catalogue
    alive = desk.browser.shown_rows()
    total = int(alive.sum())
    status = catalogue.texts(runs.STATUS)
    words = status.words.to_pylist()
    codes = [code for code, word in enumerate(words) if word == "RUNNING"]
    running = sum(int(((status.codes == code) & alive).sum()) for code in codes)
    said = f"{total:,} run{'s' if total != 1 else ''}"
    if running:
        said += f", {running} running"
    shown = [desk.tower.health(number) for number in desk.sources.shown]
    syncing = [health for health in shown if not health.complete and health.known]
    if syncing:
        known, whole = sum(h.known for h in syncing), sum(h.total or 0 for h in syncing)
        said += f", reading {known:,} of {whole:,}" if whole > known else ", reading"
    return said


def query_line(desk: Desk, glyphs: Glyphs, width: int) -> tuple[Line, Line]:
    """Left: filter and query, or what happened meanwhile; right: how many of how many, experiments, whose, order."""
    browser = desk.browser
    view = browser.view
    right: list[tuple[str, str]] = []
    new, gone = browser.pending
    if new or gone:
        said = ", ".join([f"+{new} new"] * bool(new) + [f"{gone} no longer match"] * bool(gone))
        right.append((f"{said} (r)   ", "state-running"))
    known = " known so far" if desk.sources.partly_known and view.within else ""
    if browser.filter_text or browser.where_text:
        right.append((f"{view.hits:,} of {'the ' if known else ''}{view.within:,}{known}   ", "hit"))
    elif known:
        right.append((f"{view.within:,}{known}   ", "dim"))
    if browser.marks:
        right.append((f"{len(browser.marks)} marked   ", "marked"))
    if desk.columns.differing is not None:
        right.append((_differing(desk, width), "hit"))
    right.append((f"{shortened(experiments(desk, glyphs), max(12, width // 4), glyphs)}   ", ""))
    if browser.query.deleted:
        right.append(("deleted   ", "warning"))
    if desk.mine:
        right.append(("mine   ", ""))
    if browser.query.group is not None:
        by = shortened(inert(title(browser.query.group), glyphs), max(8, width // 6), glyphs)
        count = f"{len(view.groups):,} groups " if view.groups is not None and width >= 100 else ""
        right.append((f"{count}by {by}   ", ""))
    right.append((f"sort {_order(desk, glyphs)} ", "dim"))
    used = sum(len(text) for text, _ in right)
    left = _asked(desk, glyphs, width - len(right[0][0]) - 4)
    if not left and desk.news and used + len(desk.news) + 2 < width:
        left = ((" " + desk.news, ""),)
    while right and used + sum(len(text) for text, _ in left) >= width:
        used -= len(right.pop()[0])
    return left, tuple(right)


def _differing(desk: Desk, width: int) -> str:
    """That only some columns are shown."""
    found = desk.columns.differing
    assert found is not None
    return f"{'only differing columns: ' if width >= 100 else 'differ: '}{found.count} of {found.asked}   "


def _asked(desk: Desk, glyphs: Glyphs, room: int) -> Line:
    """The words of the filter and the query; a long query is cut so that what stands beside it is still seen."""
    browser = desk.browser
    words, query = inert(browser.filter_text, glyphs), inert(browser.where_text, glyphs)
    if not words and not query:
        return ()
    between = (("  and  ", "dim"),) if words and query else ()
    taken = len(words) + sum(len(text) for text, _ in between)
    return ((" / ", "key"), (words, "bright"), *between, (shortened(query, max(20, room - taken), glyphs), "bright"))


def experiments(desk: Desk, glyphs: Glyphs) -> str:
    """The chosen experiments by name."""
    chosen = desk.browser.query.experiments
    if chosen is None:
        return "all experiments"
    names = []
    for number, one in sorted(chosen):
        known = desk.tower.catalogue.sources[number].experiments.get(one)
        names.append(inert(known.name, glyphs) if known and known.name else one)
    return names[0] if len(names) == 1 else f"{len(names)} experiments" if len(names) > 2 else ", ".join(names)


def _order(desk: Desk, glyphs: Glyphs) -> str:
    words = []
    for key, descending in desk.browser.query.sort:
        words.append(f"{inert(title(key), glyphs)} {glyphs.descending if descending else glyphs.ascending}")
    return ", ".join(words)


def trouble(desk: Desk) -> str:
    """The first error of a source that is shown, as a calm sentence with what is shown meanwhile and when the next try
    is; '' if none."""
    for number, health in desk.tower.troubles():
        error, held = health.error, desk.targets[number].held
        if error is None or not desk.browser.shows(number):
            continue
        parts = [error.tried, error.remedy]
        if health.heard_ms is not None:
            parts.append(f"Showing what was known at {clock(health.heard_ms, time.time() * 1000)}.")
        elif desk.cached_ms:
            parts.append(f"Showing what was known at {clock(desk.cached_ms, time.time() * 1000)}.")
        parts.append("" if held else next_try(health))
        return f"{desk.targets[number].name}: {' '.join(part for part in parts if part)}"
    return ""


def next_try(health: Health) -> str:
    """When a source that has an error is asked again, as a sentence."""
    if health.next_try is None:
        return ""
    wait = max(0, round(health.next_try - time.monotonic()))
    return f"Next try in {wait} s (r: now)." if wait else "Trying again now."


def notices(desk: Desk) -> list[str]:
    """What could not be shown as it was asked for, and what the sources want people to know, once."""
    said = [notice for link in desk.tower.links for notice in link.health.notices]
    return [desk.remark, *said] if desk.remark else said
