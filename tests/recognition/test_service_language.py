"""Every refusal has its message in both languages, and the page has that of the browser."""

import pytest

from recognition.service.limits import ServiceLimits
from recognition.service.page_language import LANGUAGES, error_message
from spark_assets.images.rejection import Reason

REASONS = [
    *map(str, Reason),
    "busy",
    "failed",
    "method_not_allowed",
    "not_found",
    "other_site",
    "too_many_bytes",
    "too_slow",
    "took_too_long",
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", REASONS)
def test_every_refusal_has_a_message_with_its_limits(reason, language):
    message = error_message(reason, language, ServiceLimits())
    assert message.endswith(".")
    assert "%(" not in message


def test_a_limit_has_the_form_of_the_language():
    limits = ServiceLimits(max_megapixels=2.5)
    assert "limit is 2.5 megapixels" in error_message("too_large", "en", limits)
    assert "limite est de 2,5 mégapixels" in error_message("too_large", "fr", limits)
