"""A Slurm of one node on 127.0.0.1 while tests run: Debian's packages slurm-wlm and munge, as root, without systemd,
cgroups or accounting (slurm.conf(5), munged(8))."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from support.jobs import until
from support.mlflow_server import free_port

_PROGRAMS: Final = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "sinfo")
_CONF: Final = """\
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={daemon}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0,sched_min_interval=0
MpiDefault=none
ReturnToService=2
KillWait=2
MinJobAge={remembers}
DefMemPerCPU=100
GresTypes=gpu
NodeName=localhost NodeAddr=127.0.0.1 NodeHostname={host} CPUs={cores} RealMemory=2000 Gres=gpu:2 State=UNKNOWN
PartitionName=debug Nodes=localhost Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes=localhost MaxTime=10 State=UP
"""


def missing() -> str:
    """Why none can be started here, '' where one can."""
    absent = [name for name in _PROGRAMS if shutil.which(name, path=_path()) is None]
    if absent:
        return f"Slurm isn't installed ({absent[0]}): as root, sh scripts/test-packages.sh"
    return "" if os.geteuid() == 0 else "only root can start a Slurm of the test's own"


@contextmanager
def running(folder: Path, remembers: int = 600) -> Iterator[dict[str, str]]:
    """The variables with which Slurm's programs find it. `remembers`: seconds for which it knows jobs that ended."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    text = _CONF.format(
        folder=folder,
        host=socket.gethostname(),
        controller=free_port(),
        daemon=free_port(),
        cores=os.cpu_count(),
        remembers=remembers,
    )
    (folder / "slurm.conf").write_text(text)
    devices = [folder / "gpu0", folder / "gpu1"]
    for device in devices:
        device.touch()
    (folder / "gres.conf").write_text("".join(f"Name=gpu File={device}\n" for device in devices))
    environ = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": _path()}
    known = os.environ | environ
    munged = [f"--{name}={folder / file}" for name, file in _MUNGE.items()]
    try:
        subprocess.run(["munged", "--force", "--num-threads=2", *munged], check=True, env=known, capture_output=True)
        until(lambda: (folder / "munge.socket").exists())
        subprocess.run(["slurmctld", "-f", environ["SLURM_CONF"]], check=True, env=known, capture_output=True)
        subprocess.run(["slurmd", "-f", environ["SLURM_CONF"]], check=True, env=known, capture_output=True)
        idle = ["sinfo", "-h", "-o", "%t"]
        until(lambda: "idle" in subprocess.run(idle, env=known, capture_output=True, text=True, check=False).stdout)
        yield environ
    finally:
        subprocess.run(["scancel", "--me"], env=known, capture_output=True, check=False)
        for name in ("slurmd", "slurmctld", "munged"):
            with suppress(OSError, ValueError):
                pid = int((folder / f"{name}.pid").read_text())
                os.kill(pid, signal.SIGKILL)  # asked to end, each takes seconds


_MUNGE: Final = {
    "key-file": "munge.key",
    "socket": "munge.socket",
    "pid-file": "munged.pid",
    "log-file": "munged.log",
    "seed-file": "munged.seed",
}


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
