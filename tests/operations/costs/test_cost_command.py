"""`fruits cost`: what it prints, the cap, and bad usage."""

import re

import pytest

from operations import cli
from operations.cdk.configuration import read_config
from operations.costs.estimate_text import estimate_text
from operations.costs.prices import load_prices
from operations.costs.run_costs import Work, default_capacity, estimate_serverless_run
from operations.costs.speed import load_speed

MILLION = ["cost", "--images", "1000000"]


def table(text):
    """Return the cells of the estimate by the name of their row, as printed."""
    rows = text.split("\n\n")[1].splitlines()[1:]
    return {row[:18].strip(): re.split(r" {2,}", row[18:].strip()) for row in rows}


def test_the_estimate_is_the_sum_of_its_parts_on_both_places(capsys):
    assert cli.main(MILLION) == 0
    text = capsys.readouterr().out
    assert text.startswith(
        "Estimated cost in USD of a run over 1,000,000 photographs of 12 megapixels at 224 px in"
    )
    rows = table(text)
    for column in (0, 1):
        cells = {name: row[column] for name, row in rows.items()}
        usd, eur, per_million = (
            float(cells.pop(name)) for name in ("total USD", "total EUR", "USD per million")
        )
        parts = [float(cell) for name, cell in cells.items() if cell != "-" and ":" not in cell]
        assert sum(parts) == pytest.approx(usd, abs=0.04)
        assert eur == pytest.approx(usd * 0.86, abs=0.01)
        assert per_million == usd
    assert "upload          5.40 USD (4.64 EUR) once" in text
    assert "key 1.00, 2,741.5 GB in S3 67.17 USD" in text
    assert "until its timeout after 6 hours at most 6.69 USD" in text
    month = float(text.partition("idle cluster")[2].split()[0])
    assert 0.7 * 730 < month < 0.9 * 730


def test_every_figure_is_printed_with_its_source_or_as_an_assumption():
    words = " ".join(estimate_text(Work(1, 1), read_config()).split())
    figures = [
        *(each.images_per_second for each in load_speed().photographs),
        *load_speed().figures,
        load_prices().instances["m7g"],
        *load_prices().figures,
    ]
    expected = [
        f"assumed: {each.assumption}" if each.assumption else each.source for each in figures
    ]
    assert len(expected) == 2 + 11 + 1 + 14
    assert [each for each in expected if each not in words] == []
    assert f"Prices read {load_prices().read}, speed measured {load_speed().measured}" in words


def test_another_configuration_and_a_larger_network_input_change_the_estimate(capsys):
    sums = []
    for options in (
        [],
        ["-c", "worker_instance_type=r7g.xlarge", "-c", "n_task_nodes=8"],
        ["--image-size", "384"],
    ):
        assert cli.main([*MILLION, *options]) == 0
        text = capsys.readouterr().out
        assert ("r7g: 0.2142 USD per hour" in text) == ("-c" in options)
        sums.append(float(table(text)["total USD"][0]))
    assert len(set(sums)) == 3
    assert sums[2] > sums[0]


def test_a_configuration_that_is_not_allowed_is_one_sentence(capsys):
    assert cli.main(["cost", "--images", "10", "-c", "n_task_nodes=many"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("fruits: the context key n_task_nodes is 'many'")


@pytest.mark.parametrize("place", ["the cluster", "EMR Serverless"])
def test_above_the_cap_it_fails_after_the_table(place, capsys):
    options = [] if place == "the cluster" else ["--serverless"]
    assert cli.main([*MILLION, *options, "--max-cost", "100"]) == 0
    assert capsys.readouterr().err == ""
    assert cli.main([*MILLION, *options, "--max-cost", "0.5"]) == 1
    told = capsys.readouterr()
    assert "USD per million" in told.out
    assert told.err.startswith(f"fruits: a run on {place} would cost about 1.")
    assert told.err.endswith(
        "--max-cost allows 0.50; raise it, or take fewer images or another cluster\n"
    )


def test_the_cap_is_compared_with_the_unrounded_estimate(capsys):
    usd = estimate_serverless_run(Work(1_000_000, 12), default_capacity()).usd
    command = [*MILLION, "--serverless", "--max-cost"]
    assert cli.main([*command, str(usd)]) == 0
    assert cli.main([*command, str(usd * 0.999)]) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--images", "0"],
        ["--images", "1.5"],
        ["--images", "10", "--image-megapixels", "0"],
        ["--images", "10", "--image-size", "400"],
        ["--images", "10", "--max-cost", "-1"],
    ],
)
def test_bad_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["cost", *arguments])
    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
