"""The settings of the demo project."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FILE: Final = "runtower.yaml"
_SETTINGS: Final = """\
# Read where runtower is started in this folder; docs/settings.md has all settings.
metrics:
  val_mAP: {goal: max, digits: 4}
  latency_ms: {goal: min, digits: 1}
# What a version of detector has to fulfil before it may become its champion; docs/promotion.md has all rules.
gates:
  detector:
    champion:
      must_beat: {metric: val_mAP, by: 0.002}
      max: {latency_ms: 40}
      same_signature: true
      requires_tag: [reviewed]
"""


def put_settings(folder: Path) -> None:
    """Write the project's file into the folder, unless it is there. Raises OSError."""
    file = folder / FILE
    if not file.exists():
        file.write_text(_SETTINGS)
