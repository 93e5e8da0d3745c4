"""What S3 answers when an object cannot be read, from a server that answers so."""

import pickle
from collections.abc import Iterator

import boto3
import pytest

from cdk_app.cluster.spark_settings import METADATA_RETRIES
from spark_assets.errors import FruitsError
from spark_assets.images.listing import ImageEntry, list_level
from spark_assets.images.reading import ImageReader, ReadAhead, reader_of_extras
from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason
from spark_assets.images.thumbnails import jpeg_of
from spark_assets.jobs.error_reports import sentence_of
from spark_assets.storage.locations import Location, S3Settings
from spark_assets.storage.s3_answers import AccessRefused
from tests.answering_s3 import AnsweringS3, answering_s3
from tests.emulated_aws.metadata import metadata_service
from tests.moto_server import lead_to

CONTENT = b"an image"
# A key that obstore cannot name is boto3's: with either client the sentences are the same.
FOLDERS = ["", "a//"]
REGION = "eu-central-1"
KEYS = {"AccessKeyId": "role", "SecretAccessKey": "secret", "Token": "session"}


@pytest.fixture
def server(monkeypatch) -> Iterator[AnsweringS3]:
    with answering_s3(CONTENT) as server:
        lead_to(server.url, monkeypatch)
        yield server


