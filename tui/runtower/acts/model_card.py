"""What the file MLmodel says of a model: signature, flavors, size, input example, and what made it.

The format is MLflow's: https://mlflow.org/docs/latest/ml/model/#storage-format
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runtower.config.yaml_text import read_text
from runtower.domain.errors import Invalid
from runtower.promote.evidence import Signature

FILE: Final = "MLmodel"
PARTS: Final = ("inputs", "outputs", "params")


@dataclass(frozen=True, slots=True)
class Flavor:
    """One way a model can be loaded, and with which version of what: `sklearn` `1.5.0`."""

    name: str
    version: str


@dataclass(frozen=True)
class ModelCard:
    """An MLmodel read. `signature` by part (inputs, outputs, params): the lines `name: type`, None where it has none;
    `canonical` is the same for a gate. `size` in bytes."""

    flavors: tuple[Flavor, ...] = ()
    signature: Mapping[str, tuple[str, ...]] | None = None
    canonical: Signature = field(default_factory=Signature)
    python: str = ""
    mlflow: str = ""
    model_id: str = ""
    size: int | None = None
    example: str = ""
    loader: str = ""


def card_of(text: str) -> ModelCard:
    """Read an MLmodel. Raises Invalid."""
    tree: Mapping[Any, Any] = read_text(text, FILE)
    flavors = tree.get("flavors")
    flavors = flavors if isinstance(flavors, dict) else {}
    function = flavors.get("python_function")
    function = function if isinstance(function, dict) else {}
    size, example = tree.get("model_size_bytes"), tree.get("saved_input_example_info")
    return ModelCard(
        tuple(_flavor(str(name), said) for name, said in flavors.items()),
        _signature(tree.get("signature")),
        Signature(*(_canonical(tree.get("signature"), part) for part in PARTS)),
        _text(function.get("python_version")),
        _text(tree.get("mlflow_version")),
        _text(tree.get("model_id")),
        size if isinstance(size, int) else None,
        _text(example.get("artifact_path")) if isinstance(example, dict) else "",
        _text(function.get("loader_module")),
    )


def _flavor(name: str, said: object) -> Flavor:
    """Each library writes its version under a key of its own, as `sklearn_version` or, for spark, `pyspark_version`."""
    known = said if isinstance(said, dict) else {}
    keys = [key for key in known if str(key).endswith(f"{name}_version")]
    return Flavor(name, _text(known[keys[0]]) if keys else "")


def _signature(said: object) -> Mapping[str, tuple[str, ...]] | None:
    if not isinstance(said, dict):
        return None
    return {part: tuple(_columns(said.get(part))) for part in PARTS if said.get(part)}


def _canonical(said: object, part: str) -> str:
    """A part as JSON with its keys in order, '' where there is none. Raises Invalid."""
    text = said.get(part) if isinstance(said, dict) else None
    return json.dumps(_parsed(text), sort_keys=True, separators=(",", ":")) if text else ""


def _parsed(said: object) -> Any:
    """The JSON that stands inside of the YAML. Raises Invalid."""
    try:
        return json.loads(said) if isinstance(said, str) else said
    except ValueError:
        raise Invalid("The signature in MLmodel can't be read.", "Log the model again.") from None


def _columns(said: object) -> Sequence[str]:
    """The lines of one part. Raises Invalid."""
    columns = _parsed(said)
    return [_column(place, one) for place, one in enumerate(columns)] if isinstance(columns, list) else [_type(columns)]


def _column(place: int, one: object) -> str:
    if not isinstance(one, dict):
        return _type(one)
    name = _text(one.get("name")) or f"[{place}]"
    optional = "" if one.get("required", True) else ", optional"
    default = f" = {json.dumps(one['default'])}" if "default" in one else ""
    return f"{name}: {_type(one)}{default}{optional}"


def _type(one: object) -> str:
    """`double`, `float32 (-1, 28, 28)`, `array of string`, `{a: long, b: string}`."""
    if not isinstance(one, dict):
        return _text(one)
    kind = _text(one.get("type"))
    tensor, items, properties = one.get("tensor-spec"), one.get("items"), one.get("properties")
    if isinstance(tensor, dict):
        shape = ", ".join(str(length) for length in tensor.get("shape", ()))
        return f"{_text(tensor.get('dtype'))} ({shape})"
    if kind == "array" and items is not None:
        return f"array of {_type(items)}"
    if kind == "object" and isinstance(properties, dict):
        return "{" + ", ".join(f"{name}: {_type(each)}" for name, each in properties.items()) + "}"
    return f"{kind} {one['shape']}" if one.get("shape") else kind


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)
