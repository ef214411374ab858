"""MLflow's REST API as it is on the wire: the answers that are read, and nothing else of them.

Source of the format: `mlflow/protos/service.proto` of MLflow 3.17.2, sent by `message_to_json` of
`mlflow/utils/proto_json_utils.py`. So 64-bit integers are numbers (other servers send them as texts, as protobuf's own
JSON does), NaN and the infinities are the texts "NaN", "Infinity", "-Infinity", and what isn't set is left out.

    POST /api/2.0/mlflow/experiments/search                  SearchExperiments
    POST /api/2.0/mlflow/runs/search                         SearchRuns; a page token is an offset
    GET  /api/2.0/mlflow/runs/get                            GetRun
    GET  /api/2.0/mlflow/metrics/get-history                 GetMetricHistory, paged since 2.0
    GET  /api/2.0/mlflow/metrics/get-history-bulk-interval   GetMetricHistoryBulkInterval, at most 100 runs
    POST /api/2.0/mlflow/runs/update, set-tag, delete-tag    UpdateRun, SetTag, DeleteTag
    POST /api/2.0/mlflow/runs/delete, restore                DeleteRun, RestoreRun
    GET  /api/2.0/mlflow/artifacts/list                      ListArtifacts; paths are relative to the run's artifacts
    GET  /get-artifact                                       a file's bytes; beside the API, as MLflow's page reads it
    POST /api/2.0/mlflow/logged-models/search                SearchLoggedModels, since 3.0
    GET  /api/2.0/mlflow/logged-models/ID/artifacts/directories          ListLoggedModelArtifacts
    GET  /ajax-api/2.0/mlflow/logged-models/ID/artifacts/files           as /get-artifact
    GET  /version                                            the version as a plain text

A search that would give a run without a start time fails as a whole (500, "start_time cannot be None"): so each one
has a condition on the start time, and such a run is seen by no client.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

API: Final = "/api/2.0/mlflow/"
# The largest a server takes: SEARCH_MAX_RESULTS_THRESHOLD is 50,000; what a request should ask for is far less.
EXPERIMENTS_A_PAGE: Final = 1_000
POINTS_A_PAGE: Final = 25_000
# Experiment ids in one search, which a server puts into one statement; run ids likewise.
EXPERIMENTS_A_SEARCH: Final = 500
IDS_A_SEARCH: Final = 50
HAS_START: Final = 2**63 - 1

WORKSPACE_HEADER: Final = "X-MLFLOW-WORKSPACE"


class Pair(msgspec.Struct, gc=False):
    """A param or a tag."""

    key: str
    value: str = ""


class Latest(msgspec.Struct, gc=False):
    """The latest value of a metric; `timestamp` UTC epoch ms."""

    key: str
    value: float = 0.0
    timestamp: int = 0


class RunInfo(msgspec.Struct, gc=False):
    """`run_uuid` is what MLflow before 1.0 called `run_id`. Times are UTC epoch ms."""

    run_id: str = ""
    run_uuid: str = ""
    run_name: str | None = None
    user_id: str | None = None
    status: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    lifecycle_stage: str | None = None
    artifact_uri: str | None = None
    experiment_id: str | None = None


class RunData(msgspec.Struct, gc=False):
    metrics: list[Latest] = []
    params: list[Pair] = []
    tags: list[Pair] = []


class RawDataset(msgspec.Struct):
    name: str = ""
    digest: str = ""
    source_type: str = ""
    source: str = ""


class DatasetInput(msgspec.Struct):
    dataset: RawDataset
    tags: list[Pair] = []


class RunInputs(msgspec.Struct):
    dataset_inputs: list[DatasetInput] = []


class RunGiven(msgspec.Struct):
    """A run of which only its inputs are read."""

    inputs: RunInputs = msgspec.field(default_factory=RunInputs)


class OneGiven(msgspec.Struct):
    run: RunGiven


class ModelOutput(msgspec.Struct):
    model_id: str


class RunOutputs(msgspec.Struct):
    model_outputs: list[ModelOutput] = []


class RunMade(msgspec.Struct):
    """A run of which only its models are read."""

    info: RunInfo
    outputs: RunOutputs = msgspec.field(default_factory=RunOutputs)


class OneMade(msgspec.Struct):
    run: RunMade


class ModelInfo(msgspec.Struct):
    model_id: str
    name: str = ""
    creation_timestamp_ms: int = 0


class RawModel(msgspec.Struct):
    info: ModelInfo


class ModelsPage(msgspec.Struct):
    models: list[RawModel] = []


class Run(msgspec.Struct, gc=False):
    info: RunInfo
    data: RunData = msgspec.field(default_factory=RunData)

    @property
    def run_id(self) -> str:
        return self.info.run_id or self.info.run_uuid


class RunsPage(msgspec.Struct):
    runs: list[Run] = []
    next_page_token: str = ""


class OneRun(msgspec.Struct):
    run: Run


class RawExperiment(msgspec.Struct):
    experiment_id: str
    name: str = ""
    lifecycle_stage: str = ""
    creation_time: int | None = None


class ExperimentsPage(msgspec.Struct):
    experiments: list[RawExperiment] = []
    next_page_token: str = ""


class Point(msgspec.Struct, gc=False):
    value: float = 0.0
    timestamp: int = 0
    step: int = 0
    run_id: str = ""


class PointsPage(msgspec.Struct):
    metrics: list[Point] = []
    next_page_token: str = ""


class FileInfo(msgspec.Struct):
    path: str
    is_dir: bool = False
    file_size: int | None = None


class ArtifactsPage(msgspec.Struct):
    files: list[FileInfo] = []
    next_page_token: str = ""


class Failure(msgspec.Struct):
    """What a server says beside a status that isn't 200."""

    error_code: str = ""
    message: str = ""


class ExperimentsQuestion(msgspec.Struct, omit_defaults=True):
    max_results: int
    view_type: str
    page_token: str = ""


class RunsQuestion(msgspec.Struct, omit_defaults=True):
    experiment_ids: Sequence[str]
    filter: str
    run_view_type: str
    max_results: int
    order_by: tuple[str, ...]
    page_token: str = ""


class ModelsQuestion(msgspec.Struct):
    experiment_ids: Sequence[str]
    filter: str
    max_results: int


class OfRun(msgspec.Struct):
    """What deletes and restores a run."""

    run_id: str


class UpdateRun(msgspec.Struct, omit_defaults=True):
    """What is left out stays as it is. `end_time` in UTC epoch ms."""

    run_id: str
    run_name: str | None = None
    status: str | None = None
    end_time: int | None = None


class SetTag(msgspec.Struct):
    run_id: str
    key: str
    value: str


class DeleteTag(msgspec.Struct):
    run_id: str
    key: str


# Not strict: texts stand for numbers where JSON has none, and in servers of another make.
experiments_page = msgspec.json.Decoder(ExperimentsPage, strict=False)
runs_page = msgspec.json.Decoder(RunsPage, strict=False)
one_given = msgspec.json.Decoder(OneGiven, strict=False)
one_made = msgspec.json.Decoder(OneMade, strict=False)
models_page = msgspec.json.Decoder(ModelsPage, strict=False)
one_run = msgspec.json.Decoder(OneRun, strict=False)
points_page = msgspec.json.Decoder(PointsPage, strict=False)
artifacts_page = msgspec.json.Decoder(ArtifactsPage, strict=False)
failure = msgspec.json.Decoder(Failure, strict=False)
anything = msgspec.json.Decoder(dict[str, msgspec.Raw])
