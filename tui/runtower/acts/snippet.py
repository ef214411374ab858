"""The three lines of Python that log a first run."""

from typing import Final

SNIPPET: Final = """\
import mlflow
with mlflow.start_run(run_name="first"):
    for step in range(100): mlflow.log_metric("loss", 1 / (1 + step), step)
"""
