"""Which runs are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from runtower.acts.browse import Browser

MOST: Final = 100


def rows_to_compare(browser: Browser, here: int | None) -> tuple[list[int], str]:
    """Global rows, that of the baseline first where it is among them; or none, and why.

    Several marked runs are compared with each other; a single one, or the one `here` where none is marked, with the
    baseline. Without a baseline a single marked one is compared with the one here.
    """
    marks = browser.marks
    if len(marks) > MOST:
        return [], f"{len(marks):,} runs are marked; {MOST} can be compared at once"
    if len(marks) > 1:
        # As they stand on the screen; those that the filter hides come last.
        places = {row: browser.view.index_of(row) for row in marks}
        rows = sorted(marks, key=lambda row: (places[row] < 0, places[row], row))
        return sorted(rows, key=lambda row: row != browser.baseline), ""
    one = next(iter(marks), here)
    if one is None:
        return [], "there is no run here"
    other = browser.baseline if browser.baseline is not None else here
    if other is None or other == one:
        if browser.baseline == one:
            return [], "this is the baseline itself: go to another run, or mark some"
        return [], "it wants two runs: mark them, or make one the baseline"
    return ([other, one] if browser.baseline is not None else [one, other]), ""
