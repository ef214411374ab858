"""Each change of a registry of models is written once, on every path, and what became of it is told truly."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from support.fault_proxy import FaultProxy, proxied
from support.mlflow_server import free_port
from support.registries import AnyEdits, RegistryLab, add, model_by_client

from runtower.domain.errors import (
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OutcomeUnknown,
    TowerError,
    Unreachable,
)
from runtower.domain.model_changes import (
    AddModel,
    AddVersion,
    Change,
    DeleteVersion,
    Describe,
    SetAlias,
    SetStage,
    SetTag,
)
from runtower.domain.models import ModelFiles, ModelNow
from runtower.sources.mlflow import SOURCE
from runtower.sources.port import EditsModels, Target

every = pytest.mark.parametrize("registry", ["sql", "files", "database", "rest", "postgres"], indirect=True)


@pytest.fixture
def work(registry: RegistryLab) -> str:
    """The name of a model with two versions that nobody else writes to."""
    client, name = registry.client, "work"
    for found in client.search_registered_models(f"name LIKE '{name}%'"):
        client.delete_registered_model(found.name)
    client.create_registered_model(name, {"team": "vision"})
    for _ in range(2):
        add(client, name, f"runs:/{registry.made.run_id}/model", registry.made.run_id, {"seed": "1"})
    return name


@every
def test_aliases_are_given_moved_and_taken(registry: RegistryLab, work: str) -> None:
    edits = registry.edits()
    assert edits.change(SetAlias(work, "champion", "1")) == ""
    assert edits.model(work).model.aliases == {"champion": "1"}
    edits.change(SetAlias(work, "champion", "2"))
    now = edits.model(work)
    assert [one.aliases for one in now.versions] == [("champion",), ()]
    edits.change(SetAlias(work, "champion", None))
    edits.change(SetAlias(work, "champion", None))
    assert edits.model(work).model.aliases == {}
    assert edits.model(work) == registry.open().model(work) == model_by_client(registry.client, work)


@every
def test_tags_and_descriptions_of_models_and_versions(registry: RegistryLab, work: str) -> None:
    edits = registry.edits()
    for version in ("", "1"):
        edits.change(SetTag(work, version, "why", '試験, it\'s "good"\n'))
        edits.change(SetTag(work, version, "empty", ""))
        edits.change(Describe(work, version, f"# of {version or 'all'}"))
    edits.change(SetTag(work, "", "team", None))
    edits.change(SetTag(work, "1", "seed", None))
    now = edits.model(work)
    tags = {"why": '試験, it\'s "good"\n', "empty": ""}
    assert (now.model.description, now.model.tags) == ("# of all", tags)
    first, second = now.version("1"), now.version("2")
    assert first is not None
    assert second is not None
    assert (first.description, first.tags) == ("# of 1", tags)
    assert (second.description, second.tags) == ("", {"seed": "1"})
    edits.change(Describe(work, "1", ""))
    assert edits.model(work) == model_by_client(registry.client, work)


@every
def test_stages(registry: RegistryLab, work: str) -> None:
    edits = registry.edits()
    edits.change(SetStage(work, "1", "Production"))
    edits.change(SetStage(work, "2", "Production"))
    assert edits.model(work).in_stage("Production") == ("2", "1")
    edits.change(SetStage(work, "2", "None"))
    now = edits.model(work)
    assert (now.in_stage("Production"), now.model.stages) == (("1",), {"Production": "1"})


@pytest.mark.parametrize("registry", ["sql", "files", "rest"], indirect=True)
def test_a_stage_that_archives(registry: RegistryLab, work: str) -> None:
    edits = registry.edits()
    edits.change(SetStage(work, "1", "Production"))
    edits.change(SetStage(work, "2", "Production", archive=True))
    now = edits.model(work)
    assert (now.in_stage("Production"), now.in_stage("Archived")) == (("2",), ("1",))


@pytest.mark.parametrize("registry", ["database", "postgres"], indirect=True)
def test_that_a_server_on_psycopg_can_not_archive_is_told_and_nothing_changed(registry: RegistryLab, work: str) -> None:
    """A fault of MLflow 3.17.2: it compares the version's number with a text."""
    edits = registry.edits()
    edits.change(SetStage(work, "1", "Production"))
    before = edits.model(work)
    with pytest.raises(TowerError, match="Nothing was changed") as caught:
        edits.change(SetStage(work, "2", "Production", archive=True))
    assert type(caught.value) is TowerError
    assert "SELECT" not in caught.value.tried
    assert "archive those first" in caught.value.remedy
    assert edits.model(work) == before


