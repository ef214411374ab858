"""The log of a job, as one looks at that of a run."""

from __future__ import annotations

from pathlib import Path

from runtower.acts.box import Box
from runtower.acts.find_log import LogPlace, Search
from runtower.domain.artifacts import Piece
from runtower.domain.jobs import Job
from runtower.link.offloop import off_loop
from runtower.sources import disk


class JobFiles:
    """One job's; what `RunLog` asks of it."""

    def __init__(self, box: Box, job: Job) -> None:
        self._box = box
        self._job = job
        self.run_id = job.id
        self.name = job.name

    @property
    def is_far(self) -> bool:
        """Its file lies on this machine, or where its folder is mounted."""
        return False

    @property
    def is_over(self) -> bool:
        """Whether it has ended, as far as is known."""
        return self._box.jobs.get(self._job.id, self._job).state.is_over

    async def find_log(self) -> Search:
        """Where it is, whether or not something was printed yet."""
        log = self._box.jobs.get(self._job.id, self._job).log
        if not log:
            return Search((), ("Slurm, which doesn't say where the output of this job goes",))
        exists = await off_loop(Path(log).exists)
        return Search((LogPlace(log, False),) if exists else (), (log,))

    async def log_part(self, place: LogPlace, offset: int, most: int) -> Piece:
        """A piece of it. Raises TowerError."""
        root, path = Path("/"), place.path.lstrip("/")
        return await off_loop(lambda: disk.part(root, path, offset, most))
