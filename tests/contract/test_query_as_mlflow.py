"""Whatever filter MLflow's search accepts finds the same runs here, on a store that MLflow wrote."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException
from support.catalogues import catalogue_from

from runtower.catalog import view as views
from runtower.catalog.catalogue import Catalogue
from runtower.catalog.query.criteria import criteria_of
from runtower.catalog.query.understand import understand
from runtower.catalog.view import Query
from runtower.sources.mlflow import SOURCE
from runtower.sources.mlflow.rest_filter import filter_of
from runtower.sources.port import Known, Target

_START = 1_700_000_000_000
_METRICS = {
    "loss": (0.5, 0.25, -1.0, float("nan"), float("inf")),
    "a b": (1.0,),
    "val/acc": (0.5, 1e-3),
    "status": (2.0,),
}
_TEXTS = (
    "vit",
    "VIT-B",
    "0.001",
    "1e-3",
    "",
    "a_b%",
    "it's",
    'say "x"',
    "c:\\",
    "zwei\nzeilen",
    "100",
    "NaN",
    "ein wort",
)
_PARAMS = ("model", "optim.lr", "a b", "user")
_TAGS = ("team", "mlflow.note.content", "a/b")
_NAMES = ("calm-owl", "Calm-Owl", "wild_fox", "x%y")
_USERS = ("ana", "bo")


class Lab:
    """A store as MLflow sees it, and as a catalogue."""

    def __init__(self, path: Path) -> None:
        self.client = MlflowClient(f"sqlite:///{path}")
        self.experiments: list[str] = [self.client.create_experiment("one"), self.client.create_experiment("two")]
        self.run_ids = [self._run(number) for number in range(24)]
        source = SOURCE.open(Target("lab", "mlflow", f"sqlite:///{path}"), Known())
        self.catalogue: Catalogue = catalogue_from(source)

    def _run(self, number: int) -> str:
        """Values go round at different paces, and each is left out in some runs."""
        tags = {"mlflow.user": _USERS[number % 2]}
        name = _NAMES[number % len(_NAMES)]
        experiment, start = self.experiments[number % 2], _START + number * 60_000
        run_id: str = self.client.create_run(experiment, start_time=start, run_name=name, tags=tags).info.run_id
        metrics = [
            Metric(key, values[number % len(values)], _START, 0)
            for place, (key, values) in enumerate(_METRICS.items())
            if (number + place) % 3
        ]
        params = [Param(k, _TEXTS[(number * 5 + n) % len(_TEXTS)]) for n, k in enumerate(_PARAMS) if (number + n) % 4]
        labels = [RunTag(k, _TEXTS[(number * 7 + n) % len(_TEXTS)]) for n, k in enumerate(_TAGS) if (number + n) % 5]
        self.client.log_batch(run_id, metrics, params, labels)
        if number % 3:
            status = ("FINISHED", "FAILED", "KILLED")[number // 3 % 3]
            self.client.set_terminated(run_id, status, start + number * 1000)
        if number % 11 == 10:
            self.client.delete_run(run_id)
        return run_id

    def filled(self, template: str) -> str:
        """A filter with the runs' ids in the place of their numbers in braces."""
        for number, run_id in enumerate(self.run_ids):
            template = template.replace(f"{{{number}}}", run_id)
        return template

    def by_mlflow(self, text: str) -> list[str]:
        """Raises MlflowException for what MLflow refuses."""
        found = self.client.search_runs(self.experiments, text, ViewType.ACTIVE_ONLY, 1000)
        return sorted(run.info.run_id for run in found)

    def by_us(self, text: str) -> list[str]:
        chosen = frozenset((0, one) for one in self.experiments)
        query = Query(where=understand(text, self.catalogue.keys()), experiments=chosen, tree=False)
        rows = views.compute(views.frame_of(self.catalogue, query, None), query).rows
        return sorted(self.catalogue.run_key(int(row)).run_id for row in rows)


