"""The CDK's own command line, on app.py as it is deployed."""

import json
import os
import subprocess

import pytest

from tests.conftest import skip_or_fail
from tests.infrastructure.context import ROOT

CDK = ROOT / "node_modules" / ".bin" / "cdk"
# Nothing is there: whoever asks for the network gets an error.
NO_NETWORK = {f"{scheme}_PROXY": "http://127.0.0.1:9" for scheme in ("HTTP", "HTTPS")}
NO_CREDENTIALS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture
def cdk_synth(artifacts, tmp_path):
    """Return a function that runs ``cdk synth`` with some context keys."""
    for needed in (CDK, ROOT / ".venv" / "bin" / "python"):
        if not needed.exists():
            skip_or_fail(f"{needed.relative_to(ROOT)} is missing; make it with: make test")

    def run(**context):
        paths = {f"{name}_path": artifacts / name for name in ("wheelhouse", "model")}
        pairs = [f"{key}={value}" for key, value in (paths | context).items()]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CDK_"))}
        return subprocess.run(
            [CDK, "synth", "--quiet", "--output", tmp_path / "out"]
            + [word for pair in pairs for word in ("--context", pair)],
            cwd=ROOT,
            env=kept | NO_NETWORK | NO_CREDENTIALS,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    run.folder = tmp_path / "out"
    return run


@pytest.mark.slow
def test_it_makes_what_the_other_tests_look_at_without_network_and_credentials(cdk_synth, made):
    done = cdk_synth()
    assert done.returncode == 0, done.stderr
    for file in made.template_files():
        theirs, ours = (
            json.loads((f / file.name).read_text()) for f in (cdk_synth.folder, made.folder)
        )
        for template in (theirs, ours):
            for resource in template["Resources"].values():
                # The command line adds the path of the construct.
                resource.pop("Metadata", None)
                if resource["Type"] == "AWS::Scheduler::Schedule":
                    # Counted from the clock by the one, and from a fixed time by the other.
                    assert resource["Properties"].pop("ScheduleExpression").startswith("at(")
        assert theirs == ours


def test_the_command_line_reports_to_nobody():
    settings = json.loads((ROOT / "cdk.json").read_text())
    assert settings["versionReporting"] is False
    assert settings["notices"] is False
    assert settings["context"]["cli-telemetry"] is False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        ({"region": "us-east-1"}, "fruits: the context key region is 'us-east-1', which is not"),
        ({"model_path": "nowhere"}, "; build it with: fruits build-artifacts"),
    ],
)
def test_a_refusal_is_one_sentence_and_no_stack_trace(cdk_synth, context, sentence):
    done = cdk_synth(**context)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert "cdk_app/" not in done.stderr
