"""How a write to a server ends where it wasn't answered by MLflow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runtower.domain.errors import Invalid, Unreachable
from runtower.sources.mlflow.outcomes import Unsent
from runtower.sources.mlflow.rest_errors import NoConnection, Refused


@contextmanager
def sent_once() -> Iterator[None]:
    """Inside, one write is sent: it is Unsent where nobody took it, and Unreachable where somebody before the server
    answered, with a page of his own."""
    try:
        yield
    except NoConnection as error:
        raise Unsent(error.tried, error.remedy) from error
    except Refused:
        raise
    except Invalid as error:
        raise Unreachable(error.tried, error.remedy) from error
