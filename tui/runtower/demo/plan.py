"""What the demo project holds: runs with params and learning curves, the same ones for the same seed."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Final

SEED: Final = 7
_MINUTE: Final = 60_000
_STEPS_AN_EPOCH: Final = 5
_USERS: Final = ("ada", "grace", "linus")
_COMMITS: Final = ("9f2c1e07ab34d5568c21f0e9b7a6d4c3e2f10b98", "41d7b0c6e85f92a3d4c1b0a9f8e7d6c5b4a39281")
_MODELS: Final = {
    "detector": ("resnet50", "vit_b16", "convnext_t"),
    "sentiment": ("distilbert", "roberta", "deberta_v3"),
    "forecast": ("tft", "nbeats", "deepar"),
}
_LATENCY_MS: Final = {"resnet50": 15.0, "vit_b16": 36.0, "convnext_t": 25.0, "distilbert": 8.0}
_DATA: Final = {
    "detector": ("street-val", "5f0c91d2", "b7e40a36"),
    "sentiment": ("reviews-val", "83aa17c4", "1c9d5e70"),
    "forecast": ("load-2025", "d20b6f18", "46e3b9a5"),
}
_CORRECTED_MINUTES: Final = 1600


@dataclass
class PlannedRun:
    """One run. `curves`: metric -> values by step; `parent` is the name of the sweep that it belongs to; `age_ms` is
    how long ago it began."""

    experiment: str
    name: str
    status: str
    user: str
    commit: str
    params: dict[str, str]
    curves: dict[str, list[float]]
    age_ms: int
    took_ms: int
    parent: str = ""
    tags: dict[str, str] = field(default_factory=dict)


def planned_runs() -> list[PlannedRun]:
    """About sixty runs, oldest first, parents before their children."""
    chance = random.Random(SEED)  # noqa: S311 - a demo, not a secret
    out: list[PlannedRun] = []
    for place, experiment in enumerate(_MODELS):
        names = [f"{_MODELS[experiment][number % 3]}-{number + 1}" for number in range(12)]
        out += [
            _run(chance, experiment, name, 60 * (34 - 3 * number) + 11 * place) for number, name in enumerate(names)
        ]
        sweep = _run(chance, experiment, "lr-sweep", 60 * 9 + 11 * place)
        sweep.status, sweep.curves, sweep.tags = "FINISHED", {}, {"kind": "sweep"}
        out.append(sweep)
        for number, rate in enumerate((1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3)):
            child = _run(chance, experiment, f"lr-{rate:g}", 60 * 9 + 11 * place - 20 * number - 2, rate)
            child.parent = sweep.name
            out.append(child)
    _mishaps(out)
    return sorted(out, key=lambda run: (-run.age_ms, run.parent != ""))


def live_run(chance: random.Random, number: int) -> PlannedRun:
    """A run to train live: its curves are as long as it is to go on, one step a second."""
    run = _run(chance, "detector", f"{_MODELS['detector'][number % 3]}-live-{number}", 0)
    run.status = "RUNNING"
    steps = chance.randint(90, 180)
    run.curves = curves("detector", chance, steps, float(run.params["optim.lr"]))
    run.params["trainer.max_epochs"] = str(epochs(steps))
    return run


def epochs(steps: int) -> int:
    """How many epochs so many steps are."""
    return -(-steps // _STEPS_AN_EPOCH)


def is_judged(run: PlannedRun) -> bool:
    """Whether it came to an end at which its model is measured."""
    return run.status == "FINISHED" and bool(run.curves) and not math.isnan(run.curves["val_loss"][-1])


def latency_ms(run: PlannedRun) -> float:
    """How long its model takes for one example, in milliseconds."""
    noise = random.Random(f"{run.experiment}/{run.name}").uniform(0, 3)  # noqa: S311
    return round(_LATENCY_MS.get(run.params["model.name"], 20.0) + 0.6 * int(run.params["model.depth"]) + noise, 2)


def judged_on(run: PlannedRun) -> tuple[str, str]:
    """Name and digest of the data that its scores are of: the labels were corrected once."""
    name, old, new = _DATA[run.experiment]
    return name, old if run.age_ms > _CORRECTED_MINUTES * _MINUTE else new


def _run(chance: random.Random, experiment: str, name: str, minutes: int, rate: float | None = None) -> PlannedRun:
    rate = rate if rate is not None else chance.choice((1e-4, 3e-4, 1e-3, 3e-3))
    steps = chance.randint(40, 70)
    params = {
        "model.name": name.split("-")[0] if rate is None or not name.startswith("lr-") else _MODELS[experiment][0],
        "model.depth": str(chance.choice((4, 6, 8, 12))),
        "model.dropout": str(chance.choice((0.0, 0.1, 0.2))),
        "optim.name": chance.choice(("adamw", "adamw", "sgd", "lion")),
        "optim.lr": f"{rate:g}",
        "optim.weight_decay": str(chance.choice((0.0, 0.01, 0.05))),
        "data.batch_size": str(chance.choice((32, 64, 128))),
        "data.augment": chance.choice(("none", "flip", "randaug")),
        "trainer.max_epochs": str(epochs(steps)),
        "trainer.precision": "bf16-mixed",
        "seed": str(chance.choice((1, 2, 3))),
    }
    return PlannedRun(
        experiment,
        name,
        "FINISHED",
        chance.choice(_USERS),
        chance.choice(_COMMITS),
        params,
        curves(experiment, chance, steps, rate),
        minutes * _MINUTE,
        chance.randint(12, 95) * _MINUTE // (8 if minutes < 400 else 1),
        tags={"team": "perception" if experiment == "detector" else "research"},
    )


def curves(experiment: str, chance: random.Random, steps: int, rate: float) -> dict[str, list[float]]:
    """Losses that fall like losses, with noise and some overfitting; the best rate is near 1e-3, 0.3 diverges."""
    off = abs(math.log10(rate) + 3)
    floor = 0.18 + 0.07 * off + chance.uniform(0, 0.05)
    speed = chance.uniform(0.06, 0.12) / (1 + 0.4 * off)
    train: list[float] = []
    valid: list[float] = []
    for step in range(steps):
        fall = math.exp(-speed * step)
        train.append(round(floor * 0.8 + 1.9 * fall + chance.gauss(0, 0.02), 5))
        valid.append(round(floor + 1.8 * fall + 0.0006 * max(0, step - 40) + chance.gauss(0, 0.012), 5))
        if rate >= 0.3 and step > 12:
            train[-1] = valid[-1] = math.nan
    second = {"detector": "val_mAP", "sentiment": "val_accuracy", "forecast": "val_mape"}[experiment]
    score = [v if math.isnan(v) else round(max(0.02, 0.97 - 0.42 * v), 5) for v in valid]
    if second == "val_mape":
        score = [v if math.isnan(v) else round(4 + 21 * v, 4) for v in valid]
    return {
        "train_loss": train,
        "val_loss": valid,
        second: score,
        "epoch": [float(s // _STEPS_AN_EPOCH) for s in range(steps)],
    }


def _mishaps(out: list[PlannedRun]) -> None:
    """What happens to real runs: some fail early, some are killed."""
    for place, status, kept in ((2, "FAILED", 9), (24, "FAILED", 14), (7, "KILLED", 25), (46, "KILLED", 18)):
        run = out[place]
        run.status, run.took_ms = status, run.took_ms // 4
        run.curves = {key: values[:kept] for key, values in run.curves.items()}
    out[2].tags["error"] = "CUDA out of memory"
