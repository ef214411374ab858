"""Which servers of a project's file need trust, and what the record of it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtower.acts import trust
from runtower.acts.keep_source import add, described, remove
from runtower.domain.errors import Invalid, NotFound
from runtower.folders import Folders
from runtower.settings_quick import Given, given
from runtower.sources.port import Target


def says(project: Path, text: str) -> None:
    (project / "runtower.yaml").write_text(text)


def own(folders: Folders, text: str) -> None:
    folders.config.mkdir(exist_ok=True)
    (folders.config / "settings.yaml").write_text(text)


def doubted(project: Path, folders: Folders, **environ: str) -> dict[str, trust.Doubt]:
    environ = {"HOME": str(folders.config), **environ}
    return trust.doubts(given(project, environ, folders), project, environ, folders)


@pytest.mark.parametrize(
    "uri",
    [
        "https://mlflow.example.org/team",
        "HTTP://example.org",
        "http://0.0.0.0:5000",
        "http://localhost.example.org",
        "http://127.0.0.1.example.org:5000",
        "http://127.0.0.1:5000.example.org",
        "http://[::2]:5000",
        "http:example.org",
        "postgresql://localhost/mlflow",
        "mysql+pymysql://db/mlflow",
        "databricks",
        "databricks://profile",
        "some-plugin://anything",
        "sqlite-plugin://anything?x",
        "gpu-7:5000",
    ],
)
def test_a_server_that_a_project_names_is_doubted(project: Path, folders: Folders, uri: str) -> None:
    says(project, f"sources: {{a: {{uri: '{uri}'}}}}\n")
    held = doubted(project, folders)["a"].held
    assert str(project / "runtower.yaml") in held
    assert "isn't trusted yet" in held


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:5000",
        "http://localhost",
        "https://LOCALHOST:1/x",
        "http://[::1]:5000",
        "sqlite:///a.db",
        "logs",
    ],
)
def test_what_is_on_this_machine_and_gets_no_credentials_is_not(project: Path, folders: Folders, uri: str) -> None:
    says(project, f"sources: {{a: {{uri: '{uri}'}}}}\n")
    assert doubted(project, folders) == {}


@pytest.mark.parametrize(
    ("environ", "file", "gets"),
    [
        ({"MLFLOW_TRACKING_TOKEN": "hush"}, "", "MLFLOW_TRACKING_TOKEN of the environment"),
        (
            {"MLFLOW_TRACKING_USERNAME": "ana", "MLFLOW_TRACKING_PASSWORD": "hush"},
            "",
            "MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD of the environment",
        ),
        ({"MLFLOW_TRACKING_CLIENT_CERT_PATH": "/hush"}, "", "MLFLOW_TRACKING_CLIENT_CERT_PATH of the environment"),
        ({}, ".mlflow/credentials", "~/.mlflow/credentials"),
    ],
)
def test_with_credentials_this_machine_is_doubted_too(
    project: Path, folders: Folders, environ: dict[str, str], file: str, gets: str
) -> None:
    if file:
        (folders.config / file).parent.mkdir(parents=True)
        (folders.config / file).write_text("[mlflow]\n")
    says(project, "sources: {a: {uri: 'http://127.0.0.1:5000'}}\n")
    doubt = doubted(project, folders, **environ)["a"]
    assert doubt.gets == (gets,)
    assert "hush" not in str(doubt)


def test_a_users_own_options_are_what_another_uri_would_get(project: Path, folders: Folders) -> None:
    own(folders, "sources: {a: {uri: 'https://ours', options: {token: hush, workspace: vision}}}\n")
    assert doubted(project, folders) == {}
    says(project, "sources: {a: {uri: 'https://theirs'}}\n")
    doubt = doubted(project, folders)["a"]
    assert (doubt.address, doubt.gets) == ("https://theirs", ("the options token of your own settings",))
    says(project, "sources: {a: {options: {workspace: other, timeout: '3'}, read_only: true}}\n")
    assert doubted(project, folders) == {}
    says(project, "sources: {a: {options: {insecure_tls: 'true'}}}\n")
    doubt = doubted(project, folders)["a"]
    assert (doubt.address, doubt.says) == ("https://ours", ("options.insecure_tls: true",))


def test_a_registry_of_models_is_a_server_like_another(project: Path, folders: Folders) -> None:
    own(folders, "sources: {a: {uri: 'sqlite:///a.db', options: {token: hush}}}\n")
    says(project, "sources: {a: {options: {registry_uri: 'https://theirs'}}}\n")
    doubt = doubted(project, folders)["a"]
    assert (doubt.address, doubt.says) == ("https://theirs", ("options.registry_uri: https://theirs",))
    assert doubt.gets == ("the options token of your own settings",)
    own(folders, "sources: {a: {uri: 'https://ours'}}\n")
    assert doubted(project, folders)["a"].address == "https://ours and https://theirs"
    trust.trust(list(doubted(project, folders).values()), folders)
    assert doubted(project, folders) == {}
    says(project, "sources: {a: {options: {registry_uri: 'https://evil'}}}\n")
    assert set(doubted(project, folders)) == {"a"}


def test_a_registry_on_this_machine_is_not_doubted(project: Path, folders: Folders) -> None:
    a, b = "{uri: a.db, options: {registry_uri: 'http://127.0.0.1:5000'}}", "{uri: b.db, options: {registry_uri: m.db}}"
    says(project, f"sources: {{a: {a}, b: {b}}}\n")
    assert doubted(project, folders) == {}
    assert given(project, {}, folders).settings.sources["b"].options["registry_uri"] == str(project / "m.db")
    assert set(doubted(project, folders, MLFLOW_TRACKING_TOKEN="hush")) == {"a"}
    says(project, "sources: {a: {uri: a.db, options: {registry_uri: 'http://u:hush@127.0.0.1:5000'}}}\n")
    with pytest.raises(Invalid, match="holds credentials"):
        given(project, {}, folders)


def test_a_source_is_kept_with_its_registry(project: Path, folders: Folders) -> None:
    models = str(project / "models.db")
    add(Target("a", "mlflow", "https://ours", options={"registry_uri": models}), project, {}, folders)
    assert "registry_uri: models.db" in (project / "runtower.yaml").read_text()
    assert given(project, {}, folders).settings.sources["a"].options == {"registry_uri": models}
    with pytest.raises(Invalid, match="credentials"):
        add(Target("b", "mlflow", "https://ours", options={"registry_uri": "https://u:p@x"}), project, {}, folders)


def test_what_the_user_names_is_never_doubted(project: Path, folders: Folders) -> None:
    own(folders, "sources: {a: {uri: 'https://ours'}}\n")
    says(project, "sources: {b: {uri: 'https://theirs'}}\n")
    environ = {"RUNTOWER_SOURCES__b__URI": "https://mine", "RUNTOWER_SOURCES__c__URI": "https://more"}
    assert doubted(project, folders, **environ) == {}
    assert set(doubted(project, folders)) == {"b"}


def test_trust_holds_for_the_folder_and_for_what_was_said(project: Path, folders: Folders, tmp_path: Path) -> None:
    text = "sources: {a: {uri: 'https://one'}, b: {uri: 'https://two'}}\n"
    says(project, text)
    trust.trust(list(doubted(project, folders).values()), folders)
    assert doubted(project, folders) == {}
    inner = project / "src"
    inner.mkdir()
    assert doubted(inner, folders) == {}
    link = tmp_path / "link"
    link.symlink_to(project)
    assert doubted(link, folders) == {}, "the same folder by another name"
    says(project, f"# a comment\nmouse: false\n{text}")
    assert doubted(project, folders) == {}
    says(project, text.replace("https://two", "https://evil"))
    assert set(doubted(project, folders)) == {"b"}
    says(project, text.replace("'https://one'", "'https://one', options: {insecure_tls: 'true'}"))
    assert set(doubted(project, folders)) == {"a"}
    says(project, text)
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    says(other, text)
    assert set(doubted(other, folders)) == {"a", "b"}, "another folder with the same file"
    assert trust.revoke(project, folders)
    assert set(doubted(project, folders)) == {"a", "b"}
    assert not trust.revoke(project, folders)


def test_a_record_that_cant_be_read_trusts_nothing(project: Path, folders: Folders) -> None:
    says(project, "sources: {a: {uri: 'https://one'}}\n")
    trust.trust(list(doubted(project, folders).values()), folders)
    (record,) = (folders.state / "trust").iterdir()
    assert (record.stat().st_mode & 0o777, record.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [one.folder for one in trust.records(folders)] == [str(project)]
    record.write_bytes(record.read_bytes()[:-3])
    assert set(doubted(project, folders)) == {"a"}
    assert trust.records(folders) == []


def test_the_kept_settings_know_where_sources_come_from(project: Path, folders: Folders) -> None:
    says(project, "sources: {a: {uri: 'https://one'}}\n")
    first, again = (given(project, {}, folders) for _ in range(2))
    assert list(folders.cache.glob("settings-*")), "kept"
    assert first == again
    assert again.origins["sources.a.uri"] == str(project / "runtower.yaml")
    trust.trust(list(doubted(project, folders).values()), folders)
    targets = trust.configured(again, project, {}, folders)
    assert [target.held for target in targets] == [""]
    assert trust.configured(Given(again.settings), project, {}, folders) == targets, "nobody's file says it"


def test_what_is_added_by_hand_is_trusted_and_hides_nothing(project: Path, folders: Folders) -> None:
    (project / "lightning_logs" / "version_0").mkdir(parents=True)
    (project / "lightning_logs" / "version_0" / "metrics.csv").write_text("step,loss\n0,1\n")
    file, names = add(Target("team", "mlflow", "https://one", read_only=True), project, {}, folders)
    assert (file, names) == (project / "runtower.yaml", ["csv", "team"])
    assert file.read_text() == (
        "sources:\n  csv: {uri: lightning_logs}\n  team: {uri: 'https://one', read_only: true}\n"
    )
    assert doubted(project, folders) == {}
    assert given(project, {}, folders).settings.sources["csv"].uri == str(project / "lightning_logs")
    with pytest.raises(Invalid, match="there is a source team already"):
        add(Target("team", "mlflow", "https://two"), project, {}, folders)
    with pytest.raises(Invalid, match="holds credentials"):
        add(Target("more", "mlflow", "https://me:pw@two"), project, {}, folders)
    remove("csv", project, {}, folders)
    remove("team", project, {}, folders)
    assert file.read_text() == ""


def test_a_path_is_written_as_it_is_seen_from_the_file(project: Path, folders: Folders) -> None:
    inner = project / "src" / "runs"
    inner.mkdir(parents=True)
    add(described("a", "runs", "csvlogger", False, project / "src"), project / "src", {}, folders)
    assert (project / "runtower.yaml").read_text() == "sources:\n  a: {kind: csvlogger, uri: src/runs}\n"
    assert given(project, {}, folders).settings.sources["a"].uri == str(inner)
    with pytest.raises(Invalid, match="no source of kind 'nothing'"):
        described("a", "runs", "nothing", False, project)


@pytest.mark.parametrize("where", ["own", "project", "command"])
def test_an_address_that_cant_be_read_is_said_and_not_repeated(project: Path, folders: Folders, where: str) -> None:
    text = "sources: {a: {uri: 'http://me:pw@[host'}}\n"
    if where == "own":
        own(folders, text)
    elif where == "project":
        says(project, text)

    def read() -> None:
        given(project, {}, folders)
        described("a", "http://me:pw@[host", "", False, project)

    with pytest.raises(Invalid, match="can't be read") as wrong:
        read()
    assert "pw" not in str(wrong.value)


def test_what_others_name_is_not_taken_out(project: Path, folders: Folders) -> None:
    own(folders, "sources: {a: {uri: 'https://ours'}}\n")
    says(project, "sources: {b: {uri: logs}}\n")
    with pytest.raises(NotFound, match=r"It is named in .*settings\.yaml"):
        remove("a", project, {}, folders)
    with pytest.raises(NotFound, match=r"has no sources\.c"):
        remove("c", project, {}, folders)
