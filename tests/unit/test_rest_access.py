"""What is sent to a server beside the question: credentials, headers, certificates, and where they come from."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path

import pytest

from runtower.domain.errors import Invalid
from runtower.sources.mlflow.address import address_of
from runtower.sources.mlflow.rest_access import Access, access_of

URL = "https://mlflow.example.org/tracking/"
USER = {"MLFLOW_TRACKING_USERNAME": "ana", "MLFLOW_TRACKING_PASSWORD": "p:w"}


def access(uri: str = URL, environ: Mapping[str, str] = {}, **options: str) -> Access:
    return access_of(address_of(uri), {name.replace("__", "."): text for name, text in options.items()}, environ)


def authorization(made: Access) -> str:
    kind, _, value = made.headers.get("Authorization", " ").partition(" ")
    return f"Basic {b64decode(value).decode()}" if kind == "Basic" else f"{kind} {value}"


def test_an_address_keeps_its_path_and_loses_its_credentials() -> None:
    made = access("https://ana:s3cret@MLflow.example.org:8443/team/mlflow/")
    assert made.base == "https://MLflow.example.org:8443/team/mlflow"
    assert made.shown == "https://mlflow.example.org:8443/team/mlflow"
    assert authorization(made) == "Basic ana:s3cret"
    assert "s3cret" not in repr(made)


def test_credentials_in_an_address_are_unquoted() -> None:
    assert authorization(access("http://a%40b:p%2Fw@h")) == "Basic a@b:p/w"


def test_options_win_over_the_address_and_that_over_the_environment() -> None:
    environ = USER | {"MLFLOW_TRACKING_TOKEN": "envtoken"}
    assert authorization(access(environ={"MLFLOW_TRACKING_TOKEN": "envtoken"})) == "Bearer envtoken"
    assert authorization(access(environ=environ)) == "Basic ana:p:w"
    assert authorization(access("http://bo:x@h", environ)) == "Basic bo:x"
    assert authorization(access("http://bo:x@h", environ, token="own")) == "Bearer own"
    assert authorization(access("http://bo:x@h", environ, username="chen", password="y")) == "Basic chen:y"
    assert "Authorization" not in access().headers


def test_mlflows_own_file_fills_what_the_environment_leaves_open(home: Path) -> None:
    file = home / ".mlflow" / "credentials"
    file.parent.mkdir()
    file.write_text("[mlflow]\nmlflow_tracking_username = dee\nmlflow_tracking_password = 100%\n")
    environ = {"HOME": str(home)}
    assert authorization(access(environ=environ)) == "Basic dee:100%"
    assert authorization(access(environ=environ | {"MLFLOW_TRACKING_USERNAME": "eun"})) == "Basic eun:100%"
    file.write_text("no section\npassword = hush\n")
    with pytest.raises(Invalid) as caught:
        access(environ=environ)
    assert "hush" not in str(caught.value)


def test_workspace_and_headers_go_with_every_question() -> None:
    made = access(environ={"MLFLOW_WORKSPACE": "vision "}, **{"headers__X-Team": "blue"})
    assert (made.headers["X-MLFLOW-WORKSPACE"], made.headers["X-Team"], made.workspace) == ("vision", "blue", "vision")
    assert access(environ={"MLFLOW_WORKSPACE": "vision"}, workspace="nlp").headers["X-MLFLOW-WORKSPACE"] == "nlp"
    plain = access()
    assert "X-MLFLOW-WORKSPACE" not in plain.headers
    assert plain.workspace == "default"


def test_a_header_of_the_user_wins_over_ours() -> None:
    made = access(environ=USER, headers__Authorization="Custom 1")
    assert made.headers["Authorization"] == "Custom 1"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"tokn": "x"}, "Did you mean token"),
        ({"zzz": "x"}, "headers.NAME"),
        ({"timeout": "soon"}, "Give seconds"),
        ({"interval": "-1"}, "Give seconds"),
        ({"insecure_tls": "maybe"}, "true or false"),
        ({"server_cert": "/no/such.pem"}, "Check the path"),
        ({"headers__X Team": "x"}, "Letters"),
        ({"headers__X-Team": "a\nb"}, "line's end"),
        ({"token": "a\nb"}, "line's end"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(options: dict[str, str], says: str) -> None:
    with pytest.raises(Invalid) as caught:
        access(**options)
    assert says in caught.value.remedy


def test_times_and_certificates(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    made = access(environ={"MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}, interval="30")
    assert (made.timeout, made.interval, made.insecure_tls) == (20.0, 30.0, False)
    assert access(environ={"REQUESTS_CA_BUNDLE": str(bundle)}).server_cert == str(bundle)
    insecure = {"REQUESTS_CA_BUNDLE": str(bundle), "MLFLOW_TRACKING_INSECURE_TLS": "true"}
    assert (access(environ=insecure).insecure_tls, access(environ=insecure).server_cert) == (True, "")
    assert access(environ=insecure, server_cert=str(bundle)).server_cert == str(bundle)
