"""The names that `spark_assets.output` offers to programs."""

import pytest

import spark_assets.output as output


@pytest.mark.parametrize("name", output.__all__)
def test_every_name_is_found(name):
    assert getattr(output, name).__name__ == name
    assert getattr(output, name).__module__.startswith("spark_assets.output.")


def test_other_names_are_none():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = output.nothing
