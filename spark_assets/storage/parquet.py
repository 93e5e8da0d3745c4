"""A small table as the bytes of one Parquet file, and the numbers in its lists.

Neither pandas nor pyarrow's datasets are imported, which take a command 0.2 s to start: they are by
``read_table`` and by ``to_numpy``.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray


def to_parquet(table: pa.Table) -> bytes:
    """Return a table as a Parquet file."""
    buffer = pa.BufferOutputStream()
    # Measured numbers hardly ever come twice: a dictionary of them made the file a quarter larger,
    # and took fifteen times as long.
    texts = [field.name for field in table.schema if pa.types.is_string(field.type)]
    pyarrow.parquet.write_table(table, buffer, compression="zstd", use_dictionary=texts)
    content: bytes = buffer.getvalue().to_pybytes()
    return content


def from_parquet(content: bytes) -> pa.Table:
    """Return the table that a Parquet file holds."""
    return pyarrow.parquet.ParquetFile(pa.BufferReader(content)).read()


def numbers(column: pa.Array) -> NDArray[Any]:
    """Return all numbers in an array of numbers or of lists, nested or not: (n,), of their type.

    Raises TypeError where one is null.
    """
    while pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
        column = column.flatten()
    values: NDArray[Any] = np.from_dlpack(column)
    return values
