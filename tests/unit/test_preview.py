"""The beginning of a file as lines, by what it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from runtower.present.preview import preview
from runtower.present.sizes import size_text
from runtower.present.spans import plain


def shown(name: str, data: bytes, total: int | None = None, width: int = 60, **more: bool) -> list[str]:
    return [plain(line).rstrip() for line in preview(name, data, total, width, **more).lines]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"), (1023, "1023 B"), (1024, "1 KB"), (65536, "64 KB"), (3_355_443, "3.2 MB"),
        (1_048_575, "1 MB"), (5 * 2**30, "5 GB"), (150 * 1024 + 600, "151 KB"),
    ],
)  # fmt: skip
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


def test_text_is_wrapped_and_its_escape_codes_are_inert() -> None:
    data = b"one\n\x1b]0;title\x07two\t.\n" + b"x" * 70
    assert shown("a.txt", data) == ["one", "␛]0;title·two   .", "x" * 60, "x" * 10]


def test_console_output_reads_as_on_a_terminal_and_as_text_it_is_what_it_is() -> None:
    data = b"\x1b[31mred\x1b[0m\n\r 10%\r 20%\n"
    assert shown("train.log", data) == ["red", " 20%"]
    assert shown("train.log", data, as_text=True)[0] == "␛[31mred␛[0m"


def test_how_much_is_shown_is_said() -> None:
    assert preview("a.txt", b"x" * 65536, 3_355_443, 80).said == "first 64 KB of 3.2 MB"
    assert preview("a.txt", b"abc", 3, 80).said == "3 B"
    assert shown("a.txt", b"") == ["The file is empty."]


def test_json_in_one_line_is_spread_out_and_other_json_stays() -> None:
    data = json.dumps({"b": [1, 2], "a": {"c": "é"}}).encode()
    assert shown("c.json", data) == json.dumps(json.loads(data), indent=2, ensure_ascii=False).splitlines()
    assert shown("c.json", b'{"a":\n1}') == ['{"a":', "1}"]
    assert shown("c.json", data, as_text=True) == [data.decode()]
    assert shown("c.json", b'{"a": ') == ['{"a":']


def test_a_table_is_aligned_with_numbers_at_the_right() -> None:
    data = b'step,name,loss\n1,first,0.5\n20,"a, b",-1e-3\n'
    assert shown("m.csv", data) == ["step  name    loss", "   1  first    0.5", "  20  a, b   -1e-3"]
    assert shown("m.tsv", b"a\tb\n1\t2\n") == ["a  b", "1  2"]
    assert shown("m.csv", b"a,b\n1,2\n3,", 5000) == ["a  b", "1  2"], "a line that is cut is left out"
    assert shown("m.csv", b"a,b\n1\n2,3,4\n") == ["a  b", "1", "2  3  4"]


def test_headings_of_markdown_stand_out() -> None:
    lines = preview("README.md", b"# Title\ntext\n", None, 40).lines
    assert lines[0] == (("# Title", "title"),)
    assert lines[1] == (("text", ""),)


def test_a_binary_file_says_so_and_is_shown_as_text_on_demand() -> None:
    data = b"\x80\x02}q\x00(X\x05" + bytes(range(256))
    found = preview("model.pkl", data, 3_355_443, 80)
    assert found.is_binary
    assert found.said == "binary, 3.2 MB"
    assert shown("model.pkl", data)[2].startswith("80 02 7d 71 00 28 58 05")
    forced = preview("model.pkl", data, 3_355_443, 80, as_text=True)
    assert not forced.is_binary
    assert "as text" in forced.said


def test_text_in_other_encodings() -> None:
    assert shown("a.txt", "größe".encode("utf-16")) == ["größe"]
    assert shown("a.txt", "gr\u00f6\u00dfe is 3 and a lot of plain letters around it".encode("latin-1"))[0].startswith(
        "gr"
    )
    assert shown("a.txt", b"abc" + "é".encode()[:1], 99) == ["abc"], "a letter that is cut at the end"


@given(st.binary(max_size=300), st.sampled_from(["a.txt", "a.csv", "a.json", "a.md"]), st.booleans())
def test_anything_can_be_shown_and_fits(data: bytes, name: str, as_text: bool) -> None:
    found = preview(name, data, len(data) + 10, 30, as_text)
    for line in found.lines:
        assert all(letter >= " " and letter != "\x7f" for letter in plain(line))
        if not name.endswith(".csv") and not found.is_binary:
            assert cell_len(plain(line)) <= 30
