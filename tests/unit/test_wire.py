"""The frames: what comes out is what went in, in whatever pieces it arrives, and nothing else is let through."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtower.domain.criteria import Criterion
from runtower.domain.runs import Kind
from runtower.link import wire
from runtower.link.spool import Spool, SpoolError

MESSAGES = [
    wire.Ask(1, 2, "chart", wire.History("id", "loss")),
    wire.Ask(2, 1, "", wire.Coarse(("a", "b"), "loss")),
    wire.Operate(3, "tag", {"key": "value"}, 2.5),
    wire.Focus(("a",)),
    wire.Scope(("a", "b")),
    wire.Scope(None),
    wire.Seek((Criterion(Kind.METRIC, "loss", "<", 0.5), Criterion(Kind.PARAM, "model", "=", "vit"))),
    wire.Seek((Criterion(Kind.TAG, "team", "missing"),)),
    wire.Cancel(3),
]


@given(st.lists(st.integers(1, 40)))
def test_frames_arrive_in_any_pieces(cuts: list[int]) -> None:
    stream = b"".join(wire.frame(message) for message in MESSAGES)
    frames, got, start = wire.Frames(), [], 0
    for cut in [*cuts, len(stream)]:
        got += [wire.to_host(body) for body in frames.feed(stream[start : start + cut])]
        start += cut
    assert got == MESSAGES


def test_a_message_too_large_is_the_senders_error() -> None:
    with pytest.raises(wire.WireError, match="fit"):
        wire.frame(wire.Focus(("x" * wire.MAX_FRAME,)))


def test_a_length_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(wire.WireError, match="claims"):
        list(wire.Frames().feed((wire.MAX_FRAME + 1).to_bytes(4, "little")))


def test_unknown_fields_are_ignored_and_missing_optional_ones_have_defaults() -> None:
    body = msgspec.msgpack.encode({"type": "rows", "seq": 3, "invented": [1, 2]})
    assert wire.to_terminal(body) == wire.Rows(seq=3)


@pytest.mark.parametrize(
    "body",
    [
        msgspec.msgpack.encode({"type": "invented"}),
        msgspec.msgpack.encode({"seq": 1}),
        msgspec.msgpack.encode({"type": "rows"}),
        b"\xc1",
        b"",
        b"\x91" * 5000,
    ],
)
def test_what_is_no_message_is_an_error_of_the_sender(body: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.to_terminal(body)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_decoder(body: bytes) -> None:
    for decode in (wire.to_terminal, wire.to_host):
        try:
            decode(body)
        except wire.WireError:
            continue


def test_small_parcels_travel_inline_and_large_ones_as_files(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    small, large = b"x" * wire.INLINE, b"y" * (wire.INLINE + 1)
    assert spool.take(spool.put(small)) == small
    assert list(tmp_path.iterdir()) == []
    parcel = spool.put(large)
    assert len(wire.frame(wire.Rows(1, parcel))) < 200
    assert (next(tmp_path.iterdir()).stat().st_mode & 0o777) == 0o600
    assert spool.take(parcel) == large
    assert list(tmp_path.iterdir()) == []


def test_a_parcel_that_was_changed_lost_or_points_elsewhere_is_refused(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    parcel = spool.put(b"z" * 100_000)
    path = tmp_path / parcel.file
    path.write_bytes(b"z" * 99_999 + b"a")
    with pytest.raises(SpoolError, match="not what was sent"):
        spool.take(parcel)
    with pytest.raises(SpoolError):
        spool.take(parcel)
    for name in ("../secret", "/etc/passwd", "", ".base"):
        with pytest.raises(SpoolError):
            spool.take(wire.Parcel(file=name, length=1, crc=0))
