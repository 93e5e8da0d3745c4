"""Which permissions S3 requests need: the table, one line for each kind of request."""

import pytest

from tests.emulated_aws.s3_permissions import Access, S3Request, key_accesses, s3_accesses

BUCKET, THING = "arn:aws:s3:::b", "arn:aws:s3:::b/a/1"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1"


@pytest.mark.parametrize(
    ("method", "key", "query", "needed"),
    [
        ("GET", "a/1", {}, ["GetObject"]),
        ("GET", "a/1", {"versionId": "v"}, ["GetObjectVersion"]),
        ("GET", "a/1", {"uploadId": "u"}, ["ListMultipartUploadParts"]),
        ("HEAD", "a/1", {}, ["GetObject"]),
        ("HEAD", "a/1", {"versionId": "v"}, ["GetObjectVersion"]),
        ("PUT", "a/1", {}, ["PutObject"]),
        ("PUT", "a/1", {"tagging": ""}, ["PutObjectTagging"]),
        ("PUT", "a/1", {"partNumber": "1", "uploadId": "u"}, ["PutObject"]),
        ("POST", "a/1", {"uploads": ""}, ["PutObject"]),
        ("POST", "a/1", {"uploadId": "u"}, ["PutObject"]),
        ("DELETE", "a/1", {}, ["DeleteObject"]),
        ("DELETE", "a/1", {"versionId": "v"}, ["DeleteObjectVersion"]),
        ("DELETE", "a/1", {"uploadId": "u"}, ["AbortMultipartUpload"]),
        ("HEAD", "", {}, ["ListBucket"]),
        ("GET", "", {"list-type": "2"}, ["ListBucket"]),
        ("GET", "", {"versions": ""}, ["ListBucketVersions"]),
        ("GET", "", {"uploads": ""}, ["ListBucketMultipartUploads"]),
        ("PUT", "", {"versioning": ""}, ["PutBucketVersioning"]),
    ],
)
def test_a_request_needs(method, key, query, needed):
    accesses = s3_accesses(S3Request(method, "b", key, query))
    assert [access.action for access in accesses] == [f"s3:{action}" for action in needed]
    assert {access.resource for access in accesses} == {THING if key else BUCKET}


def test_a_listing_tells_the_policies_its_prefix():
    for query in ({"prefix": "a/"}, {"prefix": "a/", "versions": ""}):
        (access,) = s3_accesses(S3Request("GET", "b", query=query))
        assert access.context == {"s3:prefix": "a/"}
    (access,) = s3_accesses(S3Request("GET", "b"))
    assert access.context == {}


def test_the_absence_of_an_object_is_told_to_who_may_list_it():
    assert s3_accesses(S3Request("HEAD", "b", "a/1"), is_missing=True) == [
        Access("s3:GetObject", THING),
        Access("s3:ListBucket", BUCKET, {"s3:prefix": "a/1"}),
    ]


def test_each_of_many_objects_is_deleted_by_a_right_of_its_own():
    body = (
        b"<Delete><Object><Key>a/1</Key></Object>"
        b"<Object><Key>a/ 2</Key><VersionId>v</VersionId></Object></Delete>"
    )
    assert s3_accesses(S3Request("POST", "b", query={"delete": ""}, body=body)) == [
        Access("s3:DeleteObject", THING),
        Access("s3:DeleteObjectVersion", "arn:aws:s3:::b/a/ 2"),
    ]


@pytest.mark.parametrize(
    ("source", "action", "resource"),
    [
        ("/from/a%20b", "s3:GetObject", "arn:aws:s3:::from/a b"),
        ("from/a?versionId=v", "s3:GetObjectVersion", "arn:aws:s3:::from/a"),
    ],
)
@pytest.mark.parametrize("query", [{}, {"partNumber": "1", "uploadId": "u"}])
def test_a_copy_reads_its_source(source, action, resource, query):
    request = S3Request("PUT", "b", "a/1", query, {"x-amz-copy-source": source})
    assert s3_accesses(request) == [Access("s3:PutObject", THING), Access(action, resource)]


