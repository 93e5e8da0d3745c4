"""The page, once in each language, and the files that it loads."""

from importlib import resources

from jinja2 import Environment, StrictUndefined

from recognition.classifier.classifier_files import ClassifierRecord
from recognition.classifier.fruit_classifier import FruitClassifier
from recognition.service.answers import about_json, known_json
from recognition.service.limits import MIB, ServiceLimits
from recognition.service.wording import NAMES, WORDS

# What a browser may ask for, and as what.
ASSETS = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "plane.js": "text/javascript",
}


def render(
    classifier: FruitClassifier, record: ClassifierRecord, limits: ServiceLimits, language: str
) -> str:
    """Return the page in one language.  Any path and label is safe in it."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    words = WORDS[language]
    known = known_json(classifier)
    about = about_json(record)
    return environment.from_string(asset("page.html")).render(
        language=language,
        languages=NAMES,
        words=words,
        about=about,
        labels=known["labels"],
        page_data={
            "words": dict(words),
            "known": known,
            "about": about,
            "limits": {
                "max_bytes": limits.max_bytes,
                "max_mib": limits.max_bytes / MIB,
            },
        },
    )


def asset(name: str) -> str:
    """Return the text of a file beside this one."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
