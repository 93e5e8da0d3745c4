"""The rehearsal: what an operator types, from an empty account to an empty account.

Real are the commands, the CDK command line, the templates, the bootstrap script and the wheels it
installs, the Spark steps, Hadoop's S3 connector and the protocols. Emulated is AWS: what it does
here, and what it does not, is told in `tests.emulated_aws.server`.
"""

import subprocess
from collections.abc import Iterator

import pytest

from sample_photographs.sample_folder import draw_samples
from spark_assets.features.feature_model import save_feature_model
from spark_assets.storage.locations import parse_location
from tests.conftest import skip_or_fail
from tests.emulated_aws.judging import refused
from tests.end_to_end.browser import open_page
from tests.end_to_end.emulated_cloud import ARCHITECTURE, BIN, ROOT, EmulatedCloud
from tests.end_to_end.node import STEPS
from tests.end_to_end.on_serverless import N_ADDED
from tests.end_to_end.rehearsal import Rehearsed, rehearse
from tests.end_to_end.rights import NOT_ASKED_FOR
from tests.end_to_end.s3_connector import s3_connector
from tests.moto_server import moto_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory, seeded_model) -> Iterator[Rehearsed]:
    if not (ROOT / "node_modules" / ".bin" / "cdk").exists():
        skip_or_fail("the CDK command line is not installed; make test installs it")
    jars = s3_connector()
    _make_wheelhouse()
    folder = tmp_path_factory.mktemp("rehearsal")
    drawn = draw_samples(folder / "samples", images_per_label=8)
    save_feature_model(seeded_model, parse_location(str(folder / "model")))
    with moto_server(folder / "moto.log", module="tests.emulated_aws.server") as endpoint:
        yield rehearse(EmulatedCloud(endpoint, folder, folder / "model"), jars, drawn)