def test_a_copy_is_decrypted_with_the_key_of_its_source_and_encrypted_with_its_own():
    request = S3Request("PUT", "b", "a/1", headers={"x-amz-copy-source": "from/a"})
    assert [
        (each.action, each.resource) for each in key_accesses(request, {"from": "F", "b": "B"})
    ] == [
        ("kms:Decrypt", "F"),
        ("kms:GenerateDataKey", "B"),
    ]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_that_an_etag_is_the_same_is_told_to_who_may_read(method):
    request = S3Request(method, "b", "a/1", headers={"if-match": '"etag"'})
    assert Access("s3:GetObject", THING) in s3_accesses(request)
    for headers in ({"if-match": "*"}, {"if-none-match": "*"}):
        request = S3Request(method, "b", "a/1", headers=headers)
        assert Access("s3:GetObject", THING) not in s3_accesses(request)


@pytest.mark.parametrize(
    ("header", "action"),
    [("x-amz-acl", "s3:PutObjectAcl"), ("x-amz-tagging", "s3:PutObjectTagging")],
)
def test_what_a_header_of_a_write_asks_for_is_a_right_of_its_own(header, action):
    request = S3Request("PUT", "b", "a/1", headers={header: "x"})
    assert Access(action, THING) in s3_accesses(request)


@pytest.mark.parametrize(
    ("method", "key", "query", "headers", "needed"),
    [
        ("GET", "a/1", {}, {}, ["Decrypt"]),
        ("HEAD", "a/1", {}, {}, []),
        ("HEAD", "a/1", {}, {"x-amz-checksum-mode": "ENABLED"}, ["Decrypt"]),
        ("PUT", "a/1", {}, {}, ["GenerateDataKey"]),
        ("POST", "a/1", {"uploads": ""}, {}, ["GenerateDataKey"]),
        ("PUT", "a/1", {"uploadId": "u"}, {}, ["GenerateDataKey", "Decrypt"]),
        ("POST", "a/1", {"uploadId": "u"}, {}, ["Decrypt"]),
        ("DELETE", "a/1", {}, {}, []),
        ("GET", "", {}, {}, []),
        ("POST", "", {"delete": ""}, {}, []),
    ],
)
def test_in_an_encrypted_bucket_a_request_needs_of_the_key(method, key, query, headers, needed):
    accesses = key_accesses(S3Request(method, "b", key, query, headers), {"b": KEY})
    assert [each.action for each in accesses] == [f"kms:{action}" for action in needed]
    for each in accesses:
        assert each.resource == KEY
        assert each.context == {
            "kms:ViaService": "s3.eu-central-1.amazonaws.com",
            "kms:EncryptionContext:aws:s3:arn": BUCKET,
        }
    assert key_accesses(S3Request(method, "plain", key, query, headers), {"b": KEY}) == []


@pytest.mark.parametrize(
    ("method", "key", "query"),
    [("PATCH", "a/1", {}), ("POST", "a/1", {"restore": ""}), ("PATCH", "", {})],
)
def test_a_request_that_is_not_in_the_table_is_no_request_without_needs(method, key, query):
    with pytest.raises(LookupError, match="is not in the table; add it"):
        s3_accesses(S3Request(method, "b", key, query))


def test_the_key_of_the_bucket_may_be_named():
    """As S3A does, which copies the encryption of an object with it."""
    request = S3Request("PUT", "b", "a/1", headers=encryption("aws:kms", KEY))
    assert [each.action for each in key_accesses(request, {"b": KEY})] == ["kms:GenerateDataKey"]


@pytest.mark.parametrize(
    ("algorithm", "key"), [("aws:kms", f"{KEY}2"), ("aws:kms", None), ("AES256", None)]
)
def test_another_encryption_than_the_buckets_is_not_taken_for_it(algorithm, key):
    request = S3Request("PUT", "b", "a/1", headers=encryption(algorithm, key))
    with pytest.raises(LookupError, match="which is not the bucket's own"):
        key_accesses(request, {"b": KEY})


def encryption(algorithm, key):
    header = "x-amz-server-side-encryption"
    return {header: algorithm} | ({f"{header}-aws-kms-key-id": key} if key else {})
