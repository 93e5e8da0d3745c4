"""AWS's Price List, by documents made by hand in the shape that its documentation shows.

No answer of the real service is in here.
"""

import json

import pytest

from cdk_app.instances import InstanceType
from operations.costs.price_documents import prices_from, queries, usd_of
from operations.costs.prices import load_prices
from spark_assets.errors import FruitsError

DATED = load_prices()
REGION = "eu-central-1"


def document(usd, *, begin=None, **more_tiers):
    tiers = {"0" if begin is None else begin: usd, **more_tiers}
    dimensions = {
        f"SKU.TERM.{n}": {
            "unit": "Hrs",
            "beginRange": start,
            "endRange": "Inf",
            "pricePerUnit": {"USD": price},
        }
        for n, (start, price) in enumerate(tiers.items())
    }
    return json.dumps(
        {
            "product": {"sku": "SKU", "attributes": {"regionCode": REGION}},
            "serviceCode": "any",
            "terms": {
                "OnDemand": {"SKU.TERM": {"priceDimensions": dimensions}},
                "Reserved": {
                    "SKU.R": {"priceDimensions": {"x": {"pricePerUnit": {"USD": "0.01"}}}}
                },
            },
        }
    )


def test_the_price_on_demand_is_read_and_no_other():
    assert usd_of([document("0.1958000000")], "m7g") == 0.1958


def test_of_tiers_the_first_counts():
    assert usd_of([document("0.0245", **{"51200": "0.0235"})], "storage") == 0.0245


def test_two_products_of_one_price_are_one_answer():
    assert usd_of([document("0.012"), document("0.0120000000")], "endpoint") == 0.012


@pytest.mark.parametrize(
    ("documents", "told"),
    [
        ([], "has no price for disk in Europe"),
        ([document("1"), document("2")], "has 2 different prices for disk"),
        ([document("1", begin="100")], "has no price for disk"),
        (["{"], "in a form that is not known"),
        (["{}"], "in a form that is not known"),
        (["[]"], "in a form that is not known"),
        ([json.dumps({"terms": {"OnDemand": {"t": {"priceDimensions": {"d": {}}}}}})], "not known"),
        ([document("much")], "not known"),
    ],
)
def test_what_is_not_one_price_is_refused_with_the_way_out(documents, told):
    with pytest.raises(FruitsError, match=f"the price list of AWS .*{told}.*--prices file"):
        usd_of(documents, "disk")


def test_everything_that_has_a_price_is_asked_for_in_frankfurt():
    asked = queries(DATED.instances, REGION)
    assert len({query.what for query in asked}) == len(asked) == 2 * len(DATED.instances) + 10
    for query in asked:
        assert query.filters.get("regionCode", REGION) == REGION
        usage = query.filters.get("usagetype", "EUC1-")
        assert usage.startswith(("EUC1-", REGION))
    emr = next(query for query in asked if query.what == "EMR m7g")
    assert emr.service == "ElasticMapReduce"
    assert emr.filters["instanceType"] == "m7g.xlarge"


def answers(query):
    """Answer with a price for each thing: 0.2 an EC2 instance, 0.05 for EMR on it, and so on."""
    prices = {"EC2": "0.2", "EMR": "0.05", "get_requests": "0.0000005", "put_requests": "0.000006"}
    return [document(prices.get(query.what.partition(" ")[0], "0.1"))]


def test_prices_of_today_take_the_place_of_the_dated_ones():
    prices = prices_from(answers, DATED, region=REGION, today="2026-11-23")
    large = InstanceType("c7g", "2xlarge")
    assert prices.on_demand(large) == pytest.approx(0.4)
    assert prices.on_spot(large) == pytest.approx(0.4 * DATED.spot.value)
    assert prices.emr_on_top(large) == pytest.approx(0.1)
    assert prices.get_requests.value == pytest.approx(0.0005)
    assert prices.put_requests.value == pytest.approx(0.006)
    assert prices.disk.value == prices.key.value == prices.serverless_memory.value == 0.1
    assert prices.serverless_arm.value == pytest.approx(0.1 / 0.1)
    assert prices.read == "2026-11-23"


def test_what_was_read_is_an_assumption_no_more_and_the_rest_stays_one():
    prices = prices_from(answers, DATED, region=REGION, today="2026-11-23")
    assumed = {figure.assumption for figure in prices.figures if figure.assumption}
    assert assumed == {DATED.spot.assumption, DATED.euro.assumption}
    assert "Frankfurt), 2026-11-23" in prices.disk.source
    assert "Frankfurt), 2026-11-23" in prices.instances["m7g"].source


@pytest.mark.parametrize("missing", [query.what for query in queries(["m7g"], REGION)])
def test_a_price_that_the_list_lacks_is_not_taken_from_the_file(missing):
    def all_but_one(query):
        return [] if query.what == missing else answers(query)

    with pytest.raises(FruitsError, match=f"no price for {missing} in"):
        prices_from(all_but_one, DATED, region=REGION, today="2026-11-23")
