"""Rules that others wrote: cdk-nag, cfn-lint and checkov, on what is deployed."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk import aws_s3 as s3

from cdk_app.app_stacks import add_checks, add_stacks
from tests.conftest import skip_or_fail
from tests.infrastructure.context import ROOT
from tests.infrastructure.synthesis import NOW, new_app

# What the defaults leave out, all at once.
EVERYTHING = {
    "session_manager": True,
    "steps": "run",
    "network_rules": "narrow",
    "schedule": "rate(1 day)",
    "start_on_marker": True,
    "alarm_email": "team@example.org",
}
BIN = Path(sys.executable).parent
HERE = Path(__file__).parent
REQUIREMENTS = HERE / "checkov-requirements.txt"
CHECKOV = ROOT / "build" / "checkov"
CFN_LINT_IGNORED = (
    "W3010",  # the zone is configured: EMR takes one subnet, and prices differ between zones
    "W3005",  # the CDK says twice that a state machine depends on its role
    "W6001",  # the stacks that compute pass on where the logs lie: `fruits submit` asks one stack
)


def run(*command, **options):
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, **options
    )


@pytest.fixture(scope="module", params=["made", "made_prod", "test", "prod"])
def checked(request, make):
    """Return the app held against cdk-nag: each environment, by default and with everything."""
    if request.param.startswith("made"):
        return request.getfixturevalue(request.param)
    return make(checked=True, **EVERYTHING | {"environment": request.param})


def reports_of(folder):
    report = json.loads((folder / "validation-report.json").read_text())
    return {each["pluginName"]: each for each in report["pluginReports"]}


def acknowledged_in(made):
    """Return the reasons by the id of what they accept, for all constructs of the stack."""
    return {
        rule: reason
        for entries in made.metadata.values()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for rule, reason in entry["data"].items()
    }


def test_cdk_nag_finds_nothing(checked):
    report = reports_of(checked.folder)["AwsSolutions"]
    assert report["conclusion"] == "success"
    assert report["violations"] == []


def test_the_cdk_itself_finds_nothing(checked):
    assert reports_of(checked.folder)["CloudFormation Validate"]["violations"] == []


def test_every_acknowledgment_has_a_reason(checked):
    reasons = acknowledged_in(checked).values()
    assert len(reasons) > 10
    assert all(len(reason.split()) >= 5 for reason in reasons)


def test_no_acknowledgment_outlives_what_it_accepts(checked):
    ours = {rule for rule in acknowledged_in(checked) if rule.startswith("AwsSolutions::")}
    found = reports_of(checked.folder)["AwsSolutions"]["suppressedViolations"]
    assert {finding["acknowledgedId"] for finding in found} == ours


def test_a_finding_ends_the_synthesis(context, tmp_path):
    app = new_app(tmp_path / "out", context)
    _, compute, _ = add_stacks(app, now=NOW)
    s3.Bucket(compute, "WithoutLogsAndTls")
    add_checks(app)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    report = reports_of(tmp_path / "out")["AwsSolutions"]
    found = {violation["ruleName"] for violation in report["violations"]}
    assert {"AwsSolutions-S1", "AwsSolutions-S10"} <= found


@pytest.mark.slow
def test_cfn_lint_finds_nothing(made_prod, make):
    everything = make(checked=True, **EVERYTHING | {"environment": "test"})
    templates = [file for each in (made_prod, everything) for file in each.template_files()]
    command = [BIN / "cfn-lint", "--regions", "eu-central-1", "--ignore-checks", *CFN_LINT_IGNORED]
    done = run(*command, "--template", *templates)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture(scope="session")
def checkov():
    """Return checkov's command, installed once for each version of its requirements."""
    folder = CHECKOV / hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    installed = folder / "installed"
    if not installed.exists():
        shutil.rmtree(CHECKOV, ignore_errors=True)
        made = run(BIN / "uv", "venv", "--quiet", "--python", sys.executable, folder)
        assert made.returncode == 0, made.stderr
        install = [BIN / "uv", "pip", "install", "--quiet", "--require-hashes"]
        python = folder / "bin" / "python"
        done = run(*install, "--python", python, "--requirement", REQUIREMENTS, timeout=900)
        if done.returncode != 0:
            assert "hash" not in done.stderr.lower(), done.stderr
            skip_or_fail(f"checkov cannot be installed: {done.stderr.strip().splitlines()[-1]}")
        installed.touch()
    return folder / "bin" / "checkov"


@pytest.mark.slow
def test_checkov_finds_nothing(made_prod, make, checkov, tmp_path):
    # Session Manager's agent has no narrower resource, which is acknowledged to cdk-nag.
    everything = make(**EVERYTHING | {"session_manager": False})
    for made_one in (made_prod, everything):
        for file in made_one.template_files():
            shutil.copy(file, tmp_path / f"{made_one.folder.parent.name}-{file.name}")
    command = [checkov, "--config-file", HERE / "checkov.yaml", "--directory", tmp_path]
    done = run(*command, "--output", "json", cwd=tmp_path, timeout=900)
    assert done.stdout.startswith("{"), done.stderr
    report = json.loads(done.stdout)
    failed = [(c["check_id"], c["resource"]) for c in report["results"]["failed_checks"]]
    assert failed == []
    assert report["summary"]["parsing_errors"] == 0
    scanned = {check["file_path"].lstrip("/") for check in report["results"]["passed_checks"]}
    assert scanned == {file.name for file in tmp_path.iterdir()}
    assert done.returncode == 0, done.stderr
