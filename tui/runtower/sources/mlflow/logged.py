"""When running runs last logged a metric, from an MLflow SQLite file.

`latest_metrics` holds the time of each key's latest value, so that this costs a few rows a run, however long its
histories are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from runtower.sources.mlflow.chunks import json_array


def last_logged(connection: sqlite3.Connection, run_ids: Sequence[str]) -> Mapping[str, int]:
    """By run id the time (UTC epoch ms) of its newest latest value, or its start time where it has logged nothing.

    Runs that aren't there, or have neither, are left out.
    """
    rows = connection.execute(
        "SELECT r.run_uuid, coalesce((SELECT max(m.timestamp) FROM latest_metrics m WHERE m.run_uuid = r.run_uuid),"
        " r.start_time) FROM json_each(?) j CROSS JOIN runs r ON r.run_uuid = j.value",
        (json_array(run_ids),),
    )
    return {run_id: time for run_id, time in rows if time is not None}
