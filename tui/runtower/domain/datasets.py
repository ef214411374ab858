"""What data a run was given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset that a run logged as its input. `digest` is what its logger computed of it, `context` what it was used
    for (`training`; '' where that isn't said), `source` where it is, as text, in the form that `source_type` names."""

    name: str
    digest: str
    context: str = ""
    source_type: str = ""
    source: str = ""
