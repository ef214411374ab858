"""The smallest Textual app that paints, and repaints one line at each key: what Textual itself costs."""

from __future__ import annotations

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Static


class Minimal(App[None]):
    """One line."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self) -> None:
        super().__init__()
        self.presses = 0

    def compose(self) -> ComposeResult:
        yield Static("> run 0")

    def on_key(self, event: events.Key) -> None:
        if event.key == "q":
            self.exit()
            return
        self.presses += 1
        self.query_one(Static).update(f"> run {self.presses}")


if __name__ == "__main__":
    Minimal().run()
