"""What a plain YAML scalar means to OmegaConf 2.3: YAML 1.1 without timestamps, and with 1e-3 as a number.

The rules are those of `omegaconf._utils.get_yaml_loader`; a test compares both on many scalars.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from runtower.config.tree import Scalar

_FLOAT: Final = re.compile(
    r"""(?:
     [-+]?[0-9]+(?:_[0-9]+)*\.[0-9_]*(?:[eE][-+]?[0-9]+)?
    |[-+]?[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+)
    |\.[0-9]+(?:_[0-9]+)*(?:[eE][-+][0-9]+)?
    |[-+]?[0-9]+(?:_[0-9]+)*(?::[0-5]?[0-9])+\.[0-9_]*
    |[-+]?\.(?:inf|Inf|INF)
    |\.(?:nan|NaN|NAN))$""",
    re.VERBOSE,
)
# PyYAML's own rule is tried first: it takes a few texts that the one above leaves.
_OLD_FLOAT: Final = re.compile(
    r"""(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?
    |\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?
    |[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*
    |[-+]?\.(?:inf|Inf|INF)
    |\.(?:nan|NaN|NAN))$""",
    re.VERBOSE,
)
_INT: Final = re.compile(
    r"""(?:[-+]?0b[0-1_]+
    |[-+]?0[0-7_]+
    |[-+]?(?:0|[1-9][0-9_]*)
    |[-+]?0x[0-9a-fA-F_]+
    |[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$""",
    re.VERBOSE,
)
_SPELLINGS: Final[Mapping[str, Scalar]] = {
    **{word: True for low in ("yes", "true", "on") for word in (low, low.title(), low.upper())},
    **{word: False for low in ("no", "false", "off") for word in (low, low.title(), low.upper())},
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_NUMERIC: Final = frozenset("-+0123456789.")


def plain(text: str) -> Scalar:
    """The value of a scalar without quotes. Raises ValueError for a number that can't be read."""
    if text in _SPELLINGS:
        return _SPELLINGS[text]
    if text[0] in _NUMERIC:
        if _OLD_FLOAT.match(text):
            return as_float(text)
        if _INT.match(text):
            return as_int(text)
        if _FLOAT.match(text):
            return as_float(text)
    return text


def is_plain_text(text: str) -> bool:
    """Whether a text without quotes would be read as itself."""
    return text not in _SPELLINGS and not (
        text[0] in _NUMERIC and bool(_OLD_FLOAT.match(text) or _INT.match(text) or _FLOAT.match(text))
    )


def as_int(text: str) -> int:
    """YAML 1.1's whole numbers: also binary, octal, hexadecimal and with base 60."""
    digits = text.replace("_", "")
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    if digits == "0":
        return 0
    if digits.startswith("0b"):
        return sign * int(digits[2:], 2)
    if digits.startswith("0x"):
        return sign * int(digits[2:], 16)
    if digits.startswith("0"):
        return sign * int(digits, 8)
    if ":" in digits:
        return sign * int(_base_60(digits, int))
    return sign * int(digits)


def as_float(text: str) -> float:
    """YAML 1.1's numbers with a point."""
    digits = text.replace("_", "").lower()
    sign = -1.0 if digits.startswith("-") else 1.0
    digits = digits.lstrip("+-")
    if digits == ".inf":
        return sign * float("inf")
    if digits == ".nan":
        return float("nan")
    return sign * (_base_60(digits, float) if ":" in digits else float(digits))


def _base_60(digits: str, kind: Callable[[str], float]) -> float:
    value: float = 0
    for part in digits.split(":"):
        value = value * 60 + kind(part)
    return value


BY_TAG: Final[Mapping[str, Callable[[str], Scalar]]] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:int": as_int,
    "tag:yaml.org,2002:float": as_float,
    "tag:yaml.org,2002:bool": lambda text: {"yes": True, "true": True, "on": True}.get(text.lower(), False),
    "tag:yaml.org,2002:null": lambda text: None,
}
