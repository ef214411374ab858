"""A run's model made a version of a registered model, with the run's id; then its model is opened, to promote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runtower.domain.errors import TowerError
from runtower.present.spans import inert
from runtower.screens.ask import Ask
from runtower.screens.confirm import Confirm
from runtower.screens.menu import Choice, Menu
from runtower.screens.open_keys import OpenKeys

if TYPE_CHECKING:
    from runtower.acts.run_models import RunModel
    from runtower.domain.models import Model

_NEW: Final = "new:"


@dataclass(frozen=True)
class _Registering:
    """A run that is registered: the number of its source, its id and name, and the models that there are by now."""

    number: int
    run_id: str
    run_name: str
    known: Sequence[Model]


class RegisterKeys(OpenKeys):
    """What `P` does on a run."""

    def why_no_register(self) -> str:
        """Why the run can't be registered now, '' where it can."""
        row = self.desk.browser.row_at(self.table.cursor)
        if row is None:
            return self.nothing_here()
        return self.desk.registrar.why_not(int(self.desk.tower.catalogue.source_numbers()[row]))

    def do_run_register(self) -> None:
        """Looking into the artifacts may take as long as a server does; keys go on meanwhile."""
        row = self._with_row()
        self.speak("Looking for the models of the run ...", "dim")
        self.run_worker(self._look(row), exit_on_error=False)

    async def _look(self, row: int) -> None:
        from runtower.acts.run_models import models_of_run  # noqa: PLC0415  as for an opened run
        from runtower.link.wire import Models  # noqa: PLC0415

        assert self.face is not None
        catalogue = self.desk.tower.catalogue
        number, run_id = int(catalogue.source_numbers()[row]), catalogue.run_key(row).run_id
        self.desk.registrar.prepare(number)
        try:
            found = await models_of_run(self.desk.tower, row)
            known = await self.desk.tower.links[number].ask(Models())
        except TowerError as error:
            self.speak(inert(str(error), self.glyphs), "warning")
            return
        self.draw()
        name = self.face.name_of(row)
        if not found:
            self.say(f"{inert(name, self.glyphs)} logged no model: there is no MLmodel among its artifacts")
            return
        self._choose(_Registering(number, run_id, name, known.models or ()), found)

    def _choose(self, run: _Registering, found: Sequence[RunModel]) -> None:
        """Of several models of the run one is chosen."""
        if len(found) == 1:
            self._choose_name(run, found[0])
            return
        offered = [
            Choice(str(place), one.folder or "all artifacts", "", one.flavors) for place, one in enumerate(found)
        ]

        def picked(values: list[str] | None) -> None:
            if values:
                self._choose_name(run, found[int(values[0])])

        self.app.push_screen(Menu(f"which model of {inert(run.run_name, self.glyphs)}?", offered), picked)

    def _choose_name(self, run: _Registering, model: RunModel) -> None:
        offered = [
            Choice(one.name, one.name, "", f"v{one.latest}" if one.latest else "no version") for one in run.known
        ]
        offered.append(Choice(_NEW, "a new model ..."))

        def picked(values: list[str] | None) -> None:
            if values and values[0] == _NEW:
                self._ask_name(run, model)
            elif values:
                self._ask_register(run, model, values[0], False)

        self.app.push_screen(Menu(f"register {inert(run.run_name, self.glyphs)} as a version of", offered), picked)

    def _ask_name(self, run: _Registering, model: RunModel) -> None:
        from runtower.acts.run_models import wrong_name  # noqa: PLC0415  as for an opened run

        names = [one.name for one in run.known]

        def named(name: str | None) -> None:
            if name is not None:
                self._ask_register(run, model, name, True)

        foot = "enter next, asks before it writes   esc back"
        ask = Ask("how shall the model be called?", foot, "", lambda text: wrong_name(text, names))
        self.app.push_screen(ask, named)

    def _ask_register(self, run: _Registering, model: RunModel, name: str, is_new: bool) -> None:
        identity = self.desk.tower.identities[run.number]
        what = f"a new model, {name}, with its first version" if is_new else f"the next version of {name}"
        lines = [
            (f"{run.run_name} becomes {what}", "bright"),
            (f"from {model.source}", ""),
            (f"it keeps the run's id {run.run_id}", ""),
            (f"on {identity.address}", ""),
        ]

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._register(run, model, name, is_new), exit_on_error=False)
            else:
                self.say("all is left as it was")

        self.app.push_screen(Confirm(f"register {run.run_name}?", lines, "register it"), answered)

    async def _register(self, run: _Registering, model: RunModel, name: str, is_new: bool) -> None:
        from runtower.acts.run_models import register  # noqa: PLC0415  as for an opened run
        from runtower.screens.model_screen import ModelScreen  # noqa: PLC0415

        assert self.face is not None
        self.speak(f"Registering {inert(run.run_name, self.glyphs)} ...", "dim")
        ended = await register(self.desk.registrar, run.number, name, is_new, model, run.run_id, run.run_name)
        self.app.notify(inert(ended.says, self.glyphs), markup=False)
        if ended.is_done and self.is_current:
            self.covered = True
            screen = ModelScreen(self.keymap, self.glyphs, self.face, run.number, name)
            self.app.push_screen(screen, self._uncovered)
        else:
            self.draw()
