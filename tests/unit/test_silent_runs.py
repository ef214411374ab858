"""When a run that should be running is said to be silent, and that only proof makes it lost."""

from __future__ import annotations

import pytest

from runtower.domain.silence import Evidence, Lost, Silence, silence, usual_interval
from runtower.present.glyphs import UNICODE
from runtower.present.states import doubtful, in_words, state

MINUTE, HOUR, DAY = 60_000.0, 3_600_000.0, 86_400_000.0


@pytest.mark.parametrize(
    ("quiet", "usual", "ever", "silent"),
    [
        (9 * MINUTE, 1_000.0, True, False),  # an evaluation takes as long
        (11 * MINUTE, 1_000.0, True, True),
        (2 * HOUR, HOUR, True, False),  # a point an hour
        (5 * HOUR, HOUR, True, True),
        (59 * MINUTE, None, True, False),  # nothing is known of its rhythm
        (61 * MINUTE, None, True, True),
        (5 * HOUR, None, False, False),  # it never logged
        (7 * HOUR, None, False, True),
        (-DAY, 1_000.0, True, False),  # a clock that goes ahead of ours
    ],
)
def test_silent_only_well_beyond_its_own_interval(quiet, usual, ever, silent):
    assert silence(quiet, usual, ever) == (Silence(quiet, usual if ever else None, ever) if silent else None)


def test_the_usual_interval_counts_from_the_beginning():
    assert usual_interval(0.0, 20 * MINUTE, 10) == 2 * MINUTE
    assert usual_interval(0.0, 20 * MINUTE, 1) is None
    assert usual_interval(None, 20 * MINUTE, 10) is None
    assert usual_interval(HOUR, 20 * MINUTE, 10) is None


def test_silence_in_each_room():
    said = [doubtful(Silence(3.5 * HOUR, 120_000.0), UNICODE, width)[0] for width in (12, 9, 8, 6, 2)]
    assert said == ["▶ silent 3h", "silent 3h", "silent3h", "silent", "▶S"]
    assert in_words(Silence(3.5 * HOUR, 120_000.0)) == "silent 3h, usually every 2m00"
    assert in_words(Silence(61 * MINUTE)) == "silent 1h"
    assert in_words(Silence(7 * HOUR, None, False)) == "nothing logged since it began 7h ago"


def test_lost_says_its_proof():
    lost = Lost(Evidence.PROCESS, "pid 4711 of this host is gone")
    assert [doubtful(lost, UNICODE, width)[0] for width in (9, 3)] == ["? lost", "?L"]
    assert in_words(lost) == "lost: pid 4711 of this host is gone"


def test_a_state_that_is_not_known_is_not_lost():
    assert state("UNKNOWN", "quiet", UNICODE)[0] == "? quiet"
    assert state("UNKNOWN", None, UNICODE, narrow=True)[0] == "?"
