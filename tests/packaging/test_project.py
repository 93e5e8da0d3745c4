"""What pyproject.toml and its neighbours promise to those who install or change the project."""

import base64
import hashlib
import re
import sysconfig
import tomllib
from collections import defaultdict
from importlib.metadata import distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PROJECT["tool"]["importlinter"]["root_packages"]
PINS = dict(
    re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
)


@pytest.mark.parametrize("line", PROJECT["project"]["dependencies"])
def test_a_dependency_is_a_range_from_what_is_known_to_work(line):
    requirement = Requirement(line)
    bounds = {specifier.operator for specifier in requirement.specifier}
    assert ">=" in bounds
    assert "==" not in bounds
    assert requirement.specifier.contains(PINS[requirement.name])


def test_pandas_3_is_kept_out_which_pyspark_refuses():
    (pandas,) = (
        Requirement(line)
        for line in PROJECT["project"]["dependencies"]
        if line.startswith("pandas")
    )
    assert not pandas.specifier.contains("3.0.0")


def test_the_licence_is_the_text_of_apache():
    assert PROJECT["project"]["license"] == "Apache-2.0"
    (name,) = PROJECT["project"]["license-files"]
    digest = hashlib.sha256((ROOT / name).read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_says_that_it_is_typed(package):
    assert (ROOT / package / "py.typed").is_file()


def test_git_and_the_pipeline_run_what_is_documented():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [hook["entry"] for each in hooks["repos"] for hook in each["hooks"]] == ["make check"]
    pipeline = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    (job,) = pipeline["jobs"].values()
    assert job["steps"][-1]["run"] == ".ci/run"
    assert pipeline["permissions"] == {"contents": "read"}
    assert all(
        re.fullmatch(r"[\w/-]+@(v\d+|[0-9a-f]{40})", step["uses"])
        for step in job["steps"]
        if "uses" in step
    )


def test_of_a_file_that_two_packages_bring_that_of_the_library_is_installed():
    """An installer that writes packages side by side leaves the one or the other."""
    brought = defaultdict(dict)
    for distribution in distributions():
        name = distribution.name
        for line in (distribution.read_text("RECORD") or "").splitlines():
            path, _, rest = line.partition(",sha256=")
            if path.endswith(".py"):
                brought[path][name] = rest.partition(",")[0]
    twice = {path: digests for path, digests in brought.items() if len(digests) > 1}
    assert set(twice) <= {"aws_cdk/cloud_assembly_schema/__init__.py"}
    for path, digests in twice.items():
        content = Path(sysconfig.get_path("purelib"), path).read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        assert digest == digests["aws-cdk-lib"]
