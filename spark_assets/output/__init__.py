"""The files of an output, for programs that read one.

``Output.open(parse_location("out"))`` gives an `Output`; the functions below read its parts.  Names
are imported on first use, because a command that needs one module would wait for all.
"""

from spark_assets.lazy_names import lazy_names

_MODULES = {
    "Output": "output",
    "RunManifest": "manifest",
    "current_findings": "findings_table",
    "latest_run": "manifest",
    "load_pca_model": "pca_model",
    "newest_receipt": "receipt_files",
    "pca_record": "pca_model",
    "read_batches": "parquet_tables",
    "read_evaluation": "evaluation_record",
    "read_narrow": "parquet_tables",
    "read_run": "manifest",
    "run_ids": "manifest",
    "table_files": "parquet_tables",
}
__all__ = list(_MODULES)
__getattr__ = lazy_names(__name__, _MODULES)
