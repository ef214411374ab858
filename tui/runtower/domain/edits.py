"""Changes of runs as values: each compares what was shown with what is there, and can be turned around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

NOTE: Final = "mlflow.note.content"
ACTIVE: Final = "active"
DELETED: Final = "deleted"


class Field(StrEnum):
    """What of a run can be changed."""

    NAME = "name"
    TAG = "tag"
    LIFECYCLE = "lifecycle"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Edit:
    """One field of one run, from `before` (as it was shown) to `after`.

    For a tag, `key` names it and None stands for no such tag. A lifecycle is ACTIVE or DELETED. A status compares
    `last_metric` too, the UTC epoch ms of the newest metric (None: there is none): a run that logs again isn't lost.
    """

    run_id: str
    field: Field
    before: str | None
    after: str | None
    key: str = ""
    last_metric: int | None = None

    @property
    def can_be_undone(self) -> bool:
        """Whether the opposite edit brings everything back; ending a run also sets its end time, which stays."""
        return self.field is not Field.STATUS

    def undone(self) -> Edit:
        """The edit that brings back what was there."""
        return replace(self, before=self.after, after=self.before)


@dataclass(frozen=True, slots=True)
class RunNow:
    """What of a run can be changed, as its source has it now. `last_metric` and the times are UTC epoch ms."""

    run_id: str
    name: str
    lifecycle: str
    status: str
    user: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    start_time: int | None = None
    last_metric: int | None = None

    def value(self, edit: Edit) -> str | None:
        """The field of an edit, as it is now."""
        match edit.field:
            case Field.NAME:
                return self.name
            case Field.TAG:
                return self.tags.get(edit.key)
            case Field.LIFECYCLE:
                return self.lifecycle
            case Field.STATUS:
                return self.status

    def still_as_shown(self, edit: Edit) -> bool:
        """Whether nothing changed of what the edit was decided by."""
        if edit.field is Field.STATUS and self.last_metric != edit.last_metric:
            return False
        return self.value(edit) == edit.before
