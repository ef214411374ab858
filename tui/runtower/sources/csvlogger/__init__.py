"""Folders that Lightning's CSVLogger writes: a run for each version_N with a metrics.csv."""

from __future__ import annotations

import importlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from runtower.domain.errors import NotFound
from runtower.sources.port import API, Known, Source, Target


class CsvLoggerKind:
    """The kind 'csvlogger'; a target's uri is a folder, above or at the version folders."""

    kind = "csvlogger"
    api = API

    def open(self, target: Target, known: Known) -> Source:
        """Open a folder. Raises NotFound."""
        uri = target.uri
        path = Path(unquote(urlsplit(uri).path)) if uri.startswith("file:") else Path(uri).expanduser()
        root = path.absolute().resolve()
        if not root.is_dir():
            raise NotFound(f"There is no folder {root}.", "Check the path; CSVLogger writes into lightning_logs.")
        # Deferred: it takes numpy and a YAML parser.
        module = importlib.import_module("runtower.sources.csvlogger.source")
        source: Source = module.CsvLoggerSource(root, known)
        return source


SOURCE = CsvLoggerKind()
