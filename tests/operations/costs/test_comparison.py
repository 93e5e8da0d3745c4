"""Clusters side by side: what is marked, what is printed, and that every assumption is."""

import re
from dataclasses import replace

import pytest

from operations.costs.comparison import N_WORKERS, compare
from operations.costs.comparison_text import WIDTH, comparison_text
from operations.costs.figures import Figure
from operations.costs.prices import load_prices
from operations.costs.runs import Work
from operations.costs.speed import load_speed

PRICES, SPEED = load_prices(), load_speed()
COMPARISON = compare(Work(1_000_000, 12), PRICES, SPEED)
TEXT = comparison_text(COMPARISON, PRICES, SPEED)


def rows(text=TEXT):
    """Return the lines of the table by the name of the cluster, without their marks."""
    lines = text.split("\n\n")[1].splitlines()[1:]
    return {line[2:18].strip(): line for line in lines}


def numbers(line):
    return [float(number) for number in line[18:].split()[2:]]


def test_the_default_stands_beside_each_number_of_workers_of_three_types():
    names = [one.name for one in COMPARISON.candidates]
    assert names[0] == "default"
    assert set(names[1:]) == {
        f"{n} x {worker}"
        for n in N_WORKERS
        for worker in ("m7g.xlarge", "m7g.2xlarge", "c7g.xlarge")
    }
    assert list(rows()) == names
    for one in COMPARISON.candidates[1:]:
        assert one.shape.n_core_nodes == 1
        assert one.name.startswith(f"{one.shape.n_workers} x {one.shape.worker.name}")


def test_the_cheapest_and_the_fastest_are_marked_and_no_other():
    sums = {name: numbers(line)[-3] for name, line in rows().items()}
    marked = {name for name, line in rows().items() if line.startswith("$")}
    assert marked == {COMPARISON.cheapest.name}
    assert sums[COMPARISON.cheapest.name] == min(sums.values())
    fastest = {name for name, line in rows().items() if line[1] == ">"}
    assert fastest == {COMPARISON.fastest.name} == {"32 x m7g.2xlarge"}


def test_the_parts_of_a_row_are_its_sum_in_both_currencies():
    for line in rows().values():
        *parts, usd, eur, per_million = numbers(line)
        assert sum(parts) == pytest.approx(usd, abs=0.04)
        assert eur == pytest.approx(usd * 0.86, abs=0.01)
        assert per_million == usd


def test_the_text_fits_a_terminal():
    assert max(map(len, TEXT.splitlines())) <= WIDTH <= 110
    huge = compare(Work(1_000_000_000, 100), PRICES, SPEED)
    assert max(map(len, comparison_text(huge, PRICES, SPEED).splitlines())) <= 110


def test_every_assumption_is_named_below_the_table():
    words = " ".join(TEXT.split())
    figures = [*SPEED.figures, *PRICES.figures]
    assumptions = [figure.assumption for figure in figures if figure.assumption]
    assert len(assumptions) >= 12
    assert [each for each in assumptions if f"assumed: {each}" not in words] == []


def test_every_price_and_every_measurement_is_printed_with_its_source():
    words = " ".join(TEXT.split())
    read = [one.images_per_second for one in SPEED.photographs]
    read += [figure for figure in (*SPEED.figures, *PRICES.figures) if not figure.assumption]
    assert [figure.source for figure in read if figure.source not in words] == []


def test_an_assumption_that_changes_is_printed_as_it_is():
    other = replace(PRICES, euro=Figure(2.0, "EUR for a USD", "assumption: a USD is 2 EUR"))
    text = comparison_text(compare(Work(10, 1), other, SPEED), other, SPEED)
    assert "assumed: a USD is 2 EUR" in text
    assert "0.86" not in text


def test_serverless_a_month_left_on_and_what_stays_are_there():
    assert re.search(
        r"EMR Serverless +\d+\.\d\d USD \(\d+\.\d\d EUR\), report after \d+:\d\d", TEXT
    )
    assert f"at most      {COMPARISON.serverless_most_usd:.2f} USD" in TEXT
    month = COMPARISON.month_usd
    assert 0.7 * 730 < month < 0.9 * 730
    assert f"{month:,.2f} USD" in TEXT
    assert "upload           5.40 USD" in TEXT
    assert re.search(r"what stays +\d+\.\d\d USD .* key 1\.00, 2,741\.5 GB in S3 67\.17 USD", TEXT)
