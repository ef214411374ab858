"""Text from outside in a field of one line, and back: what doesn't show is spelled as an escape."""

from __future__ import annotations

import re
from typing import Final

from runtower.present.spans import inert

_SPELLED: Final = {"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
_MEANT: Final = {spelled: char for char, spelled in _SPELLED.items()}
_ESCAPE: Final = re.compile(r"\\(?:[\\nrt]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})")


def as_typed(text: str) -> str:
    r"""`a\nb` for two lines; every control or direction character as an escape."""
    return "".join(_spelled(char) for char in text)


def from_typed(text: str) -> str:
    """The inverse; a backslash that begins no escape stays one."""
    return _ESCAPE.sub(_meant, text)


def _spelled(char: str) -> str:
    if char in _SPELLED:
        return _SPELLED[char]
    if inert(char) == char:
        return char
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _meant(match: re.Match[str]) -> str:
    spelled = match.group()
    if spelled in _MEANT:
        return _MEANT[spelled]
    number = int(spelled[2:], 16)
    return chr(number) if number < 0x110000 else spelled
