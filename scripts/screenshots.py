"""Pictures for README and docs, made from the demo project: screenshots/*.svg and *.png.

Needs a monospaced font with block elements and arrows for the PNGs (Debian's fonts-dejavu-core) and libcairo2.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cairosvg
from some_jobs import some_jobs
from some_stages import dvc_project
from textual.pilot import Pilot

from runtower.app import TowerApp
from runtower.folders import Folders
from runtower.settings import AlertSettings, Settings, SourceSettings
from runtower.settings_quick import given
from runtower.sources.port import Target
from runtower.starting import Start, Starter

PICTURES = Path(__file__).parent.parent / "screenshots"
FONT = "DejaVu Sans Mono"
CELL = (12.2, 24.4)  # as Rich draws it
BRAILLE = re.compile(
    r'<text (?:style="[^"]*" )?class="([^"]*)" x="([^"]*)" y="([^"]*)"[^>]*>([^<]*[\u2801-\u28ff][^<]*)</text>'
)
# By bit of a braille character its dot, from the left and from the top of its cell.
DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))


@dataclass
class Scene:
    """A picture: its name, the terminal's size, the keys that lead there (`wait`: for a change; `ends`: of runs), what
    is opened, whether toasts are shown, and whether there are jobs."""

    name: str
    size: tuple[int, int] = (120, 36)
    keys: tuple[str, ...] = ()
    settings: Callable[[Settings], None] = lambda settings: None
    opens: str = "demo"
    toasts: bool = False
    jobs: bool = False


def theme(name: str) -> Callable[[Settings], None]:
    return lambda settings: setattr(settings, "theme", name)


def ascii_glyphs(settings: Settings) -> None:
    settings.glyphs = "ascii"


def all_alerts(settings: Settings) -> None:
    settings.alerts = {"all": AlertSettings()}


MODELS = ("2", "wait:detector")
MODEL = (*MODELS, "slash", *"detector", "enter", "enter", "wait:5 versions")
SIGNATURE = ("comma", "comma", "wait:[signature]")
PROMOTION = (*MODEL, "slash", *"v5", "enter", "P", "wait:v3 has it", "enter", "wait:config ")
HISTORY = ("wait:@champion @challenger", "right_square_bracket")
LAUNCH = (*"python train.py lr=0.01", "tab", "right")
BASELINE = ("j", "j", "=", "j", "j")
SCENES = (
    Scene("runs-120x36", keys=("space", "j", "space", *BASELINE)),
    Scene("runs-80x24", (80, 24), BASELINE),
    Scene("runs-200x60", (200, 60), BASELINE),
    Scene("runs-50x12", (50, 12)),
    Scene("sorted", keys=("s",)),
    Scene("filter", keys=("slash", *"vit")),
    Scene("filter-nothing", (80, 24), ("slash", *"nothing")),
    Scene("keys", keys=("question_mark",)),
    Scene("experiments", keys=("E",)),
    Scene("columns", keys=("v",)),
    Scene("details", keys=("j", "j", "d")),
    Scene("curves", keys=("j", "j", "j", "space", "j", "space", "enter")),
    Scene("curve", (80, 24), ("j", "j", "j", "j", "enter", "drawn", "z", *["left"] * 12)),
    Scene("band", (80, 24), ("j", "j", "j", "j", "space", "j", "space", "j", "space", "enter", "drawn", "z", "b")),
    Scene("points", keys=("g", "s")),
    Scene(
        "artifacts", keys=("j", "j", "j", "j", "j", "enter", "drawn", "right_square_bracket", "wait-files", "l", "j")
    ),
    Scene("compare", keys=("j", "j", "j", "equals_sign", "j", "c", "x")),
    Scene(
        "compare-metrics",
        (80, 24),
        ("j", "j", "j", "space", "space", "space", "c", "right_square_bracket", "wait-compared"),
    ),
    Scene("models", keys=MODELS),
    Scene("model", keys=MODEL),
    Scene("version", keys=(*MODEL, "slash", *"v5", "enter", "enter", "wait:came from")),
    Scene("compare-versions", keys=(*MODEL, "slash", *"v1", "enter", "c", "wait:metrics differ", *SIGNATURE)),
    Scene("promotion", (80, 24), PROMOTION),
    Scene("promotion-question", (100, 30), (*PROMOTION, "P", "wait:type detector")),
    Scene("history", keys=(*PROMOTION, "P", "wait:type detector", *"detector", "enter", "y", *HISTORY)),
    Scene("rollback", keys=("2", "wait:@champion v5", "enter", "wait:5 versions", "B", "wait:config ")),
    Scene("log", (80, 24), ("slash", *"fail", "enter", "G", "enter")),
    Scene("edit", keys=("j", "e")),
    Scene("delete", keys=("j", "space", "space", "X")),
    Scene("command-log", keys=("j", "e", *"name", "enter", *"keeper", "enter", "1", "enter", "y", "wait", "at")),
    Scene("light", settings=theme("light"), keys=BASELINE),
    Scene("contrast", settings=theme("contrast"), keys=BASELINE),
    Scene("ascii", (80, 24), BASELINE, ascii_glyphs),
    Scene("first-screen", (80, 24), opens="nothing"),
    Scene("no-runs", (80, 24), opens="no runs"),
    Scene("sources", (110, 24), ("t", "asterisk", "G"), opens="sources"),
    Scene("never-answered", (80, 24), opens="missing"),
    Scene("pipeline", (100, 28), ("3", "wait:upstream changed", "j"), opens="dvc"),
    Scene("pipeline-80x24", (80, 24), ("3", "wait:upstream changed", "j", "j"), opens="dvc"),
    Scene("dvc-runs", (110, 28), ("m", *"loss", "enter", "j", "j", "j", "j"), opens="dvc"),
    Scene("dvc-acts", (100, 28), ("j", "j", "j", "A"), opens="dvc"),
    Scene("jobs", keys=("5", "wait:2… 2▶", "wait:val_loss"), jobs=True),
    Scene("jobs-80x24", (80, 24), ("5", "wait:2… 2▶", "wait:val_loss"), jobs=True),
    Scene("gpus", keys=("6", "wait:vit lr", *["wait 3 s"] * 4, "j"), jobs=True),
    Scene("launch", (100, 30), ("5", "wait:2… 2▶", "ctrl+n", *LAUNCH), jobs=True),
    Scene("alerts", keys=("ends",), settings=all_alerts, toasts=True),  # the last: it changes the store
)


async def until(pilot: Pilot[None], ready: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a condition, letting the app work."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError("the screen did not get there")
        await pilot.pause(0.05)


def with_dots(found: re.Match[str]) -> str:
    """Braille as circles: few fonts have it, and fewer as wide as their letters."""
    tone, left, base, text = found.groups()
    circles = []
    for place, letter in enumerate(html.unescape(text)):
        for bit, (across, down) in enumerate(DOTS):
            if 0x2800 < ord(letter) < 0x2900 and (ord(letter) - 0x2800) >> bit & 1:
                x = float(left) + CELL[0] * (place + 0.25 + across / 2)
                y = float(base) - 18.5 + CELL[1] * (0.125 + down / 4)
                circles.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.5"/>')
    others = "".join("\u00a0" if 0x2800 <= ord(letter) < 0x2900 else letter for letter in html.unescape(text))
    words = html.escape(others)
    beside = f'<text class="{tone}" x="{left}" y="{base}">{words}</text>' if others.strip() else ""
    return f'<g class="{tone}">{"".join(circles)}</g>{beside}'


async def take(scene: Scene, project: Path) -> None:
    settings = Settings()
    settings.theme = "dark"
    settings.glyphs = "unicode"
    scene.settings(settings)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ.update({"HOME": home, "XDG_CACHE_HOME": home, "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home})
        folders = Folders.of()
        known = given(project, {}, folders).settings
        settings.metrics, settings.gates = known.metrics, known.gates
        starter = Starter(settings, folders, project)
        if scene.opens == "sources":
            starter = several(starter, project)
        start = starter.named(str(project)) if scene.opens == "demo" else opened(scene.opens, starter, project)
        start.experiment = "detector" if scene.opens == "demo" else ""
        app = TowerApp(start, starter)
        around = some_jobs(project) if scene.jobs else nullcontext()
        with around:
            svg = await drawn(app, scene, project)
        app.let_go()
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.S).replace("Fira Code", FONT)
    svg = BRAILLE.sub(with_dots, svg)
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{scene.name}.svg").write_text(svg)
    cairosvg.svg2png(svg.encode(), write_to=str(PICTURES / f"{scene.name}.png"), output_width=scene.size[0] * 12)


async def drawn(app: TowerApp, scene: Scene, project: Path) -> str:
    """The picture as SVG once its keys were pressed."""
    async with app.run_test(size=scene.size, notifications=scene.toasts) as pilot:
        if scene.opens == "demo":
            await until(pilot, lambda: app.desk is not None and app.desk.sources.listed)
            await until(pilot, lambda: "detector" in text_of(app))
        elif scene.opens == "missing":
            await until(pilot, lambda: "no MLflow store" in text_of(app))
        elif scene.opens == "sources":
            await until(pilot, lambda: app.desk is not None and len(app.desk.tower.identities) == 2)
            await until(pilot, lambda: app.desk is not None and len(app.desk.tower.troubles()) == 2)
        elif scene.opens == "dvc":
            await until(pilot, lambda: "lr-0.01" in text_of(app))
        elif scene.opens == "no runs":
            await until(pilot, lambda: "log_metric" in text_of(app))
        for key in scene.keys:
            if key.startswith("wait:"):
                await until(pilot, partial(stands, app, key.removeprefix("wait:")))
            elif key == "wait":
                await until(pilot, lambda: app.desk is not None and bool(app.desk.editor.said))
            elif key == "wait-files":
                await until(pilot, lambda: "train.log" in text_of(app))
            elif key == "wait-compared":
                await until(pilot, lambda: "metrics differ" in text_of(app) or "mean and std" in text_of(app))
            elif key == "ends":
                end_runs(project)
                await until(pilot, lambda: "(:happened)" in text_of(app))
            elif key == "wait 3 s":
                await pilot.pause(3)
            elif key == "drawn":
                await until(pilot, lambda: "└┬" in text_of(app))
            else:
                await pilot.press(key)
        await pilot.pause(1.5)
        return app.export_screenshot(title="runtower")


def opened(what: str, starter: Starter, project: Path) -> Start:
    """The starts of the empty states."""
    if what == "nothing":
        empty = project / "empty"
        empty.mkdir(exist_ok=True)
        (empty / ".git").mkdir(exist_ok=True)
        return Starter(starter.settings, starter.folders, empty).here()
    if what == "no runs":
        return starter.named(str(project / "bare.db"))
    if what == "sources":
        return starter.here()
    if what == "dvc":
        return starter.named(str(project / "dvc"))
    return starter.opening([Target("mlflow", "mlflow", f"sqlite:///{project}/gone.db")])


def several(starter: Starter, project: Path) -> Starter:
    """A store and logs that answer, a server that isn't there, and one that the project's file names."""
    starter.settings.sources = {
        "mlflow": SourceSettings("mlflow", f"sqlite:///{project}/mlflow.db"),
        "logs": SourceSettings("csvlogger", str(project / "lightning_logs")),
        "gpu-7": SourceSettings("mlflow", "http://127.0.0.1:9", read_only=True),
        "team": SourceSettings("mlflow", "https://mlflow.example.org/team"),
    }
    file = project / "runtower.yaml"
    file.touch()
    return Starter(starter.settings, starter.folders, project, {"sources.team.uri": str(file)})


def text_of(app: TowerApp) -> str:
    """What stands on the screen."""
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())


def stands(app: TowerApp, text: str) -> bool:
    """Whether a text is on the screen."""
    return text in text_of(app)


def end_runs(project: Path) -> None:
    """The running runs of the project end, the last one of them badly."""
    with closing(sqlite3.connect(project / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE runs SET status = 'FINISHED', end_time = ? WHERE status = 'RUNNING'", (now_ms(),))
        last = "SELECT run_uuid FROM runs ORDER BY end_time DESC LIMIT 1"
        connection.execute(f"UPDATE runs SET status = 'FAILED' WHERE run_uuid = ({last})")


def now_ms() -> int:
    return int(time.time() * 1000)


def bare_store(project: Path) -> None:
    """An MLflow store without a run."""
    code = f"from mlflow import MlflowClient; MlflowClient('sqlite:///{project}/bare.db').search_experiments()"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def main() -> None:
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="cv-detector-") as folder:
        project = Path(folder) / "cv-detector"
        now = str(now_ms())
        subprocess.run([sys.executable, "-P", "-m", "runtower.demo.make", str(project), "--frozen", now], check=True)
        bare_store(project)
        if not wanted or any(scene.opens == "dvc" for scene in SCENES if scene.name in wanted):
            dvc_project(project / "dvc")
        for scene in SCENES:
            if not wanted or scene.name in wanted:
                asyncio.run(take(scene, project))
                print(scene.name, flush=True)


if __name__ == "__main__":
    main()
