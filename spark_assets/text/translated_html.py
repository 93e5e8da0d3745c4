"""Jinja templates with messages that gettext translates."""

from jinja2 import BaseLoader, Environment, StrictUndefined
from markupsafe import Markup

from spark_assets.text.languages import Language
from spark_assets.text.printable import printable

_FORMS = ("count", "number", "decimal", "share", "rate", "size", "duration", "moment", "usd")


def translating_environment(language: Language, loader: BaseLoader | None = None) -> Environment:
    """Return an environment with gettext, and with filters for the forms of the language.

    A message is HTML of the project; values are escaped as they are put in.
    """

    def gettext(message: str, /, **values: object) -> Markup:
        return Markup(language.text(message)) % values

    def ngettext(singular: str, plural: str, n: int, /, **values: object) -> Markup:
        shown = {"num": language.count(n), **values}
        return Markup(language.plural(singular, plural, n)) % shown

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=loader,
        extensions=["jinja2.ext.i18n"],
    )
    environment.newstyle_gettext = True  # type: ignore[attr-defined]  # the extension's
    environment.globals |= {"gettext": gettext, "ngettext": ngettext}
    environment.filters |= {name: getattr(language, name) for name in _FORMS}
    environment.filters |= {"printable": printable, "translated": language.translated}
    return environment
