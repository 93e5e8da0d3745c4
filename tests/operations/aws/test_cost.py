"""`fruits cost`, with the prices of the file and with a Price List that is a script.

moto has no Price List; the documents are made by hand in the shape of its documentation.
"""

import pytest
from botocore import exceptions as aws

from operations import cli
from operations.aws import price_list
from operations.aws.price_list import read_prices
from operations.costs.comparison import compare
from operations.costs.prices import load_prices
from operations.costs.runs import Work
from operations.costs.speed import load_speed
from tests.operations.costs.test_price_documents import document


class ScriptedPriceList:
    """Answers every look-up in pages, one of them empty, with the price for its service."""

    def __init__(self, *, emr="0.05", error=None):
        self.usd = {"AmazonEC2": "0.2", "ElasticMapReduce": emr}
        self.error = error
        self.asked = []

    def get_paginator(self, name):
        assert name == "get_products"
        return self

    def paginate(self, *, ServiceCode, Filters, FormatVersion):  # noqa: N803
        assert FormatVersion == "aws_v1"
        if self.error is not None:
            raise self.error
        self.asked.append((ServiceCode, {one["Field"]: one["Value"] for one in Filters}))
        assert {one["Type"] for one in Filters} == {"TERM_MATCH"}
        yield {"PriceList": []}
        if (usd := self.usd.get(ServiceCode, "0.01")) is not None:
            yield {"PriceList": [document(usd)]}


@pytest.fixture
def price_list_is(monkeypatch):
    def use(client):
        monkeypatch.setattr(price_list, "aws_client", lambda service: client)

    return use


def test_the_table_is_printed_with_the_prices_of_the_file(capsys):
    assert cli.main(["cost", "--images", "1000000"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("What 1,000,000 photographs of 12 megapixels cost in eu-central-1")
    assert f"Prices read {load_prices().read}" in told


def test_a_larger_image_size_costs_more_and_an_unknown_one_is_refused(capsys):
    assert cli.main(["cost", "--images", "1000000", "--image-size", "384"]) == 0
    assert "in eu-central-1 at 384 px" in capsys.readouterr().out
    usd = [
        compare(Work(1_000_000, 12, size_px), load_prices(), load_speed()).serverless.usd
        for size_px in (224, 384)
    ]
    assert usd[0] < usd[1]
    with pytest.raises(SystemExit):
        cli.main(["cost", "--images", "10", "--image-size", "400"])


def test_below_the_cap_the_command_succeeds(capsys):
    command = ["cost", "--images", "1000", "--image-megapixels", "0.01"]
    assert cli.main([*command, "--max-cost", "100"]) == 0
    assert capsys.readouterr().err == ""


def test_above_the_cap_it_fails_after_the_table_and_names_the_cheapest(capsys):
    assert cli.main(["cost", "--images", "1000000", "--max-cost", "0.5"]) == 1
    told = capsys.readouterr()
    assert "USD/1M" in told.out
    assert told.err.startswith(
        "fruits: a run on the default cluster (the cheapest cluster here is "
    )
    assert told.err.endswith(
        "--max-cost allows 0.50; give a higher one, fewer images or another cluster\n"
    )


def test_the_cap_can_be_held_against_a_run_on_serverless(capsys):
    usd = compare(Work(1_000_000, 12), load_prices(), load_speed()).serverless.usd
    command = ["cost", "--images", "1000000", "--serverless", "--max-cost"]
    assert cli.main([*command, str(usd * 1.001)]) == 0
    assert cli.main([*command, str(usd * 0.999)]) == 1
    assert "fruits: a run on EMR Serverless (the cheapest cl" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--images", "0"],
        ["--images", "1.5"],
        ["--images", "10", "--image-megapixels", "0"],
        ["--images", "10", "--prices", "guess"],
        ["--images", "10", "--max-cost", "-1"],
    ],
)
def test_bad_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["cost", *arguments])
    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_prices_of_aws_are_asked_for_and_said_to_be_of_today(price_list_is, capsys):
    client = ScriptedPriceList()
    price_list_is(client)
    assert cli.main(["cost", "--images", "1000", "--prices", "aws"]) == 0
    told = capsys.readouterr().out
    assert "AWS price list, Europe (Frankfurt), 20" in told
    assert load_prices().read not in told
    where = next(filters for _, filters in client.asked if "instanceType" in filters)
    assert where["regionCode"] == "eu-central-1"


def test_every_page_of_an_answer_is_read():
    prices = read_prices(ScriptedPriceList())
    assert prices.disk.value == 0.2
    assert prices.emr_instances["m7g"].value == 0.05


@pytest.mark.parametrize(
    ("client", "sentence"),
    [
        (ScriptedPriceList(emr=None), "the price list of AWS has no price for EMR "),
        (ScriptedPriceList(error=aws.NoCredentialsError()), "no AWS credentials were found"),
        (
            ScriptedPriceList(
                error=aws.ClientError(
                    {"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetProducts"
                )
            ),
            "AWS denies you GetProducts",
        ),
    ],
)
def test_without_its_prices_nothing_is_printed_and_one_sentence_says_why(
    client, sentence, price_list_is, capsys
):
    price_list_is(client)
    assert cli.main(["cost", "--images", "10", "--prices", "aws"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"fruits: {sentence}")
    assert len(told.err.splitlines()) == 1
