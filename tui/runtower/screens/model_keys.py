"""What the keys of the registry's screens have in common: copy, edit, take away, delete."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from runtower.acts.model_plans import Planned, check_value, deletions, described, removal, tag_of, tagged, tags_shown
from runtower.domain.errors import Invalid
from runtower.domain.models import Model, ModelVersion
from runtower.present.spans import inert
from runtower.screens.confirm import Confirm
from runtower.screens.copying import copy_out
from runtower.screens.field import Field
from runtower.screens.menu import Choice, Menu
from runtower.screens.over import OverScreen

if TYPE_CHECKING:
    from runtower.acts.registries import Registries


class RegistryKeys(OverScreen):
    """One method an action: `do_` + its id. A screen says which model and which version stand under the cursor."""

    @property
    def registries(self) -> Registries:
        return self.face.desk.registries

    @abstractmethod
    def registered_name(self) -> tuple[int, str]:
        """The number of the source, and the name of the model that is meant."""

    @property
    @abstractmethod
    def model_here(self) -> Model | None:
        """The model that is meant."""

    @property
    def version_here(self) -> ModelVersion | None:
        """The version that is meant, None where that is a model."""
        return None

    @abstractmethod
    def uri_here(self) -> str:
        """The URI that `y` copies."""

    def why_no_write(self) -> str:
        """Why nothing can be changed here now, '' where it can."""
        return self.face.desk.registrar.why_not(self.registered_name()[0])

    def left(self, to_the_runs: bool | None) -> None:
        """A screen over this one was left: for the runs, or back to here."""
        if to_the_runs:
            self.dismiss(True)
        else:
            self.draw_soon()

    def do_models_runs(self) -> None:
        self.dismiss(True)

    def do_live_refresh(self) -> None:
        self.registries.refresh()
        self.say("read again")

    # -- take along

    async def do_take_uri(self) -> None:
        self.say(await copy_out(self.app, self.uri_here(), self.face.desk.copied_file))

    def do_take_menu(self) -> None:
        self._menu("copy", [Choice(text, what, "", text) for what, text in self._copies()], self._copy)

    def _copies(self) -> Sequence[tuple[str, str]]:
        model, version = self.model_here, self.version_here
        assert model is not None
        found = [(f"URI by @{alias}", f"models:/{model.name}@{alias}") for alias in sorted(model.aliases)]
        if version is not None:
            by_number = f"models:/{model.name}/{version.version}"
            mine = [(f"URI by @{alias}", f"models:/{model.name}@{alias}") for alias in version.aliases]
            found = [("URI by its number", by_number), *mine]
            if version.run_id:
                found.append(("id of its run", version.run_id))
            if version.source:
                found.append(("where its files came from", version.source))
        return [*found, ("name", model.name)]

    async def _copy(self, text: str) -> None:
        self.say(await copy_out(self.app, text, self.face.desk.copied_file))

    def _menu(self, title: str, offered: Sequence[Choice], then: Callable[[str], object]) -> None:
        async def picked(values: list[str] | None) -> None:
            if values:
                result = then(values[0])
                if result is not None and hasattr(result, "__await__"):
                    await result

        self.app.push_screen(Menu(inert(title, self.glyphs), offered), picked)

    def _field(self, title: str, text: str, wrong: Callable[[str], str], then: Callable[[str], None]) -> None:
        def typed(answer: str | None) -> None:
            if answer == text:
                self.say("it is that already")
            elif answer is not None:
                then(answer)

        self.app.push_screen(Field(title, text, "", wrong), typed)

    # -- edit

    def do_model_edit(self) -> None:
        model, version = self.model_here, self.version_here
        assert model is not None
        text = version.description if version is not None else model.description
        tags = tags_shown(version.tags if version is not None else model.tags)
        offered = [
            Choice("description", "description", "", text.strip().split("\n")[0] or "(none)"),
            *(Choice(f"tag:{key}", key, "", value or "(empty)") for key, value in tags.items()),
            Choice("add", "add a tag"),
        ]
        what = _name(model, version)
        self._menu(f"change {what}", offered, lambda value: self._edit(model, version, value))

    def _edit(self, model: Model, version: ModelVersion | None, value: str) -> None:
        kind, _, key = value.partition(":")
        if kind == "description":
            text = version.description if version is not None else model.description
            self._field("description", text, lambda _: "", lambda new: self._ask(described(model, version, new)))
        elif kind == "add":
            self._field(
                "tag, as KEY=VALUE", "", _wrong_tag, lambda new: self._ask(tagged(model, version, *tag_of(new)))
            )
        else:
            now = (version.tags if version is not None else model.tags).get(key, "")
            offered = [Choice("set", "change its value", "", now or "(empty)"), Choice("gone", "take it away")]
            self._menu(f"tag {key}", offered, lambda what: self._edit_tag(model, version, key, now, what))

    def _edit_tag(self, model: Model, version: ModelVersion | None, key: str, now: str, what: str) -> None:
        if what == "gone":
            self._ask(tagged(model, version, key, None))
        else:
            wrong = lambda text: _wrong_value(key, text)  # noqa: E731
            self._field(f"tag {key}", now, wrong, lambda text: self._ask(tagged(model, version, key, text)))

    # -- take away, delete

    def do_model_delete(self) -> None:
        model, version = self.model_here, self.version_here
        assert model is not None
        offered = [Choice(value, text, "", detail, why) for value, text, detail, why in deletions(model, version)]
        if not offered:
            self.say("it has no alias that could be taken away; a version is deleted where it stands")
            return
        self._menu(
            f"take away from {_name(model, version)}", offered, lambda value: self._take_away(model, version, value)
        )

    def _take_away(self, model: Model, version: ModelVersion | None, value: str) -> None:
        self._ask(removal(model, version, value, self.face.desk.settings))

    def _ask(self, planned: Planned) -> None:
        """The question; a yes begins the change."""
        number = self.registered_name()[0]
        registrar = self.face.desk.registrar
        registrar.prepare(number)
        identity = self.face.desk.tower.identities.get(number)
        where = identity.address if identity is not None else self.face.desk.targets[number].name
        lines = [*planned.lines, (f"on {where}", "")]

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._write(planned), exit_on_error=False)
            else:
                self.say("all is left as it was")

        self.app.push_screen(Confirm(planned.title, lines, planned.verb, planned.word), answered)

    async def _write(self, planned: Planned) -> None:
        number, app = self.registered_name()[0], self.app
        ended = await planned.carry_out(self.face.desk.registrar, number)
        app.notify(inert(ended.says, self.glyphs), markup=False)
        self.draw_soon()


def _name(model: Model, version: ModelVersion | None) -> str:
    return model.name if version is None else f"{model.name} v{version.version}"


def _wrong_tag(text: str) -> str:
    try:
        key, value = tag_of(text)
    except Invalid as error:
        return error.tried
    return _wrong_value(key, value)


def _wrong_value(key: str, value: str) -> str:
    try:
        check_value(key, value)
    except Invalid as error:
        return error.tried
    return ""
