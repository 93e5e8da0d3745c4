"""Fixtures of the tests of what recognises fruit."""

import pytest

from tests.recognition.made_service import ColourIdentifier


@pytest.fixture(scope="session")
def colours() -> ColourIdentifier:
    """Return what names fruit by its colour."""
    return ColourIdentifier()
