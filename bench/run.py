"""Measures runtower against its targets and writes RESULTS.md.

    python bench/run.py                    everything; two hours, half of it rest_watch, and the stores
    python bench/run.py warm_start idle    these
    python bench/run.py --list             what there is

The stores (6 GB) are made once, in --stores. The machine should do nothing else meanwhile.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from charts import MEASURES as CHARTS
from configs import MEASURES as CONFIGS
from dvc_projects import MEASURES as DVC
from jobs import MEASURES as JOBS
from measures import MEASURES as ALONE
from measures import Bench
from models import MEASURES as MODELS
from results import keep, write
from servers import MEASURES as SERVERS
from terminal import Cores

MEASURES = ALONE | SERVERS | CHARTS | CONFIGS | MODELS | JOBS | DVC


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="say what can be measured")
    parser.add_argument("--stores", type=Path, default=Path.home() / ".cache" / "runtower-bench")
    parser.add_argument("--effort", type=float, default=1.0, help="repeat so many times as often")
    words = parser.parse_args()
    if words.list:
        print("\n".join(f"{name:20} {(measure.__doc__ or '').splitlines()[0]}" for name, measure in MEASURES.items()))
        return
    if unknown := set(words.names) - set(MEASURES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; --list says what there is")
    bench = Bench(words.stores.absolute(), words.effort)
    failed = 0
    for name in words.names or MEASURES:
        print(f"{name} ...", flush=True)
        clock = Cores()
        try:
            figures = MEASURES[name](bench)
        except TimeoutError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed += 1
            continue
        keep(name, figures, clock.others())
        write()
        for figure, samples in figures.items():
            print(f"  {figure}: {', '.join(f'{sample:.4g}' for sample in samples[:12])}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
