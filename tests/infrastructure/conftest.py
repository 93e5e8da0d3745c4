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
# Two configurations apart from the defaults, which as many tests as possible share: a synthesis
# takes one to two seconds of the processor.
CHANGED = {
    "availability_zone": "eu-central-1b",
    "vpc_cidr": "192.168.8.0/22",
    "network_rules": "narrow",
    "primary_instance_type": "c6i.xlarge",
    "worker_instance_type": "m7i.2xlarge",
    "n_core_nodes": 3,
    "n_task_nodes": 5,
    "idle_timeout_minutes": 60,
    "max_life_hours": 168,
    "session_manager": True,
    "in_transit_certificates": False,
    "serverless_max_vcpus": 6,
    "run_timeout_hours": 24,
    "schedule": "cron(0 3 ? * MON *)",
    "start_on_marker": True,
    "alarm_email": "team@example.org",
    "budget_usd_per_month": 200,
}
LEAST = {
    "steps": "run",
    "worker_instance_type": "c7g.2xlarge",
    "n_core_nodes": 2,
    "n_task_nodes": 0,
    "run_timeout_hours": 1,
    "budget_usd_per_month": 0,
}


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
    return make(checked=True)


@pytest.fixture(scope="session")
def changed(make: "Callable[..., Synthesis]") -> "Synthesis":
    """Return the app with other settings than those of cdk.json."""
    return make(**CHANGED)


@pytest.fixture(scope="session")
def least(make: "Callable[..., Synthesis]") -> "Synthesis":
    """Return the app without task nodes and budget, and with the steps in the compute stack."""
    return make(**LEAST)


@pytest.fixture(scope="session")
def made_prod(make: "Callable[..., Synthesis]") -> "Synthesis":
    return make(checked=True, environment="prod")


@pytest.fixture(scope="session", params=["test", "prod"])
def either(
    request: pytest.FixtureRequest, made: "Synthesis", made_prod: "Synthesis"
) -> "Synthesis":
    """Return the app of one environment, then that of the other."""
    return {"test": made, "prod": made_prod}[request.param]
