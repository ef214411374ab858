"""The view of last time: one small file, and none of its faults stops a start."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtower.acts.remember import KeptColumn, KeptLayout, KeptView, load, save, view_file
from runtower.domain.runs import ColumnKey, Kind

FULL = KeptView(
    seen_ms=5,
    sources=["lab"],
    experiments=[("lab", "1")],
    chosen=True,
    mine=True,
    tree=False,
    filter="lr !vit",
    sort=[("metric", "val_loss", False)],
    group=KeptColumn("param", "lr"),
    folded_groups=["0.1", None],
    layouts={"lab/1": KeptLayout([KeptColumn("param", "lr", 9)], 0, KeptColumn("metric", "val_loss"))},
    marks=[("lab", "a")],
    baseline=("lab", "b"),
)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "views" / "one.json"
    save(file, FULL)
    assert load(file) == FULL
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in file.parent.iterdir()] == ["one.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"version": 99}',
        b'{"seen_ms": "x"}',
        b'{"layouts": {"a": {"columns": [["odd", "k", 1]]}}}',
        b'{"group": ["odd", "k", 1]}',
    ],
)
def test_a_file_that_cant_be_read_is_a_fresh_view(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "one.json"
    file.write_bytes(content)
    assert load(file) == KeptView()


def test_a_folder_that_cant_be_written_costs_only_the_memory(tmp_path: Path) -> None:
    (tmp_path / "views").write_text("a file stands in the way")
    save(tmp_path / "views" / "one.json", FULL)
    assert load(tmp_path / "views" / "one.json") == KeptView()


def test_each_folder_and_its_sources_have_a_file_of_their_own(tmp_path: Path) -> None:
    files = {
        view_file(tmp_path, Path("/a"), ["one"]),
        view_file(tmp_path, Path("/b"), ["one"]),
        view_file(tmp_path, Path("/a"), ["one", "two"]),
    }
    assert len(files) == 3
    assert view_file(tmp_path, Path("/a"), ["one"]) in files


def test_a_column_knows_its_key() -> None:
    key = ColumnKey(Kind.PARAM, "optim.lr")
    assert KeptColumn.of(key, 7).column() == key
