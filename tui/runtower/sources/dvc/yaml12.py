"""What a plain YAML scalar means to DVC: YAML 1.2 as ruamel.yaml's safe loader reads it.

The rules are those of `ruamel.yaml.resolver` for version 1.2 and of its constructors; a test compares both on many
scalars. DVC's own parser, which is ruamel's, takes sixty times as long, and has the last word where this one has none.
"""

from __future__ import annotations

import re
from typing import Final

_BOOLEANS: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NULLS: Final = frozenset(("~", "null", "Null", "NULL", ""))
_FLOAT: Final = re.compile(
    r"""(?:
     [-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+]?[0-9]+)?
    |[-+]?(?:[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)
    |[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?
    |[-+]?\.(?:inf|Inf|INF)
    |\.(?:nan|NaN|NAN))\Z""",
    re.VERBOSE,
)
_INT: Final = re.compile(r"(?:[-+]?0b[0-1_]+|[-+]?0o?[0-7_]+|[-+]?[0-9_]+|[-+]?0x[0-9a-fA-F_]+)\Z")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]")
_NUMERIC: Final = frozenset("-+0123456789.")
_BASES: Final = {"0b": 2, "0x": 16, "0o": 8}


def plain(text: str) -> str | int | float | bool | None:
    """The value of a scalar without quotes. Raises ValueError for what ruamel.yaml has to be asked about: dates, and
    numbers that can't be read."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] not in _NUMERIC:
        if text == "=":
            raise ValueError("it is a value's key")
        return text
    if _FLOAT.match(text):
        digits = text.replace("_", "").lower()
        return float(digits.replace(".inf", "inf").replace(".nan", "nan"))
    if _INT.match(text):
        return _int(text.replace("_", ""))
    if _DATE.match(text):
        raise ValueError("it may be a date")
    return text


def _int(digits: str) -> int:
    sign, plain_digits = (-1 if digits.startswith("-") else 1), digits.lstrip("+-")
    base = _BASES.get(plain_digits[:2], 10)
    return sign * int(plain_digits[2:] if base != 10 else plain_digits, base)
