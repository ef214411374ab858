"""From a name in a query to a column. The one place that knows which names attributes have."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import Final

from runtower.catalog.query.misread import Misread, Place
from runtower.catalog.query.spelling import BARE_NAME, FAMILIES, QUOTED
from runtower.catalog.query.syntax import Field
from runtower.domain import runs
from runtower.domain.runs import ColumnKey, Kind

MLFLOWS: Final[dict[str, ColumnKey]] = {
    "run_id": runs.RUN_ID,
    "run_name": runs.NAME,
    **dict.fromkeys(("run name", "Run name", "Run Name"), runs.NAME),
    "status": runs.STATUS,
    "start_time": runs.START_TIME,
    **dict.fromkeys(("created", "Created"), runs.START_TIME),
    "end_time": runs.END_TIME,
    "artifact_uri": runs.ARTIFACT_URI,
    "user_id": runs.USER,
}
OURS: Final[dict[str, ColumnKey]] = {
    key.key: key for key in (*runs.TEXT_ATTRIBUTES, *runs.TIME_ATTRIBUTES, runs.EXPERIMENT, runs.SOURCE, runs.DURATION)
}
_HEADS: Final[dict[str, ColumnKey]] = {
    "state": runs.STATUS,
    "started": runs.START_TIME,
    "ended": runs.END_TIME,
    "took": runs.DURATION,
    "commit": runs.GIT_COMMIT,
    "script": runs.SOURCE_NAME,
}
ATTRIBUTES: Final = {**_HEADS, **OURS, **MLFLOWS}
_KINDS: Final = (Kind.METRIC, Kind.PARAM, Kind.TAG)
_NEAR: Final = 3


def spelled(key: ColumnKey) -> str:
    """A column as a query names it wherever it stands: `metrics.val_loss`, ``params.`a b` ``."""
    if key.kind is Kind.ATTRIBUTE:
        return key.key
    return f"{key.kind}s.{key.key if BARE_NAME.match(key.key) else _quoted(key.key)}"


def lasting(field: Field, key: ColumnKey, written: str) -> str:
    """A name as it was written, with its family where it could come to mean something else."""
    if field.family is not None or field.key in MLFLOWS:
        return written
    return f"attributes.{written}" if key.kind is Kind.ATTRIBUTE else spelled(key)


def _quoted(key: str) -> str:
    return f'"{key}"' if "`" in key else f"`{key}`"


def field_of(text: str, place: Place) -> Field:
    """A name as it is written, with its quotes."""
    family, dot, key = text.partition(".")
    kind = FAMILIES.get(family.strip("`").lower()) if dot and not text.startswith('"') else None
    rest = text if kind is None else key
    return Field(kind, rest[1:-1] if QUOTED.fullmatch(rest) else rest, place)


def column_of(field: Field, known: Collection[ColumnKey], text: str) -> ColumnKey:
    """The column of a name; `known` are the keys that any run has. One with its family may be unknown.

    Raises Misread for a bare name that is none, or that several families have, and for an attribute that isn't there.
    """
    if not field.key:
        raise Misread("a key is missing after the family", "Such as metrics.loss.", text, field.place)
    if field.family is Kind.ATTRIBUTE:
        if field.key not in ATTRIBUTES:
            raise _unknown(field, sorted(ATTRIBUTES), "there is no attribute", text)
        return ATTRIBUTES[field.key]
    if field.family is not None:
        return ColumnKey(field.family, field.key)
    if field.key in MLFLOWS:
        return MLFLOWS[field.key]
    found = [key for kind in _KINDS if (key := ColumnKey(kind, field.key)) in known]
    if field.key in ATTRIBUTES:
        found.insert(0, ATTRIBUTES[field.key])
    if len(found) == 1:
        return found[0]
    if found:
        names = [f"attributes.{field.key}" if k.kind is Kind.ATTRIBUTE else spelled(k) for k in found]
        raise Misread(f"'{field.key}' is {' and '.join(names)}", "Say which of them.", text, field.place)
    if field.key.partition(".")[0].lower() in ("dataset", "datasets"):
        raise Misread("datasets are not in the table", "MLflow's own search finds them.", text, field.place)
    names = [*ATTRIBUTES, *(key.key for key in known if key.kind is not Kind.ATTRIBUTE)]
    raise _unknown(field, names, "no run has a", text)


def doubt(key: ColumnKey, known: Collection[ColumnKey]) -> str:
    """What to say of a name with its family that no run has; '' for one that some run has."""
    if key.kind is Kind.ATTRIBUTE or key in known:
        return ""
    mine = [one.key for one in known if one.kind is key.kind]
    near = difflib.get_close_matches(key.key, mine, 1, 0.6)
    elsewhere = [spelled(one) for kind in _KINDS if kind is not key.kind and (one := ColumnKey(kind, key.key)) in known]
    hint = f" Did you mean {spelled(ColumnKey(key.kind, near[0]))}?" if near else ""
    hint = f" There is {' and '.join(elsewhere)}." if elsewhere else hint
    return f"No run has {spelled(key)}.{hint}"


def _unknown(field: Field, names: Collection[str], what: str, text: str) -> Misread:
    near = list(dict.fromkeys(difflib.get_close_matches(field.key, names, _NEAR, 0.6)))
    families = difflib.get_close_matches(field.key.partition(".")[0], FAMILIES, 1, 0.7) if "." in field.key else []
    if families and not near:
        near = [f"{families[0]}.{field.key.partition('.')[2]}"]
    remedy = f"Did you mean {' or '.join(near)}?" if near else "Attributes, metrics, params and tags are names."
    return Misread(f"{what} '{field.key}'", remedy, text, field.place)
