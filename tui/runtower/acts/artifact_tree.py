"""The artifacts of a run as a tree: a folder is asked for when it is unfolded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from runtower.acts.run_files import RunFiles
from runtower.acts.run_rows import Spot
from runtower.domain.artifacts import Artifact, Folder
from runtower.domain.errors import TowerError
from runtower.present.glyphs import Glyphs
from runtower.present.sizes import size_text
from runtower.present.spans import Line, inert, shortened

_INDENT: Final = 2


@dataclass(frozen=True, slots=True)
class _Row:
    """A file or a folder, or in its place a word about the folder `said` is of."""

    artifact: Artifact | None
    depth: int
    said: str = ""
    tone: str = "dim"


class ArtifactTree:
    """What a table shows of it. `changed` is called on the loop after each folder that came."""

    def __init__(self, files: RunFiles, glyphs: Glyphs, changed: Callable[[], None]) -> None:
        self.version = 0
        self.cursor = 0
        self._marked = ""
        self._files = files
        self._glyphs = glyphs
        self._changed = changed
        self._folders: dict[str, Folder] = {}
        self._errors: dict[str, str] = {}
        self._open: set[str] = set()
        self._rows: list[_Row] = []

    def __len__(self) -> int:
        return len(self._rows)

    def line_id(self, index: int) -> int:
        return index

    @property
    def is_known(self) -> bool:
        """Whether the run's own folder was asked for and answered."""
        return "" in self._folders or "" in self._errors

    @property
    def error(self) -> str:
        """Why there is nothing to see."""
        return self._errors.get("", "")

    def at(self, index: int) -> Artifact | None:
        """The file or folder of a row; None for none."""
        return self._rows[index].artifact if 0 <= index < len(self._rows) else None

    def is_open(self, path: str) -> bool:
        return path in self._open

    # -- what changes it

    def mark(self, path: str) -> None:
        """The file that has a mark, '' for none."""
        if path != self._marked:
            self._marked = path
            self.version += 1

    async def look(self) -> None:
        """Ask for the run's own folder, and again for those that are unfolded."""
        for path in ("", *sorted(self._open)):
            await self._ask(path)

    async def unfold(self, path: str) -> None:
        """Show what lies in a folder."""
        self._open.add(path)
        if path not in self._folders:
            self._lay()  # says that it is being read
            await self._ask(path)
        self._lay()

    def fold(self, index: int) -> int:
        """Fold the folder of a row, or the one that it lies in; gives the row of that folder."""
        found = self.at(index)
        path = found.path if found is not None and found.is_dir and found.path in self._open else self._above(index)
        self._open.discard(path)
        self._lay()
        rows = (place for place, row in enumerate(self._rows) if row.artifact is not None and row.artifact.path == path)
        return next(rows, index)

    def _above(self, index: int) -> str:
        found = self.at(index)
        return found.path.rpartition("/")[0] if found is not None else ""

    async def _ask(self, path: str) -> None:
        try:
            self._folders[path] = await self._files.folder(path)
            self._errors.pop(path, None)
        except TowerError as error:
            self._folders.pop(path, None)
            self._errors[path] = str(error)
        self._lay()

    def _lay(self) -> None:
        """Make the rows anew; the cursor stays on its file."""
        here = self.at(self.cursor)
        rows: list[_Row] = []
        self._lay_folder("", 0, rows)
        if rows != self._rows:
            self._rows = rows
            self.version += 1
            if here is not None:
                same = (place for place, row in enumerate(rows) if row.artifact and row.artifact.path == here.path)
                self.cursor = next(same, min(self.cursor, max(0, len(rows) - 1)))
        self._changed()

    def _lay_folder(self, path: str, depth: int, rows: list[_Row]) -> None:
        folder = self._folders.get(path)
        if path in self._errors and path:
            rows.append(_Row(None, depth, self._errors[path], "warning"))
        elif folder is None and path:
            rows.append(_Row(None, depth, "reading ..."))
        elif folder is not None:
            if not folder.entries and path:
                rows.append(_Row(None, depth, "empty"))
            for one in folder.entries:
                rows.append(_Row(one, depth))
                if one.is_dir and one.path in self._open:
                    self._lay_folder(one.path, depth + 1, rows)
            if folder.left_out:
                rows.append(_Row(None, depth, f"and {folder.left_out:,} more"))

    # -- what a table asks

    def cells(self, index: int, columns: Sequence[Spot], cursor: bool) -> Sequence[Line]:
        row, glyphs = self._rows[index], self._glyphs
        here = glyphs.cursor if cursor else " "
        out: list[Line] = []
        for column in columns:
            if column.id == "gutter":
                out.append(((here, "bright"),))
            elif column.id == "size":
                size = row.artifact.size if row.artifact is not None else None
                out.append(((size_text(size) if size is not None else "", "dim"),))
            else:
                out.append(self._name(row, column.width))
        return out

    def _name(self, row: _Row, width: int) -> Line:
        glyphs, lead = self._glyphs, " " * (_INDENT * row.depth)
        room = width - len(lead) - 2
        if row.artifact is None:
            return ((f"{lead}  {shortened(inert(row.said, glyphs), room, glyphs)}", row.tone),)
        name = inert(row.artifact.name, glyphs)
        if not row.artifact.is_dir:
            mark = f"{glyphs.marked} " if row.artifact.path == self._marked else "  "
            return ((f"{lead}{mark}", "marked"), (shortened(name, room, glyphs), ""))
        fold = glyphs.descending if row.artifact.path in self._open else glyphs.folded
        return ((f"{lead}{fold} ", "dim"), (f"{shortened(name, room - 1, glyphs)}/", "bright"))
