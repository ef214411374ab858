"""The files of a version brought here: where to is asked, how far it is is shown, esc stops it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from runtower.acts.version_download import download, into
from runtower.domain.errors import TowerError
from runtower.domain.models import ModelVersion
from runtower.present.spans import inert
from runtower.screens.ask import Ask
from runtower.screens.model_keys import RegistryKeys
from runtower_widgets.line import Line


class DownloadKeys(RegistryKeys):
    """What the key for a download does; a screen has at most one under way."""

    _download: asyncio.Future[None] | None = None
    _download_said = ("", "")

    @property
    def is_downloading(self) -> bool:
        return self._download is not None and not self._download.done()

    def why_no_download(self) -> str:
        return "one is under way (esc stops it)" if self.is_downloading else ""

    def draw_said(self) -> None:
        """The line for how far it is, and how it ended."""
        line, (said, tone) = self.query_one("#said", Line), self._download_said
        line.set_class(bool(said), "said")
        line.say([(f" {inert(said, self.glyphs)}", tone)])

    def do_version_download(self) -> None:
        one = self.version_here
        assert one is not None
        title = f"download {inert(one.model, self.glyphs)} v{one.version}: into which folder?"

        def placed(text: str | None) -> None:
            if text is not None:
                self._download = asyncio.ensure_future(self._bring(one, into(one, Path(text))))

        def wrong(text: str) -> str:
            path = Path(text).expanduser()
            if not path.is_dir():
                return f"There is no folder {inert(str(path))}."
            target = into(one, path)
            return f"{inert(str(target))} is there already." if target.exists() else ""

        foot = f"enter makes {into(one, Path()).name} in it   esc back"
        self.app.push_screen(Ask(title, foot, str(Path.cwd()), wrong), placed)

    async def _bring(self, one: ModelVersion, target: Path) -> None:
        name, app = f"{one.model} v{one.version}", self.app

        def told(done: int, total: int, path: str) -> None:
            self._tell(f"downloading {name}: file {done} of {total}, {path}   esc stops it", "")

        self._tell(f"downloading {name} ...   esc stops it", "")
        try:
            count = await download(self.face.desk.tower, self.registered_name()[0], one, target, told)
        except TowerError as error:
            self._tell(str(error), "warning")
        except asyncio.CancelledError:
            self._tell(f"stopped; nothing of {name} was kept", "")
            raise
        else:
            self._tell(f"{name}: {count} files are in {target}", "better")
        if not self.is_current:
            app.notify(inert(self._download_said[0], self.glyphs), markup=False)

    def stop_download(self) -> bool:
        """Stop it; what was written so far goes. Whether one was under way."""
        if self._download is None or self._download.done():
            return False
        self._download.cancel()
        return True

    def _tell(self, text: str, tone: str) -> None:
        self._download_said = (text, tone)
        self.draw_soon()
