"""The columns of the tables, as the Glue Data Catalog names their types.

What writes the tables declares them with pyarrow, which the CDK app does without: a test compares.
"""

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
