"""Prints the GPUs as they are now, as JSON: `python -P -m runtower.jobs.probe`, for the keeper of the queue."""

from __future__ import annotations

import sys

import msgspec

from runtower.jobs.gpus import GpuReader


def main() -> None:
    sys.stdout.write(msgspec.json.encode(GpuReader().lap().gpus).decode())


if __name__ == "__main__":
    main()
