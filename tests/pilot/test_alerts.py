"""Runs end, fail, go NaN and fall silent in a real store while somebody looks, or doesn't."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from support.labstore import HOUR, add_run, changing, id_of, put_metric
from support.towerapp import Open, Tower, settings_for, tower

from runtower.acts.alarms import Told
from runtower.settings import AlertSettings

RUNNING = "lr=0.001"


def ends(store: Path, name: str, status: str = "FINISHED") -> None:
    """What `MlflowClient.set_terminated` writes."""
    with changing(store) as connection:
        connection.execute(
            "UPDATE runs SET status = ?, end_time = ? WHERE name = ?", (status, int(time.time() * 1000), name)
        )


def goes_nan(store: Path, name: str, key: str = "val_loss", step: int = 30) -> None:
    """As MLflow writes a NaN."""
    run_id, at = id_of(store, name), int(time.time() * 1000)
    with changing(store) as connection:
        put_metric(connection, run_id, key, 0.0, step, at)
        for table in ("metrics", "latest_metrics"):
            connection.execute(f"UPDATE {table} SET is_nan = 1 WHERE run_uuid = ? AND step = ?", (run_id, step))


def listen(t: Tower) -> list[Told]:
    """All that is told from now on."""
    told: list[Told] = []
    assert t.app.desk is not None
    t.app.desk.alarms.on_told.append(told.append)
    return told


async def looks(t: Tower) -> None:
    """Look now for what nobody tells, as happens every 20 seconds."""
    assert t.app.desk is not None
    await t.app.desk.alarms.look()


async def test_one_that_fails_is_told_and_found_in_the_list(open_lab: Open, store: Path) -> None:
    async with open_lab((120, 36)) as t:
        await t.settles()
        told = listen(t)
        await t.press("colon", *"happened", "enter")
        await t.sees("nothing so far")
        ends(store, RUNNING, "FAILED")
        await t.sees(f"{RUNNING} failed after 1h")
        await t.press("escape")
        await t.press("colon", *"happened", "enter")
        await t.sees("what happened", f"{RUNNING} failed after 1h")
        await t.press("enter")
        await t.until(lambda: RUNNING in t.cursor_line)
        assert [(one.text, one.bell, one.is_bad) for one in told] == [(f"{RUNNING} failed after 1h00", True, True)]


async def test_nothing_is_told_of_how_things_are_at_first(open_lab: Open, store: Path) -> None:
    goes_nan(store, RUNNING)
    async with open_lab((120, 36)) as t:
        told = listen(t)
        await t.settles()
        await looks(t)
        ends(store, RUNNING)  # what comes last comes alone
        await t.sees(f"{RUNNING} finished after 1h")
        assert [one.text for one in told] == [f"{RUNNING} finished after 1h00"]


async def test_what_comes_together_is_told_together_and_others_runs_are_not(open_lab: Open, store: Path) -> None:
    for number in range(5):
        add_run(store, f"seed-{number}")
    add_run(store, "theirs", user="bo")
    async with open_lab((120, 36)) as t:
        await t.settles()
        told = listen(t)
        with changing(store) as connection:
            now = int(time.time() * 1000)
            for status, names in (("FINISHED", "name LIKE 'seed-_'"), ("FAILED", f"name IN ('{RUNNING}', 'theirs')")):
                connection.execute(f"UPDATE runs SET status = ?, end_time = ? WHERE {names}", (status, now))
        await t.sees("5 runs finished, 1 failed")
        assert [one.text for one in told] == ["5 runs finished, 1 failed"]


async def test_a_main_metric_goes_nan_and_another_does_not_count(open_lab: Open, store: Path) -> None:
    async with open_lab((120, 36)) as t:
        await t.settles()
        await looks(t)
        told = listen(t)
        assert t.app.desk is not None
        keys = t.app.desk.tower.catalogue.keys
        goes_nan(store, RUNNING, "debug/ratio")
        await t.until(lambda: "debug/ratio" in {key.key for key in keys()})
        goes_nan(store, RUNNING)
        await t.sees(f"{RUNNING} val_loss is NaN")
        goes_nan(store, RUNNING, step=31)
        ends(store, RUNNING, "FAILED")
        await t.sees(f"{RUNNING} failed")
        assert [one.text for one in told] == [f"{RUNNING} val_loss is NaN", f"{RUNNING} failed after 1h00"]


async def test_a_silent_one_is_told_once_beside_its_usual_interval(open_lab: Open, store: Path) -> None:
    run_id = id_of(store, RUNNING)
    at = int(time.time() * 1000) - 3 * HOUR
    with changing(store) as connection:
        connection.execute("DELETE FROM metrics WHERE run_uuid = ?", (run_id,))
        connection.execute("DELETE FROM latest_metrics WHERE run_uuid = ?", (run_id,))
        connection.execute("UPDATE runs SET start_time = ? WHERE run_uuid = ?", (at - 1000, run_id))
        for step in range(11):
            put_metric(connection, run_id, "val_loss", 0.5, step, at - 1000 + step * 100)
    async with open_lab((120, 36)) as t:
        await t.settles()
        told = listen(t)
        assert t.app.desk is not None
        # It has to be quiet under our eyes for two of its intervals too, here 0.2 s.
        while not told:
            await looks(t)
            await t.pilot.pause(0.05)
        await t.sees(f"{RUNNING} is silent 3h, usually every 0.1s")
        await looks(t)
        await looks(t)
        ends(store, RUNNING, "KILLED")
        with changing(store) as connection:
            connection.execute("UPDATE runs SET status = 'FAILED' WHERE name = 'pure-gnat'")
        await t.sees("✗ fail")
        assert [one.text for one in told] == [f"{RUNNING} is silent 3h, usually every 0.1s"]


async def test_what_happened_while_it_was_closed_is_told_at_the_next_start(open_lab: Open, store: Path) -> None:
    for number in range(3):
        add_run(store, f"seed-{number}")
    async with open_lab((120, 36)) as t:
        await t.settles()
        ends(store, "seed-2")
        await t.sees("seed-2 finished")
        await t.press("q")
    ends(store, RUNNING, "FAILED")
    ends(store, "seed-0")
    ends(store, "seed-1")
    add_run(store, "new")
    async with open_lab((120, 36)) as t:
        await t.sees("while you were away: 2 runs finished, 1 failed")
        await t.press("colon", *"happened", "enter")
        await t.sees("while you were away", "seed-0 finished")
        assert t.app.desk is not None
        happened = t.app.desk.alarms.happened
        assert sorted((one.name, one.what) for one in happened) == [
            (RUNNING, "failed"),
            ("seed-0", "finished"),
            ("seed-1", "finished"),
        ]
        await t.press("escape", "q")
    async with open_lab((120, 36)) as t:
        await t.settles()
        told = listen(t)
        ends(store, "new")
        await t.sees("new finished")
        assert [one.name for tale in told for one in tale.happenings] == ["new"], "what was told is not told again"


async def test_a_process_that_is_replaced_tells_nothing_twice(open_lab: Open, store: Path) -> None:
    add_run(store, "other")
    async with open_lab((120, 36)) as t:
        await t.settles()
        told = listen(t)
        ends(store, RUNNING)
        await t.sees(f"{RUNNING} finished")
        desk = t.app.desk
        assert desk is not None
        link = desk.tower.links[0]
        first = link.pid
        os.kill(first or 0, signal.SIGKILL)
        await t.until(lambda: link.pid not in (None, first) and link.health.error is None)
        ends(store, "other", "FAILED")
        await t.sees("other failed")
        assert [one.text.split(" after")[0] for one in told] == [f"{RUNNING} finished", "other failed"]


async def test_a_run_that_no_rule_names_is_watched_by_hand_and_in_the_next_sitting_too(
    open_lab: Open, store: Path
) -> None:
    add_run(store, "theirs", user="bo")
    async with open_lab((120, 36)) as t:
        await t.settles()
        await t.goes_to("theirs")
        await t.press("exclamation_mark")
        await t.sees("you will be told when theirs ends", ", watched")
        await t.goes_to("wide-elk")
        await t.press("exclamation_mark")
        await t.sees("it has ended")
        await t.press("q")
    async with open_lab((120, 36)) as t:
        await t.settles()
        told = listen(t)
        ends(store, "theirs", "KILLED")
        await t.sees("theirs was killed")
        assert told[0].bell


HOOK = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())"


async def test_a_hook_gets_the_run_as_json(open_lab: Open, store: Path, tmp_path: Path) -> None:
    out = tmp_path / "heard $HOME; rm.json"
    rule = AlertSettings(where="params.model = 'vit'", hook=[sys.executable, "-c", HOOK, str(out)], bell=False)
    async with open_lab((120, 36), alerts={"vit": rule}) as t:
        await t.settles()
        told = listen(t)
        ends(store, RUNNING, "FAILED")
        await t.sees(f"{RUNNING} failed")
        await t.until(lambda: out.exists() and out.read_bytes())
        record = json.loads(out.read_bytes())
        assert (record["name"], record["status"], record["params"]["lr"]) == (RUNNING, "FAILED", "0.001")
        assert record["happening"]["what"] == "failed"
        assert record["happening"]["text"].startswith(f"{RUNNING} failed")
        assert [one.bell for one in told] == [False]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["/nowhere/notify"], "could not be started: No such file"),
        ([sys.executable, "-c", "import sys; sys.exit('no network')"], "ended with code 1"),
        ([sys.executable, "-c", "import time; time.sleep(60)"], "took longer than 0.5 s"),
    ],
)
async def test_a_hook_that_fails_is_told_calmly(
    open_lab: Open, store: Path, home: Path, argv: list[str], said: str
) -> None:
    async with open_lab((160, 36), alerts={"all": AlertSettings(hook=argv, timeout=0.5)}) as t:
        await t.settles()
        ends(store, RUNNING)
        await t.sees(said.split(":")[0])
        log = (home / ".local/state/runtower/logs/hooks.log").read_text()
        assert said in log
        assert ("no network" in log) == (said == "ended with code 1")


async def test_a_project_hook_waits_for_trust(store: Path, tmp_path: Path, user: str) -> None:
    project, out = tmp_path / "cloned", tmp_path / "ran"
    (project / ".git").mkdir(parents=True)
    script = project / "tell.py"
    script.write_text(f"open({str(out)!r}, 'a').write('x')\n")
    (project / "runtower.yaml").write_text("alerts: {mine: {hook: [python, tell.py]}}\n")
    hook = AlertSettings(mine=True, hook=[sys.executable, "tell.py"])
    settings = settings_for(store, alerts={"mine": hook})
    origins = {"alerts.mine.hook": str(project / "runtower.yaml")}
    add_run(store, "other")
    async with tower(settings, project, (160, 36), origins=origins) as t:
        await t.settles()
        ends(store, "other")
        await t.sees("other finished", "trusted")
        assert not out.exists()
    from runtower.acts import hook_trust, trust
    from runtower.folders import Folders
    from runtower.settings_quick import Given

    folders, known = Folders.of(), Given(settings, origins)
    trust.trust(hook_trust.questionable(known, project), folders)
    add_run(store, "more")
    async with tower(settings, project, (160, 36), origins=origins) as t:
        await t.settles()
        ends(store, RUNNING)
        await t.sees(f"{RUNNING} finished")
        await t.until(out.exists)
        script.write_text("raise SystemExit('another one')\n")
        ends(store, "more")
        await t.sees("more finished", "trusted")
    assert out.read_text() == "x"
