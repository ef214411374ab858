"""The terminal's driver, which doesn't keep a user who leaves waiting for the thread that reads the keys."""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver


class LeavingDriver(LinuxDriver):
    """Textual's own, but for the end: its reader looks up every 100 ms, twice, before it is joined."""

    def disable_input(self) -> None:
        """Wait for the reader only where the program goes on (a suspension), not when it leaves."""
        if self._app.return_code is None or self._key_thread is None:
            super().disable_input()
            return
        self._key_thread = None
        super().disable_input()
        self.exit_event.set()  # the reader ends at its next look; nobody waits for it
