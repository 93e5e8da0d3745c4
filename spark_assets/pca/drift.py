"""Drift: how well a PCA model fits new images, and when a refit is due."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy import float64
from numpy.typing import NDArray

from spark_assets.errors import FruitsError
from spark_assets.pca.permutation_test import p_value
from spark_assets.pca.reconstruction import SKETCH_LENGTH, Measures

# Images of each sample that are measured.
MAX_SAMPLE = 1000
# Fewer images show gross drift only.
MIN_IMAGES = 20
# With more labels, there is nearly one for each image, and they are not compared.
MAX_LABELS = 10_000
MAX_LABELS_NAMED = 20
DEFAULT_ALARM_RATE = 0.05
# The test draws 999 subsets: smaller rates have no meaning.
_MIN_ALARM_RATE, _MAX_ALARM_RATE = 0.001, 0.5

_NUMBERS = pa.list_(pa.float64())
_SCHEMA = pa.schema(
    [
        pa.field("error", _NUMBERS, nullable=False),
        pa.field("deviation", _NUMBERS, nullable=False),
        pa.field("sketch", pa.list_(pa.float32()), nullable=False),
        pa.field("labels", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Measures of a sample of new images, and all their labels.

    Attributes
    ----------
    n_images : int
        All images.
    n_not_finite : int
        Images of the sample with NaN or infinity, which are not measured.
    measures : Measures
    labels : frozenset of str, or None
        None for more than ``MAX_LABELS``.
    """

    n_images: int
    n_not_finite: int
    measures: Measures
    labels: frozenset[str] | None


@dataclass(frozen=True, slots=True, eq=False)
class DriftReference:
    """Measures and labels of a fitted set, stored with the model."""

    measures: Measures
    labels: frozenset[str] | None

    def to_table(self) -> pa.Table:
        """Return the reference as a table of one row; the sketches lie one after the other."""
        measures = self.measures
        labels = None if self.labels is None else sorted(self.labels)
        columns = [
            pa.array([values], field.type)
            for values, field in zip(
                (measures.error, measures.deviation, measures.sketch.reshape(-1), labels),
                _SCHEMA,
                strict=True,
            )
        ]
        return pa.Table.from_arrays(columns, schema=_SCHEMA)

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Return what ``to_table`` was called on.  Raises FruitsError on any other table."""
        try:
            row = table.select(_SCHEMA.names).cast(_SCHEMA).combine_chunks()
            error, deviation, sketch = (
                row.column(name).combine_chunks().flatten().to_numpy(zero_copy_only=False)
                for name in _SCHEMA.names[:3]
            )
            measures = Measures(error, deviation, sketch.reshape(-1, SKETCH_LENGTH))
            (labels,) = row.column("labels").to_pylist()
            lengths = {len(each) for each in (error, deviation, measures.sketch)}
            if len(lengths) > 1:
                raise ValueError(f"columns of {sorted(lengths)} images")
        except (KeyError, ValueError) as cause:  # ArrowInvalid is a ValueError
            raise FruitsError(
                f"a table with the columns {', '.join(table.column_names) or '(none)'} and "
                f"{table.num_rows} rows is not the reference of a PCA model; fit the model anew"
            ) from cause
        return cls(measures, None if labels is None else frozenset(labels))


@dataclass(frozen=True, slots=True)
class FitQuality:
    """How well a PCA model fits new images.

    Shares, errors and the p-value are those of samples of at most ``MAX_SAMPLE`` images; those of
    the fitted set are held out.  ``p_value`` is None, without alarm, where a sample has fewer than
    ``MIN_IMAGES``.  At most ``MAX_LABELS_NAMED`` unseen labels are named; None means too many
    labels to compare.
    """

    n_images: int
    n_not_finite: int
    share_of_variance_kept: float | None
    fitted_share_of_variance_kept: float | None
    median_error: float | None
    fitted_median_error: float | None
    p_value: float | None
    alarm_rate: float
    alarm: bool
    n_unseen_labels: int | None
    unseen_labels: list[str] | None
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """Return the attributes as JSON has them."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return what ``to_json`` was called on.  Raises KeyError where something is missing."""
        return cls(**{name: value[name] for name in cls.__dataclass_fields__})


