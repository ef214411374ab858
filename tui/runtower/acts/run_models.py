"""The models that a run logged, and their registration as versions that keep the run's id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runtower.acts.model_card import FILE, card_of
from runtower.acts.registrar import Ended, Registrar
from runtower.acts.run_artifacts import RunArtifacts, named
from runtower.acts.tower import Tower
from runtower.domain.errors import Invalid, NotFound
from runtower.domain.model_changes import AddModel, AddVersion, ModelEdit

_MOST_FOLDERS: Final = 40


@dataclass(frozen=True, slots=True)
class RunModel:
    """A model among a run's artifacts: its folder there ('' for all of them), and what it is registered by."""

    folder: str
    source: str
    flavors: str


async def models_of_run(tower: Tower, row: int) -> list[RunModel]:
    """All folders with an MLmodel, the highest ones first. Raises TowerError where the artifacts can't be read."""
    artifacts = RunArtifacts(tower, row)
    found: list[RunModel] = []
    waiting, looked = [""], 0
    while waiting and looked < _MOST_FOLDERS:
        path = waiting.pop(0)
        looked += 1
        try:
            folder = await artifacts.folder(path)
        except NotFound:
            continue
        if named(folder, FILE) is not None:
            found.append(await _model(artifacts, path))
        else:
            waiting += [one.path for one in folder.entries if one.is_dir]
    return found


async def _model(artifacts: RunArtifacts, folder: str) -> RunModel:
    """A LoggedModel of MLflow 3 is registered by its own id, any other by its place in the run."""
    by_run = f"runs:/{artifacts.files.run_id}/{folder}"
    try:
        card = card_of(await artifacts.text(f"{folder}/{FILE}" if folder else FILE))
    except Invalid:
        return RunModel(folder, by_run, "MLmodel can't be read")
    source = f"models:/{card.model_id}" if card.model_id else by_run
    return RunModel(folder, source, ", ".join(flavor.name for flavor in card.flavors))


async def register(
    registrar: Registrar, number: int, name: str, is_new: bool, model: RunModel, run_id: str, run_name: str
) -> Ended:
    """Make it the next version of a model, which is registered first where it `is_new`. Never raises."""
    if is_new:
        done = f"{name} is registered, without a version."
        ended = await registrar.edit(number, ModelEdit(AddModel(name)), f"register the model {name}", done)
        if not ended.is_done:
            return ended
    change = AddVersion(name, model.source, run_id)
    return await registrar.edit(
        number,
        ModelEdit(change),
        f"register a version of {name}",
        f"{run_name} is a version of {name} now; it keeps the run's id {run_id}.",
    )


def wrong_name(name: str, known: Sequence[str]) -> str:
    """Why a model can't be called so, '' where it can. MLflow refuses `/` and `:` in names."""
    if any(one in name for one in "/:"):
        return "a model's name can't have / or : in it"
    return f"there is a model {name} already" if name in known else ""
