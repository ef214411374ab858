"""What is opened, who answers, and what could not be read: the part of a source's contract that the screen knows.

`runtower.sources.port` has them too, for those who write sources; importing that takes longer.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit, urlunsplit

_USERINFO: Final = re.compile(r"(?<=://)[^/@\s]*@")
_SECRET_WORD: Final = re.compile(r"(?i)(password|passwd|token|secret|key)=[^&\s]*")
_SECRET: Final = re.compile(r"token|secret|password|passwd|credential|api_?key|^headers\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """What to open: `uri` as the user or the search gave it, `options` from the settings of this source.

    `held` says in a sentence why it may not be opened yet, '' where it may: a source never sees one that is held.
    """

    name: str
    kind: str
    uri: str
    read_only: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    held: str = ""

    @property
    def file_key(self) -> str:
        """The stem of its cache files: a hash of kind, normalised address and options (secrets left out)."""
        options = sorted((name, value) for name, value in self.options.items() if not _SECRET.search(name))
        words = [self.kind, normalised(self.uri), *(f"{name}={value}" for name, value in options)]
        return hashlib.sha256("\0".join(words).encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers: `key` is the stable source key (kind, canonical address without credentials, fingerprint of the
    store), `address` what people read, `how` the access path and versions in words (shown by doctor)."""

    key: str
    address: str
    how: str


@dataclass(frozen=True, slots=True)
class RowError:
    """Something that could not be read in one run; the run is shown all the same."""

    run_id: str
    what: str


def without_credentials(text: str) -> str:
    """A text in which no URI has a user, a password or a secret parameter any more."""
    return _SECRET_WORD.sub(r"\1=...", _USERINFO.sub("", text))


def normalised(uri: str) -> str:
    """An address that is the same however it was typed: without credentials, local paths made absolute."""
    scheme, colon, rest = uri.partition(":")
    if not colon or len(scheme) < 2 or "/" in scheme:
        return os.path.realpath(os.path.expanduser(uri))
    if scheme == "file" or scheme.startswith("sqlite"):
        path = rest.removeprefix("//")
        if scheme != "file":  # sqlite:///relative, sqlite:////absolute
            path = path.removeprefix("/")
        return f"{scheme.partition('+')[0]}:{os.path.realpath(path)}"
    parts = urlsplit(uri)
    query = "&".join(sorted(pair for pair in parts.query.split("&") if pair and not _SECRET.search(pair)))
    return urlunsplit(
        (parts.scheme.lower(), parts.netloc.rpartition("@")[2].lower(), parts.path.rstrip("/"), query, "")
    )
