"""The columns: chosen once, then the user's."""

from __future__ import annotations

from support.catalogues import key_of

from runtower.acts.layout import CURVE, NARROWEST, WIDEST, Layout, Shown, first_layout, width_for
from runtower.domain import runs

LOSS, ACC = key_of("metrics.loss"), key_of("metrics.acc")
LR = key_of("params.lr")


def layout(active: int = 1) -> Layout:
    return Layout(tuple(Shown(key, 8) for key in (runs.NAME, runs.STATUS, LOSS, CURVE)), active)


def test_the_first_columns_tell_runs_apart() -> None:
    first = first_layout(LOSS, [ACC], [LR], several_experiments=False)
    assert first.shown[:5] == (runs.NAME, runs.STATUS, LOSS, CURVE, LR)
    assert first.active_key == LOSS
    assert runs.EXPERIMENT not in first.shown
    assert runs.EXPERIMENT in first_layout(LOSS, [], [], several_experiments=True).shown
    assert CURVE not in first_layout(None, [], [], several_experiments=False).shown


def test_moving_stays_within_the_columns() -> None:
    assert layout().move(-5).active == 0
    assert layout().move(99).active == 3


def test_the_name_is_neither_hidden_nor_moved() -> None:
    assert layout(0).hide() == layout(0)
    assert layout(0).shift(1) == layout(0)
    assert layout(1).shift(-1) == layout(1)
    assert layout().toggle(runs.NAME, 9).shown == layout().shown


def test_hiding_and_moving_the_active_column() -> None:
    assert layout(3).hide().shown == (runs.NAME, runs.STATUS, LOSS)
    assert layout(3).hide().active == 2
    moved = layout(2).shift(1)
    assert moved.shown == (runs.NAME, runs.STATUS, CURVE, LOSS)
    assert moved.active_key == LOSS


def test_a_width_has_limits() -> None:
    assert layout().resize(-100).columns[1].width == NARROWEST
    assert layout().resize(1000).columns[1].width == WIDEST
    assert layout().resize(2).columns[1].width == 10


def test_a_column_is_shown_at_the_end_and_hidden_again() -> None:
    shown = layout().toggle(LR, 7)
    assert shown.shown[-1] == LR
    assert shown.toggle(LR, 7) == layout()


def test_first_widths() -> None:
    assert width_for(LOSS) == 8
    assert width_for(key_of("metrics." + "x" * 40)) == 14
    assert width_for(LR, ["0.1", "0.0003"]) == 6
    assert width_for(LR, ["x" * 90]) == 16


def test_only_some_columns_and_then_all_again() -> None:
    guest = Shown(LR, 7, True)
    own = layout(2)
    narrow = own.narrowed({runs.STATUS}, [guest])
    assert [narrow.columns[place].key for place in narrow.places] == [runs.NAME, runs.STATUS, LR]
    assert narrow.active_key == LR, "the active column went; the next one on the screen is it"
    assert narrow.move(-1).active_key == runs.STATUS
    assert narrow.move(-9).active_key == runs.NAME
    assert narrow.whole.columns == own.columns
    assert not narrow.whole.hidden


def test_what_is_changed_while_only_some_are_shown_stays() -> None:
    narrow = layout(1).narrowed({runs.STATUS, CURVE}, [Shown(LR, 7, True)])
    moved = narrow.shift(1)
    assert moved.whole.shown == (runs.NAME, LOSS, CURVE, runs.STATUS)
    assert moved.active_key == runs.STATUS
    assert narrow.hide().whole.shown == (runs.NAME, LOSS, CURVE)
    assert narrow.hide().active_key == CURVE
    wide = narrow.turn_to(4).resize(6)
    assert wide.narrowed({runs.STATUS}, [Shown(LR, 7, True)]).columns[-1].width == 13, "a guest keeps its width"