@pytest.fixture(scope="module")
def lab(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    path = tmp_path_factory.mktemp("query") / "mlflow.db"
    path.write_bytes(sqlite_template.read_bytes())
    return Lab(path)


# -- filters as MLflow takes them

_case = st.sampled_from([str.lower, str.upper, str.title])
_space = st.sampled_from([" ", "  ", "\n"])


def _cased(word: str) -> st.SearchStrategy[str]:
    return _case.map(lambda change: change(word))


def _key(keys: tuple[str, ...]) -> st.SearchStrategy[str]:
    """A key, bare where it may be, else in either quotation."""
    forms = [
        form for key in keys for form in (f"`{key}`", f'"{key}"', key) if form != key or key.replace(".", "").isalnum()
    ]
    return st.sampled_from([*forms, "absent"])


def _name(families: tuple[str, ...], keys: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.builds("{}.{}".format, st.sampled_from(families), _key(keys))


def _quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"


_number = st.sampled_from(["0.5", "0.25", "-1", "-1.0", "1e-3", "0", "2", "1.0", "100000", ".5", "1e300"])
_order = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
_text = st.sampled_from(_TEXTS).map(_quoted)
_pattern = st.text(st.sampled_from("vVitT%_-0.1eab\\ s'"), max_size=5).map(_quoted) | st.sampled_from(
    ["'%'", "''", "'vit%'", "'%-B'", "'___'", "'%wort%'", "'zwei%'"]
)
_metric = st.builds("{}{}{}{}{}".format, _name(("metrics", "metric"), tuple(_METRICS)), _space, _order, _space, _number)
_text_names = _name(("params", "param", "parameter", "parameters"), _PARAMS) | _name(("tags", "tag"), _TAGS)
_word = st.one_of(
    st.builds("{} {} {}".format, _text_names, st.sampled_from(["=", "!="]), _text),
    st.builds("{} {} {}".format, _text_names, _cased("like") | _cased("ilike"), _pattern),
    st.builds("{} {}".format, _text_names, _cased("is null") | _cased("is not null")),
)
_prefix = st.sampled_from(["", "attributes.", "attribute.", "attr.", "run."])
_time = st.builds(
    "{}{}{}{}".format,
    _prefix,
    st.sampled_from(["start_time", "end_time", "created"]),
    _order,
    st.integers(_START - 1, _START + 24 * 60_000).map(str) | st.integers(0, 25).map(lambda n: str(_START + n * 60_000)),
)
_attribute = st.one_of(
    st.builds(
        "{}status {} '{}'".format,
        _prefix,
        st.sampled_from(["=", "!="]),
        st.sampled_from(["RUNNING", "FAILED", "failed"]),
    ),
    st.builds("{}user_id {} '{}'".format, _prefix, st.sampled_from(["=", "!="]), st.sampled_from(_USERS)),
    st.builds(
        "{}run_name {} '{}'".format, _prefix, st.sampled_from(["=", "!=", "LIKE", "ilike"]), st.sampled_from(_NAMES)
    ),
    st.builds("{}artifact_uri LIKE '{}'".format, _prefix, st.sampled_from(["%artifacts", "nowhere%"])),
)


@st.composite
def _ids(draw: st.DrawFn) -> str:
    """`{n}` stands for the id of run n."""
    places = draw(st.lists(st.integers(0, 23), min_size=2, max_size=4))
    ids = ", ".join(f"'{{{place}}}'" for place in places)
    return f"{draw(_prefix)}run_id {draw(_cased('in') | _cased('not in'))} ({ids})"


_filters = st.lists(_metric | _word | _time | _attribute | _ids(), min_size=1, max_size=4).flatmap(
    lambda parts: _cased("and").map(lambda word: f" {word} ".join(parts))
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_filters)
def test_filters_that_mlflow_accepts_find_the_same_runs(lab: Lab, template: str) -> None:
    text = lab.filled(template)
    try:
        wanted = lab.by_mlflow(text)
    except MlflowException:
        return
    assert lab.by_us(text) == wanted


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_filters)
def test_what_a_server_is_asked_for_a_query_finds_no_fewer(lab: Lab, template: str) -> None:
    """A part of the query is what is sent: MLflow takes it, and what the whole query finds is among what that finds."""
    text = lab.filled(template)
    try:
        wanted = lab.by_mlflow(text)
    except MlflowException:
        return
    condition = understand(text, lab.catalogue.keys()).condition
    sent = filter_of(criteria_of(condition, 0.0))
    assert set(wanted) <= set(lab.by_mlflow(sent)), sent


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("metrics.loss < 1e-3", "metrics.`loss` < 0.001"),
        ("loss >= 0.25 and params.model = vit", "metrics.`loss` >= 0.25 AND params.`model` = 'vit'"),
        ("params.optim.lr > 0.5 and tags.team ilike 'V%'", "tags.`team` ILIKE 'V%'"),
        (
            "status = running and name like 'calm%'",
            "attributes.status = 'RUNNING' AND attributes.run_name LIKE 'calm%'",
        ),
        ("attributes.user = ana", "tags.`mlflow.user` = 'ana'"),
        ("started > 2h ago", f"attributes.start_time > {_START - 7_200_000}"),
        ("params.model is set and tags.team is missing", "params.`model` IS NOT NULL AND tags.`team` IS NULL"),
        ("(loss < 1 or loss > 2) and not params.model = vit and params.model ~ v", ""),
        ("took > 2h and loss is nan and params.model in ('a', 'b')", ""),
        ("""params.model = "it's" and tags.team = 'a\\b'""", """params.`model` = "it's\""""),
    ],
)
def test_what_is_sent(lab: Lab, text: str, sent: str) -> None:
    condition = understand(text, lab.catalogue.keys()).condition
    assert filter_of(criteria_of(condition, float(_START))) == sent
    lab.by_mlflow(sent)


def test_mlflow_takes_what_is_generated(lab: Lab) -> None:
    """Else the property above would hold of nothing."""
    accepted = 0
    for family, (op, value) in itertools.product(
        ("metrics.`a b`", "metric.loss", 'params."a b"', "tags.`a/b`", "param.optim.lr", "created", "attr.run_name"),
        (("=", "'vit'"), ("!=", "0.5"), ("LIKE", "'v%'"), ("is not", "null"), (">", "1")),
    ):
        text = f"{family} {op} {value}"
        try:
            wanted = lab.by_mlflow(text)
        except MlflowException:
            continue
        accepted += 1
        assert lab.by_us(text) == wanted, text
    assert accepted >= 15
