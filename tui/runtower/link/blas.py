"""numpy without its BLAS's threads: at the import one a core is started, and spins for 100 ms. Nothing here multiplies
matrices."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1"}


@contextmanager
def one_thread() -> Iterator[None]:
    """Import numpy inside. Programs that are started later find the environment as it was."""
    added = {name: value for name, value in ONE_THREAD.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
