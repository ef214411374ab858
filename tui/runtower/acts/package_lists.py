"""What files such as requirements.txt, python_env.yaml and conda.yaml say: the packages, the version of Python.

Names are normalised as PEP 503 has it; a pinned version stands as `1.26.4`, anything else as it is written. Options of
pip (indexes, which may hold credentials) are left out, and so are credentials in the addresses of packages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runtower.config.yaml_text import read_text
from runtower.domain.targets import without_credentials

PYTHON: Final = "python"
ANY: Final = "any version"
_NAMED: Final = re.compile(r"(?P<name>[A-Za-z0-9](?:[\w.-]*\w)?)\s*(?P<extras>\[[^\]]*\])?\s*(?P<rest>.*)", re.DOTALL)
_PINNED: Final = re.compile(r"={2,3}\s*([^\s,;*]+)")
_HASHES: Final = re.compile(r"\s--(?:hash|global-option|config-settings)[= ].*", re.DOTALL)
_COMMENT: Final = re.compile(r"(?:^|\s)#.*")
_EGG: Final = re.compile(r"#(?:.*&)?egg=([\w.-]+)")
_WHEEL: Final = re.compile(r"(?:.*/)?([\w.]+)-([^-/]+)-[^/]*\.whl(?:[#?].*)?")
_PYTHON_LINE: Final = re.compile(r"^python:\s*['\"]?([\w.+-]+)", re.MULTILINE)
_CONDA: Final = re.compile(r"(?:.*::)?(?P<name>[\w.-]+)\s*(?P<rest>.*)")
_CONDA_PINNED: Final = re.compile(r"={1,2}\s*([^\s=,*<>|]+)(?:=\S+)?")


@dataclass(frozen=True)
class Listed:
    """What one file lists: `packages` by their normalised names, `python` '' where it doesn't say."""

    packages: Mapping[str, str] = field(default_factory=dict)
    python: str = ""


def normalised(name: str) -> str:
    """As PEP 503 compares names: `Foo_Bar.baz` is `foo-bar-baz`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def of_requirements(text: str) -> Listed:
    """Of pip's format, also as `pip freeze` writes it."""
    return Listed(dict(_pip(text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines())))


def of_python_env(text: str) -> Listed:
    """Of MLflow's python_env.yaml. Raises Invalid."""
    tree = read_text(text, "python_env.yaml")
    python = _PYTHON_LINE.search(text)  # YAML makes 3.1 of a 3.10
    lines = [*_texts(tree.get("dependencies")), *_texts(tree.get("build_dependencies"))]
    return Listed(dict(_pip(lines)), python[1] if python else "")


def of_conda(text: str) -> Listed:
    """Of conda's environment file, with what pip adds in it. Raises Invalid."""
    dependencies = read_text(text, "conda.yaml").get("dependencies")
    packages: dict[str, str] = {}
    for one in dependencies if isinstance(dependencies, list) else []:
        if isinstance(one, dict):
            packages |= dict(_pip(_texts(one.get("pip"))))
        elif found := _CONDA.fullmatch(str(one).strip()):
            rest = found["rest"].strip()
            pinned = _CONDA_PINNED.fullmatch(rest)
            packages[normalised(found["name"])] = pinned[1] if pinned else rest or ANY
    python = packages.pop(PYTHON, "")
    return Listed(packages, "" if python == ANY else python)


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _pip(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        found = _requirement(line)
        if found is not None:
            yield found


def _requirement(line: str) -> tuple[str, str] | None:
    """One line; None for a comment, an option, and what has no name."""
    text = line.strip()
    for option in ("-e", "--editable"):
        if text.startswith((f"{option} ", f"{option}=")):
            egg = _EGG.search(text)
            return (normalised(egg[1]), without_credentials(text[len(option) + 1 :].strip())) if egg else None
    text = _HASHES.sub("", _COMMENT.sub("", text)).strip()
    if not text or text.startswith("-"):
        return None
    if wheel := _WHEEL.fullmatch(text):
        return normalised(wheel[1]), wheel[2]
    found = _NAMED.fullmatch(text)
    if found is None or "://" in text.partition("@")[0] or found["rest"].startswith("/"):
        return None
    spec, _, marker = found["rest"].partition(";") if not found["rest"].startswith("@") else (found["rest"], "", "")
    pinned = _PINNED.fullmatch(spec.strip())
    said = pinned[1] if pinned else " ".join(without_credentials(spec).split()) or ANY
    more = [found["extras"] or "", f"; {marker.strip()}" if marker.strip() else ""]
    return normalised(found["name"]), " ".join([said, *(one for one in more if one)]).replace(" ;", ";")


# By the file's name; what stands first counts more where two of them name the same package.
READERS: Final[Mapping[str, Callable[[str], Listed]]] = {
    "requirements.txt": of_requirements,
    "pip-freeze.txt": of_requirements,
    "pip_freeze.txt": of_requirements,
    "requirements-lock.txt": of_requirements,
    "conda.yaml": of_conda,
    "conda.yml": of_conda,
    "environment.yaml": of_conda,
    "environment.yml": of_conda,
    "conda-environment.yaml": of_conda,
    "python_env.yaml": of_python_env,
}
