"""A process that promotes versions of one model to @champion again and again, each compared with who holds it, and says
how each try ended: `python -m support.promoting URI MODEL NAME SUCCESSES SEED`."""

from __future__ import annotations

import json
import random
import sys
import time

from runtower.domain.errors import TowerError
from runtower.domain.promotions import Promotion, destination_of
from runtower.domain.ulids import new_id
from runtower.promote.transaction import carry_out
from runtower.sources.mlflow import SOURCE as MLFLOW
from runtower.sources.port import EditsModels, Target


def main(uri: str, model: str, name: str, successes: str, seed: str) -> None:
    """A line of JSON for each try: its id, before and after, and how it ended: done, already, or an error's name."""
    draw = random.Random(seed)
    to = destination_of("champion")
    registry = MLFLOW.open_for_edits(Target("lab", "mlflow", uri))
    assert isinstance(registry, EditsModels)
    registry.model(model)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    left = int(successes)
    while left:
        now = registry.model(model)
        before = to.holders(now)
        others = [one.version for one in now.versions if one.version not in before]
        wanted = Promotion(new_id(), time.time_ns() // 1_000_000, name, model, draw.choice(others), to, before)
        try:
            promoted = carry_out(registry, wanted)
            ended = "already" if promoted.already else "done"
            left -= ended == "done"
            says = " ".join(promoted.warnings)
        except TowerError as error:
            ended, says = error.name, str(error)
        line = {"id": wanted.id, "before": before, "after": wanted.version, "ended": ended, "says": says}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    registry.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
