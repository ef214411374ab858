"""From the name of a kind to its code, without a search where the kind is one of ours."""

from __future__ import annotations

import importlib
from typing import Final

from runtower.domain.errors import Broken, Invalid, TooNew, TooOld, TowerError
from runtower.sources.port import API, SourceKind

GROUP: Final = "runtower.sources"
# Reading every installed package's entry points takes up to 100 ms; these names are known.
_BUILT_IN: Final = ("mlflow", "csvlogger", "dvc")


def find(kind: str) -> SourceKind:
    """The kind of source of that name. Raises Invalid, TooNew, TooOld or Broken.

    A name is looked up among the entry points, never imported as such.
    """
    found: SourceKind
    try:
        if kind in _BUILT_IN:
            found = importlib.import_module(f"runtower.sources.{kind}").SOURCE
        else:
            metadata = importlib.import_module("importlib.metadata")  # 10 ms, and ours need none
            points = metadata.entry_points(group=GROUP, name=kind)
            if not points:
                raise Invalid(f"There is no source of kind '{kind}'.", "Install the package that brings it.")
            found = next(iter(points)).load()
        api = int(found.api)
    except TowerError:
        raise
    except Exception as error:
        raise Broken(
            f"The source '{kind}' can't be loaded: {error!r}.", "Reinstall the package that brings it."
        ) from error
    if api > API:
        raise TooNew(f"The source '{kind}' is made for a newer runtower (api {api}).", "Upgrade runtower.")
    if api < API:
        raise TooOld(f"The source '{kind}' is made for an older runtower (api {api}).", "Upgrade its package.")
    return found
