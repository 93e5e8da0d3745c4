"""Which language the person at the terminal reads."""

import os
import re
from collections.abc import Mapping

LANGUAGES = ("en", "fr")


def system_language(environment: Mapping[str, str] = os.environ) -> str:
    """Return ``fr`` where the locale is French, ``en`` in any other."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "fr" if re.match(r"fr\b|fr_", value) else "en"
    return "en"
