"""What is known of a machine: its GPUs and who uses them, its processors, memory and disks, its processes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process on a GPU. `memory` in bytes, None where the driver doesn't tell."""

    pid: int
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU. Memory in bytes, `use` and `memory_use` in percent, `temperature` in degrees Celsius, `power` and
    `power_limit` in watts; None where the driver doesn't tell. `error`: why the rest isn't known, as a sentence."""

    index: int
    uuid: str
    name: str
    memory_used: int | None = None
    memory_total: int | None = None
    use: float | None = None
    temperature: float | None = None
    power: float | None = None
    power_limit: float | None = None
    processes: tuple[GpuProcess, ...] = ()
    error: str = ""

    @property
    def is_busy(self) -> bool:
        """Whether something runs on it, or it works."""
        return bool(self.processes) or (self.use or 0.0) >= 5.0


@dataclass(frozen=True, slots=True)
class Gpus:
    """The GPUs of a machine at one time (UTC epoch ms). `said`: why there are none, as one calm sentence, '' where
    there are some. `driver`: its version."""

    at_ms: float
    gpus: tuple[Gpu, ...] = ()
    driver: str = ""
    said: str = ""

    @property
    def busy(self) -> int:
        """How many are in use."""
        return sum(gpu.is_busy for gpu in self.gpus)


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted file system by one of the paths that matter, in bytes."""

    path: str
    free: int
    total: int

    @property
    def is_full_soon(self) -> bool:
        """Less than a twentieth is free, and less than 20 GB."""
        return self.free < self.total / 20 and self.free < 20 * 10**9


@dataclass(frozen=True, slots=True)
class Host:
    """A machine at one time (UTC epoch ms). `cpu` in percent of all `cores`, memory in bytes, `load` of one minute."""

    at_ms: float
    name: str
    cpu: float
    cores: int
    load: float
    memory_used: int
    memory_total: int
    disks: tuple[Disk, ...] = ()


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this machine. (`pid`, `start_ticks`) is the same one for ever within a boot: clock ticks from the
    boot to its start (proc_pid_stat(5)). `started_ms` UTC epoch ms, `parent` a pid, `group` its process group.

    `environ` holds only the variables that name a run, a job or an experiment, and `folder` the working folder, both of
    own processes only.
    """

    pid: int
    start_ticks: int
    user: str
    command: tuple[str, ...]
    started_ms: float
    parent: int = 0
    group: int = 0
    folder: str = ""
    is_ours: bool = False
    environ: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """A folder that a run left its output in. `kind`: hydra, submitit or wandb. `made_ms`: when, UTC epoch ms.

    `id` is what it names itself by: the id of a run of W&B's, of a job of submitit's, '' for one of Hydra's. `log` is
    the file in it with the console output, '' for none.
    """

    path: str
    kind: str
    made_ms: float
    id: str = ""
    log: str = ""
