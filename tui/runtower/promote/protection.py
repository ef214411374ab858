"""Which destinations ask for a typed confirmation. What is protected by default stays so, whatever folder one stands in
and whatever a file says: settings only add."""

from __future__ import annotations

import re
from typing import Final

from runtower.domain.models import PRODUCTION
from runtower.domain.promotions import Destination, DestinationKind
from runtower.settings import Settings

ALWAYS: Final = frozenset({"champion", "production", "prod", "live"})


def is_protected(to: Destination, settings: Settings) -> bool:
    """Whether moving what is there needs its name typed.

    By default: the aliases champion, production, prod and live in any case, the stage Production, and models whose
    name begins or ends with one of these words (`detector-prod`, `prod.detector`). `promote.protected` adds others: a
    target as it is written on the command line (`stage:Staging`, `model:detector`), or a bare name, which stands for
    the alias, the stage and the model of that name.
    """
    name = to.name.casefold()
    match to.kind:
        case DestinationKind.ALIAS:
            protected = name in ALWAYS
        case DestinationKind.STAGE:
            protected = to.name == PRODUCTION
        case DestinationKind.MODEL:
            words = [word for word in re.split(r"[^\w]|_", name) if word]
            protected = bool({*words[:1], *words[-1:]} & ALWAYS)
    listed = {one.casefold().removeprefix("@") for one in settings.promote.protected}
    return protected or name in listed or str(to).casefold() in listed
