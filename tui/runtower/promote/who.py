"""Who promotes, and in which job of which CI: a statement for the record, not a proof."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Mapping
from typing import Final

_LONGEST: Final = 300

# By the variable that tells a CI: its name, and where it keeps the commit, the job, the page of the job, and who began
# it.
_KNOWN: Final[Mapping[str, tuple[str, Mapping[str, tuple[str, ...]]]]] = {
    "GITHUB_ACTIONS": (
        "github",
        {"commit": ("GITHUB_SHA",), "job": ("GITHUB_WORKFLOW", "GITHUB_JOB"), "by": ("GITHUB_ACTOR",)},
    ),
    "GITLAB_CI": (
        "gitlab",
        {"commit": ("CI_COMMIT_SHA",), "job": ("CI_JOB_NAME",), "url": ("CI_JOB_URL",), "by": ("GITLAB_USER_LOGIN",)},
    ),
    "JENKINS_URL": (
        "jenkins",
        {"commit": ("GIT_COMMIT",), "job": ("JOB_NAME", "BUILD_NUMBER"), "url": ("BUILD_URL",), "by": ("BUILD_USER",)},
    ),
    "BUILDKITE": (
        "buildkite",
        {"commit": ("BUILDKITE_COMMIT",), "job": ("BUILDKITE_LABEL",), "url": ("BUILDKITE_BUILD_URL",)},
    ),
    "CIRCLECI": ("circleci", {"commit": ("CIRCLE_SHA1",), "job": ("CIRCLE_JOB",), "url": ("CIRCLE_BUILD_URL",)}),
}
_OTHER: Final[Mapping[str, tuple[str, ...]]] = {
    "commit": ("GIT_COMMIT",),
    "job": ("JOB_NAME",),
    "url": ("BUILD_URL",),
}


def who(environ: Mapping[str, str], login: str = "") -> tuple[str, dict[str, str]]:
    """Who it is, the login at the server where there is one, else user@host; and in a CI what it says of itself: `ci`,
    `commit`, `job`, `url`, `by`, as far as they are known."""
    name = login or f"{_user(environ)}@{socket.gethostname()}"
    for variable, (ci, places) in _KNOWN.items():
        if environ.get(variable):
            context = {"ci": ci, **_said(environ, places)}
            if ci == "github" and environ.get("GITHUB_RUN_ID"):
                server = environ.get("GITHUB_SERVER_URL", "https://github.com")
                path = f"{environ.get('GITHUB_REPOSITORY', '')}/actions/runs/{environ['GITHUB_RUN_ID']}"
                context["url"] = f"{server}/{path}"[:_LONGEST]
            return name, context
    if environ.get("CI", "").lower() in ("1", "true", "yes") or environ.get("BUILD_URL"):
        return name, {"ci": "ci", **_said(environ, _OTHER)}
    return name, {}


def _said(environ: Mapping[str, str], places: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    found = {what: " ".join(environ[name] for name in names if environ.get(name)) for what, names in places.items()}
    return {what: text[:_LONGEST] for what, text in found.items() if text}


def _user(environ: Mapping[str, str]) -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user without a name
        return environ.get("USER") or "unknown"
