"""The languages of the page, and which one a request asks for."""

import json
import re
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

from starlette.requests import Request

from recognition.service.limits import MIB, ServiceLimits

NAMES: Mapping[str, str] = MappingProxyType({"en": "English", "fr": "Français"})
_DEFAULT = "en"
# What a French line does not break before.
_SPACE_BEFORE_MARK = re.compile(" (?=[:;?!%])")
_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


def _words(language: str) -> Mapping[str, str]:
    text = resources.files(__package__).joinpath(f"{language}.json").read_text(encoding="utf-8")
    return MappingProxyType(json.loads(_SPACE_BEFORE_MARK.sub(_NARROW_SPACE, text)))


WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType({each: _words(each) for each in NAMES})


def language_of(request: Request) -> str:
    """Return ``en`` or ``fr``: what ``?lang=`` says, or what the browser prefers."""
    asked = request.query_params.get("lang")
    if asked in WORDS:
        return str(asked)
    return preferred(request.headers.get("accept-language", ""))


def preferred(accept_language: str) -> str:
    """Return the best of the languages here for an Accept-Language header."""
    best, best_weight = _DEFAULT, 0.0
    for part in accept_language.split(","):
        tag, _, parameters = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _weight(parameters)
        if language in WORDS and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0


def sentence(reason: str, language: str, limits: ServiceLimits) -> str:
    """Return why a request is refused; the limits stand in it."""
    return WORDS[language][reason].format(
        max_mib=f"{limits.max_bytes / MIB:g}",
        max_megapixels=f"{limits.max_megapixels:g}",
        body_seconds=f"{limits.body_seconds:g}",
        look_seconds=f"{limits.identify_seconds:g}",
    )
