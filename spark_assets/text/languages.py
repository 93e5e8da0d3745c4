"""The languages of pages: translated sentences, and numbers, sizes, times and dates in their form.

English stands in the code.  A package that has pages keeps its French in ``fr.po`` beside them, and
one test holds the catalogue against the code.
"""

import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources

from babel.dates import format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import (
    format_currency,
    format_decimal,
    get_decimal_symbol,
    get_group_symbol,
)
from babel.units import format_unit

from spark_assets.text.printable import printable

_LOCALE = {"en": "en_GB", "fr": "fr_FR"}
_NBSP = "\N{NO-BREAK SPACE}"
_NARROW_NBSP = "\N{NARROW NO-BREAK SPACE}"
_NONE = "\N{EN DASH}"
_UNITS = ("kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte")
# Where a French line does not break; a percent sign stands doubled in a message.
_BEFORE_HIGH_MARK = re.compile(r" (?=[;?!](?!\w))")
_BEFORE_MARK = re.compile(r" (?=(?::|%%|»)(?!\w))|(?<=«) ")


def mark(message: str) -> str:
    """Return the message, which Babel extracts here and a page translates where it shows it."""
    return message


@dataclass(frozen=True, slots=True)
class Language:
    """A language, ``en`` or ``fr``, with the translations of a package.

    ``messages`` has those without a plural by their English, for the script of a page.
    """

    code: str
    translations: NullTranslations
    messages: Mapping[str, str] = field(default_factory=dict)

    def text(self, message: str) -> str:
        """Return the translation, or the message where there is none."""
        return self.translations.gettext(message)

    def translated(self, message: str) -> str:
        """Return the translation of a message that a file holds, or the message, printable."""
        text = self.text(message)
        return printable(message) if text == message else text

    def plural(self, singular: str, plural: str, n: int) -> str:
        return self.translations.ngettext(singular, plural, n)

    def gettext(self, message: str, /, **values: object) -> str:
        """Return the translation with the values in the place of ``%(name)s``."""
        return self.text(message) % values

    def ngettext(self, singular: str, plural: str, n: int, /, **values: object) -> str:
        """Return the form for ``n``, which stands in the place of ``%(num)s``."""
        return self.plural(singular, plural, n) % {"num": self.count(n), **values}

    @property
    def separators(self) -> str:
        """The decimal mark, then that of thousands, as plotly takes them."""
        locale = _LOCALE[self.code]
        return get_decimal_symbol(locale) + get_group_symbol(locale)

    def decimal(self, number: float, digits: int) -> str:
        """Return a number with so many digits after the decimal mark."""
        return format_decimal(
            number, "#,##0" + "." * bool(digits) + "0" * digits, locale=_LOCALE[self.code]
        )

    def number(self, number: float) -> str:
        """Return a number with at most three digits after the decimal mark."""
        return format_decimal(number, locale=_LOCALE[self.code])

    def count(self, number: int) -> str:
        return self.decimal(number, 0)

    def share(self, fraction: float, digits: int = 1) -> str:
        """Return a fraction in [0, 1] as a percentage.

        Rounding never makes 100 % of less than everything, nor 0 % of more than nothing.
        """
        if not math.isfinite(fraction):
            return _NONE
        step = 10.0**-digits
        percent = round(100 * fraction, digits)
        if fraction < 1 and percent >= 100:
            return self.gettext("over %(share)s", share=self._percent(100 - step, digits))
        if fraction > 0 and percent == 0:
            return self.gettext("under %(share)s", share=self._percent(step, digits))
        return self._percent(percent, digits)

    def _percent(self, percent: float, digits: int) -> str:
        return f"{self.decimal(percent, digits)}{_NBSP}%"

    def rate(self, per_second: float) -> str:
        if not math.isfinite(per_second):
            return _NONE
        return self.decimal(per_second, 1 if per_second < 100 else 0)

    def size(self, n_bytes: int) -> str:
        """Return a number of bytes in decimal units, as disks and S3 bills count them."""
        locale = _LOCALE[self.code]
        if n_bytes < 1000:
            return format_unit(n_bytes, "byte", locale=locale).replace(" ", _NBSP)
        power = 1
        while n_bytes / 1000**power >= 999.95 and power < len(_UNITS):  # would print as 1000.0
            power += 1
        unit = _UNITS[power - 1]
        shown = format_unit(n_bytes / 1000**power, unit, "short", "#,##0.0", locale=locale)
        return shown.replace(" ", _NBSP)

    def duration(self, seconds: float) -> str:
        if not math.isfinite(seconds):
            return _NONE
        if seconds < 9.995:
            return f"{self.decimal(seconds, 2)}{_NBSP}s"
        if seconds < 59.95:
            return f"{self.decimal(seconds, 1)}{_NBSP}s"
        minutes, rest = divmod(round(seconds), 60)
        if minutes < 60:
            return f"{minutes}{_NBSP}min {rest:02d}{_NBSP}s"
        hours, minutes = divmod(minutes, 60)
        return f"{self.count(hours)}{_NBSP}h {minutes:02d}{_NBSP}min"

    def usd(self, amount: float) -> str:
        """Return an amount of money; rounding never makes nothing of something."""
        if 0 < amount < 0.005:
            return self.gettext("under %(share)s", share=self.usd(0.01))
        return format_currency(amount, "USD", f"#,##0.00{_NBSP}¤¤", locale=_LOCALE[self.code])

    def moment(self, iso: str) -> str:
        """Return an ISO 8601 moment in UTC where it names its zone; other text as it is."""
        try:
            when = datetime.fromisoformat(iso)
        except ValueError:
            return printable(iso)
        zone = ""
        if when.tzinfo is not None:
            when, zone = when.astimezone(UTC).replace(tzinfo=None), " UTC"
        return format_datetime(when, "d MMMM y, HH:mm", locale=_LOCALE[self.code]) + zone


ENGLISH = Language("en", NullTranslations())


@cache
def language(code: str, package: str) -> Language:
    """Return a language with the translations of ``package``."""
    if code == ENGLISH.code:
        return ENGLISH
    with resources.files(package).joinpath(f"{code}.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    for message in catalogue:
        if isinstance(message.string, str):
            message.string = unbroken(message.string)
        else:
            message.string = tuple(map(unbroken, message.string or ()))
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    messages = {
        message.id: str(message.string)
        for message in catalogue
        if message.id and isinstance(message.id, str)
    }
    return Language(code, GNUTranslations(compiled), messages)


def unbroken(text: str) -> str:
    return _BEFORE_MARK.sub(_NBSP, _BEFORE_HIGH_MARK.sub(_NARROW_NBSP, text))
