"""Writes one entry of a map in a settings file: every other byte of the file, comments too, stays as it is.

The text is changed by the places that the YAML parser gives, read again, and compared before it takes the file's place.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from runtower.domain.errors import Conflict, Invalid, NotFound


def write_entry(file: Path, section: str, name: str, entry: Mapping[str, Any]) -> None:
    """Set `SECTION.NAME` in the file, which is made where there is none; it is never seen half written.

    Raises Invalid where the file can't be changed so (it is left alone), Conflict where it was written meanwhile.
    """
    file = file.resolve()  # a link stays a link
    before, entry = _read(file), dict(entry)
    after = changed(before, section, name, entry)
    with _safely(file, f"Write it there yourself: {_flow(section, name, entry)}"):
        wanted = _data(before)
        wanted[section] = {**(wanted.get(section) or {}), name: entry}
        _compare(after, wanted)
    _replace(file, before, after)


def remove_entry(file: Path, section: str, name: str) -> None:
    """Take `SECTION.NAME` out of the file, and the section with it where nothing is left there.

    Raises NotFound where there is no such entry, else as `write_entry`.
    """
    file = file.resolve()
    before = _read(file)
    by_hand = f"Take {section}.{name} out of it yourself."
    with _safely(file, by_hand):
        wanted = _data(before)
        there = dict(wanted.get(section) or {})
    if name not in there:
        raise NotFound(f"{file} has no {section}.{name}.", f"It has {', '.join(there) or 'none'}.")
    del there[name]
    wanted = {**wanted, section: there} if there else {key: one for key, one in wanted.items() if key != section}
    after = _without(before, section, name)
    with _safely(file, by_hand):
        _compare(after, wanted)
    _replace(file, before, after)


@contextmanager
def _safely(file: Path, by_hand: str) -> Iterator[None]:
    """A file that isn't as expected is left alone: Invalid, with what to do instead."""
    try:
        yield
    except (yaml.YAMLError, TypeError, ValueError):
        raise Invalid(f"{file} can't be changed safely.", by_hand) from None


def _compare(text: str, wanted: Mapping[str, Any]) -> None:
    """Raises ValueError where a text says something else."""
    if _data(text) != wanted:
        raise ValueError


def changed(text: str, section: str, name: str, entry: Mapping[str, Any]) -> str:
    """The text of a YAML map with `SECTION.NAME` set. For strange texts the result is wrong: compare it."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return text
    entries = _child(root, section)
    if entries is None:
        return f"{_ended(text)}{section}:\n{_block(name, entry, 2)}"
    key, value = entries
    if not isinstance(value, yaml.MappingNode) or value.flow_style or not value.value:
        known = yaml.safe_load(text[value.start_mark.index : value.end_mark.index]) or {}
        return _rewritten(text, key, value, {**known, name: entry})
    indent = value.value[0][0].start_mark.column
    found = _child(value, name)
    if found is not None:
        start = text.rfind("\n", 0, found[0].start_mark.index) + 1
        return text[:start] + _block(name, entry, indent) + text[_line_end(text, _last(found[1])) :]
    end = _line_end(text, _last(value))
    return _ended(text[:end]) + _block(name, entry, indent) + text[end:]


def _without(text: str, section: str, name: str) -> str:
    """The text with `SECTION.NAME` taken out; as `changed`, to be compared."""
    entries = _child(yaml.compose(text, Loader=yaml.SafeLoader), section)
    found = _child(entries[1], name) if entries is not None else None
    if entries is None or found is None:
        return text
    key, value = entries
    if len(value.value) == 1:
        start = text.rfind("\n", 0, key.start_mark.index) + 1
        return text[:start] + text[_line_end(text, _last(value)) :]
    if value.flow_style:
        known = yaml.safe_load(text[value.start_mark.index : value.end_mark.index])
        return _rewritten(text, key, value, {one: kept for one, kept in known.items() if one != name})
    start = text.rfind("\n", 0, found[0].start_mark.index) + 1
    return text[:start] + text[_line_end(text, _last(found[1])) :]


def _rewritten(text: str, key: Any, value: Any, entries: Mapping[str, Any]) -> str:
    """A map that stood on its key's line, as a block below it."""
    block = "".join(_block(one, kept, 2) for one, kept in entries.items())
    return f"{text[: key.end_mark.index]}:\n{block}{text[_line_end(text, value.end_mark.index) :]}"


def _child(node: Any, key: str) -> tuple[Any, Any] | None:
    """Key and value of a map's entry."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next(((one, value) for one, value in node.value if one.value == key), None)


def _last(node: Any) -> int:
    """Where the last word of a node ends; the end of a block is only where the next one begins."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _last(last[1] if isinstance(last, tuple) else last)


def _line_end(text: str, at: int) -> int:
    """The beginning of the next line."""
    if at and text[at - 1] == "\n":
        return at
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _block(name: str, entry: Any, indent: int) -> str:
    plain = dict(entry) if isinstance(entry, Mapping) else entry
    said = yaml.safe_dump({name: plain}, sort_keys=False, allow_unicode=True, width=10**6, default_flow_style=None)
    return "".join(f"{' ' * indent}{line}\n" for line in said.removesuffix("\n").split("\n"))


def _flow(section: str, name: str, entry: Any) -> str:
    said: str = yaml.safe_dump({section: {name: entry}}, allow_unicode=True, width=10**6, default_flow_style=True)
    return said.strip().removeprefix("{").removesuffix("}")


def _data(text: str) -> dict[str, Any]:
    found = yaml.safe_load(text)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise TypeError("no map")
    return found


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode() if file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} can't be read: {error}.", "Look at its permissions.") from error


def _replace(file: Path, before: str, after: str) -> None:
    """Written beside and renamed, with the permissions that the file had."""
    try:
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
                out.write(after)
                out.flush()
                os.fsync(out.fileno())
            os.chmod(temporary, file.stat().st_mode & 0o777 if file.exists() else 0o644)
            if _read(file) != before:
                raise Conflict(f"{file} was changed by somebody else just now.", "Do it again.")
            os.replace(temporary, file)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise Invalid(f"{file} can't be written: {error.strerror}.", "Look at its permissions.") from error
