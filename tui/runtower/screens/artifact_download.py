"""An artifact brought here: where to is asked, how far it is is shown, esc stops it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from runtower.domain.artifacts import Artifact
from runtower.domain.errors import Conflict, TowerError
from runtower.link.wire import Progress
from runtower.present.sizes import size_text
from runtower.present.spans import inert
from runtower.screens.ask import Ask
from runtower.screens.confirm import Confirm
from runtower.screens.run_tabs import RunTab
from runtower_widgets.line import Line


class DownloadKeys(RunTab):
    """What the key for a download does."""

    _fetching: asyncio.Future[None] | None = None
    _words = ("", "")

    @property
    def chosen(self) -> Artifact | None:
        """The file under the cursor."""
        raise NotImplementedError

    @property
    def is_downloading(self) -> bool:
        return self._fetching is not None and not self._fetching.done()

    def why_no_download(self) -> str:
        return "one is under way (esc stops it)" if self.is_downloading else ""

    def draw_said(self) -> None:
        """The line for how far it is, and how it ended."""
        line = self.query_one("#said", Line)
        line.set_class(bool(self._words[0]), "said")
        line.say([(f" {self._words[0]}", self._words[1])])

    def do_artifact_download(self) -> None:
        found = self.chosen
        assert found is not None
        size = f", {size_text(found.size)}" if found.size is not None else ""
        title = f"download {inert(found.name, self.glyphs)}{size}: into which folder?"
        ask = Ask(title, "enter begins   esc back", str(Path.cwd()), _wrong_folder)

        def placed(text: str | None) -> None:
            if text is not None:
                self._begin(found, Path(text).expanduser().absolute() / found.name, False)

        self.app.push_screen(ask, placed)

    def _begin(self, found: Artifact, target: Path, replace: bool) -> None:
        self._fetching = asyncio.ensure_future(self._download(found, target, replace))

    async def _download(self, found: Artifact, target: Path, replace: bool) -> None:
        name, shown = inert(found.name, self.glyphs), inert(str(target), self.glyphs)

        def told(progress: Progress) -> None:
            of = f" of {size_text(progress.total)}" if progress.total else ""
            share = f" ({100 * progress.done // progress.total} %)" if progress.total else ""
            self._say(f"downloading {name}: {size_text(progress.done)}{of}{share}   esc stops it", "")

        self._say(f"downloading {name} ...   esc stops it", "")
        try:
            await self.opened.files.download(found.path, target, replace, told)
        except Conflict:
            self._say("", "")
            self._ask_to_replace(found, target)
        except TowerError as error:
            self._say(inert(str(error), self.glyphs), "warning")
        except asyncio.CancelledError:
            self._say(f"stopped; nothing of {name} was kept", "")
            raise
        else:
            self._say(f"{name} is in {shown}", "better")

    def _ask_to_replace(self, found: Artifact, target: Path) -> None:
        lines = [(str(target), "bright"), ("is there already, and would be replaced.", "")]

        def answered(yes: bool | None) -> None:
            if yes:
                self._begin(found, target, True)

        self.app.push_screen(Confirm(f"replace {target.name}?", lines, "replace it", no="keep it"), answered)

    def stop_download(self) -> None:
        """What was written so far goes."""
        if self._fetching is not None:
            self._fetching.cancel()

    def _say(self, text: str, tone: str) -> None:
        self._words = (text, tone)
        self.draw_soon()


def _wrong_folder(text: str) -> str:
    path = Path(text).expanduser()
    return "" if path.is_dir() else f"There is no folder {inert(str(path))}."
