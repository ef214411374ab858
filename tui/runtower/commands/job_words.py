"""The words of `launch`, `jobs`, `stop` and `gpus`."""

from __future__ import annotations

from typing import Any, Final

import click

from runtower.commands import job_listing, launching
from runtower.commands.opening import Asked
from runtower.commands.options import JSON, common
from runtower.domain.jobs import Where
from runtower.jobs.submit import Resources

_OBJECT: Final = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.command(context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--on", type=click.Choice([str(one) for one in Where]), default="local", help="Here, or by sbatch.")
@click.option("--gpus", type=click.IntRange(min=0), default=0, help="How many GPUs it wants; it waits for them.")
@click.option("--name", default="", help="What it is called; else the command itself.")
@click.option("--now", is_flag=True, help="At once, whatever the limit of the queue says.")
@click.option("--partition", default="", help="Of Slurm's.")
@click.option("--mem", "memory", default="", metavar="SIZE", help="Of Slurm's: memory, such as 16G.")
@click.option("--time", default="", metavar="LIMIT", help="Of Slurm's: minutes, or hours as 2:00:00.")
@click.option("--cpus", type=click.IntRange(min=0), default=0, help="Of Slurm's: processors.")
@_OBJECT
@click.option("--read-only", is_flag=True, help="Refuse to start anything.")
def launch(
    command: tuple[str, ...],
    on: str,
    gpus: int,
    name: str,
    now: bool,
    partition: str,
    memory: str,
    time: str,
    cpus: int,
    as_json: bool,
    read_only: bool,
) -> None:
    """Start COMMAND as a job: `runtower launch --gpus 1 -- python train.py lr=0.01`.

    It runs in this folder with this environment, outlives the terminal and the login, and its output is kept. On this
    machine it waits in a queue for its turn and its GPUs. Exits with 1 where it fails within a moment.
    """
    wish = launching.LaunchWish(on, name, gpus, now, Resources(partition, 0, memory, time, cpus), as_json)
    launching.launch(command, wish, read_only)


@click.command()
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="So many that are over.")
@JSON
def jobs(limit: int, as_json: bool) -> None:
    """List the jobs of this machine's queue and of Slurm: what waits and runs, then what is over, the newest first."""
    job_listing.list_jobs(limit, as_json)


@click.command()
@click.argument("job")
@click.option(
    "--signal", type=click.Choice(["INT", "TERM", "KILL"]), help="Only this one; else INT, TERM, KILL in turn."
)
@click.option("--grace", default=10.0, show_default=True, metavar="SECONDS", help="How long each is given to work.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@_OBJECT
@common
def stop(job: str, signal: str | None, grace: float, yes: bool, as_json: bool, **asked: Any) -> None:
    """Stop a JOB, or take it back while it waits; then mark its MLflow run KILLED."""
    launching.stop(Asked(**asked), job, signal or "", grace, yes, as_json)


@click.command()
@_OBJECT
def gpus(as_json: bool) -> None:
    """Show this machine's GPUs, and who is on them."""
    job_listing.print_gpus(as_json)