@every
def test_models_and_versions_are_added(registry: RegistryLab, work: str) -> None:
    edits, made = registry.edits(), registry.made
    assert edits.change(AddModel(f"{work} / it's".replace(" /", ""))) == ""
    tags = {"runtower.promotion.x": "{}", "seed": "3"}
    added = edits.change(AddVersion(work, f"runs:/{made.run_id}/model", made.run_id, tags, "from a run"))
    assert added == "3"
    version = edits.model(work).version("3")
    assert version is not None
    assert (version.run_id, version.tags, version.description) == (made.run_id, tags, "from a run")
    assert edits.change(AddVersion(work, f"models:/{made.logged[1]}", made.run_id)) == "4"
    assert registry.open().model_files(work, "4") == ModelFiles(made.run_id, "net")
    assert edits.model(work) == model_by_client(registry.client, work)


@every
@pytest.mark.parametrize("gives_run", [True, False])
def test_a_copy_keeps_its_run_and_stays_readable(registry: RegistryLab, work: str, gives_run: bool) -> None:
    edits, made = registry.edits(), registry.made
    edits.change(AddModel(f"{work}-prod"))
    for source in (f"models:/{work}/2", f"models:/{work}-prod/1"):
        edits.change(AddVersion(f"{work}-prod", source, made.run_id if gives_run else "", {"copied": "yes"}))
    now = edits.model(f"{work}-prod")
    assert [(one.run_id, one.source) for one in now.versions] == [
        (made.run_id, f"models:/{work}-prod/1"),
        (made.run_id, f"models:/{work}/2"),
    ]
    assert registry.open().model_files(f"{work}-prod", "2") == ModelFiles(made.run_id, "model")


@every
def test_versions_are_deleted_with_their_aliases(registry: RegistryLab, work: str) -> None:
    edits = registry.edits()
    edits.change(SetAlias(work, "champion", "2"))
    edits.change(DeleteVersion(work, "2"))
    now = edits.model(work)
    assert ([one.version for one in now.versions], now.model.aliases, now.model.latest) == (["1"], {}, "1")
    assert edits.change(AddVersion(work, f"runs:/{registry.made.run_id}/model", registry.made.run_id)) in ("2", "3")


def refused(name: str) -> list[tuple[Change, type[TowerError]]]:
    return [
        (AddModel(name), Conflict),
        (AddModel("a/b"), Invalid),
        (AddModel(""), Invalid),
        (SetAlias("none", "champion", "1"), NotFound),
        (SetAlias(name, "champion", "77"), NotFound),
        (SetAlias(name, "latest", "1"), Invalid),
        (SetAlias(name, "champion", "one"), Invalid),
        (SetStage(name, "77", "Staging"), NotFound),
        (SetStage(name, "1", "Nirvana"), Invalid),
        (SetTag("none", "", "key", "value"), NotFound),
        (SetTag(name, "77", "key", "value"), NotFound),
        (SetTag(name, "1", "a;b", "value"), Invalid),
        (Describe("none", "", "text"), NotFound),
        (Describe(name, "77", "text"), NotFound),
        (DeleteVersion(name, "77"), NotFound),
        (AddVersion("none", "s3://bucket/model"), NotFound),
        (AddVersion(name, "models:/none/1"), NotFound),
    ]


@every
def test_what_is_refused_changes_nothing(registry: RegistryLab, work: str) -> None:
    edits = registry.edits()
    before = edits.model(work), list(registry.open().models())
    for change, kind in refused(work):
        with pytest.raises(kind) as caught:
            edits.change(change)
        assert type(caught.value) is kind, (change, caught.value)
        assert caught.value.tried.endswith((".", "'", "]")) or caught.value.remedy, caught.value
    assert (edits.model(work), list(registry.open().models())) == before


