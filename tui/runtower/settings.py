"""Every setting, declared once. Files, environment, flags and docs/settings.md derive from these classes.

Only dataclasses live here, so that nothing heavy is imported before the first paint; reading is in settings_files.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class SourceSettings:
    """One named source."""

    kind: str = field(default="", metadata={"doc": "mlflow, csvlogger or dvc; '' tells it from the uri"})
    uri: str = field(default="", metadata={"doc": "a folder, a file, sqlite:///file or any URI that MLflow takes"})
    read_only: bool = field(default=False, metadata={"doc": "never write to this source"})
    options: dict[str, str] = field(
        default_factory=dict,
        metadata={"doc": "what only this kind of source knows; of an MLflow server see servers.md"},
    )


@dataclass
class MetricSettings:
    """What is known of one metric."""

    goal: str = field(default="", metadata={"doc": "min or max; '' goes by the name (loss: min, acc: max)"})
    digits: int = field(default=0, metadata={"doc": "decimals shown; 0 chooses by the values"})


@dataclass
class ViewSettings:
    """What is shown of the runs, under a name. Columns are written with their family: `metrics.val_loss`."""

    sources: list[str] = field(default_factory=list, metadata={"doc": "names of sources; none: all of them"})
    experiments: list[str] = field(default_factory=list, metadata={"doc": "names of experiments; none: all of them"})
    where: str = field(default="", metadata={"doc": "a query, see docs/query.md"})
    filter: str = field(default="", metadata={"doc": "words, as after `/`"})
    sort: list[str] = field(default_factory=list, metadata={"doc": "columns, each with :desc where it descends"})
    group: str = field(default="", metadata={"doc": "the column by which the screen groups them; '' for no groups"})
    columns: list[str] = field(default_factory=list, metadata={"doc": "columns; none: those that are chosen for it"})
    differing: bool = field(
        default=False, metadata={"doc": "whether the screen shows only the columns in which the runs differ"}
    )
    metric: str = field(default="", metadata={"doc": "the metric of the column curve"})


@dataclass
class DiffSettings:
    """What counts when two configs are compared."""

    ignore: list[str] = field(
        default_factory=lambda: [
            *("seed", "*.seed", "*_seed"),
            *("paths", "output_dir", "*.output_dir", "log_dir", "*.log_dir", "work_dir", "*.work_dir", "*timestamp*"),
            *("hydra.run.dir", "hydra.sweep.dir", "hydra.runtime"),
        ],
        metadata={"doc": "dotted paths, with `*`, whose differences are only counted; all below a path too"},
    )


@dataclass
class AlertSettings:
    """A rule: of which runs a user is told, of what, and how."""

    where: str = field(default="", metadata={"doc": "a query, see docs/query.md; '' for all runs"})
    mine: bool = field(default=False, metadata={"doc": "only runs of the user who looks"})
    tell: list[str] = field(  # not `on`, which YAML reads as true
        default_factory=lambda: ["finished", "failed", "nan", "silent"],
        metadata={"doc": "of started, finished, failed, killed, nan, silent; none switches the rule off"},
    )
    metrics: list[str] = field(
        default_factory=list, metadata={"doc": "metrics whose NaN counts, besides the main ones"}
    )
    bell: bool = field(default=True, metadata={"doc": "whether the terminal's bell rings"})
    hook: list[str] = field(
        default_factory=list, metadata={"doc": "a program and its arguments, run with the run as JSON on its stdin"}
    )
    timeout: float = field(default=30.0, metadata={"doc": "seconds after which the hook is ended"})


@dataclass
class PromoteSettings:
    """How models are promoted."""

    protected: list[str] = field(
        default_factory=list,
        metadata={"doc": "targets that ask for a typed name, besides champion, production, prod, live; all files add"},
    )
    on_promote: list[str] = field(
        default_factory=list,
        metadata={"doc": "a program and its arguments, run after a promotion with it as JSON on its stdin"},
    )
    timeout: float = field(default=30.0, metadata={"doc": "seconds after which on_promote is ended"})


@dataclass
class JobSettings:
    """How jobs are started on this machine."""

    at_once: int = field(
        default=0, metadata={"doc": "how many run at a time; 0: as many as there are places on GPUs, one without any"}
    )
    per_gpu: int = field(default=1, metadata={"doc": "how many may share a GPU"})
    gpu_free: float = field(
        default=0.5, metadata={"doc": "the share of a GPU's memory that has to be free, divided by per_gpu"}
    )
    gpu_use: float = field(
        default=50.0, metadata={"doc": "percent of use above which a GPU that none of ours is on counts as taken"}
    )


@dataclass
class Settings:
    """All settings with their defaults."""

    sources: dict[str, SourceSettings] = field(
        default_factory=dict, metadata={"doc": "what to open, by name; nothing here: the folder is searched"}
    )
    metrics: dict[str, MetricSettings] = field(default_factory=dict, metadata={"doc": "goal and digits by metric"})
    views: dict[str, ViewSettings] = field(
        default_factory=dict, metadata={"doc": "what `--view NAME` and `:views` show, by name"}
    )
    diff: DiffSettings = field(default_factory=DiffSettings, metadata={"doc": "what counts in a diff of configs"})
    alerts: dict[str, AlertSettings] = field(
        default_factory=lambda: {"mine": AlertSettings(mine=True)},
        metadata={
            "doc": "of what one is told, by name of the rule, see docs/alerts.md; there is a rule `mine` already"
        },
    )
    gates: dict[str, Any] = field(
        default_factory=dict,
        metadata={"doc": "rules for promotions, by model and target, `*` for all, see docs/promotion.md"},
    )
    promote: PromoteSettings = field(
        default_factory=PromoteSettings, metadata={"doc": "how models are promoted, see docs/promotion.md"}
    )
    jobs: JobSettings = field(
        default_factory=JobSettings, metadata={"doc": "how jobs are started on this machine, see docs/jobs.md"}
    )
    notify: bool = field(
        default=True, metadata={"doc": "whether alerts are sent to the terminal too: OSC 9 and its title"}
    )
    read_only: bool = field(default=False, metadata={"doc": "never write to any source; so does the flag --read-only"})
    interval: float = field(default=2.0, metadata={"doc": "seconds between polls of a local source"})
    theme: str = field(default="auto", metadata={"doc": "auto, dark, light or contrast"})
    glyphs: str = field(default="auto", metadata={"doc": "auto, unicode or ascii"})
    mouse: bool = field(default=True, metadata={"doc": "whether the mouse is used"})
    cache: bool = field(default=True, metadata={"doc": "whether the last known table is kept on disk"})
    redact: list[str] = field(
        default_factory=lambda: ["*password*", "*secret*", "*token*", "*api_key*", "*apikey*"],
        metadata={"doc": "params of these names are neither shown nor kept"},
    )
    keys: dict[str, str] = field(default_factory=dict, metadata={"doc": "own keys by action id, see docs/keys.md"})
