"""What is imported when, the registry of actions, and the arrows between the rooms."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from runtower.actions import ACTIONS, Action, at
from runtower.screens.artifacts_screen import ArtifactsScreen
from runtower.screens.compare_screen import CompareScreen
from runtower.screens.curves_screen import CurvesScreen
from runtower.screens.empty import EmptyScreen
from runtower.screens.gpus_screen import GpusScreen
from runtower.screens.jobs_screen import JobsScreen
from runtower.screens.keys import KeyScreen
from runtower.screens.log_screen import LogScreen
from runtower.screens.model_screen import ModelScreen
from runtower.screens.models_screen import ModelsScreen
from runtower.screens.pipeline_screen import PipelineScreen
from runtower.screens.points_screen import PointsScreen
from runtower.screens.promotion_screen import PromotionScreen
from runtower.screens.run_keys import RunsScreen
from runtower.screens.run_screen import RunScreen
from runtower.screens.sources import SourcesScreen
from runtower.screens.text_diff import TextDiffScreen
from runtower.screens.version_screen import VersionScreen

ROOT = Path(__file__).parents[2]
BACKENDS = {"mlflow", "dvc", "wandb", "kfp", "hydra", "httpx", "pandas", "sqlalchemy"}
DATA = {"numpy", "pyarrow", "omegaconf", "click", "yaml", "lark"}
SCREENS: dict[str, type[KeyScreen]] = {
    "runs": RunsScreen,
    "run": RunScreen,
    "artifacts": ArtifactsScreen,
    "log": LogScreen,
    "points": PointsScreen,
    "compare": CompareScreen,
    "curves": CurvesScreen,
    "empty": EmptyScreen,
    "sources": SourcesScreen,
    "models": ModelsScreen,
    "model": ModelScreen,
    "version": VersionScreen,
    "promotion": PromotionScreen,
    "jobs": JobsScreen,
    "gpus": GpusScreen,
    "pipeline": PipelineScreen,
    "texts": TextDiffScreen,
}
PLACES = sorted({place for action in ACTIONS for place in action.places})
QUIET_GROUPS = {
    "Move",
    "Find",
    "Look",
    "Columns",
    "Mark",
    "Charts",
    "Points",
    "Compare",
    "Artifacts",
    "Two texts",
    "Log",
    "Models",
    "Promotion",
    "Jobs",
    "Pipeline",
}


def loaded_by(module: str) -> set[str]:
    """The top-level names in sys.modules after importing a module in a fresh interpreter."""
    code = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "refused"),
    [
        ("runtower.cli", BACKENDS | DATA | {"textual"}),
        ("runtower.app", BACKENDS | DATA),
        ("runtower.acts.face", BACKENDS | {"textual", "click", "omegaconf", "lark"}),
        ("runtower.config.overrides", BACKENDS | DATA | {"textual", "click"}),
        ("runtower_widgets.row_table", BACKENDS | DATA | {"runtower"}),
        ("runtower.sources.port", BACKENDS | DATA | {"textual"}),
    ],
)
def test_a_module_brings_in_only_what_it_may(module: str, refused: set[str]) -> None:
    loaded = loaded_by(module)
    assert module.partition(".")[0] in loaded
    assert loaded & refused == set()


def test_arrows_between_the_rooms_run_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("folder", ["tui", "widgets"])
def test_the_folders_of_packages_are_no_packages_themselves(folder: str) -> None:
    assert (ROOT / folder).is_dir()
    assert not (ROOT / folder / "__init__.py").exists()


def test_every_place_has_a_screen_and_knows_its_name() -> None:
    assert set(PLACES) == set(SCREENS)
    assert {place: screen.place for place, screen in SCREENS.items()} == {place: place for place in SCREENS}


@pytest.mark.parametrize("place", PLACES)
def test_a_screen_can_do_every_action_it_offers_and_no_other(place: str) -> None:
    offered = {"do_" + action.id.replace(".", "_") for action in at(place)}
    can = {name for name in dir(SCREENS[place]) if name.startswith("do_")}
    assert can == offered


def test_ids_are_unique() -> None:
    assert [name for name, count in Counter(action.id for action in ACTIONS).items() if count > 1] == []


@pytest.mark.parametrize("place", PLACES)
def test_no_key_means_two_things_in_one_place(place: str) -> None:
    keys = Counter(key for action in at(place) for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []


def test_no_key_is_the_beginning_of_another_without_meaning_to_wait() -> None:
    for place in PLACES:
        keys = {key for action in at(place) for key in action.keys}
        sequences = {key for key in keys if " " in key}
        begun = {key.rpartition(" ")[0] for key in sequences}
        assert begun & keys <= {"z"}, "only za may follow a key that already does something"


def looks(action: Action) -> bool:
    return action.group in QUIET_GROUPS and not action.starts


def test_a_key_that_only_looks_in_one_place_starts_nothing_in_another() -> None:
    looking = {key: action.id for action in ACTIONS if looks(action) for key in action.keys}
    starting = {key: action.id for action in ACTIONS if action.starts for key in action.keys}
    assert starting, "the rule is about something"
    clashes = {key: (looking[key], starting[key]) for key in looking.keys() & starting.keys()}
    assert clashes == {}


@pytest.mark.parametrize("key", ["ctrl+a", "ctrl+b", "ctrl+s", "ctrl+backslash"])
def test_keys_that_multiplexers_and_terminals_keep_are_free(key: str) -> None:
    assert [action.id for action in ACTIONS if key in action.keys] == []


def test_no_action_needs_alt_or_a_function_key() -> None:
    for action in ACTIONS:
        for key in action.keys:
            assert not key.startswith("alt+")
            assert not (key[0] == "f" and key[1:].isdecimal())
