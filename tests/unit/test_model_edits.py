"""Plain edits of a registry, and who makes them: compared, written once, read back."""

from __future__ import annotations

import pytest
from support.memory_registry import MemoryRegistry

from runtower.domain.errors import Conflict, Forbidden, Invalid, NotFound, OutcomeUnknown, TowerError, Unreachable
from runtower.domain.model_changes import (
    AddModel,
    AddVersion,
    Change,
    DeleteVersion,
    Describe,
    Edited,
    ModelEdit,
    SetAlias,
    SetStage,
    SetTag,
)
from runtower.domain.models import PRODUCTION
from runtower.promote.edits import carry_out_edit
from runtower.promote.who import who


@pytest.fixture
def registry() -> MemoryRegistry:
    made = MemoryRegistry()
    made.add("m", 3, champion="2")
    return made


def edit(registry: MemoryRegistry, change: Change, before: str | None = None) -> Edited:
    return carry_out_edit(registry, ModelEdit(change, before))


def test_tags_and_descriptions(registry: MemoryRegistry) -> None:
    edit(registry, SetTag("m", "", "team", "vision"))
    edit(registry, SetTag("m", "2", "n", "two"), "2")
    edit(registry, Describe("m", "", "Sees cats."), "")
    assert (registry.tags(), registry.tags("2")) == ({"team": "vision"}, {"n": "two"})
    edit(registry, SetTag("m", "2", "n", None), "two")
    assert registry.tags("2") == {}
    writes = len(registry.writes())
    edit(registry, SetTag("m", "", "team", "vision"), "other")
    assert len(registry.writes()) == writes, "what is already so is done"


@pytest.mark.parametrize(
    ("change", "before", "kind", "says"),
    [
        (SetTag("m", "2", "n", "x"), "3", Conflict, "The tag n of v2 of m isn't as it was shown: it is '2' now"),
        (SetTag("m", "2", "n", None), None, Conflict, "nothing was changed"),
        (Describe("m", "2", "x"), "old", Conflict, "The description of v2 of m isn't as it was shown: it is '' now"),
        (Describe("m", "9", "x"), "", NotFound, "m has no version 9"),
        (Describe("none", "", "x"), "", NotFound, "There is no model none"),
        (SetTag("m", "2", "runtower.promotion.x", "x"), None, Forbidden, "records, which nobody changes"),
        (SetTag("m", "", "runtower.gate", "must_beet: {metric: a}"), None, Invalid, "there is no rule"),
        (SetTag("m", "2", "runtower.gate", "{}"), None, Invalid, "on a model, not on a version"),
        (SetTag("m", "2", "", "x"), None, Invalid, "needs a key"),
        (SetAlias("m", "champion", "3"), None, Invalid, "by a promotion"),
        (SetStage("m", "3", PRODUCTION), None, Invalid, "by a promotion"),
        (AddModel("m"), None, Conflict, "a model m already"),
        (DeleteVersion("m", "2"), None, Conflict, "v2 of m holds @champion; it was not deleted"),
        (DeleteVersion("m", "9"), None, NotFound, "m has no version 9"),
    ],
)
def test_what_is_refused(
    registry: MemoryRegistry, change: Change, before: str | None, kind: type[TowerError], says: str
) -> None:
    with pytest.raises(kind) as raised:
        edit(registry, change, before)
    assert says in str(raised.value)
    assert registry.writes() == []


def test_models_and_versions_come_and_go(registry: MemoryRegistry) -> None:
    assert edit(registry, AddModel("new")).now.versions == ()
    assert edit(registry, AddVersion("new", "runs:/x/model", "x")).version == "1"
    assert edit(registry, DeleteVersion("m", "3")).now.version("3") is None
    registry.alter("1", stage=PRODUCTION)
    with pytest.raises(Conflict, match="v1 of m holds stage Production"):
        edit(registry, DeleteVersion("m", "1"))


def test_a_gate_on_the_model(registry: MemoryRegistry) -> None:
    edit(registry, SetTag("m", "", "runtower.gate", '{"champion": {"max": {"ms": 40}}}'))
    assert "runtower.gate" in registry.tags()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        SetTag("m", "2", "stage", "ready"),
        Describe("m", "2", "good"),
        AddModel("new"),
        AddVersion("m", "runs:/x/model", "x"),
        DeleteVersion("m", "3"),
    ],
)
def test_a_lost_answer_is_read_back(registry: MemoryRegistry, change: Change, after: bool) -> None:
    def trouble(call: object, done: bool) -> None:
        if not isinstance(call, str) and done is after:
            raise OutcomeUnknown("No answer.")

    registry.trouble = trouble
    before = "" if isinstance(change, Describe) else None
    if after:
        edited = edit(registry, change, before)
        assert edited.version == ("4" if isinstance(change, AddVersion) else "")
    else:
        with pytest.raises(Unreachable, match="did not take effect, as read back"):
            edit(registry, change, before)


def test_a_server_that_is_gone_leaves_it_unknown(registry: MemoryRegistry) -> None:
    state = {"down": False}

    def trouble(call: object, done: bool) -> None:
        state["down"] = state["down"] or (done and not isinstance(call, str))
        if state["down"]:
            raise OutcomeUnknown("No answer.") if not isinstance(call, str) else Unreachable("Gone.")

    registry.trouble = trouble
    with pytest.raises(OutcomeUnknown):
        edit(registry, Describe("m", "2", "good"), "")


def test_who_is_the_servers_login_or_user_and_host() -> None:
    assert who({}, "ana")[0] == "ana"
    name, context = who({})
    assert "@" in name
    assert context == {}


@pytest.mark.parametrize(
    ("environ", "context"),
    [
        (
            {
                "GITHUB_ACTIONS": "true",
                "CI": "true",
                "GITHUB_SHA": "abc",
                "GITHUB_WORKFLOW": "release",
                "GITHUB_JOB": "promote",
                "GITHUB_ACTOR": "ana",
                "GITHUB_REPOSITORY": "lab/detector",
                "GITHUB_RUN_ID": "7",
            },
            {
                "ci": "github",
                "commit": "abc",
                "job": "release promote",
                "by": "ana",
                "url": "https://github.com/lab/detector/actions/runs/7",
            },
        ),
        (
            {"GITLAB_CI": "true", "CI_COMMIT_SHA": "abc", "CI_JOB_NAME": "promote", "CI_JOB_URL": "https://x/1"},
            {"ci": "gitlab", "commit": "abc", "job": "promote", "url": "https://x/1"},
        ),
        (
            {"JENKINS_URL": "https://ci", "GIT_COMMIT": "abc", "JOB_NAME": "promote", "BUILD_NUMBER": "3"},
            {"ci": "jenkins", "commit": "abc", "job": "promote 3"},
        ),
        ({"CI": "1", "GIT_COMMIT": "abc"}, {"ci": "ci", "commit": "abc"}),
        ({"BUILD_URL": "https://x"}, {"ci": "ci", "url": "https://x"}),
        ({"CI": "false"}, {}),
    ],
)
def test_a_ci_says_which_job_it_is(environ: dict[str, str], context: dict[str, str]) -> None:
    assert who(environ)[1] == context