def _make_wheelhouse() -> None:
    done = subprocess.run(
        [str(BIN / "fruits"), "build-artifacts", "--architecture", ARCHITECTURE],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        skip_or_fail(f"the wheels of a node cannot be had: {done.stderr[-500:]}")


@pytest.mark.parametrize(
    "command",
    [
        "bootstrap",
        "preflight",
        "deploy",
        "upload again",
        "link",
        "receipt",
        "destroy",
        "empty",
        "cdk destroy",
    ],
)
def test_every_command_of_the_operator_succeeds(rehearsed, command):
    done = rehearsed.commands[command]
    assert done.exit_code == 0, done.output


def test_an_account_without_the_cdk_is_told_what_to_do_before_anything_is_made(rehearsed):
    done = rehearsed.preflight_of_a_new_account
    assert done.exit_code == 1
    assert "failed   CDK bootstrap" in done.stdout
    assert done.stdout.count("fruits bootstrap") == 1
    assert "1 check failed before anything was made (CDK bootstrap)" in done.stderr


def test_the_preflight_checks_all_that_it_can_ask(rehearsed):
    lines = rehearsed.commands["preflight"].stdout.splitlines()
    levels = [
        line.split()[0] for line in lines if line.startswith(("  ok ", "  warning", "  fail"))
    ]
    # The warning is that of an address for notices, which nobody has given.
    assert sorted(levels) == ["ok"] * 13 + ["warning"]
    assert "not checked" not in rehearsed.commands["preflight"].stdout
    assert "no address for failures" in rehearsed.commands["deploy"].stdout


def test_the_bootstrap_action_installs_the_wheels_under_the_role_of_a_node(rehearsed):
    (bootstrap,) = rehearsed.bootstraps
    assert bootstrap.exit_code == 0, bootstrap.stderr


def test_a_run_is_followed_until_its_steps_are_complete(rehearsed):
    for run in (rehearsed.first, rehearsed.second):
        assert run.followed.exit_code == 0, run.followed.output
        told = run.followed.stderr.splitlines()
        assert "all steps are complete" in told
        report = f"{rehearsed.outputs['OutputUri']}/report/index.html"
        assert f"copy the report with: aws s3 cp {report} report.html" in told
        for name in STEPS:
            assert f"{name} COMPLETED after" in run.followed.output


def test_an_empty_raw_bucket_fails_the_first_step_with_a_sentence(rehearsed):
    featurize = rehearsed.on_no_images.steps["featurize"]
    assert featurize.exit_code == 1
    assert f"fruits: {_all_are_gone(rehearsed)}" in featurize.stdout
    assert "Traceback" not in featurize.stdout


def test_a_failed_step_cancels_those_that_need_it(rehearsed):
    assert list(rehearsed.on_no_images.steps) == ["featurize"]
    told = rehearsed.on_no_images.followed.output
    assert "reduce CANCELLED, because featurize failed" in told
    assert "report CANCELLED, because featurize failed" in told


def test_the_reason_of_a_failure_is_read_from_the_log_bucket(rehearsed):
    followed = rehearsed.on_no_images.followed
    assert followed.exit_code == 1
    _, _, words = followed.output.partition("the last lines of its log, ")
    log, *last_words = words.splitlines()
    assert log.startswith(f"s3://{rehearsed.outputs['LogsBucketName']}/emr/")
    (word,) = last_words
    assert word.strip().startswith(f"fruits: {_all_are_gone(rehearsed)}")


def _all_are_gone(rehearsed):
    n_held, outputs = rehearsed.n_held, rehearsed.outputs
    return (
        f"{n_held} of the {n_held} images that {outputs['OutputUri']} holds are no longer in "
        f"{outputs['ImagesUri']}"
    )


def test_every_step_leaves_its_logs_in_the_log_bucket(rehearsed):
    # Those of three runs, two notebooks, the erasure, and the step that finds no images.
    assert len(rehearsed.step_ids) == 3 * len(STEPS) + 4
    assert rehearsed.logs == {
        f"emr/{rehearsed.cluster_id}/steps/{step_id}/{name}.gz"
        for step_id in rehearsed.step_ids
        for name in ("stdout", "stderr")
    }


def test_every_step_leaves_the_events_of_spark_in_the_log_bucket(rehearsed):
    events = {key for key in rehearsed.event_logs if "/events_" in key}
    finished = {key for key in rehearsed.event_logs if "/appstatus_" in key}
    # But of the two notebooks, whose queries may name photographs.
    assert len(events) == len(finished) == len(rehearsed.step_ids) - 2
    assert not [key for key in finished if key.endswith(".inprogress")]


def test_the_link_leads_to_the_report(rehearsed):
    assert rehearsed.linked == rehearsed.report


def test_photographs_go_up_once(rehearsed):
    n_files = rehearsed.drawn.n_images
    first, second = rehearsed.commands["deploy"], rehearsed.commands["upload again"]
    assert f"{n_files} images = {n_files} uploaded + 0 unchanged" in first.stderr
    assert f"{n_files} images = 0 uploaded + {n_files} unchanged" in second.stderr


def test_the_three_steps_succeed(rehearsed):
    assert tuple(rehearsed.first.steps) == STEPS
    for name, done in rehearsed.first.steps.items():
        assert done.exit_code == 0, f"{name}: {done.output}"


def test_the_counts_of_a_run_add_up(rehearsed):
    counts = rehearsed.manifest["counts"]
    assert counts["n_images"] == rehearsed.drawn.n_images
    assert counts["n_rejected"] == rehearsed.drawn.n_broken
    assert counts["n_features"] == counts["n_images"] - counts["n_rejected"]
    assert rehearsed.n_reduced == counts["n_features"]


def test_tables_manifest_model_and_report_are_in_the_results_bucket(rehearsed):
    folders = {key.split("/")[1] for key in rehearsed.results if key.count("/") > 1}
    assert folders == {
        "feature_model", "features", "pca_model", "reduced", "rejected", "report", "runs",
    }  # fmt: skip


def test_the_report_is_of_this_run(rehearsed):
    assert rehearsed.manifest["run_id"] in rehearsed.report
    assert rehearsed.outputs["ImagesUri"] in rehearsed.report


def test_a_second_run_finds_nothing_new_and_rewrites_nothing(rehearsed):
    assert tuple(rehearsed.second.steps) == STEPS
    for name, done in rehearsed.second.steps.items():
        assert done.exit_code == 0, f"{name}: {done.output}"
    n_images = rehearsed.drawn.n_images
    assert f"nothing to do: {n_images} images" in rehearsed.second.steps["featurize"].stdout
    tables = {k: v for k, v in rehearsed.results.items() if "/report/" not in k}
    after = {k: v for k, v in rehearsed.results_after_second.items() if "/report/" not in k}
    assert after == tables


def test_the_walkthrough_is_executed_on_the_cluster(rehearsed):
    done = rehearsed.walkthrough.run.steps["notebook"]
    assert done.exit_code == 0, done.output
    told = rehearsed.walkthrough.run.followed
    assert told.exit_code == 0, told.output
    assert "notebook COMPLETED after" in told.output
    page = f"s3://{rehearsed.outputs['ResultsBucketName']}/{rehearsed.walkthrough.key('.html')}"
    assert f"copy the notebook with: aws s3 cp {page} walkthrough.html" in told.stderr
    # The log of a step outlives the photographs that it would name.
    assert not [path for path in rehearsed.erased.before.features if path in done.output]


def test_the_executed_walkthrough_shows_the_deployed_photographs_and_tables(rehearsed):
    cells = [c for c in rehearsed.walkthrough.notebook.cells if c.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    shown = str([output.get("data", output) for cell in cells for output in cell.outputs])
    counts = rehearsed.manifest["counts"]
    assert f"{counts['n_images']} images of 10 labels" in shown
    n_features, n_rejected = counts["n_features"], counts["n_rejected"]
    assert f"{n_features} rows of features, {n_rejected} of rejected images" in shown
    assert "components keep" in shown
    assert shown.count("'image/png'") == 4  # photographs, features, variance, plane


def test_the_page_of_the_walkthrough_opens_without_the_internet(rehearsed, chromium, tmp_path):
    page = tmp_path / "walkthrough.html"
    page.write_text(rehearsed.walkthrough.page, encoding="utf-8")
    with open_page(chromium, page) as opened:
        pictures = opened.page.locator("img").evaluate_all("all => all.map(i => i.naturalWidth)")
        assert len(pictures) == 4
        assert min(pictures) > 400
        assert opened.page.locator("table").count() == 2
        assert opened.problems == opened.requests == []


def test_a_cell_that_fails_is_told_and_the_notebook_kept_as_far_as_it_came(rehearsed):
    sentence = "fruits: cell 2 failed: ZeroDivisionError: division by zero"
    for told in (rehearsed.failing.run.followed, rehearsed.status_of_failing):
        assert told.exit_code == 1
        assert sentence in told.stderr
    first, failed = rehearsed.failing.notebook.cells
    assert first.outputs[0].text == "45\n"
    assert failed.outputs[0].ename == "ZeroDivisionError"


def test_an_erasure_is_begun_here_rewritten_by_the_cluster_and_certified_here(rehearsed):
    erased = rehearsed.erased
    step = erased.erasure.steps["erase"]
    assert step.exit_code == 0, step.output
    told = erased.erasure.followed
    assert told.exit_code == 0, told.output
    assert "erase COMPLETED after" in told.output
    (certificate,) = erased.certificates
    assert f"certificate: {rehearsed.outputs['OutputUri']}/erasures/" in told.stderr
    assert certificate["n_images"] == 1
    assert certificate["held"] == {
        "versions of photographs": 2,  # one is an upload that was never completed
        "rows of features": 1,
        "rows of rejected images": 0,
    }


def test_no_version_of_anything_holds_a_trace_of_the_erased_photograph(rehearsed):
    erased = rehearsed.erased
    assert erased.before.traces
    assert erased.before.old_versions
    assert erased.before.n_unfinished_uploads == 2
    assert erased.after.traces == []
    assert erased.after.n_unfinished_uploads == 0
    assert erased.after.n_photographs == erased.before.n_photographs - 1
    # Written after the last look, and naming no image: the lease, and the folder as Arrow marks it.
    assert erased.after.old_versions <= {"chain/_lease.json", "chain/"}
    assert erased.after.journals <= {"chain/_erasing/"}


def test_the_rows_of_the_others_are_still_there(rehearsed):
    before, after = rehearsed.erased.before.features, rehearsed.erased.after.features
    assert after == {path: row for path, row in before.items() if path != rehearsed.erased.path}
    assert rehearsed.erased.after.n_reduced == len(after)


def test_a_run_after_an_erasure_finds_nothing_new(rehearsed):
    run = rehearsed.erased.run_after
    assert run.followed.exit_code == 0, run.followed.output
    n_images = rehearsed.drawn.n_images - 1
    assert f"nothing to do: {n_images} images" in run.steps["featurize"].stdout


def test_an_erased_photograph_is_not_uploaded_again(rehearsed):
    erased = rehearsed.erased
    assert erased.uploaded_again.exit_code == 1
    n_others = rehearsed.drawn.n_images - 1
    told = erased.uploaded_again.stderr
    assert f"= 0 uploaded + {n_others} unchanged + 1 refused" in told
    assert f"--allow-again --sha256 {erased.digest}" in told
    assert f"images/{erased.path}" not in erased.keys_in_raw


@pytest.mark.parametrize(
    "deed",
    [
        "write a photograph",
        "delete outside the photographs",
        "delete many outside the results",
        "stop the keeping of versions",
    ],
)
def test_the_role_of_an_erasure_is_refused_to(rehearsed, deed):
    assert rehearsed.erased.denied[deed]


def test_the_receipt_adds_up_the_nodes_of_the_cluster(rehearsed):
    told = rehearsed.commands["receipt"].stdout
    assert told.startswith(f"Cost of the cluster {rehearsed.cluster_id} from ")
    assert f"{rehearsed.drawn.n_images} images" in told


@pytest.mark.parametrize(
    "deed",
    [
        "write a photograph",
        "delete a photograph",
        "read outside the photographs",
        "write outside the chain",
        "read the logs",
        "write an asset",
    ],
)
def test_the_role_of_a_node_is_refused_to(rehearsed, deed):
    assert rehearsed.denied[deed]


@pytest.mark.parametrize("command", ["deploy", "receipt", "submit", "destroy"])
def test_every_command_about_serverless_succeeds(rehearsed, command):
    done = rehearsed.on_serverless.commands[command]
    assert done.exit_code == 0, done.output


def test_on_serverless_the_three_jobs_run_and_are_followed_to_the_report(rehearsed):
    run = rehearsed.on_serverless.run
    assert tuple(run.steps) == STEPS
    for name, done in run.steps.items():
        assert done.exit_code == 0, f"{name}: {done.output}"
    assert run.followed.exit_code == 0, run.followed.output
    told = run.followed.stderr.splitlines()
    states = [line.partition("RUNNING: ")[2] for line in told if "RUNNING: " in line]
    assert states[:3] == ["Featurize", "Reduce", "Report"]
    assert "the run is complete" in told
    report = f"{rehearsed.outputs['OutputUri']}/report/index.html"
    assert f"copy the report with: aws s3 cp {report} report.html" in told


def test_on_serverless_new_photographs_are_featurized_with_the_libraries_of_the_archive(rehearsed):
    assert len(rehearsed.on_serverless.features) == N_ADDED
    featurize = rehearsed.on_serverless.run.steps["featurize"]
    assert f"{N_ADDED} images = {N_ADDED} features + 0 rejected" in featurize.stdout


def test_every_job_leaves_the_logs_of_its_driver_in_the_log_bucket(rehearsed):
    names = [key.rpartition("/SPARK_DRIVER/")[2] for key in rehearsed.on_serverless.logs]
    assert sorted(names) == sorted([*["stdout.gz", "stderr.gz"] * (len(STEPS) + 1)])
    assert all(key.startswith("emr/applications/") for key in rehearsed.on_serverless.logs)


def test_the_receipt_of_a_run_adds_up_what_its_jobs_are_billed(rehearsed):
    told = rehearsed.on_serverless.commands["receipt"].stdout
    assert told.startswith("Cost of the run ")
    assert "1 run over" in told
    assert "vCPU          serverless       3" in told


def test_an_erasure_is_a_job_under_the_role_of_an_erasure(rehearsed):
    seen = rehearsed.on_serverless
    assert seen.erasure.steps["erase"].exit_code == 0, seen.erasure.steps["erase"].output
    assert seen.erasure.followed.exit_code == 0, seen.erasure.followed.output
    assert "erase SUCCESS after" in seen.erasure.followed.stderr
    (certificate,) = seen.certificates
    assert certificate["n_images"] == 1
    assert seen.versions_of_erased == []
    assert seen.features_after_erasure == seen.features - {seen.erased_path}


def test_serverless_is_not_destroyed_under_a_run_unless_that_is_stopped(rehearsed):
    seen = rehearsed.on_serverless
    assert seen.refused.exit_code == 2
    assert "is under way, so nothing was deleted; follow it with: " in seen.refused.stderr
    told = seen.commands["destroy"].stderr
    assert "stopped the run " in told
    assert "STOPPED" in told


def test_destroying_serverless_leaves_what_was_there_before(rehearsed):
    assert _made_since(rehearsed.deployed, rehearsed.on_serverless.after) == {}
    made = _made_since(rehearsed.deployed, rehearsed.on_serverless.deployed)
    assert len(made["applications"]) == len(made["state machines"]) == 1
    assert "VPCs" not in made


def test_requests_of_every_role_of_a_step_were_held_against_its_policies(rehearsed):
    judged = rehearsed.judged
    assert {"node", "eraser"} <= judged.policies.keys()
    for request in judged.requests:
        answer = refused(request.accesses, judged.policies[request.kind])
        assert (answer is not None) is request.is_refused, request


def test_every_right_of_a_role_is_needed_or_asked_for_by_emr_alone(rehearsed):
    """Taken away, any other would have had a request of the rehearsal refused."""
    unneeded = rehearsed.judged.unneeded_rights()
    assert [right for right in unneeded if not right.startswith(tuple(NOT_ASKED_FOR))] == []
    judged = tuple(rehearsed.judged.policies)
    for name in (each for each in NOT_ASKED_FOR if each.startswith(judged)):
        assert any(right.startswith(name) for right in unneeded), f"{name} is needed, or is gone"


def test_what_spark_writes_through_the_connector_of_hadoop_is_its_event_log_alone(rehearsed):
    written = {
        access.resource.removeprefix("arn:aws:s3:::").partition("/")[0]
        for request in rehearsed.judged.requests
        if request.client == "Hadoop"
        for access in request.accesses
        if access.action in ("s3:PutObject", "s3:DeleteObject")
    }
    assert written == {rehearsed.outputs["LogsBucketName"]}


def test_destroying_the_cluster_leaves_the_data_alone(rehearsed):
    made = _made_since(rehearsed.before, rehearsed.after_compute)
    assert {kind: len(names) for kind, names in made.items()} == {
        "stacks": 1, "buckets": 4, "keys": 1, "roles": 1,  # that of an erasure
        "topics": 1, "rules": 1, "budgets": 1,
    }  # fmt: skip


def test_nothing_is_left_after_destroy(rehearsed):
    assert _made_since(rehearsed.before, rehearsed.after) == {}
    # All that was looked for was there.
    made = _made_since(rehearsed.before, rehearsed.on_serverless.deployed)
    assert made.keys() == rehearsed.deployed.keys()


def _made_since(before, now):
    made = {kind: names - before[kind] for kind, names in now.items()}
    return {kind: names for kind, names in made.items() if names}
