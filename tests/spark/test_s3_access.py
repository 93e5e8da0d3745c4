"""Runs on a bucket that keeps photographs from them, or is read by workers with other credentials.

The server on loopback answers as S3 does; moto checks no permissions.
"""

import argparse
import dataclasses
from collections.abc import Iterator

import pytest

from cdk_app.cluster.spark_settings import spark_defaults
from cdk_app.instances import InstanceType
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs import featurize
from spark_assets.jobs.arguments import featurize_options
from spark_assets.jobs.command import Command, Kind
from spark_assets.output.manifest import latest_run
from spark_assets.output.output import Output
from spark_assets.storage.files import names_in, write_bytes
from spark_assets.storage.locations import parse_location
from tests.answering_s3 import AnsweringS3, answering_s3
from tests.emulated_aws.metadata import metadata_service
from tests.moto_server import lead_to
from tests.spark.images import encode, picture
from tests.spark.runs import options_for, rows_of, run, save

KEYS = {"AccessKeyId": "role", "SecretAccessKey": "secret", "Token": "session"}
GOOD = [f"{index}.jpg" for index in range(70)]  # three tasks


@pytest.fixture
def server(monkeypatch) -> Iterator[AnsweringS3]:
    with answering_s3(encode(picture(seed=1))) as server:
        lead_to(server.url, monkeypatch)
        yield server


@pytest.fixture
def options(server, worker_environment, tmp_path, seeded_model):
    model = save(seeded_model, tmp_path / "model")
    images = parse_location("s3://secret-bucket/fruit")
    return options_for(tmp_path, model, images=images, max_rejected=1.0)


