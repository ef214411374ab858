"""A prepared promotion becomes one that is carried out: who, when, with which override and reason."""

from __future__ import annotations

import time
from collections.abc import Mapping

from runtower.acts.preparing import Prepared
from runtower.domain.promotions import Promotion, State, Way
from runtower.domain.ulids import new_id
from runtower.promote.gate import overall
from runtower.promote.who import who


def promotion_of(
    prepared: Prepared, environ: Mapping[str, str], override: str = "", reason: str = "", login: str = ""
) -> Promotion:
    """`override` is kept only where the gate isn't met; `login` is the one at the server, '' where it has none."""
    asked = prepared.asked
    name, context = who(environ, login)
    is_met = overall(prepared.gate) is State.MET
    return Promotion(
        new_id(),
        time.time_ns() // 1_000_000,
        name,
        asked.model,
        asked.version,
        asked.to,
        prepared.before,
        asked.way,
        asked.archive,
        prepared.gate,
        "" if is_met or asked.way is Way.ROLLBACK else override,
        reason,
        context,
    )
