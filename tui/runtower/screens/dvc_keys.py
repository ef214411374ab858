"""What `A` does on a run of DVC's: apply it, branch it, push it, start the queue, each by DVC's own command."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from runtower.acts.dvc_acts import Act, acts_on, dirty_files, git_remotes, wrong_text
from runtower.acts.repro import program
from runtower.domain import runs
from runtower.link.offloop import off_loop
from runtower.present.spans import inert
from runtower.screens.box_keys import BoxKeys
from runtower.screens.confirm import Confirm
from runtower.screens.dvc_jobs import dvc_question, start_dvc, why_no_dvc
from runtower.screens.field import Field
from runtower.screens.menu import Choice, Menu

_FEW = 4


class DvcKeys(BoxKeys):
    """One method an action: `do_` + its id."""

    def why_no_dvc(self) -> str:
        """Why nothing can be done with the run under the cursor, '' where something can."""
        row = self._row
        if row is None:
            return "there is no run here"
        if self.desk.targets[self._source(row)].kind != "dvc":
            return "it is no experiment of DVC's"
        if not acts_on(self.desk.tower.catalogue.run_key(row).run_id, "x", "", []):
            return "a commit is git's: choose an experiment or the workspace"
        return why_no_dvc(self.desk, self._source(row), self._folder(row), self.glyphs)

    def _source(self, row: int) -> int:
        return int(self.desk.tower.catalogue.source_numbers()[row])

    def _folder(self, row: int) -> Path:
        return Path(self.desk.targets[self._source(row)].uri).expanduser().absolute()

    async def do_dvc_act(self) -> None:
        """Choose what, see the command, then it runs as a job."""
        row = self._row
        assert row is not None
        catalogue, folder = self.desk.tower.catalogue, self._folder(row)
        run_id, name = catalogue.run_key(row).run_id, catalogue.texts(runs.NAME).text(row) or ""
        status = catalogue.texts(runs.STATUS).text(row) or ""
        acts = acts_on(run_id, name, status, await off_loop(lambda: git_remotes(folder)))
        found = [Choice(act.id, act.text, "", f"dvc {shlex.join(act.words)}{' ...' * bool(act.asks)}") for act in acts]

        def chosen(values: list[str] | None) -> None:
            if values:
                self._ask_dvc(next(act for act in acts if act.id == values[0]), folder)

        self.app.push_screen(Menu(f"dvc: {inert(name, self.glyphs)[:50]}", found), chosen)

    def _ask_dvc(self, act: Act, folder: Path) -> None:
        if not act.asks:
            self.run_worker(self._confirm_dvc(act, folder, ()), exit_on_error=False)
            return

        def typed(text: str | None) -> None:
            if text:
                self.run_worker(self._confirm_dvc(act, folder, (text.strip(),)), exit_on_error=False)

        self.app.push_screen(Field(act.asks, act.begin, act.asks, lambda text: wrong_text(act, text.strip())), typed)

    async def _confirm_dvc(self, act: Act, folder: Path, more: tuple[str, ...]) -> None:
        command = [program(folder, os.environ), *act.words, *more]
        warning = ""
        dirty = await off_loop(lambda: dirty_files(folder)) if act.overwrites else []
        if dirty:
            named = ", ".join(dirty[:_FEW]) + (f" and {len(dirty) - _FEW} more" if len(dirty) > _FEW else "")
            warning = f"the workspace has changes that git doesn't have, and may lose them: {named}"

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._do_dvc(command, folder), exit_on_error=False)
            else:
                self.say("all is left as it was")

        question = dvc_question(command, folder, warning)
        self.app.push_screen(Confirm(inert(act.text, self.glyphs), question, "do it"), answered)

    async def _do_dvc(self, command: list[str], folder: Path) -> None:
        title = f"dvc {' '.join(command[1:3])}"
        if said := await start_dvc(self.app, self.desk, command, folder, title, self.glyphs):
            self.say(said)
