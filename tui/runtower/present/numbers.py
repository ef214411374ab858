"""Numbers of a column: as many digits as tell the rows apart, lined up on the decimal point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How a column writes its numbers. `decimals` behind the point; `exponent` where plain digits would be too long."""

    decimals: int = 0
    exponent: bool = False

    def text(self, value: float) -> str:
        """`0.2114`, `3.1e-05`, `NaN`, `inf`, `-inf`."""
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        if self.exponent:
            return f"{value:.{min(self.decimals, 4)}e}"
        return f"{value:.{self.decimals}f}"


def format_for(values: Sequence[float], most: int = 4) -> NumberFormat:
    """A format for values seen together: enough decimals that near ones differ, at most `most` significant ones
    behind the first; whole numbers have none."""
    finite = [abs(value) for value in values if math.isfinite(value)]
    if not finite or all(value == int(value) and value < 1e15 for value in finite):
        return NumberFormat(0, bool(finite) and max(finite) >= 1e9)
    largest = max(finite)
    smallest = min((value for value in finite if value > 0), default=largest)
    if largest >= 1e7 or largest < 1e-4 or (smallest < 1e-5 and largest / smallest > 1e6):
        return NumberFormat(2, True)
    decimals = max(0, most - math.floor(math.log10(largest))) if largest >= 1 else most
    if smallest < 0.01 and largest < 1:
        decimals = min(8, most - 1 - math.floor(math.log10(smallest)))
    return NumberFormat(_needed(finite, decimals))


def mean_and_spread(mean: float, std: float, number_format: NumberFormat, width: int, sign: str) -> str:
    """`0.2391 ±0.0121`, with as many decimals as fit into `width` cells; the mean alone without a spread or room."""
    if not math.isfinite(mean):
        return ""
    for decimals in range(number_format.decimals, -1, -1):
        fewer = NumberFormat(decimals, number_format.exponent)
        middle, spread = fewer.text(mean), fewer.text(std)
        for text in (f"{middle} {sign}{spread}", f"{middle}{sign}{spread}", f"{middle}{sign}{_short(spread)}"):
            if math.isfinite(std) and len(text) <= width:
                return text
    texts = (NumberFormat(d, number_format.exponent).text(mean) for d in range(number_format.decimals, -1, -1))
    return next((text for text in texts if len(text) <= width), "")


def _short(number: str) -> str:
    """Without the zero before the point: `.0121`."""
    return number.removeprefix("0") if number.startswith("0.") else number


def _needed(values: Sequence[float], decimals: int) -> int:
    """Fewer decimals where the values have fewer (`0.5`, `0.25` need two)."""
    while decimals > 1 and all(math.isclose(round(value, decimals - 1), value, rel_tol=1e-12) for value in values):
        decimals -= 1
    return decimals


def exact(value: float) -> str:
    """A number in full, as short as it can be read back; NaN and infinities in words."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.7g}"
