"""What comparing configs costs: in CPU time of one process, and on the screen."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import yaml
from charts import opened, pressed
from measures import Bench, Figures, at_rest, home
from omegaconf import OmegaConf
from stores import Shape

from runtower.config.diff import diff
from runtower.config.flat import trees_of
from runtower.config.matrix import matrix
from runtower.config.overrides import overrides_of
from runtower.config.rows import rows_of
from runtower.config.rules import Rules
from runtower.config.yaml_text import read_text
from runtower.settings import DiffSettings

COMPARED = Shape(runs=100, metrics=3, params=1000)
_CHANGED = 0.02


def _tree(seed: int) -> dict[str, object]:
    """5,000 leaves in 250 maps, two of a hundred another one for each seed."""
    usual, own = random.Random(0), random.Random(seed)

    def leaf(number: int) -> object:
        value = usual.choice([1e-3, usual.random(), number, f"name_{number}", True, None, [0.9, 0.999]])
        return own.random() if own.random() < _CHANGED else value

    return {f"group_{i}": {f"part_{j}": {f"key_{k}": leaf(k) for k in range(20)} for j in range(5)} for i in range(50)}


def _cpu_ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def config_diff(bench: Bench) -> Figures:
    """Two configs of 5,000 leaves, from their text to what differs, and on to the rows and the overrides."""
    a, b = yaml.safe_dump(_tree(1)), yaml.safe_dump(_tree(2))
    rules = Rules(DiffSettings().ignore)
    figures: Figures = {"text_to_diff_ms": [], "read_ms": [], "rows_ms": [], "overrides_ms": [], "omegaconf_ms": []}
    for _ in bench.times(20):
        figures["text_to_diff_ms"].append(_cpu_ms(lambda: diff(read_text(a, "a"), read_text(b, "b"))))
        figures["read_ms"].append(_cpu_ms(lambda: read_text(a, "a")))
        tree = read_text(b, "b")
        found = diff(read_text(a, "a"), tree)
        figures["rows_ms"].append(_cpu_ms(lambda found=found: rows_of(rules.split(found)[0])))
        figures["overrides_ms"].append(_cpu_ms(lambda found=found, tree=tree: overrides_of(found, tree)))
    for _ in bench.times(3):
        figures["omegaconf_ms"].append(_cpu_ms(lambda: OmegaConf.create(a)))
    return figures


def config_matrix(bench: Bench) -> Figures:
    """100 runs of 1,000 params each, of which 100 vary: what varies, and before that texts to trees."""
    chance = random.Random(0)
    params = [
        {
            f"g{i}.s{j}.k{k}": str(chance.random()) if k == 0 else str(0.001 * i * k)
            for i in range(10)
            for j in range(10)
            for k in range(10)
        }
        for _ in range(100)
    ]
    rules = Rules(DiffSettings().ignore)
    figures: Figures = {"matrix_ms": [], "trees_ms": []}
    for _ in bench.times(20):
        figures["trees_ms"].append(_cpu_ms(lambda: trees_of(params)))
        trees = trees_of(params)
        figures["matrix_ms"].append(_cpu_ms(lambda trees=trees: matrix(trees, rules)))
        assert len(matrix(trees, rules).rows) == 100
    return figures


def compare_keys(bench: Bench) -> Figures:
    """100 runs with 1,000 params compared: from the key to the first picture, then key to paint in the matrix."""
    figures: Figures = {"first_s": [], "paint_ms": [], "cpu_ms": []}
    keys = [*[b"j"] * 20, *[b"\x1b[6~"] * 10, *[b"l"] * 20, *[b"h"] * 10, *[b"n"] * 10, *[b"N"] * 10]
    for _ in bench.times(3):
        with home() as where, opened(where, str(bench.store(COMPARED)), 36, 120) as screen:
            screen.await_words("100 runs", 60)
            screen.listen(3)
            screen.press(b"*")
            screen.listen(1)
            sent = screen.press(b"c")
            screen.await_words("vary", 60)
            figures["first_s"].append(screen.chunks[-1].when - sent)
            at_rest(screen)
            for figure, samples in pressed(screen, keys).items():
                figures[figure] += samples
    return figures


MEASURES: dict[str, Callable[[Bench], Figures]] = {
    measure.__name__: measure for measure in (config_diff, config_matrix, compare_keys)
}
