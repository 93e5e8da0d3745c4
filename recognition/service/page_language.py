"""The languages of the page, which one a request prefers, and why a request fails."""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request

from recognition.service.limits import MIB, ServiceLimits
from spark_assets.text.languages import Language, language, mark

NAMES: Mapping[str, str] = MappingProxyType({"en": "English", "fr": "Français"})
LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {code: language(code, "recognition.service") for code in NAMES}
)
_DEFAULT = "en"
_ERRORS = {
    "busy": mark("Too many requests; try again in a few seconds."),
    "too_many_bytes": mark("File too large: the limit is %(max_mib)s MiB."),
    "too_slow": mark("Upload timeout (%(body_seconds)s s); try again."),
    "took_too_long": mark(
        "Identification timeout (%(identify_seconds)s s); save the photograph with another "
        "program, or choose a smaller one."
    ),
    "empty": mark("The file is empty."),
    "not_an_image": mark(
        "Unknown image format; JPEG, PNG, WebP and HEIC are accepted, among others."
    ),
    "truncated": mark("The file is cut short or damaged; take or copy the photograph again."),
    "too_large": mark(
        "Too many pixels: the limit is %(max_megapixels)s megapixels, or less if memory is short."
    ),
    "unreadable": mark("Decoding failed; save the photograph with another program."),
    "other_site": mark("Request from a page of another site; open this page itself."),
    "not_found": mark("Not found; the page is at /."),
    "method_not_allowed": mark("Method not allowed."),
    "failed": mark("Internal error; try again."),
}


def language_of(request: Request) -> str:
    """Return ``en`` or ``fr``: that of ``?lang=``, or the one that the browser prefers."""
    wanted = request.query_params.get("lang")
    if wanted in LANGUAGES:
        return str(wanted)
    return preferred(request.headers.get("accept-language", ""))


def preferred(accept_language: str) -> str:
    """Return the best of the languages here for an Accept-Language header."""
    best, best_weight = _DEFAULT, 0.0
    for part in accept_language.split(","):
        tag, _, parameters = part.partition(";")
        code = tag.strip().lower().partition("-")[0]
        weight = _weight(parameters)
        if code in LANGUAGES and weight > best_weight:
            best, best_weight = code, weight
    return best


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0


def error_message(code: str, language_code: str, limits: ServiceLimits) -> str:
    """Return why a request fails, with the limits in it."""
    language = LANGUAGES[language_code]
    return language.gettext(
        _ERRORS[code],
        max_mib=language.number(limits.max_bytes / MIB),
        max_megapixels=language.number(limits.max_megapixels),
        body_seconds=language.number(limits.body_seconds),
        identify_seconds=language.number(limits.identify_seconds),
    )
