"""Athena finds the tables as they are written, and what a query leaves is encrypted and expires."""

import pyarrow as pa
import pytest

from cdk_app.athena_tables import TABLES
from spark_assets.storage import schemas
from tests.infrastructure.test_storage import KEY, RESULTS, rules_of

# What Athena reads as the type that is written.
TYPES = {
    pa.string(): "string",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.timestamp("us", "UTC"): "timestamp",
    schemas.REDUCED.field("pca_features").type: "array<float>",
}


def tables_of(stack):
    tables = stack.resources("AWS::Glue::Table").values()
    return {table["TableInput"]["Name"]: table for table in tables}


def workgroup_of(stack):
    return stack.only("AWS::Athena::WorkGroup")


@pytest.mark.parametrize("name", TABLES)
def test_the_columns_are_those_that_are_written(made, name):
    columns = tables_of(made.data)[name]["TableInput"]["StorageDescriptor"]["Columns"]
    written = [(field.name, TYPES[field.type]) for field in schemas.TABLES[name]]
    assert [(column["Name"], column["Type"]) for column in columns] == written


def test_a_table_is_one_folder_of_the_output_as_parquet(either):
    output = either.data.outputs()["OutputUri"]
    tables = tables_of(either.data)
    assert set(tables) == {"features", "rejected", "reduced"}
    for name, table in tables.items():
        # A prefix without a slash at its end would take in others that begin alike.
        stored = table["TableInput"]["StorageDescriptor"]
        assert stored["Location"] == f"{output}/{name}/"
        assert stored["SerdeInfo"]["SerializationLibrary"].endswith("ParquetHiveSerDe")
        assert "PartitionKeys" not in table["TableInput"]


def test_the_names_are_those_of_the_environment(made, made_prod):
    for made_one, environment in ((made, "test"), (made_prod, "prod")):
        database = made_one.data.only("AWS::Glue::Database")["DatabaseInput"]
        assert database["Name"] == f"fruits_{environment}"
        assert workgroup_of(made_one.data)["Name"] == f"fruits-{environment}"


def test_nobody_leaves_results_elsewhere_or_unencrypted(either):
    configuration = workgroup_of(either.data)["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["ResultConfiguration"] == {
        "OutputLocation": f"s3://{either.data.outputs()['ResultsBucketName']}/queries/",
        "ExpectedBucketOwner": either.data.resolve({"Ref": "AWS::AccountId"}),
        "EncryptionConfiguration": {
            "EncryptionOption": "SSE_KMS",
            "KmsKey": either.data.resolve({"Fn::GetAtt": [KEY, "Arn"]}),
        },
    }


def test_one_query_costs_at_most_five_cents(either):
    usd_per_byte = 5 / 1000**4
    configuration = workgroup_of(either.data)["WorkGroupConfiguration"]
    assert configuration["BytesScannedCutoffPerQuery"] * usd_per_byte <= 0.05
    assert configuration["RequesterPaysEnabled"] is False


def test_the_result_of_a_query_is_gone_for_good_after_eight_days(either):
    rule = rules_of(either.data, RESULTS)["expire-query-results"]
    assert rule["Prefix"] == "queries/"
    assert rule["ExpirationInDays"] == 7
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_a_workgroup_with_a_history_of_queries_can_be_deleted(either):
    assert workgroup_of(either.data)["RecursiveDeleteOption"] is True
