"""What DVC leaves in a project, and the versions it was read in.

Read from DVC 3.67; the formats of experiments are those of DVC 2.57 to 3.67 (dvc/repo/experiments/refs.py, stash.py,
queue/celery.py, executor/base.py; dvc_task/app/filesystem.py).

    refs/exps/<2>/<38>/<name>              an experiment's commit; its baseline is the commit <2><38>
    refs/exps/celery/{stash,failed}        stashes of the queue; their reflog names each entry
    refs/exps/exec/*                       what runs just now; never an experiment
    .dvc/tmp/exps/celery/broker/in/        a JSON message for each task that waits
    .dvc/tmp/exps/celery/broker/processed/ ... for each that a worker took
    .dvc/tmp/exps/celery/result/celery-task-meta-<task>   written when it is over
    .dvc/tmp/exps/run/<stash>/<stash>.run  where it runs (root_dir), and its result
    .dvc/tmp/exps/run/<stash>/<stash>.json its process: pid, log, return code
    .dvc/cache/files/md5/<2>/<30>          contents by MD5 (DVC 3); .dvc/cache/<2>/<30> (DVC 2)
"""

from __future__ import annotations

import re
from typing import Final

EXPS: Final = "refs/exps/"
EXPERIMENT: Final = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38})/([^/]+)\Z")
TASK: Final = "dvc.repo.experiments.queue.tasks.run_exp"
PIPELINE_FILE: Final = "dvc.yaml"
LOCK_FILE: Final = "dvc.lock"
PARAMS_FILE: Final = "params.yaml"
DVC_FOLDER: Final = ".dvc"
TEMPORARY: Final = ".dvc/tmp/exps"

WORKSPACE: Final = "workspace"
# What a run is that has no state: DVC gives neither commits nor the workspace one.
IN_WORKSPACE: Final = "local"
COMMIT: Final = "commit"


def experiment_id(name: str, baseline: str) -> str:
    """The id of the run that an experiment is."""
    return f"exp:{name}@{baseline}"


def commit_id(sha: str) -> str:
    """The id of the run that a commit is."""
    return f"commit:{sha}"


def queued_id(stash: str) -> str:
    """The id of the run that an entry of the queue is, until it is an experiment."""
    return f"queued:{stash}"
