"""An artifact brought here: where to is asked, how far it is is shown, esc stops it; leaving its page doesn't."""

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
from runtower.screens.run_tabs import OpenedRun, RunTab
from runtower_widgets.line import Line


class DownloadKeys(RunTab):
    """What the key for a download does; the opened run has at most one under way."""

    opened: OpenedRun

    @property
    def chosen(self) -> Artifact | None:
        """The file under the cursor."""
        raise NotImplementedError

    @property
    def is_downloading(self) -> bool:
        task = self.opened.download.task
        return task is not None and not task.done()

    def why_no_download(self) -> str:
        return "one is under way (esc stops it)" if self.is_downloading else ""

    def draw_said(self) -> None:
        """The line for how far it is, and how it ended."""
        line, known = self.query_one("#said", Line), self.opened.download
        line.set_class(bool(known.said), "said")
        line.say([(f" {known.said}", known.tone)])

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
        self.opened.download.task = asyncio.ensure_future(self._download(found, target, replace))

    async def _download(self, found: Artifact, target: Path, replace: bool) -> None:
        name, shown = inert(found.name, self.glyphs), inert(str(target), self.glyphs)

        def told(progress: Progress) -> None:
            of = f" of {size_text(progress.total)}" if progress.total else ""
            share = f" ({100 * progress.done // progress.total} %)" if progress.total else ""
            self._tell(f"downloading {name}: {size_text(progress.done)}{of}{share}   esc stops it", "")

        app = self.app  # the page may be gone when it ends
        self._tell(f"downloading {name} ...   esc stops it", "")
        try:
            await self.opened.files.download(found.path, target, replace, told)
        except Conflict as error:
            self._tell("", "")
            if self.is_current:
                self._ask_to_replace(found, target)
            else:
                app.notify(inert(str(error), self.glyphs), markup=False)
        except TowerError as error:
            self._tell(inert(str(error), self.glyphs), "warning")
        except asyncio.CancelledError:
            self._tell(f"stopped; nothing of {name} was kept", "")
            raise
        else:
            self._tell(f"{name} is in {shown}", "better")
        if not self.is_current and self.opened.download.said:
            app.notify(self.opened.download.said, markup=False)

    def _ask_to_replace(self, found: Artifact, target: Path) -> None:
        lines = [(str(target), "bright"), ("is there already, and would be replaced.", "")]

        def answered(yes: bool | None) -> None:
            if yes:
                self._begin(found, target, True)

        self.app.push_screen(Confirm(f"replace {target.name}?", lines, "replace it", no="keep it"), answered)

    def stop_download(self) -> None:
        """What was written so far goes."""
        if self.opened.download.task is not None:
            self.opened.download.task.cancel()

    def _tell(self, text: str, tone: str) -> None:
        self.opened.download.said, self.opened.download.tone = text, tone
        self.opened.heard()


def _wrong_folder(text: str) -> str:
    path = Path(text).expanduser()
    return "" if path.is_dir() else f"There is no folder {inert(str(path))}."