@every
def test_a_source_that_is_none_is_told_with_nothing_added(registry: RegistryLab, work: str) -> None:
    edits = registry.edits()
    with pytest.raises(TowerError) as caught:
        edits.change(AddVersion(work, f"models:/m-{'0' * 32}", registry.made.run_id))
    assert not isinstance(caught.value, OutcomeUnknown)
    assert len(edits.model(work).versions) == 2


# -- a server that goes wrong in the middle


rest = pytest.mark.parametrize("registry", ["rest"], indirect=True)


@pytest.fixture
def proxy(registry: RegistryLab) -> Iterator[FaultProxy]:
    with proxied(registry.uri) as made:
        yield made


def through(proxy: FaultProxy) -> AnyEdits:
    source = SOURCE.open_for_edits(Target("lab", "mlflow", proxy.url, options={"timeout": "4"}))
    assert isinstance(source, EditsModels)
    return source  # type: ignore[return-value]


def content(now: ModelNow) -> object:
    """A model without its times."""
    versions = [dataclasses.replace(one, created=None, updated=None) for one in now.versions]
    return dataclasses.replace(now.model, created=None, updated=None), versions


def changes(name: str, run_id: str) -> list[Change]:
    return [
        SetAlias(name, "champion", "1"),
        SetStage(name, "1", "Staging", archive=True),
        SetTag(name, "1", "key", "value"),
        SetTag(name, "1", "seed", None),
        Describe(name, "", "new"),
        AddVersion(name, f"runs:/{run_id}/model", run_id, {"key": "value"}),
        DeleteVersion(name, "2"),
    ]


@rest
@pytest.mark.parametrize("fault", ["lost before", "lost after", "login", "dies after"])
def test_without_an_answer_the_outcome_is_unknown(
    registry: RegistryLab, work: str, proxy: FaultProxy, fault: str
) -> None:
    for change in changes(work, registry.made.run_id):
        before = registry.edits().model(work)
        proxy.fault, proxy.dead, proxy.writes = fault, False, []
        with pytest.raises(OutcomeUnknown, match="isn't known"):
            through(proxy).change(change)
        assert len(proxy.writes) == 1, "sent once"
        is_changed = content(registry.edits().model(work)) != content(before)
        assert is_changed == (fault in ("lost after", "dies after")), change


@rest
def test_a_failure_that_mlflow_tells_is_read_back(registry: RegistryLab, work: str, proxy: FaultProxy) -> None:
    for change in [*changes(work, registry.made.run_id), AddModel(f"{work}-more")]:
        before = registry.edits().model(work)
        proxy.fault, proxy.writes = "internal", []
        with pytest.raises(TowerError, match=r"Nothing was changed.*on fire") as caught:
            through(proxy).change(change)
        assert not isinstance(caught.value, OutcomeUnknown)
        assert len(proxy.writes) == 1
        assert registry.edits().model(work) == before


@rest
def test_what_took_effect_before_the_failure_is_done(registry: RegistryLab, work: str, proxy: FaultProxy) -> None:
    for change in [*changes(work, registry.made.run_id), AddModel(f"{work}-more")]:
        proxy.fault = "internal after"
        assert through(proxy).change(change) == ("3" if isinstance(change, AddVersion) else ""), change


@rest
@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [("forbidden", Forbidden, "not yours"), ("conflict", Conflict, "somebody else"), ("busy", Busy, "patience")],
)
def test_refusals_of_a_server(work: str, proxy: FaultProxy, fault: str, kind: type[TowerError], says: str) -> None:
    proxy.fault = fault
    with pytest.raises(kind, match=says):
        through(proxy).change(SetAlias(work, "champion", "1"))
    assert through(proxy).model(work).model.aliases == {}


@rest
def test_nobody_there_is_no_unknown_outcome(registry: RegistryLab, work: str) -> None:
    source = SOURCE.open_for_edits(Target("lab", "mlflow", f"http://127.0.0.1:{free_port()}"))
    assert isinstance(source, EditsModels)
    with pytest.raises(Unreachable, match=r"Nothing was changed.*nothing listens"):
        source.change(SetAlias(work, "champion", "1"))