def parse_alarm_rate(text: str) -> float:
    """Return a rate of false alarms as typed.  Raises FruitsError unless it is allowed."""
    try:
        rate = float(text)
    except ValueError:
        rate = float("nan")
    if not _MIN_ALARM_RATE <= rate <= _MAX_ALARM_RATE:
        raise FruitsError(
            f"{text!r} is not a rate of false alarms; give --drift-alarm-rate a number from "
            f"{_MIN_ALARM_RATE} to {_MAX_ALARM_RATE}, such as {DEFAULT_ALARM_RATE}"
        )
    return rate


def batch_fit(
    reference: DriftReference, batch: Batch, *, alarm_rate: float = DEFAULT_ALARM_RATE
) -> FitQuality:
    """Return how well a PCA model fits new images, compared with its fitted set.

    ``alarm_rate``, from 0.001 to 0.5, is the probability of a false alarm for each batch.
    """
    fitted, new = reference.measures, batch.measures
    enough = min(len(fitted), len(new)) >= MIN_IMAGES
    p = p_value(fitted, new) if enough else None
    alarm = p is not None and p <= alarm_rate
    n_unseen, unseen = _unseen(reference.labels, batch.labels)
    return FitQuality(
        n_images=batch.n_images,
        n_not_finite=batch.n_not_finite,
        share_of_variance_kept=new.share_of_variance_kept,
        fitted_share_of_variance_kept=fitted.share_of_variance_kept,
        median_error=_median(new.error),
        fitted_median_error=_median(fitted.error),
        p_value=p,
        alarm_rate=alarm_rate,
        alarm=alarm,
        n_unseen_labels=n_unseen,
        unseen_labels=unseen,
        sentence=_sentence(fitted, batch, p, alarm_rate) + _labels_clause(n_unseen, unseen),
    )


def _sentence(fitted: Measures, batch: Batch, p: float | None, alarm_rate: float) -> str:
    if p is None:
        few = _too_few(len(fitted), batch)
        return f"{few} too few to measure drift; {MIN_IMAGES} are needed"
    new = batch.measures
    images = _count(batch.n_images, "new image")
    judged = (
        f"drift: the {images} differ from those that the PCA was fitted on; a refit is due"
        if p <= alarm_rate
        else f"no drift: the PCA fits the {images}"
    )
    shares = f"variance kept {_percent(new)} (fitted images {_percent(fitted)})"
    errors = f"median error {np.median(new.error):.3g} ({np.median(fitted.error):.3g})"
    return f"{judged} (p = {p:.2g}, alarm at {alarm_rate:g}); {shares}, {errors}"


def _too_few(n_fitted: int, batch: Batch) -> str:
    if n_fitted < MIN_IMAGES:
        return f"the {_count(n_fitted, 'image')} that the PCA was fitted on are"
    n_measured = len(batch.measures)
    return f"{_count(n_measured, 'new image')} {'is' if n_measured == 1 else 'are'}"


def _labels_clause(n_unseen: int | None, unseen: list[str] | None) -> str:
    if not n_unseen or unseen is None:
        return ""
    names = ", ".join(unseen) + (", ..." if n_unseen > len(unseen) else "")
    return f"; {_count(n_unseen, 'label')} never seen: {names}"


def _unseen(
    known: frozenset[str] | None, found: Iterable[str] | None
) -> tuple[int | None, list[str] | None]:
    if known is None or found is None:
        return None, None
    unseen = sorted(set(found) - known)
    return len(unseen), unseen[:MAX_LABELS_NAMED]


def _median(values: NDArray[float64]) -> float | None:
    return float(np.median(values)) if len(values) else None


def _percent(measures: Measures) -> str:
    share = measures.share_of_variance_kept
    # Images equal to the mean have no variance to lose.
    return f"{100 * (1.0 if share is None else share):.1f} %"


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
