"""What the keys do with a version: compare, promote, bring the previous one back, download."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from runtower.acts.compared_versions import ComparedVersions
from runtower.acts.preparing import Asked
from runtower.acts.version_choice import destinations, versions_to_compare, ways_back
from runtower.acts.version_rows import runs_of
from runtower.domain.errors import Invalid
from runtower.domain.models import FAILED, ModelNow, ModelVersion
from runtower.domain.promotions import Destination, DestinationKind, Way, destination_of
from runtower.screens.ask import Ask
from runtower.screens.compare_screen import CompareScreen
from runtower.screens.menu import Choice
from runtower.screens.promotion_screen import PromotionScreen
from runtower.screens.table_keys import choices
from runtower.screens.version_download import DownloadKeys

_ALIAS, _MODEL = "alias:", "model:"


class VersionKeys(DownloadKeys):
    """One method an action: `do_` + its id."""

    @property
    @abstractmethod
    def now(self) -> ModelNow | None:
        """The model as it was read last."""

    @property
    @abstractmethod
    def marked(self) -> Sequence[ModelVersion]:
        """The marked versions, the newest first."""

    def why_no_version(self, action_id: str) -> str:
        """`why_not` for what is done with versions."""
        if action_id == "version.compare":
            return self._compared()[1]
        if action_id == "version.download":
            return self.why_no_download()
        if action_id == "version.promote":
            one = self.version_here
            if one is not None and one.status == FAILED:
                return "its registration failed"
            return self.why_no_write()
        if action_id == "version.back":
            if self.now is not None and not ways_back(self.now):
                return "no earlier holder is recorded: nothing was promoted yet"
            return self.why_no_write()
        if action_id in ("model.edit", "model.delete"):
            return self.why_no_write()
        return ""

    # -- compare

    def _compared(self) -> tuple[list[ModelVersion], str]:
        if self.now is None:
            return [], "it is being read"
        found, why = versions_to_compare(self.now, self.marked, self.version_here)
        rows = runs_of(self.face.desk.tower, self.number, found)
        missing = next((one for one in found if one.version not in rows), None)
        return (found, why) if missing is None else ([], f"the run of v{missing.version} isn't there")

    @property
    def number(self) -> int:
        return self.registered_name()[0]

    def do_version_compare(self) -> None:
        found, _ = self._compared()
        rows = runs_of(self.face.desk.tower, self.number, found)
        compared = ComparedVersions(self.number, tuple(found))
        screen = CompareScreen(self.keymap, self.glyphs, self.face, [rows[one.version] for one in found], compared)
        self.app.push_screen(screen, lambda _: self.draw_soon())

    # -- promote

    def do_version_promote(self) -> None:
        one, now = self.version_here, self.now
        assert one is not None
        assert now is not None
        offered = choices(destinations(now, one))
        offered += [
            Choice(_ALIAS, "another alias ..."),
            Choice(_MODEL, "a copy into another model ...", "", "as from dev to prod"),
        ]
        self._menu(f"promote {one.model} v{one.version} to", offered, lambda to: self._chose(one, to))

    def _chose(self, one: ModelVersion, to: str) -> None:
        if to == _ALIAS:
            self._ask_name("which alias?", one, "")
        elif to == _MODEL:
            self._ask_name("into which model?", one, _MODEL)
        else:
            self._promote(one, destination_of(to), Way.PROMOTE)

    def _ask_name(self, title: str, one: ModelVersion, prefix: str) -> None:
        def wrong(text: str) -> str:
            try:
                destination_of(prefix + text)
            except Invalid as error:
                return error.tried
            return "that is the model itself" if prefix and text == one.model else ""

        def named(text: str | None) -> None:
            if text is not None:
                self._promote(one, destination_of(prefix + text), Way.PROMOTE)

        self.app.push_screen(Ask(title, "enter shows what would happen   esc back", "", wrong), named)

    def do_version_back(self) -> None:
        """Of several places that have an earlier holder one is chosen."""
        now, one = self.now, self.version_here
        assert now is not None
        found = ways_back(now)
        held = [place for place, _ in found if one is not None and one.version in place.holders(now)]
        if len(found) == 1 or len(held) == 1:
            place = held[0] if len(held) == 1 else found[0][0]
            self._back(place, dict(found)[place])
            return
        offered = [
            Choice(
                str(place),
                place.shown,
                "",
                f"v{', v'.join(place.holders(now)) or 'nobody'} {self.glyphs.arrow} v{version}",
            )
            for place, version in found
        ]
        self._menu(f"bring a previous holder of {now.model.name} back", offered, self._chose_back)

    def _chose_back(self, to: str) -> None:
        assert self.now is not None
        place = destination_of(to)
        self._back(place, dict(ways_back(self.now))[place])

    def _back(self, place: Destination, version: str) -> None:
        assert self.now is not None
        one = self.now.version(version)
        assert one is not None
        self._promote(one, place, Way.ROLLBACK)

    def _promote(self, one: ModelVersion, to: Destination, way: Way) -> None:
        archive = to.kind is DestinationKind.STAGE
        asked = Asked(self.number, one.model, one.version, to, way, archive)
        self.app.push_screen(PromotionScreen(self.keymap, self.glyphs, self.face, asked), lambda _: self._promoted())

    def _promoted(self) -> None:
        self.registries.refresh()
        self.draw_soon()
