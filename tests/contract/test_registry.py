"""A registry of models reads the same on every path, field by field as MlflowClient says it."""

from __future__ import annotations

import pytest
from support.registries import ODD_NAMES, RegistryLab, model_by_client, models_by_client

from runtower.domain.errors import NotFound
from runtower.domain.models import ModelFiles

every = pytest.mark.parametrize("registry", ["sql", "client", "files", "database", "rest", "postgres"], indirect=True)


@every
def test_all_models(registry: RegistryLab) -> None:
    found = list(registry.open().models())
    assert found == models_by_client(registry.client)
    assert {one.name for one in found} == {"resnet", "files", "copies", "empty", *ODD_NAMES}
    resnet = next(one for one in found if one.name == "resnet")
    assert (resnet.latest, resnet.stages) == ("10", {"Staging": "9", "Production": "2", "Archived": "5"})
    assert list(resnet.aliases.items()) == [("challenger", "9"), ("champion", "10"), ("zeta", "10")]


@every
@pytest.mark.parametrize("name", ["resnet", "files", "copies", "empty", *ODD_NAMES])
def test_one_model_with_its_versions(registry: RegistryLab, name: str) -> None:
    assert registry.open().model(name) == model_by_client(registry.client, name)


@every
def test_versions_by_number_and_without_the_deleted(registry: RegistryLab) -> None:
    found = registry.open().model("resnet")
    assert [one.version for one in found.versions] == ["10", "9", "8", "7", "5", "4", "3", "2", "1"]
    assert [one.aliases for one in found.versions[:3]] == [("champion", "zeta"), ("challenger",), ()]
    assert found.versions[1].tags == {"seed": "9", "note": "試験"}


@every
@pytest.mark.parametrize("name", ["none", "a prompt", "Resnet", "", "a/b", "resnet' OR name LIKE '%"])
def test_what_is_no_model(registry: RegistryLab, name: str) -> None:
    with pytest.raises(NotFound):
        registry.open().model(name)


@every
def test_where_the_files_of_versions_lie(registry: RegistryLab) -> None:
    source, made = registry.open(), registry.made
    older = made.logged[0]
    folders = {"1": "model", "2": "", "3": older, "4": "net"}
    for version, folder in folders.items():
        assert source.model_files("files", version) == ModelFiles(made.run_id, folder), version
    assert source.model_files("copies", "1") == source.model_files("copies", "2") == ModelFiles(made.run_id, "model")
    for version, text in (("1", b"model/MLmodel"), ("3", b"older"), ("4", b"newer")):
        files = source.model_files("files", version)
        assert source.artifact(files.run_id, f"{files.folder}/MLmodel", 0, 100).data == text
    assert [one.name for one in source.artifacts(made.run_id, older).entries] == ["MLmodel"]


@every
@pytest.mark.parametrize(("name", "version"), [("files", "5"), ("copies", "3")])
def test_files_elsewhere(registry: RegistryLab, name: str, version: str) -> None:
    with pytest.raises(NotFound, match="s3://bucket/elsewhere/model"):
        registry.open().model_files(name, version)


@every
@pytest.mark.parametrize(("name", "version"), [("files", "77"), ("none", "1"), ("resnet", "6"), ("resnet", "x")])
def test_files_of_what_is_no_version(registry: RegistryLab, name: str, version: str) -> None:
    with pytest.raises(NotFound):
        registry.open().model_files(name, version)


@every
def test_a_copy_keeps_its_files_when_the_original_is_deleted(registry: RegistryLab) -> None:
    registry.client.delete_model_version("files", "1")
    assert registry.open().model_files("copies", "1") == ModelFiles(registry.made.run_id, "model")


@every
def test_aliases_and_tags_which_move_no_time_are_seen_at_once(registry: RegistryLab) -> None:
    source, client = registry.open(), registry.client
    source.model("resnet")
    client.set_registered_model_alias("resnet", "champion", "9")
    client.set_model_version_tag("resnet", "9", "seed", "other")
    after = source.model("resnet")
    assert after == model_by_client(client, "resnet")
    assert after.model.aliases["champion"] == "9"
