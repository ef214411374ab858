"""pyarrow without pandas.

At its first conversion pyarrow imports pandas where it is installed (mlflow brings it): 0.5 s and 40 MB for a library
that nothing here uses. It looks once and remembers, so that once it is let look in vain. Import this before pyarrow is
used; code of the same process that wants pandas can import it afterwards as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas isn't wanted here", name=fullname)
        return None


def _look_in_vain() -> None:
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(finder)


_look_in_vain()
