"""Packages and Python out of the files that runs log."""

from __future__ import annotations

import pytest

from runtower.acts.package_lists import of_conda, of_python_env, of_requirements
from runtower.domain.errors import Invalid


@pytest.mark.parametrize(
    ("line", "name", "said"),
    [
        ("numpy==1.26.4", "numpy", "1.26.4"),
        ("Foo_Bar.baz === 1.0+cu121  # why", "foo-bar-baz", "1.0+cu121"),
        ("torch>=2.1, <3", "torch", ">=2.1, <3"),
        ("pandas==2.*", "pandas", "==2.*"),
        ("scipy", "scipy", "any version"),
        ("jax[cuda12]==0.4.30 ; python_version >= '3.9'", "jax", "0.4.30 [cuda12]; python_version >= '3.9'"),
        ("pip @ https://ana:secret@example.org/pip.whl", "pip", "@ https://example.org/pip.whl"),
        (
            "-e git+https://token@example.org/x.git@4f1c2d9#egg=my_pkg",
            "my-pkg",
            "git+https://example.org/x.git@4f1c2d9#egg=my_pkg",
        ),
        ("https://example.org/whl/torch_x-2.1.0-cp311-cp311-linux_x86_64.whl", "torch-x", "2.1.0"),
        ("six==1.16 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb", "six", "1.16"),
    ],
)
def test_a_line_of_pips(line: str, name: str, said: str) -> None:
    assert dict(of_requirements(f"# frozen\n\n{line}\n").packages) == {name: said}


@pytest.mark.parametrize(
    "line",
    ["--extra-index-url https://ana:secret@example.org/simple", "-r base.txt", "./local", "local/pkg", "# numpy==1"],
)
def test_what_names_no_package_is_left_out(line: str) -> None:
    assert of_requirements(line).packages == {}


def test_mlflows_python_env() -> None:
    listed = of_python_env(
        "python: 3.10\nbuild_dependencies:\n- pip==24.0\n- setuptools==69\n- wheel\n"
        "dependencies:\n- -r requirements.txt\n"
    )
    assert listed.python == "3.10", "and not the number 3.1"
    assert listed.packages == {"pip": "24.0", "setuptools": "69", "wheel": "any version"}


def test_conda() -> None:
    listed = of_conda(
        "name: x\nchannels: [conda-forge]\ndependencies:\n- python=3.11.9=h_1\n- conda-forge::Num_Py=1.26=py_0\n"
        "- cudatoolkit >=12,<13\n- pip<=24\n- pip:\n  - mlflow==3.1.0\n  - --no-binary :all:\n"
    )
    assert listed.python == "3.11.9"
    assert listed.packages == {"num-py": "1.26", "cudatoolkit": ">=12,<13", "pip": "<=24", "mlflow": "3.1.0"}


def test_what_is_no_environment_says_so() -> None:
    with pytest.raises(Invalid, match=r"conda\.yaml"):
        of_conda("- a\n- b\n")
    assert of_conda("dependencies: 5\n").packages == {}
    assert of_python_env("").python == ""
