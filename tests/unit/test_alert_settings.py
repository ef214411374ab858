"""Rules of alerts in the settings, and the hooks among them that wait for trust."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtower.acts import hook_trust, trust
from runtower.commands.trusting import lines
from runtower.domain.errors import Invalid
from runtower.folders import Folders
from runtower.settings import AlertSettings, Settings
from runtower.settings_quick import Given, given


def read(project: Path, folders: Folders, **environ: str) -> Given:
    return given(project, {"HOME": str(folders.config), **environ}, folders)


def says(project: Path, text: str) -> None:
    (project / "runtower.yaml").write_text(text)


def own(folders: Folders, text: str) -> None:
    folders.config.mkdir(exist_ok=True)
    (folders.config / "settings.yaml").write_text(text)


def test_own_runs_are_told_unless_it_is_said_otherwise(project: Path, folders: Folders) -> None:
    assert Settings().alerts == {"mine": AlertSettings(mine=True)}
    says(project, "alerts: {team: {where: loss < 1, tell: [failed], metrics: [loss], bell: false, timeout: 5}}\n")
    own(folders, "alerts: {mine: {tell: []}}\n")
    alerts = read(project, folders, RUNTOWER_ALERTS__team__METRICS="loss, acc").settings.alerts
    assert alerts["mine"] == AlertSettings(mine=True, tell=[])
    assert alerts["team"] == AlertSettings("loss < 1", tell=["failed"], metrics=["loss", "acc"], bell=False, timeout=5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{mine: {tell: [failled]}}", "alerts.mine.tell can't hold 'failled'. Did you mean failed?"),
        ("{mine: {hook: notify-send}}", "alerts.mine.hook has to be a list of texts, not 'notify-send'"),
        ("{mine: {hoook: [x]}}", "there is no setting alerts.mine.hoook. Did you mean alerts.mine.hook?"),
        ("{mine: {timeout: 0}}", "timeout of alerts.mine has to be above 0"),
    ],
)
def test_what_is_wrong_is_said_with_where_it_stands(project: Path, folders: Folders, text: str, said: str) -> None:
    says(project, f"alerts: {text}\n")
    with pytest.raises(Invalid) as caught:
        read(project, folders)
    assert said in str(caught.value)
    assert str(project / "runtower.yaml") in str(caught.value)


def test_a_hook_of_ones_own_needs_no_trust_and_one_of_a_project_does(project: Path, folders: Folders) -> None:
    own(folders, "alerts: {mine: {hook: [notify-send, 'a b']}}\n")
    says(project, "alerts: {mine: {tell: [failed]}}\n")
    assert hook_trust.questionable(read(project, folders), project) == []
    for _ in range(2):  # the second time from the kept settings
        says(project, "alerts: {mine: {hook: [./tell.sh, 'a b']}}\n")
        (doubt,) = hook_trust.questionable(read(project, folders), project)
        assert (doubt.name, doubt.says) == ("alerts.mine", ("hook: ./tell.sh 'a b'",))
    assert lines([doubt])[1:] == [
        "  alerts.mine",
        "    hook: ./tell.sh 'a b'",
        "    would be run by runtower, with a run as JSON on its stdin",
    ]
    known = read(project, folders)
    assert "isn't trusted yet: it wasn't run. 'runtower trust'" in hook_trust.held(
        known, project, folders, "alerts.mine"
    )
    trust.trust([doubt], folders)
    assert hook_trust.held(known, project, folders, "alerts.mine") == ""
    assert hook_trust.held(known, project, folders, "alerts.other") == ""
    (project / "tell.sh").write_text("rm -r ~")
    assert hook_trust.held(known, project, folders, "alerts.mine"), "the words are the same, and the script is new"
    trust.trust(hook_trust.questionable(known, project), folders)
    says(project, "alerts: {mine: {hook: [./tell.sh, b]}}\n")
    assert hook_trust.held(read(project, folders), project, folders, "alerts.mine"), "other words"
    trust.revoke(project, folders)
    assert hook_trust.held(known, project, folders, "alerts.mine")


def test_a_webhook_is_not_kept_with_the_settings(project: Path, folders: Folders) -> None:
    own(folders, "alerts: {mine: {hook: [curl, 'https://hooks.example.org/T0/SECRET']}}\n")
    assert read(project, folders).settings.alerts["mine"].hook[1].endswith("SECRET")
    kept = [file for file in folders.cache.rglob("*") if file.is_file()] if folders.cache.is_dir() else []
    assert not any(b"SECRET" in file.read_bytes() for file in kept)


def test_the_hook_of_promotions_needs_trust_too(project: Path, folders: Folders) -> None:
    (project / "runtower.yaml").write_text("promote: {on_promote: [./deploy.sh]}\n")
    known = read(project, folders)
    (doubt,) = hook_trust.questionable(known, project)
    assert (doubt.name, doubt.says) == (hook_trust.ON_PROMOTE, ("on_promote: ./deploy.sh",))
    assert "'runtower trust'" in hook_trust.held(known, project, folders, hook_trust.ON_PROMOTE)
    trust.trust([doubt], folders)
    assert hook_trust.held(known, project, folders, hook_trust.ON_PROMOTE) == ""
