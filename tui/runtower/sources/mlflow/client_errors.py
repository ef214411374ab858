"""What MLflow and the libraries below it raise, in our words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException
from sqlalchemy.exc import SQLAlchemyError

from runtower.domain.errors import (
    Broken,
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooNew,
    TowerError,
    Unauthorised,
    Unreachable,
)
from runtower.sources.mlflow.address import Address, short

_STATUS: Final = re.compile(r"error code (\d{3})")
# MLflow wraps requests' and urllib3's errors in its own, and keeps of them the text only.
_NO_ANSWER: Final = ("failed with exception", "timeout exception", "Max retries exceeded", "Connection refused")
_MISSING: Final = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND", "ENDPOINT_NOT_FOUND")


@contextmanager
def in_our_words(address: Address) -> Iterator[None]:
    """Inside, what MLflow raises leaves as a TowerError."""
    try:
        yield
    except MlflowException as error:
        raise _of_mlflow(error, address) from error
    except (RequestException, ConnectionError, TimeoutError) as error:
        raise _unreachable(str(error), address) from error
    except SQLAlchemyError as error:
        raise _of_database(str(error.args[0] if error.args else error), address) from error
    except OSError as error:
        raise NotFound(
            f"{address.shown} can't be read: {error.strerror or error}.", "Check that it's there."
        ) from error


def _of_mlflow(error: MlflowException, address: Address) -> TowerError:
    text, code = str(error.message), str(error.error_code)
    status = _status_of(error, text)
    if status == 401 or code == "UNAUTHENTICATED":
        return Unauthorised(
            f"The MLflow server {address.shown} wants other credentials.",
            "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.",
        )
    if status == 403 or code == "PERMISSION_DENIED":
        return Forbidden(
            f"The MLflow server {address.shown} doesn't allow this: {short(text)}", "Ask who runs it for permission."
        )
    if "database is locked" in text or status == 429 or code == "REQUEST_LIMIT_EXCEEDED":
        return _busy(address)
    if code in ("RESOURCE_ALREADY_EXISTS", "RESOURCE_CONFLICT") or status == 409:
        return Conflict(f"{address.shown} says that this conflicts with what is there: {short(text)}", "Look again.")
    if code in _MISSING or status == 404:
        return NotFound(f"{address.shown} has no such thing: {short(text)}", "Check the address and the id.")
    if any(words in text for words in _NO_ANSWER) or status in (502, 503, 504) or code == "TEMPORARILY_UNAVAILABLE":
        return _unreachable(text, address)
    if "out-of-date database schema" in text:
        return TooNew(
            f"{address.shown} has another schema than the installed MLflow: {short(text)}",
            "Upgrade mlflow beside runtower, or the store (after a backup): mlflow db upgrade URI",
        )
    if code in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST"):
        return Invalid(f"{address.shown} refuses the question: {short(text)}", "Please report it with this message.")
    return Broken(f"MLflow failed on {address.shown}: {short(text)}", "Please report it with this message.")


def _status_of(error: MlflowException, text: str) -> int | None:
    found = _STATUS.search(text)
    if found:
        return int(found[1])
    json = getattr(error, "json", None)
    if not isinstance(json, dict):
        return None
    return int(error.get_http_status_code())  # type: ignore[no-untyped-call]


def _of_database(text: str, address: Address) -> TowerError:
    return _busy(address) if "locked" in text else _unreachable(text, address)


def _busy(address: Address) -> TowerError:
    return Busy(
        f"{address.shown} is locked or overloaded: another program holds a write lock, or asks too much.",
        "It is asked again at the next look.",
    )


def _unreachable(text: str, address: Address) -> TowerError:
    return Unreachable(
        f"{address.shown} doesn't answer: {short(text)}", "Check that it runs, the address, and the way there."
    )
