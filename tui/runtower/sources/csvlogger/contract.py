"""What Lightning's CSVLogger writes, and the versions it was read in.

Source: `lightning/pytorch/loggers/csv_logs.py` and `lightning/fabric/loggers/csv_logs.py` of Lightning 2.0 to 2.5.

    <save_dir>/<name>/version_<N>/metrics.csv    one row a log call; empty cells where a metric wasn't logged then
    <save_dir>/<name>/version_<N>/hparams.yaml   a mapping, nested; may hold tags like !!python/object

Columns are the metrics, `step`, and `epoch` where a LightningModule logs. A metric that appears later makes Lightning
write the whole file anew with a longer header. Lightning flushes every 100 rows by default, so a file grows in bursts.
"""

from __future__ import annotations

import re
from typing import Final

METRICS_FILE: Final = "metrics.csv"
HPARAMS_FILE: Final = "hparams.yaml"
VERSION_FOLDER: Final = re.compile(r"version_\w+\Z")
STEP: Final = "step"

# The file says nothing of an end: after this long without a write a run may be finished, or dead.
QUIET_AFTER_S: Final = 60.0
WRITING: Final = "writing"
QUIET: Final = "quiet"
