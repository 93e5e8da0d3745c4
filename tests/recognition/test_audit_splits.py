"""Which split a photograph is in, by its path."""

import pytest

from recognition.audit.splits import NO_SPLIT, split_photographs
from spark_assets.errors import FruitsError


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (("Training", "Test"), "Training"),
        (("test", "train", "val"), "train"),
        (("VALIDATION", "TEST"), "VALIDATION"),
    ],
)
def test_the_first_folder_names_the_split_where_it_is_called_like_one(names, first):
    paths = [f"{name}/apple/{n}.jpg" for name in names for n in range(3)]
    paths.append(f"{first}/apple/more.jpg")
    splits = split_photographs(paths, None)
    assert splits is not None
    assert splits.names[0] == first
    assert set(splits.names) == set(names)
    assert splits.n_by_name()[first] == 4
    assert [splits.names[number] for number in splits.number] == [p.split("/")[0] for p in paths]


@pytest.mark.parametrize(
    "paths",
    [
        ["apple/red/1.jpg", "pear/green/2.jpg"],  # labels below a group
        ["Training/1.jpg", "Test/2.jpg"],  # nothing below that could be a label
        ["Training/apple/1.jpg", "Training/pear/2.jpg"],
        [],
    ],
)
def test_otherwise_there_are_none(paths):
    assert split_photographs(paths, None) is None


def test_an_expression_names_it_and_the_largest_split_teaches():
    paths = ["a_1.jpg", "a_2.jpg", "b_1.jpg", "odd.jpg"]
    splits = split_photographs(paths, "^([ab])_")
    assert splits is not None
    assert splits.n_by_name() == {"a": 2, NO_SPLIT: 1, "b": 1}


def test_an_expression_that_splits_nothing_is_refused():
    with pytest.raises(FruitsError, match=r"puts all 2 photographs in one split; give an expr"):
        split_photographs(["a/1.jpg", "a/2.jpg"], "^(a)/")
