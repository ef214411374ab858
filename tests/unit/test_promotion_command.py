"""The command that does the same as a promotion on the screen finds the same store."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runtower.acts.registrar import Registrar
from runtower.domain.promotions import Promotion, destination_of
from runtower.domain.targets import Identity, Target
from runtower.settings import Settings, SourceSettings

PROMOTION = Promotion("01JF0000000000000000000000", 1, "bo@lab", "detector", "3", destination_of("champion"), ("2",))
LAB, OTHER = Target("lab", "mlflow", "lab.db"), Target("other", "mlflow", "other.db")


def registrar(settings: Settings, *targets: Target) -> Registrar:
    identities = {n: Identity("", f"sqlite:////data/{one.uri}", "") for n, one in enumerate(targets)}
    tower: Any = SimpleNamespace(on_change=lambda _: None, identities=identities)
    folders, file = SimpleNamespace(logs=Path("logs")), Path("runtower.yaml")
    starter: Any = SimpleNamespace(settings=settings, folders=folders, project_file=file)
    nothing: Any = None
    return Registrar(tower, targets, starter, nothing, lambda: None, lambda _: None)


@pytest.mark.parametrize(
    ("named", "targets", "end"),
    [
        (["lab"], [LAB], "--if-holder 2"),
        (["lab", "other"], [LAB, OTHER], "--if-holder 2 --source lab"),
        ([], [LAB], "--if-holder 2 --tracking-uri sqlite:////data/lab.db"),
        (["other"], [LAB, OTHER], "--if-holder 2 --tracking-uri sqlite:////data/lab.db"),
    ],
)
def test_where(named: list[str], targets: list[Target], end: str) -> None:
    settings = Settings(sources={name: SourceSettings(uri=f"{name}.db") for name in named})
    command = registrar(settings, *targets).command(0, PROMOTION)
    assert command == f"runtower promote detector 3 --to champion {end}"
