"""How names and texts are written in a query."""

from __future__ import annotations

import re
from typing import Final

from runtower.domain.runs import Kind

FAMILIES: Final[dict[str, Kind]] = {
    **dict.fromkeys(("attributes", "attribute", "attr", "run"), Kind.ATTRIBUTE),
    **dict.fromkeys(("metrics", "metric"), Kind.METRIC),
    **dict.fromkeys(("params", "param", "parameters", "parameter"), Kind.PARAM),
    **dict.fromkeys(("tags", "tag"), Kind.TAG),
}

# Quoted texts end as they do in MLflow's own parser (sqlparse), which takes nothing in them for an escape.
SINGLE: Final = r"'(?:''|[\\]'|[^'])*'"
DOUBLE: Final = r'"(?:""|[\\]"|[^"])*"'
TICKED: Final = r"`(?:``|[^`])*`"
IN_NAMES: Final = r"[\w.\/@:$#-]"
OWN_WORDS: Final = "and|or|not|in|is|like|ilike"

QUOTED: Final = re.compile(f"{SINGLE}|{DOUBLE}|{TICKED}")
BARE_NAME: Final = re.compile(rf"(?!(?i:{OWN_WORDS})$)[^\W\d]{IN_NAMES}*\Z")
