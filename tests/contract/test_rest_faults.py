"""Servers that go wrong in every way we know of: each is told in words, in time, and gets over it by itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from support.certificates import write_certificate
from support.fault_server import FaultServer, a_run, faulty
from support.mirror import Mirror, drained
from support.mlflow_server import free_port

from runtower.domain import errors
from runtower.sources.mlflow import SOURCE
from runtower.sources.port import Known, Target


def opened(url: str, **options: str):
    return SOURCE.open(Target("t", "mlflow", url, options=options), Known())


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with faulty([a_run(number) for number in range(8)]) as made:
        yield made


FAULTS = [
    ("internal", errors.Unreachable, "the database is on fire", "log says why"),
    ("bad_gateway", errors.Unreachable, "status 502", "server behind it"),
    ("old_schema", errors.TooOld, "another schema", "mlflow db upgrade"),
    ("unauthorised", errors.Unauthorised, "other credentials", "MLFLOW_TRACKING_TOKEN"),
    ("wrong_host", errors.Forbidden, "refuses the name '127.0.0.1:", "--allowed-hosts 127.0.0.1:"),
    ("forbidden", errors.Forbidden, "not yours", "permission"),
    ("page", errors.Invalid, "web page ('Sign in here')", "headers.NAME"),
    ("half", errors.Unreachable, "broke off in its middle", "proxy"),
    ("other_form", errors.Invalid, "another form", "Check the address"),
    ("to_login", errors.Unauthorised, "login.example.org", "token"),
    ("moved", errors.Invalid, "/new/api", "new address"),
    ("too_many", errors.Busy, "patience", "in 40 s"),
    ("maintenance", errors.Busy, "status 503", "in 3600 s"),
    ("hangs_up", errors.Unreachable, "without an answer", "http or https"),
    ("silent", errors.Unreachable, "no answer within 0.3 s", "timeout"),
    ("trickles", errors.Unreachable, "didn't end in time", ""),
]


@pytest.mark.parametrize(("fault", "kind", "cause", "remedy"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_fault_at_the_start_and_one_in_the_middle(server, fault, kind, cause, remedy):
    quick = {"timeout": "0.3"} if fault in ("silent", "trickles") else {}
    source = opened(server.url, **quick)
    mirror = drained(source)
    assert len(mirror.runs) == 8
    server.fault = fault

    def look() -> None:
        # Before it is told that answers are cut, less is asked for.
        for _ in range(10):
            mirror.poll(source)

    for ask in (lambda: opened(server.url, **quick), look):
        began = time.monotonic()
        with pytest.raises(kind) as caught:
            ask()
        assert time.monotonic() - began < 5
        assert cause in caught.value.tried
        assert remedy in caught.value.remedy
        assert len(mirror.runs) == 8, "rows stay"
    if kind is errors.Busy:
        return
    server.fault = ""
    server.released.set()
    server.runs.append(a_run(20, status="RUNNING"))
    mirror.poll_until(source, lambda: "run00020" in mirror.runs)


def test_nothing_listens():
    with pytest.raises(errors.Unreachable, match="nothing listens"):
        opened(f"http://127.0.0.1:{free_port()}")


def test_a_name_that_nobody_knows():
    with pytest.raises(errors.Unreachable, match=r"isn't known by that name|can't be reached"):
        opened("http://no-such-host.invalid")


def test_a_server_that_takes_connections_and_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        began = time.monotonic()
        with pytest.raises(errors.Unreachable, match=r"no answer within 0\.4 s"):
            opened(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout="0.4")
        assert time.monotonic() - began < 3


def test_slow_answers_are_waited_for_and_then_asked_for_less_often(server):
    source = opened(server.url)
    mirror = drained(source)
    server.took = 0.8
    mirror.poll(source)
    assert source.pace(0.1) >= 10 * 0.8
    assert opened(server.url, timeout="5").identity().how == "REST, MLflow 9.9.9"


def test_what_a_server_says_about_when_is_kept_by_every_question(server):
    source = opened(server.url)
    mirror = drained(source)
    server.fault = "too_many"
    with pytest.raises(errors.Busy) as caught:
        mirror.poll(source)
    assert caught.value.after == 40
    server.fault = ""
    asked = len(server.questions)
    for ask in (lambda: mirror.poll(source), lambda: source.history("run00001", "loss")):
        with pytest.raises(errors.Busy) as caught:
            ask()
        assert 30 < (caught.value.after or 0) <= 40
    assert len(server.questions) == asked


def test_a_redirect_is_never_followed_with_credentials(server):
    with faulty([]) as elsewhere:
        server._to_login = lambda handler, _: handler.say(302, b"", more={"Location": elsewhere.url})  # type: ignore[method-assign]
        server.fault = "to_login"
        with pytest.raises((errors.Unauthorised, errors.Invalid)):
            opened(server.url, token="hush")
        assert elsewhere.questions == []


def test_a_proxy_that_cuts_long_answers_is_asked_for_less(server):
    server.runs += [a_run(number, note="x" * 900) for number in range(100, 400)]
    server.cut_at = 20_000
    source = opened(server.url)
    mirror = drained(source)
    assert len(mirror.runs) == 308
    assert mirror.is_complete
    assert min(search["max_results"] for search in server.searches) < 25


def test_a_run_larger_than_the_proxy_lets_through_is_told(server):
    server.runs.append(a_run(100, note="x" * 30_000))
    server.cut_at = 20_000
    with pytest.raises(errors.Unreachable, match="broke off in its middle"):
        drained(opened(server.url))


def test_a_server_upgraded_under_us(server):
    """Unknown fields are passed over, old page tokens refused, and the walk goes on where it was."""
    server.runs += [a_run(number, start=1_600_000_000_000) for number in range(1000, 2000)]
    source, mirror = opened(server.url), Mirror()
    while not any("page_token" in search for search in server.searches):
        mirror.poll(source)
    server.fault = "refuses_tokens"
    with pytest.raises(errors.Invalid, match="Invalid page token"):
        mirror.poll(source)
    server.fault = ""
    for run in server.runs:
        run["info"]["brand_new"] = {"deep": [1, 2]}
    for _ in range(20):
        mirror.poll(source)
    assert mirror.is_complete
    assert len(mirror.runs) == 1008


def test_another_store_under_the_old_address(server):
    source = opened(server.url)
    mirror = drained(source)
    server.experiments[0]["creation_time"] = 8
    server.runs[:] = [a_run(number) for number in range(50, 53)]
    mirror.poll_until(source, lambda: set(mirror.runs) == {"run00050", "run00051", "run00052"})


def test_tls_of_a_private_authority_and_of_another_name(tmp_path, monkeypatch):
    right = write_certificate(tmp_path / "right.pem", "127.0.0.1")
    with faulty([a_run(1)], certificate=right) as server:
        with pytest.raises(errors.Unreachable, match="can't prove who it is") as caught:
            opened(server.url)
        assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in caught.value.remedy
        assert len(drained(opened(server.url, server_cert=str(right))).runs) == 1
        monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(right))
        assert len(drained(opened(server.url)).runs) == 1
        monkeypatch.delenv("MLFLOW_TRACKING_SERVER_CERT_PATH")
        monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
        assert len(drained(opened(server.url)).runs) == 1
        monkeypatch.delenv("MLFLOW_TRACKING_INSECURE_TLS")
        with pytest.raises(errors.Unreachable):
            opened(server.url.replace("https", "http"))
    other = write_certificate(tmp_path / "other.pem", "mlflow.example.org")
    with faulty([], certificate=other) as server, pytest.raises(errors.Unreachable) as caught:
        opened(server.url, server_cert=str(other))
    assert "mismatch" in caught.value.tried
    assert "name that its certificate is for" in caught.value.remedy


def test_a_plain_server_asked_for_tls(server):
    with pytest.raises(errors.Unreachable, match="TLS"):
        opened(server.url.replace("http", "https"))


@pytest.mark.parametrize(
    ("fault", "cause", "fix"),
    [("wrong_host", "refuses the name", "--allowed-hosts"), ("page", "web page", "Check the address and its path")],
)
def test_doctor_names_cause_and_fix(server, fault, cause, fix):
    server.fault = fault
    environ = os.environ | {"MLFLOW_TRACKING_URI": server.url}
    done = subprocess.run(
        [sys.executable, "-m", "runtower.cli", "doctor"], capture_output=True, text=True, env=environ, check=False
    )
    assert done.returncode == 1
    assert cause in done.stdout
    assert fix in done.stdout
    assert "Traceback" not in done.stderr
