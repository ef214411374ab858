"""The registered models of all sources: who has which alias and stage, and the way to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from runtower.acts.face import Face
from runtower.acts.listed import Head
from runtower.acts.model_rows import about_model, heads, key_of, model_rows
from runtower.acts.registry_words import model_uri
from runtower.domain.models import Model
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line as Spans
from runtower.present.spans import inert
from runtower.screens.listed_screen import ListedScreen
from runtower.screens.model_keys import RegistryKeys
from runtower.screens.model_screen import ModelScreen

_FOOTER: Final = (
    "app.help",
    "app.back",
    "model.open",
    "find.filter",
    "columns.sort",
    "take.uri",
    "model.edit",
    "mark.toggle",
    "live.refresh",
)


class ModelsScreen(RegistryKeys, ListedScreen):
    """A screen beside the runs."""

    place: ClassVar[str] = "models"
    footer_keys = _FOOTER

    def __init__(self, keymap: Keymap, glyphs: Glyphs, face: Face) -> None:
        super().__init__(keymap, glyphs, face)
        self._unwatch = face.desk.registries.watch()
        self._drawn = -1

    def on_unmount(self) -> None:
        self._unwatch()

    # -- drawing

    def draw(self) -> None:
        """Bring every part to what the registries hold now."""
        super().draw()
        if not self.is_there:
            return
        if self._drawn != self.registries.version:
            self._drawn = self.registries.version
            self.listed.take(model_rows(self.registries, [target.name for target in self.face.desk.targets]))
        self.draw_rows()

    def heads(self) -> Sequence[Head]:
        return heads(self.registries)

    def status(self) -> tuple[Spans, Spans]:
        left: Spans = ((" runtower  ", "title"), ("1 runs ", "dim"), ("[2 models]", "active"))
        shown, total = len(self.listed), self.listed.total
        count = f"{shown:,} of {total:,}" if self.listed.needle else f"{total:,}"
        right = [*self._trouble(), (f"{count} model{'s' * (total != 1)}", "")]
        if self.listed.marks:
            right.append((f", {len(self.listed.marks)} marked", "marked"))
        if self.face.desk.paused:
            right.append(("  paused (w)", "warning"))
        return left, (*right, (" ", ""))

    def _trouble(self) -> list[tuple[str, str]]:
        """The sources whose registry doesn't answer now."""
        names = [
            self.face.desk.targets[number].name
            for number in self.registries.numbers
            if self.registries.of(number).error is not None and not self.registries.of(number).is_none
        ]
        return [(f"{inert(', '.join(names), self.glyphs)}: no answer   ", "warning")] if names else []

    def instead(self) -> Sequence[Spans]:
        if self.listed.total:
            return ()
        errors = [
            str(one.error)
            for one in map(self.registries.of, self.registries.numbers)
            if one.error is not None and not one.is_none
        ]
        if errors:
            lines = [((inert(error, self.glyphs), "warning"),) for error in errors]
            return [*lines, (), (("r", "key"), (" asks again now", ""))]
        if any(
            self.registries.of(n).models is None and not self.registries.of(n).is_none for n in self.registries.numbers
        ):
            return [(("Reading the registry ...", "dim"),)]
        key = self.keymap.shown("run.register")
        if all(self.registries.of(number).is_none for number in self.registries.numbers):
            return [(("These sources have no registry of models; MLflow's servers and sqlite files have one.", ""),)]
        return [
            (("No model is registered yet.", ""),),
            (),
            (
                (key, "key"),
                (" on a run (", ""),
                ("1", "key"),
                (" goes to them) registers the model that it logged.", ""),
            ),
        ]

    def about(self) -> tuple[str, Sequence[Spans]]:
        model = self.model_here
        assert model is not None
        return model.name, about_model(model)

    # -- which model

    @property
    def model_here(self) -> Model | None:
        return next((model for number, model in self.registries.known if key_of(number, model) == self.here), None)

    def registered_name(self) -> tuple[int, str]:
        return next((n, model.name) for n, model in self.registries.known if key_of(n, model) == self.here)

    # -- keys

    def why_not(self, action_id: str) -> str:
        if action_id in ("model.edit", "model.delete") and self.here is not None:
            return self.why_no_write()
        return super().why_not(action_id)

    def do_model_open(self) -> None:
        number, name = self.registered_name()
        self.app.push_screen(ModelScreen(self.keymap, self.glyphs, self.face, number, name), self.left)

    def uri_here(self) -> str:
        model = self.model_here
        assert model is not None
        return model_uri(model)

    def do_app_back(self) -> None:
        if not self.one_back():
            self.dismiss()
