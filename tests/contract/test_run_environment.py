"""What runs ran in, out of what MLflow and others log, on a real store."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
from support.labtower import Lab, rows_of
from support.mlflow_stores import log_model

from runtower.acts.run_environment import environments_of
from runtower.acts.sides import Facts


async def environments(own_lab: Lab, *names: str) -> tuple[Facts, Facts]:
    async with own_lab.tower() as tower:
        system, packages = await environments_of(tower, rows_of(tower, *names))
    assert (system.title, packages.title) == ("system", "packages")
    return system, packages


def by_name(facts: Facts) -> dict[str, tuple[str | None, ...]]:
    return {row.name: row.values for row in facts.rows}


class Model(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    def predict(self, context: object, model_input: list[str]) -> list[str]:
        return model_input


async def test_the_packages_of_a_model_that_mlflow_saved(own_lab: Lab, tmp_path: Path) -> None:
    model = tmp_path / "saved"
    mlflow.pyfunc.save_model(str(model), python_model=Model(), pip_requirements=["Num_Py==1.26.4", "torch>=2"])
    client, run_id = own_lab.new_run("with model", **{"mlflow.user": "bo"})
    client.log_artifacts(run_id, str(model), "models/best")
    system, packages = await environments(own_lab, "with model", "lr=0.001")
    python = (model / "python_env.yaml").read_text().splitlines()[0].removeprefix("python: ")
    assert by_name(system) == {"python": (python, None), "user": ("bo", "ana")}
    found = by_name(packages)
    assert found["num-py"] == ("1.26.4", None)
    assert found["torch"] == (">=2", None)
    assert found["pip"][0] is not None
    assert packages.note.startswith("models/best/requirements.txt, models/best/")
    assert packages.note.endswith("(with model)")


async def test_the_packages_of_a_model_that_mlflow_3_keeps_apart(own_lab: Lab, tmp_path: Path) -> None:
    client, run_id = own_lab.new_run("new", **{"mlflow.user": "bo"})
    files = {"MLmodel": "run_id: x\n", "requirements.txt": "torch==2.4\n", "python_env.yaml": "python: 3.11.9\n"}
    log_model(client, run_id, "net", tmp_path / "m", files)
    system, packages = await environments(own_lab, "new", "lr=0.001")
    assert by_name(system) == {"python": ("3.11.9", None), "user": ("bo", "ana")}
    assert by_name(packages) == {"torch": ("2.4", None)}
    assert packages.note == "net/requirements.txt (new)"


async def test_two_environments_side_by_side(own_lab: Lab) -> None:
    for name, numpy, python in (("lr=0.001", "1.26.4", "3.11.9"), ("lr=0.0003", "2.1.0", "3.12.1")):
        own_lab.put(name, "requirements.txt", f"numpy=={numpy}\nSix==1.16\n")
        own_lab.put(
            name, "model/conda.yaml", f"dependencies: ['python={python}', {{pip: ['numpy==9', 'mlflow==3.1']}}]\n"
        )
        own_lab.put(name, "a/b/c/requirements.txt", "deep==1\n")
    system, packages = await environments(own_lab, "lr=0.001", "lr=0.0003")
    assert by_name(system) == {"python": ("3.11.9", "3.12.1"), "user": ("ana", "ana")}
    assert by_name(packages) == {"mlflow": ("3.1", "3.1"), "numpy": ("1.26.4", "2.1.0"), "six": ("1.16", "1.16")}
    assert packages.note == "requirements.txt, model/conda.yaml"
    assert packages.summary() == "1 differs, 2 the same"


async def test_the_machine_by_tags_params_and_wandbs_metadata(own_lab: Lab) -> None:
    client, run_id = own_lab.new_run("tagged", **{"mlflow.user": "bo", "env.cuda_version": "12.4", "hostname": "gpu-7"})
    client.log_param(run_id, "sys/python_version", "3.10.2")
    client.log_param(run_id, "cuda_graphs", "on")
    client.set_tag(run_id, "mlflow.docker.image.uri", "lab/train:3")
    told = {"os": "Linux-6.1", "python": "3.11.4", "host": "gpu-8", "gpu": "NVIDIA A100", "gpu_count": 8, "args": ["x"]}
    own_lab.put("lr=0.001", "files/wandb-metadata.json", json.dumps(told))
    own_lab.put("lr=0.001", "files/requirements.txt", "wandb==0.17\n")
    system, packages = await environments(own_lab, "tagged", "lr=0.001", "unet-0")
    assert [(row.name, *row.values) for row in system.rows] == [
        ("python", "3.10.2", "3.11.4", None),
        ("os", None, "Linux-6.1", None),
        ("host", "gpu-7", "gpu-8", None),
        ("user", "bo", "ana", "ana"),
        ("image", "lab/train:3", None, None),
        ("gpu", None, "NVIDIA A100", None),
        ("gpus", None, "8", None),
        ("cuda", "12.4", None, None),
    ]
    assert by_name(packages) == {"wandb": (None, "0.17", None)}


async def test_what_cannot_be_read_is_told_and_the_rest_counts(own_lab: Lab) -> None:
    own_lab.put("lr=0.001", "conda.yaml", "dependencies: [a\n")
    own_lab.put("lr=0.001", "requirements.txt", "numpy==1\n")
    system, packages = await environments(own_lab, "lr=0.001", "lr=0.0003")
    assert by_name(packages) == {"numpy": ("1", None)}
    assert packages.note.startswith("requirements.txt (lr=0.001); conda.yaml, line ")
    assert by_name(system) == {"user": ("ana", "ana")}
    _, packages = await environments(own_lab, "lr=0.0003", "calm-owl")
    assert (packages.rows, packages.note) == ((), "")
