"""A view is written into a settings file, and nothing else in it changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runtower.acts.write_entry import changed, remove_entry, write_entry
from runtower.acts.write_view import write_view
from runtower.domain.errors import Invalid, NotFound
from runtower.settings import ViewSettings

VIEW = ViewSettings(where="metrics.loss < 0.3 and params.model = 'vit'", sort=["metrics.loss:desc"], columns=["status"])
ENTRY = {"where": VIEW.where, "sort": VIEW.sort, "columns": VIEW.columns}
BLOCK = """\
  good:
    where: metrics.loss < 0.3 and params.model = 'vit'
    sort: ['metrics.loss:desc']
    columns: [status]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runtower.yaml"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"views:\n{BLOCK}"),
        ("# ours\n", f"# ours\nviews:\n{BLOCK}"),
        ("theme: dark   # as ever", f"theme: dark   # as ever\nviews:\n{BLOCK}"),
        ("views:\n\n# later\ntheme: dark\n", f"views:\n{BLOCK}\n# later\ntheme: dark\n"),
        ("views: {}\ntheme: dark\n", f"views:\n{BLOCK}theme: dark\n"),
        (
            "views:\n  # mine\n  a: {where: x is set}  # why\n\n# next\ntheme: dark\n",
            f"views:\n  # mine\n  a: {{where: x is set}}  # why\n{BLOCK}\n# next\ntheme: dark\n",
        ),
        (
            "views:\n  good:   # old\n    where: x\n    sort:\n      - a\n      - b\n  # about z\n  z: {where: y}\n",
            f"views:\n{BLOCK}  # about z\n  z: {{where: y}}\n",
        ),
        (
            "views:\n      z: {where: |-\n        y}\n".replace("|-\n        y", "y"),
            "views:\n      z: {where: y}\n" + "".join(f"    {line}\n" for line in BLOCK.splitlines()),
        ),
    ],
)
def test_only_the_view_changes(file: Path, before: str, after: str) -> None:
    file.write_text(before)
    write_view(file, "good", VIEW)
    assert file.read_text() == after
    assert [entry.name for entry in file.parent.iterdir()] == [file.name]


def test_a_file_of_another_shape_is_left_alone(file: Path) -> None:
    for text in ("{theme: dark}\n", "- a\n", "theme: [\n", "theme: dark\n...\n", "a: 1\n---\nb: 2\n"):
        file.write_text(text)
        with pytest.raises(Invalid, match=r"Write it there yourself: views: \{good:"):
            write_view(file, "good", VIEW)
        assert file.read_text() == text
        assert [entry.name for entry in file.parent.iterdir()] == [file.name]


def test_permissions_and_links_stay(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere" / "settings.yaml"
    real.parent.mkdir()
    real.write_text("theme: dark\n")
    real.chmod(0o600)
    file.symlink_to(real)
    write_view(file, "good", VIEW)
    assert file.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    assert yaml.safe_load(real.read_text()) == {"theme": "dark", "views": {"good": ENTRY}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# ours\nsources:\n  # one\n  a: {uri: x}\n  b:   # two\n    uri: y\n# end\n",
            "# ours\nsources:\n  # one\n  a: {uri: x}\n# end\n",
        ),
        ("sources: {a: {uri: x}, b: {uri: y}}\ntheme: dark\n", "sources:\n  a: {uri: x}\ntheme: dark\n"),
        ("theme: dark\nsources:\n  b:\n    uri: y\n\n# end\nmouse: true", "theme: dark\n\n# end\nmouse: true"),
        ("sources: {b: {uri: y}}\n", ""),
    ],
)
def test_an_entry_is_taken_out_and_nothing_else(file: Path, before: str, after: str) -> None:
    file.write_text(before)
    remove_entry(file, "sources", "b")
    assert file.read_text() == after


def test_what_isnt_there_or_cant_be_taken_out_is_said(file: Path) -> None:
    file.write_text("sources: {a: {uri: x}}\n")
    with pytest.raises(NotFound, match=r"has no sources\.b.*has a"):
        remove_entry(file, "sources", "b")
    for text in ("{sources: {b: {uri: x}}, theme: dark}\n", "sources: [b]\n", "sources: [\n"):
        file.write_text(text)
        with pytest.raises((Invalid, NotFound)):
            remove_entry(file, "sources", "b")
        assert file.read_text() == text


def test_another_section_is_written_beside(file: Path) -> None:
    file.write_text("views:\n  z: {where: y}\n")
    write_entry(file, "sources", "team", {"uri": "https://host", "read_only": True})
    assert file.read_text() == ("views:\n  z: {where: y}\nsources:\n  team: {uri: 'https://host', read_only: true}\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cant_be_written_is_said(file: Path) -> None:
    file.parent.chmod(0o500)
    with pytest.raises(Invalid, match="can't be written"):
        write_view(file, "good", VIEW)


def test_what_settings_would_resolve_is_refused(file: Path) -> None:
    with pytest.raises(Invalid, match="can't be saved"):
        write_view(file, "odd", ViewSettings(where="params.a = '${x}'"))
    assert not file.exists()


_names = st.sampled_from(["good", "a b", "1", "ä: #", "yes", "'"])
_texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20)
_known = st.dictionaries(_names, st.dictionaries(st.sampled_from(["where", "filter"]), _texts, min_size=1))


@given(_known, _names, _texts)
def test_what_is_written_is_read(known: dict[str, dict[str, str]], name: str, where: str) -> None:
    text = yaml.safe_dump({"views": known, "theme": "dark"}, allow_unicode=True, default_flow_style=False)
    after = changed(text, "views", name, {"where": where})
    assert yaml.safe_load(after) == {"views": {**known, name: {"where": where}}, "theme": "dark"}
