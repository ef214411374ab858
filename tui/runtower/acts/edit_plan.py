"""What is about to be changed, before it is: which runs, whose, where, and what has to be typed first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from runtower.acts.edit_words import by_hand, doing
from runtower.domain.edits import DELETED, NOTE, Edit, Field
from runtower.present.times import ago

_MANY = 10
_NAMED = 6
_NOBODY = ("", "unknown")


@dataclass(frozen=True)
class Change:
    """One edit of one run, with what people call the run, whose it is, and the number of its source; `proof` that its
    program is gone, '' where there is none."""

    source: int
    run_name: str
    user: str
    edit: Edit
    proof: str = ""


@dataclass(frozen=True)
class Plan:
    """Changes of one kind. `out_of_sight`: how many of their runs aren't on the screen; `children`: runs below them
    that stay; `undoes`: it takes back what was done here."""

    changes: tuple[Change, ...]
    out_of_sight: int = 0
    children: int = 0
    undoes: bool = False

    @property
    def title(self) -> str:
        """`delete 12 runs`, `rename lr=0.001 to best`."""
        first = self.changes[0]
        count = len(self.changes)
        lead = "undo: " if self.undoes else ""
        if count == 1:
            return lead + doing(first.edit, first.run_name)
        return lead + doing(first.edit, f"{count} runs")

    @property
    def verb(self) -> str:
        """The answer that does it."""
        return self.title if len(self.title) <= 40 else f"{self.title[:39]}…"

    def others(self, user: str) -> int:
        """How many of the runs are somebody else's."""
        return sum(change.user not in (user, *_NOBODY) for change in self.changes)

    def typed(self, user: str) -> str:
        """What has to be typed before it may be done; '' for nothing."""
        count = len(self.changes)
        if self.changes[0].edit.field is Field.STATUS and not all(change.proof for change in self.changes):
            return "killed" if count == 1 else f"{count} killed"
        return str(count) if count > _MANY or self.others(user) else ""

    def lines(self, user: str, addresses: Sequence[str], now_ms: float) -> list[tuple[str, str]]:
        """What a confirmation says: (text, tone) a line. `addresses` by number of source."""
        count, others = len(self.changes), self.others(user)
        where = sorted({addresses[change.source] for change in self.changes})
        said = [(f"on {', '.join(where)}", "bright")]
        if count > 1:
            said += [(f"  {name}", "") for name in self._names()]
        else:
            said += self._before_and_after(self.changes[0])
        if self.out_of_sight:
            said.append((f"{self.out_of_sight} of the {count} {_are(self.out_of_sight)} out of sight", "warning"))
        if others:
            whose = Counter(change.user for change in self.changes if change.user not in (user, *_NOBODY))
            names = ", ".join(f"{name} ({number})" for name, number in whose.most_common(4))
            lead = f"{others} {_are(others)} not yours" if count > 1 else "not yours"
            said.append((f"{lead}: {names}" if count > 1 else f"{lead}, but {self.changes[0].user}'s", "warning"))
        said += self._remarks(now_ms)
        hand = by_hand(self.changes[0].edit, addresses[self.changes[0].source])
        said += [("", ""), ("by hand: " + hand + (f"   and {count - 1} more" if count > 1 else ""), "dim")]
        return said

    def _names(self) -> list[str]:
        names = [change.run_name for change in self.changes[:_NAMED]]
        left = len(self.changes) - len(names)
        return [*names, f"and {left} more"] if left else names

    def _before_and_after(self, change: Change) -> list[tuple[str, str]]:
        edit = change.edit
        said = [(f"run   {change.run_name}  {edit.run_id}" + (f"  by {change.user}" if change.user else ""), "")]
        if edit.field in (Field.NAME, Field.TAG):
            said.append((f"now   {_value(edit.before)}", "dim"))
            said.append((f"then  {_value(edit.after)}", ""))
        return said

    def _remarks(self, now_ms: float) -> list[tuple[str, str]]:
        edit = self.changes[0].edit
        if edit.field is Field.LIFECYCLE and edit.after == DELETED:
            stay = f" {self.children} runs below stay." if self.children else ""
            return [(f"What is deleted can be restored, until somebody runs mlflow gc.{stay}", "dim")]
        if edit.field is Field.STATUS:
            said = []
            if len(self.changes) == 1:
                last = edit.last_metric
                said.append((f"its last metric: {ago(last, now_ms) if last is not None else 'none at all'}", ""))
            said.append((f"{self._proofs()} This can't be undone: an end time is set.", "warning"))
            return said
        if edit.key == NOTE:
            return [("The note is the tag mlflow.note.content; MLflow's page shows it as Markdown.", "dim")]
        return []

    def _proofs(self) -> str:
        """What proves that the programs of these runs are gone."""
        proven = [change.proof for change in self.changes if change.proof]
        if len(self.changes) == 1:
            return f"Proof: {proven[0]}." if proven else "Nothing here proves that its process is gone."
        if len(proven) == len(self.changes):
            return "The processes of all of them are gone from this machine."
        return f"That its process is gone is proven of {len(proven)} of them."


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _value(value: str | None) -> str:
    return "(not set)" if value is None else value or "(empty)"
