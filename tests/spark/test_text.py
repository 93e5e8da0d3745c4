"""Names, numbers, sizes, times and dates as people read them."""

from argparse import ArgumentParser

import pytest

from spark_assets.jobs.arguments import add_common, add_report, report_options
from spark_assets.report.html_page import shown_option
from spark_assets.text.languages import ENGLISH, language
from spark_assets.text.numbers import counted
from spark_assets.text.printable import printable
from spark_assets.text.system_language import system_language


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Golden Delicious/r_1.jpg", "Golden Delicious/r_1.jpg"),
        ("pêche 桃", "pêche 桃"),
        ("two\nlines\ttab", "two\\nlines\\ttab"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\udcff", "\\udcff"),
        ("no\u00a0break", "no\\xa0break"),
    ],
)
def test_what_does_not_print_is_shown_as_an_escape(text, shown):
    assert printable(text) == shown
    printable(text).encode("utf-8")


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [
        (0.9512, "95.1 %"),
        (1.0, "100.0 %"),
        (0.0, "0.0 %"),
        (0.99999, "over 99.9 %"),
        (0.00001, "under 0.1 %"),
        (float("nan"), "\N{EN DASH}"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nothing(fraction, shown):
    assert plain(ENGLISH.share(fraction)) == shown


@pytest.mark.parametrize(
    ("n_bytes", "shown"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (61_234_567, "61.2 MB"),
        (5 * 10**18, "5,000.0 PB"),
    ],
)
def test_sizes_have_the_unit_that_people_would_choose(n_bytes, shown):
    assert plain(ENGLISH.size(n_bytes)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.004, "0.00 s"),
        (5.432, "5.43 s"),
        (9.999, "10.0 s"),
        (59.96, "1 min 00 s"),
        (133.4, "2 min 13 s"),
        (3599.7, "1 h 00 min"),
        (7384.0, "2 h 03 min"),
        (float("inf"), "\N{EN DASH}"),
    ],
)
def test_durations_never_show_sixty_seconds(seconds, shown):
    assert plain(ENGLISH.duration(seconds)) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0, "0.00 USD"), (0.001, "under 0.01 USD"), (1.005, "1.00 USD"), (1234.5, "1,234.50 USD")],
)
def test_money_is_shown_in_cents_and_never_as_nothing(amount, shown):
    assert plain(ENGLISH.usd(amount)) == shown


@pytest.mark.parametrize(
    ("per_second", "shown"),
    [(8.31, "8.3"), (147.3, "147"), (12345.6, "12,346"), (float("inf"), "\N{EN DASH}")],
)
def test_rates_show_three_digits_or_all(per_second, shown):
    assert ENGLISH.rate(per_second) == shown


@pytest.mark.parametrize(
    ("iso", "shown"),
    [
        ("2025-11-23T12:01:55+00:00", "23 November 2025, 12:01 UTC"),
        ("2025-11-23T01:30:00+02:00", "22 November 2025, 23:30 UTC"),
        ("2025-11-23T12:01:55Z", "23 November 2025, 12:01 UTC"),
        ("2025-03-01T09:05:00", "1 March 2025, 09:05"),
        ("yesterday\n", "yesterday\\n"),
    ],
)
def test_moments_are_shown_in_words_and_in_utc(iso, shown):
    assert ENGLISH.moment(iso) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "not set"),
        (True, "yes"),
        (False, "no"),
        (0.35, "0.35"),
        (67108864, "67108864"),
        ("", "(empty)"),
        ("litert", "litert"),
        (["a", 1], '["a", 1]'),
    ],
)
def test_options_are_shown_as_they_could_be_typed(value, shown):
    assert shown_option(value, ENGLISH) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 images"), (1, "1 image"), (2000, "2,000 images")]
)
def test_one_is_not_plural(number, shown):
    assert counted(number, "image") == shown


def test_french_has_its_own_forms_of_numbers():
    french = language("fr", "spark_assets.report")
    shown = [
        french.share(0.99999),
        french.share(0.951),
        french.size(61_234_567),
        french.size(2),
        french.duration(5.432),
        french.usd(0.001),
        french.usd(1234.5),
        french.count(12_345),
        french.moment("2025-11-23T12:01:55+00:00"),
    ]
    assert [" ".join(text.split()) for text in shown] == [
        "plus de 99,9 %",
        "95,1 %",
        "61,2 Mo",
        "2 octets",
        "5,43 s",
        "moins de 0,01 USD",
        "1 234,50 USD",
        "12 345",
        "23 novembre 2025, 12:01 UTC",
    ]
    assert french.separators == ",\N{NARROW NO-BREAK SPACE}"


def test_french_marks_do_not_begin_a_line():
    french = language("fr", "spark_assets.report")
    assert french.text("Assumptions:") == "Hypothèses\N{NO-BREAK SPACE}:"
    assert "\N{NO-BREAK SPACE}%" in french.gettext("95 %% interval")
    assert "conservée\N{NARROW NO-BREAK SPACE};" in french.text(
        "One component was kept; this plot needs two."
    )


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "fr_CA"}, "fr"),
        ({"LANG": "", "LC_ALL": "de_DE"}, "en"),
        ({"LANG": "frr_DE"}, "en"),
    ],
)
def test_the_language_is_that_of_the_locale(environment, code):
    assert system_language(environment) == code


def test_the_option_language_is_before_the_locale(monkeypatch):
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    parser = ArgumentParser()
    add_common(parser)
    add_report(parser)
    of_locale = parser.parse_args(["--output", "out"])
    chosen = parser.parse_args(["--output", "out", "--language", "en"])
    assert [report_options(each).language for each in (of_locale, chosen)] == ["fr", "en"]
