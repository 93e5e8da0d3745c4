"""Stand-in artifacts, and the synthesized stacks that several files look at."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.infrastructure.context import default_context

if TYPE_CHECKING:  # it imports the CDK, which starts Node: not for a file that does without
    from tests.infrastructure.synthesis import Synthesis

ARCHITECTURES = ("arm64", "x86_64")
MODEL_FILES = ("model.json", "model.tflite", "model.weights.h5")


@pytest.fixture(scope="session")
def artifacts(starts_processes: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with small files in place of wheels and network."""
    folder = tmp_path_factory.mktemp("artifacts")
    for architecture in ARCHITECTURES:
        (folder / "wheelhouse" / architecture).mkdir(parents=True)
        for name, what in (("wheelhouse.tar.gz", "wheels"), ("libraries.tgz", "libraries")):
            archive = folder / "wheelhouse" / architecture / name
            archive.write_text(f"{what} for {architecture}")
    (folder / "model").mkdir()
    for name in MODEL_FILES:
        (folder / "model" / name).write_text(name)
    return folder


@pytest.fixture(scope="session")
def context(artifacts: Path) -> dict[str, Any]:
    """Return the context of cdk.json, with the stand-in artifacts."""
    paths = {f"{name}_path": str(artifacts / name) for name in ("wheelhouse", "model")}
    return default_context() | paths


@pytest.fixture(scope="session")
def make(
    context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> "Callable[..., Synthesis]":
    """Return a function that synthesizes the app with some keys changed, once for each choice."""

    @cache
    def make_with(*, checked: bool = False, **changed: Any) -> "Synthesis":
        from tests.infrastructure.synthesis import synthesize

        return synthesize(
            tmp_path_factory.mktemp("cdk") / "out", context | changed, checked=checked
        )

    return make_with


@pytest.fixture(scope="session")
def made(make: "Callable[..., Synthesis]") -> "Synthesis":
    """Return the app of cdk.json."""
    return make()


@pytest.fixture(scope="session")
def made_with_steps(make: "Callable[..., Synthesis]") -> "Synthesis":
    """Return the app with the steps in the compute stack, as a choice makes it."""
    return make(steps="run")


@pytest.fixture(scope="session")
def made_prod(make: "Callable[..., Synthesis]") -> "Synthesis":
    return make(environment="prod")


@pytest.fixture(scope="session", params=["test", "prod"])
def either(
    request: pytest.FixtureRequest, made: "Synthesis", made_prod: "Synthesis"
) -> "Synthesis":
    """Return the app of one environment, then that of the other."""
    return {"test": made, "prod": made_prod}[request.param]