@pytest.fixture
def worker_environment(spark, server, monkeypatch) -> dict[str, str]:
    """Return what workers find in their environment: keys, and no other way to credentials."""
    environment: dict[str, str] = spark.sparkContext.environment
    for name, value in {
        "AWS_ACCESS_KEY_ID": "of the workers",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setitem(environment, name, value)
    return environment


@pytest.fixture
def workers_without_keys(worker_environment, monkeypatch) -> dict[str, str]:
    """Take the keys from the workers; the driver has some all the same."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setitem(worker_environment, name, "")
    return worker_environment


def failure_of(spark, options, capsys) -> str:
    """Return the sentence of a run that fails and leaves nothing that counts."""

    def work(_) -> ExitCode:
        run(spark, options)
        return ExitCode.DONE

    command = Command(lambda _: None, work, Kind.SPARK)
    assert command.execute(argparse.Namespace(verbose=False)) == ExitCode.FAILED
    assert names_in(options.output) == []
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("given", ["listed", "named"])
def test_denied_images_fail_the_run_with_their_number_however_many_may_be_rejected(
    spark, server, options, capsys, tmp_path, given
):
    """Also where Spark holds the images as a table: those of an image list."""
    server.names = [*GOOD, "403-AccessDenied.jpg", "a/403-AccessDenied.jpg", "403-.jpg"]
    if given == "named":
        rows = "".join(f"{name},9,2026-11-27T12:00:00+00:00\n" for name in server.names)
        (tmp_path / "list.csv").write_text(f"path,size,last_modified_date\n{rows}")
        options = dataclasses.replace(options, image_list=str(tmp_path / "list.csv"))
    assert failure_of(spark, options, capsys) == (
        "fruits: S3 refused access to 3 of 73 images in s3://secret-bucket/fruit (2 AccessDenied, "
        "1 403), and nothing of this run is kept: access in S3 is denied; check what the role may "
        "read and write, and which KMS keys it may use"
    )


def test_credentials_that_s3_refuses_fail_the_run_with_the_way_out(spark, server, options, capsys):
    server.names = [*GOOD[:30], "400-ExpiredToken.jpg", "a/400-ExpiredToken.jpg"]
    sentence = failure_of(spark, options, capsys)
    assert "refused access to 2 of 32 images of a task in s3://secret-bucket/fruit" in sentence
    assert "(2 ExpiredToken)" in sentence
    assert "the AWS credentials have expired; log in again" in sentence


def test_an_object_that_nobody_can_read_is_rejected_with_the_code_of_s3(
    spark, server, options, tmp_path
):
    server.names = [*GOOD[:3], "403-InvalidObjectState.jpg", "400-KMS.DisabledException.jpg"]
    counts = run(spark, options).counts
    assert (counts.n_features, counts.n_rejected) == (3, 2)
    rejected = rows_of(tmp_path / "out", "rejected").to_pylist()
    assert {each["path"]: each["detail"] for each in rejected} == {
        "403-InvalidObjectState.jpg": "S3 answered InvalidObjectState: it is archived; restore it "
        "first (aws s3api restore-object)",
        "400-KMS.DisabledException.jpg": "S3 answered KMS.DisabledException: its KMS key is "
        "disabled; enable the key (aws kms enable-key)",
    }


@pytest.mark.usefixtures("workers_without_keys")
def test_workers_that_find_no_credentials_fail_the_run(spark, server, options, capsys):
    """Not one request goes out unsigned."""
    server.names = GOOD
    sentence = failure_of(spark, options, capsys)
    assert sentence.startswith("fruits: no AWS credentials were found; run 'aws configure'")
    assert server.key_ids == {"test"}
    assert server.requests == {}


def test_workers_wait_for_a_metadata_service_that_fails_at_first(
    spark, server, options, workers_without_keys, monkeypatch
):
    """With the environment that a cluster gives its executors."""
    node = InstanceType.parse("m6i.xlarge")
    settings = spark_defaults(primary=node, worker=node, n_worker_nodes=2)
    for name, value in settings.items():
        if name.startswith("spark.executorEnv.AWS_"):
            monkeypatch.setitem(
                workers_without_keys, name.removeprefix("spark.executorEnv."), value
            )
    server.names = GOOD
    with metadata_service(KEYS, n_failures=4) as address:
        monkeypatch.setitem(workers_without_keys, "AWS_EC2_METADATA_DISABLED", "false")
        monkeypatch.setitem(workers_without_keys, "AWS_EC2_METADATA_SERVICE_ENDPOINT", address)
        assert run(spark, options).counts.n_features == len(GOOD)
    assert server.key_ids == {"test", "role"}


@pytest.mark.usefixtures("workers_without_keys")
def test_a_public_bucket_is_featurized_without_credentials(
    spark, server, options, tmp_path, monkeypatch
):
    """The option comes to the listing and to the workers, and later commands know of it."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    server.names = GOOD[:3]
    parser = argparse.ArgumentParser()
    featurize.COMMAND.add_options(parser)
    given = ["--images", options.images.uri, "--output", str(tmp_path / "out"), "--anonymous"]
    given += ["--model", options.model.model_uri]
    manifest = run(spark, featurize_options(parser.parse_args(given)))
    assert manifest.counts.n_features == 3
    assert server.authorizations == {None}
    kept = latest_run(Output.open(options.output))
    assert kept.images.s3.anonymous


def test_an_output_below_public_images_is_refused_as_any_other(server):
    images = parse_location("s3://bucket/fruit", anonymous=True)
    assert images.contains(parse_location("s3://bucket/fruit/out"))
    assert not images.contains(parse_location("s3://bucket/out"))


def test_an_output_that_s3_refuses_is_told_by_the_code(server):
    output = parse_location("s3://bucket/out")
    server.refusing = "403-RequestTimeTooSkewed"
    with pytest.raises(FruitsError) as caught:
        write_bytes(output.child("file"), b"content")
    assert str(caught.value) == (
        "the output s3://bucket/out/file cannot be written: S3 answered RequestTimeTooSkewed: the "
        "clock of this machine is wrong, and AWS refuses what it signs; set the clock"
    )
