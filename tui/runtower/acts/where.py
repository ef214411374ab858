"""A query over a catalogue: what its text means there, and which runs it finds."""

from __future__ import annotations

import time

from runtower.catalog.catalogue import Catalogue
from runtower.catalog.query.mask import Mask, columns_for, mask
from runtower.catalog.query.tree import Where


def understood(catalogue: Catalogue, text: str) -> Where:
    """What a query means over the keys that are known now. Raises Misread, which is an Invalid."""
    from runtower.catalog.query.understand import understand  # noqa: PLC0415  the parser comes with the first query

    return understand(text, catalogue.keys())


def make_ready() -> None:
    """Make the parser, which takes a moment the first time: call it in a thread."""
    from runtower.catalog.query.grammar import parser  # noqa: PLC0415  see above

    parser()


def matching(catalogue: Catalogue, where: Where) -> Mask:
    """By global row whether the query holds now, deleted runs and dead rows too."""
    columns = {key: catalogue.column(key) for key in columns_for(where.keys)}
    return mask(where.condition, columns, time.time() * 1000)
