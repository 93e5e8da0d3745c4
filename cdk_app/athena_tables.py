"""The tables of the output in Athena: a database in the Glue Data Catalog, and a workgroup."""

from aws_cdk import Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from constructs import Construct

from cdk_app.config import PipelineConfig
from cdk_app.storage import QUERY_RESULTS_PREFIX, Storage

# About 0.05 USD, at Athena's 5 USD for a terabyte; the features of a million photographs are 5 GB.
_MAX_BYTES_PER_QUERY = 10 * 1000**3
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"

# Columns by the types of the Glue Data Catalog. The writers declare them with pyarrow, which the
# CDK app does not import: a test compares.
TABLES = {
    "features": {
        "path": "string",
        "label": "string",
        "content_sha256": "string",
        "size_bytes": "bigint",
        "modified_at": "timestamp",
        "width": "int",
        "height": "int",
        "run_id": "string",
        "features": "array<float>",
    },
    "rejected": {
        "path": "string",
        "label": "string",
        "size_bytes": "bigint",
        "modified_at": "timestamp",
        "run_id": "string",
        "reason": "string",
        "detail": "string",
    },
    "reduced": {"path": "string", "label": "string", "pca_features": "array<float>"},
}


class AthenaTables(Construct):
    """The database ``fruits_<environment>`` and the workgroup ``fruits-<environment>``.

    A table is a folder of the output, which holds the current state and nothing else: there are no
    partitions to add, and no crawler.  Only the bytes that queries read are billed.

    A user who queries needs rights on Athena, Glue, the results bucket and the key.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, config: PipelineConfig, storage: Storage
    ) -> None:
        super().__init__(scope, construct_id)
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Stack.of(self).account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=f"fruits_{config.environment}",
                description="Fruits!: the current state of the output",
            ),
        )
        for name, columns in TABLES.items():
            self._table(database, name, columns, f"{storage.output_uri}/{name}/")
        self._workgroup(config, storage)

    def _table(
        self, database: glue.CfnDatabase, name: str, columns: dict[str, str], location: str
    ) -> None:
        glue.CfnTable(
            self,
            name.title(),
            catalog_id=database.catalog_id,
            database_name=database.ref,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                table_type="EXTERNAL_TABLE",
                parameters={"classification": "parquet"},
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=[
                        glue.CfnTable.ColumnProperty(name=column, type=kind)
                        for column, kind in columns.items()
                    ],
                    location=location,
                    input_format=f"{_PARQUET}.MapredParquetInputFormat",
                    output_format=f"{_PARQUET}.MapredParquetOutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library=f"{_PARQUET}.serde.ParquetHiveSerDe"
                    ),
                ),
            ),
        )

    def _workgroup(self, config: PipelineConfig, storage: Storage) -> None:
        results = athena.CfnWorkGroup.ResultConfigurationProperty(
            output_location=f"s3://{storage.results.bucket_name}/{QUERY_RESULTS_PREFIX}/",
            expected_bucket_owner=Stack.of(self).account,
            encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                encryption_option="SSE_KMS", kms_key=storage.key.key_arn
            ),
        )
        athena.CfnWorkGroup(
            self,
            "WorkGroup",
            name=f"fruits-{config.environment}",
            description="Fruits!: queries of the output, encrypted and limited",
            state="ENABLED",
            # Otherwise a workgroup with a history of queries is not deleted.
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                bytes_scanned_cutoff_per_query=_MAX_BYTES_PER_QUERY,
                requester_pays_enabled=False,
                publish_cloud_watch_metrics_enabled=False,
                result_configuration=results,
            ),
        )
