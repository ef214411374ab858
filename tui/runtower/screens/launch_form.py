"""A new job: a command, where it runs, and what it asks for. Enter goes from field to field; `ctrl+r` starts it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from runtower.screens.keys import type_into
from runtower_widgets.line import Line

_LOCAL: Final = ("command", "on", "gpus", "name")
_SLURM: Final = (*_LOCAL, "partition", "memory", "time", "cpus")
_HINTS: Final = {
    "command": "python train.py lr=0.01",
    "on": "local or slurm",
    "gpus": "how many it waits for, 0 for none",
    "name": "what it is called; empty: the command",
    "partition": "empty: the cluster's own choice",
    "memory": "such as 16G",
    "time": "minutes, or 2:00:00",
    "cpus": "processors",
}


@dataclass(frozen=True)
class Wish:
    """What the form says; `values` by field, for the next time."""

    words: Sequence[str]
    values: Mapping[str, str]


class LaunchForm(ModalScreen[Wish | None], inherit_bindings=False):
    """Gives what is to be started, None for nothing."""

    def __init__(self, folder: str, values: Mapping[str, str], slurm: Sequence[str], why_no_slurm: str) -> None:
        """`values` are those of the last time, `slurm` the partitions; `why_no_slurm`: '' where there is a cluster."""
        super().__init__()
        self._folder = folder
        self._values = values
        self._partitions = slurm
        self._why_no_slurm = why_no_slurm

    def compose(self) -> ComposeResult:
        with Vertical(id="launch"):
            for name in _SLURM:
                with Horizontal(id=f"row-{name}", classes="row"):
                    label = Line()
                    label.add_class("label")
                    label.say([(name, "dim")])
                    yield label
                    field = Input(self._values.get(name, ""), id=f"launch-{name}", placeholder=_HINTS[name])
                    field.cursor_blink = False
                    yield field
            yield Line(id="foot")

    def on_mount(self) -> None:
        self.query_one("#launch", Vertical).border_title = f"new job in {self._folder}"
        on = self._field("on")
        if on.value not in ("local", "slurm") or (on.value == "slurm" and self._why_no_slurm):
            on.value = "local"
        if self._partitions:
            self._field("partition").placeholder = f"one of {', '.join(self._partitions)}; empty: the cluster's choice"
        self._field("command").focus()
        self._lay()

    def _field(self, name: str) -> Input:
        return self.query_one(f"#launch-{name}", Input)

    @property
    def _names(self) -> Sequence[str]:
        return _SLURM if self._field("on").value == "slurm" else _LOCAL

    def _lay(self) -> None:
        for name in _SLURM:
            self.query_one(f"#row-{name}").display = name in self._names
        wrong = self._wrong()
        keys = "tab, enter next field   ←→ choose where   ctrl+r start   esc back"
        warns = wrong and self._field("command").value
        self.query_one("#foot", Line).say([(wrong if warns else keys, "warning" if warns else "dim")])

    def _wrong(self) -> str:
        """What is wrong with what is typed, '' where nothing is."""
        try:
            words = shlex.split(self._field("command").value)
        except ValueError:
            return "a quote isn't closed"
        if not words:
            return "type the command that is to be run"
        if self._field("on").value == "slurm" and self._why_no_slurm:
            return self._why_no_slurm
        for name in ("gpus", "cpus"):
            text = self._field(name).value.strip()
            if text and not text.isdecimal():
                return f"{name} is a number"
        return ""

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._lay()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._step(1)

    def _step(self, by: int) -> None:
        here = self.focused.id if self.focused is not None else ""
        ids = [f"launch-{name}" for name in self._names]
        place = ids.index(here) if here in ids else 0
        self.query_one(f"#{ids[(place + by) % len(ids)]}", Input).focus()

    async def on_key(self, event: events.Key) -> None:
        on = self._field("on")
        if event.key == "escape":
            self.dismiss(None)
        elif event.key == "ctrl+r":
            self._start()
        elif event.key in ("tab", "down"):
            self._step(1)
        elif event.key in ("shift+tab", "up"):
            self._step(-1)
        elif self.focused is on and event.key in ("left", "right", "space"):
            on.value = "local" if on.value == "slurm" else "slurm"
        elif isinstance(self.focused, Input) and await type_into(self.focused, event):
            pass
        else:
            return
        event.stop()
        event.prevent_default()

    def _start(self) -> None:
        if self._wrong():
            self._lay()
            return
        values = {name: self._field(name).value.strip() for name in _SLURM}
        self.dismiss(Wish(shlex.split(values["command"]), values))
