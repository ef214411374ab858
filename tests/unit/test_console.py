"""Console output becomes the lines that a terminal would have been left with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtower.present.console import ConsoleText, is_error


def lines(*pieces: bytes) -> list[str]:
    text = ConsoleText()
    for piece in pieces:
        text.feed(piece)
    return text.lines


def test_lines_come_as_they_end_and_the_last_one_as_it_is() -> None:
    assert lines(b"one\ntw", b"o\nthr") == ["one", "two", "thr"]
    assert lines(b"one\n") == ["one"]
    assert lines(b"one\r\ntwo\r\n") == ["one", "two"]


def test_a_progress_bar_stands_in_its_last_state() -> None:
    assert lines(b"\r  0%|\r 50%|#", b"\r100%|##\nnext") == ["100%|##", "next"]
    assert lines(b"\r 10%|#", b"\r 20%|##") == [" 20%|##"]
    assert lines(b" 10%\r", b" 20%\r") == [" 20%"]


def test_an_endless_bar_is_not_kept_whole() -> None:
    text = ConsoleText()
    for step in range(2000):
        text.feed(b"\r" + f"step {step}".encode() * 50)
    assert len(text._open) < 1000
    assert text.lines == ["step 1999" * 50]


def test_colours_titles_and_links_go_and_what_is_left_is_inert() -> None:
    assert lines(b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07plain \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\") == [
        "red plain link"
    ]
    assert lines(b"a\x1b[2Kb\x1b(Bc\x1b7d") == ["abcd"]
    assert lines("rlo \u202e bell \x07 esc \x1b".encode()) == ["rlo · bell · esc ␛"]
    assert lines(b"a\tb") == ["a       b"]


def test_letters_that_are_cut_come_whole_and_bad_ones_are_marked() -> None:
    assert lines("né".encode()[:2], "né".encode()[2:]) == ["né"]
    assert lines(b"\xff\n") == ["\ufffd"]


@given(st.binary(max_size=400), st.lists(st.integers(1, 40)))
def test_the_pieces_make_no_difference(data: bytes, cuts: list[int]) -> None:
    text, start = ConsoleText(), 0
    for cut in [*cuts, len(data)]:
        text.feed(data[start : start + cut])
        start += cut
    whole = lines(data)
    assert text.lines == whole
    assert not any(letter < " " or letter == "\x7f" for line in whole for letter in line)


def test_only_the_end_is_held() -> None:
    text = ConsoleText(keep=1000)
    for number in range(500):
        text.feed(f"line {number:04}\n".encode())
    assert text.lines[-1] == "line 0499"
    assert sum(map(len, text.lines)) <= 1000
    assert text.lines[0] == f"line {text.dropped:04}"


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):",
        "RuntimeError: shape mismatch",
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB",
        "ValueError",
        "KeyboardInterrupt",
        "2024-01-01 [ERROR] lost the data",
        "slurmstepd: error: Detected 1 oom_kill event",
        "Killed",
        "bash: line 1: 123 Segmentation fault (core dumped)",
        "slurmstepd: error: *** JOB 7 CANCELLED DUE TO TIME LIMIT ***",
        "terminated by signal SIGKILL",
    ],
)
def test_errors_are_told_from_the_rest(line: str) -> None:
    assert is_error(line)


@pytest.mark.parametrize(
    "line", ["val_error 0.31", "error_rate=0.1", "step 10 loss 0.4", "saved to errors.csv", "0 errors", "skilled"]
)
def test_a_metric_is_no_error(line: str) -> None:
    assert not is_error(line)