@pytest.fixture
def no_keys(server, monkeypatch) -> None:
    """Take away all that the environment tells of credentials."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.fixture
def images(server) -> Location:
    return Location("secret-bucket/fruit", S3Settings(REGION, server.url))


@pytest.fixture
def reader(images) -> ImageReader:
    return ImageReader(images, limits=ImageLimits())


def public(server: AnsweringS3) -> Location:
    return Location("public-bucket/fruit", S3Settings(REGION, server.url, anonymous=True))


def failure(reader: ImageReader, path: str) -> ImageRejected | AccessRefused:
    with pytest.raises((ImageRejected, AccessRefused)) as caught:
        reader(ImageEntry(path, None, None))
    assert "secret-bucket" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        ("403-InvalidObjectState", "it is archived; restore it first (aws s3api restore-object)"),
        ("400-KMS.DisabledException", "its KMS key is disabled; enable the key"),
        ("400-KMS.KMSInvalidStateException", "its KMS key is deleted or scheduled for deletion"),
        ("400-InvalidRequest", "S3 answered InvalidRequest"),
    ],
)
def test_what_s3_refuses_for_the_object_rejects_it_with_the_code_and_the_way_out(
    reader, server, folder, answer, detail
):
    rejected = failure(reader, f"{folder}{answer}")
    assert isinstance(rejected, ImageRejected)
    assert rejected.reason is Reason.UNREADABLE
    assert rejected.detail.startswith(f"S3 answered {answer.partition('-')[2]}")
    assert detail in rejected.detail
    assert server.requests == {f"GET {answer}": 1}


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize(
    ("answer", "way_out"),
    [
        ("403-AccessDenied", "check what the role may read and write"),
        ("403-", "check what the role may read and write"),
        ("403-Unheard", ""),
        ("403-RequestTimeTooSkewed", "the clock of this machine is wrong"),
        ("403-InvalidAccessKeyId", "AWS does not know these credentials"),
        ("403-SignatureDoesNotMatch", "AWS does not know these credentials"),
        ("400-ExpiredToken", "the AWS credentials have expired; log in again"),
        ("400-AuthorizationHeaderMalformed", "set AWS_REGION to the region of the bucket"),
        ("404-NoSuchBucket", "the bucket does not exist; check its name"),
    ],
)
def test_what_s3_refuses_to_whoever_asks_rejects_no_image(reader, server, folder, answer, way_out):
    status, _, code = answer.partition("-")
    refused = failure(reader, f"{folder}{answer}")
    assert isinstance(refused, AccessRefused)
    assert refused.code == (code or status)
    assert way_out in str(refused)
    assert pickle.loads(pickle.dumps(refused)).code == refused.code
    assert server.requests == {f"GET {answer}": 1}


def test_a_bucket_of_another_region_is_told_as_that(reader):
    """Without a region, as S3 answers it: obstore tells no code of such an answer."""
    assert failure(reader, "301-PermanentRedirect").code == "PermanentRedirect"


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_image_that_is_gone_is_told_as_that(reader, folder):
    rejected = failure(reader, f"{folder}404-NoSuchKey")
    assert rejected.detail == "no longer there, or its name is not valid UTF-8"


def test_a_name_does_not_pass_for_an_answer(reader):
    folder = "status code: <Code>AccessDenied</Code>"
    rejected = failure(reader, f"{folder}/403-InvalidObjectState")
    assert isinstance(rejected, ImageRejected)
    assert "InvalidObjectState" in rejected.detail


def test_what_s3_is_too_busy_for_is_asked_again(reader, server):
    assert reader(ImageEntry("2-503-SlowDown", None, None)) == CONTENT
    assert server.requests == {"GET 2-503-SlowDown": 3}


def test_after_five_tries_it_is_unreadable(reader, server):
    assert failure(reader, "503-SlowDown").detail.startswith("S3 answered SlowDown: the service")
    assert server.requests == {"GET 503-SlowDown": 5}


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_answer_that_breaks_off_is_asked_for_again_within_bounds(reader, server, folder):
    assert reader(ImageEntry(f"{folder}cut2", None, None)) == CONTENT
    assert server.requests == {"GET cut2": 3}
    rejected = failure(reader, f"{folder}cut")
    assert rejected.detail == "the answer of S3 broke off at every try"
    assert server.requests["GET cut"] == 3


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_server_that_is_not_there_is_one_sentence_without_its_address(server, folder):
    settings = S3Settings(REGION, "http://127.0.0.1:9")
    reader = ImageReader(Location("secret-bucket/fruit", settings), limits=ImageLimits())
    assert failure(reader, f"{folder}1.jpg").detail == "S3 could not be reached"


def test_requests_are_signed_for_the_region_of_the_run_by_the_keys_of_boto3(reader, server):
    """The environment of the test names another region."""
    reader(ImageEntry("1.jpg", None, None))
    (signature,) = server.authorizations
    assert signature is not None
    assert "Credential=test/" in signature
    assert "/eu-central-1/s3/aws4_request" in signature


@pytest.mark.usefixtures("no_keys")
def test_without_credentials_no_request_is_sent_by_any_client(server, images):
    with pytest.raises(AccessRefused, match="no AWS credentials were found; run 'aws configure'"):
        ImageReader(images, limits=ImageLimits())
    with pytest.raises(AccessRefused, match="or give --anonymous where the photographs are public"):
        images.filesystem.get_file_info("secret-bucket/fruit/1.jpg")
    with pytest.raises(FruitsError, match="no AWS credentials were found to list"):
        list(list_level(images, ""))
    assert server.authorizations == set()


@pytest.mark.usefixtures("no_keys")
def test_a_thumbnail_is_left_out_where_there_are_no_credentials(images):
    read = reader_of_extras(images, limits=ImageLimits())
    (image,) = ReadAhead(n_readers=1).read([ImageEntry("1.jpg", None, None)], read)
    assert jpeg_of(image, ImageLimits()) is None


def test_a_public_bucket_is_read_without_credentials_where_that_is_asked_for(server):
    """Though there are some: they may be of an account that the bucket does not know."""
    images = public(server)
    server.names = ["1.jpg"]
    reader = ImageReader(images, limits=ImageLimits())
    assert [each.path for each in list_level(images, "")] == ["1.jpg"]
    assert reader(ImageEntry("1.jpg", None, None)) == CONTENT
    assert reader(ImageEntry("a//1.jpg", None, None)) == CONTENT
    assert images.filesystem.get_file_info("public-bucket/1.jpg").size == len(CONTENT)
    assert server.authorizations == {None}


@pytest.mark.usefixtures("no_keys")
def test_a_metadata_service_that_fails_at_first_is_asked_again(server, images, monkeypatch):
    with metadata_service(KEYS, n_failures=3) as address:
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", address)
        with pytest.raises(AccessRefused):  # boto3 alone asks once
            ImageReader(images, limits=ImageLimits())
        for name, value in METADATA_RETRIES.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        reader = ImageReader(images, limits=ImageLimits())
        assert reader(ImageEntry("1.jpg", None, None)) == CONTENT
        assert images.filesystem.get_file_info("secret-bucket/1.jpg").size == len(CONTENT)
    assert server.key_ids == {"role"}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("403-AccessDenied", "access to s3://secret-bucket/fruit is denied; ask for s3:ListBucket"),
        ("403-RequestTimeTooSkewed", "S3 answered RequestTimeTooSkewed: the clock of this machine"),
        ("400-ExpiredToken", "S3 answered ExpiredToken: the AWS credentials have expired"),
        ("400-KMS.DisabledException", "S3 answered KMS.DisabledException: its KMS key is disabled"),
        ("404-NoSuchBucket", "the bucket secret-bucket does not exist"),
    ],
)
def test_a_listing_that_s3_refuses_is_told_by_its_code_with_the_way_out(
    server, images, answer, sentence
):
    server.refusing = answer
    with pytest.raises(FruitsError) as caught:
        list(list_level(images, ""))
    assert sentence in str(caught.value)


def test_a_listing_of_what_is_not_public_says_so(server):
    server.refusing = "403-AccessDenied"
    with pytest.raises(FruitsError, match="it is not public; leave out --anonymous"):
        list(list_level(public(server), ""))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "AWS Error REQUEST_TIME_TOO_SKEWED during PutObject operation: no",
            "RequestTimeTooSkewed",
        ),
        ("Unable to parse ExceptionName: KMS.DisabledException Message", "KMS.DisabledException"),
        ("An error occurred (ExpiredToken) when calling PutObject", "ExpiredToken"),
    ],
)
def test_what_arrow_and_boto3_tell_of_a_code_is_told_with_the_way_out(text, code):
    assert sentence_of(OSError(text)).startswith(f"S3 answered {code}: ")


def test_what_only_looks_like_a_code_of_s3_is_not_told_as_one():
    for text in ("[INTERNAL_ERROR] Spark failed", "java.lang.InternalError: no"):
        assert "S3" not in sentence_of(OSError(text))
