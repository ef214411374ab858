"""The registry that the tests of models look at is what MLflow says it is, and each test's is its own."""

from __future__ import annotations

from pathlib import Path

import yaml
from support.labregistry import DETECTOR, DIGEST, MODELS, OLD_DIGEST, VERSIONS, Registry


def test_mlflow_reads_what_the_lab_registered(registry: Registry) -> None:
    client = registry.client
    assert {model.name for model in client.search_registered_models()} == set(MODELS)
    detector = client.get_registered_model(DETECTOR)
    assert detector.aliases == {"baseline": 1, "champion": 2, "challenger": 3}
    for number, planned in enumerate(VERSIONS, 1):
        version = client.get_model_version(DETECTOR, str(number))
        assert (version.current_stage, version.status) == (planned.stage, planned.status)
        assert version.run_id == registry.run_id(planned.run)
    runs = [client.get_run(registry.run_id(planned.run)) for planned in VERSIONS[:3]]
    digests = [run.inputs.dataset_inputs[0].dataset.digest for run in runs]
    assert digests == [OLD_DIGEST, DIGEST, DIGEST]


def test_a_copy_has_files_of_its_own(registry: Registry, tmp_path: Path) -> None:
    other = registry.copied(tmp_path / "other")
    other.client.set_registered_model_alias(DETECTOR, "champion", "3")
    (other.files_of(DETECTOR, 2) / "MLmodel").unlink()
    assert registry.client.get_registered_model(DETECTOR).aliases["champion"] == 2
    for model in (DETECTOR, "ranker", "imported"):
        folder = registry.files_of(model, 2 if model == DETECTOR else 1)
        assert folder.is_relative_to(registry.folder)
        written = yaml.safe_load((folder / "MLmodel").read_text())
        assert written["signature"]["inputs"], "a signature is there to be compared"
        assert (folder / "requirements.txt").read_text().startswith("mlflow==")
