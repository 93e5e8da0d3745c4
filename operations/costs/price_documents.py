"""AWS's Price List: which products are asked for, and what the documents about them say."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from operations.costs.figures import Figure
from operations.costs.prices import Prices
from spark_assets.errors import FruitsError

# How usage in eu-central-1 is named.
_PREFIX = "EUC1-"
_PLACE = "Europe (Frankfurt)"


@dataclass(frozen=True, slots=True)
class Query:
    """One price to look up: the service, and what a product of it has to be."""

    what: str
    service: str
    filters: Mapping[str, str]


def queries(families: Iterable[str], region: str) -> list[Query]:
    """Return the look-ups for the xlarge of each family, on demand and in EMR, and the rest."""
    by_type = []
    for family in families:
        where = {"instanceType": f"{family}.xlarge", "regionCode": region}
        by_type += [
            Query(
                f"EC2 {family}",
                "AmazonEC2",
                where
                | {
                    "operatingSystem": "Linux",
                    "tenancy": "Shared",
                    "preInstalledSw": "NA",
                    "capacitystatus": "Used",
                },
            ),
            Query(f"EMR {family}", "ElasticMapReduce", where | {"softwareType": "EMR"}),
        ]
    return by_type + [
        Query(what, service, {"usagetype": usage})
        for what, service, usage in (
            ("disk", "AmazonEC2", f"{_PREFIX}EBS:VolumeUsage.gp3"),
            ("endpoint", "AmazonVPC", f"{_PREFIX}VpcEndpoint-Hours"),
            ("key", "awskms", f"{region}-KMS-Keys"),
            ("storage", "AmazonS3", f"{_PREFIX}TimedStorage-ByteHrs"),
            ("get_requests", "AmazonS3", f"{_PREFIX}Requests-Tier2"),
            ("put_requests", "AmazonS3", f"{_PREFIX}Requests-Tier1"),
            ("serverless_vcpu", "ElasticMapReduce", f"{_PREFIX}EMR-SERVERLESS-vCPUHours"),
            ("serverless_memory", "ElasticMapReduce", f"{_PREFIX}EMR-SERVERLESS-MemoryGBHours"),
            ("serverless_storage", "ElasticMapReduce", f"{_PREFIX}EMR-SERVERLESS-StorageGBHours"),
            ("serverless_arm", "ElasticMapReduce", f"{_PREFIX}EMR-SERVERLESS-ARM-vCPUHours"),
        )
    ]


def usd_of(documents: Sequence[str], what: str) -> float:
    """Return the price on demand of the one product that documents of the Price List describe.

    Of a price in tiers the first.  Raises FruitsError where there is none, or more than one.
    """
    try:
        prices = {price for text in documents for price in _first_tier(json.loads(text))}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FruitsError(
            f"the price list of AWS answers for {what} in a form that is not known here; "
            "use the prices of the project with: --prices file"
        ) from error
    if len(prices) != 1:
        found = f"{len(prices)} different prices" if prices else "no price"
        raise FruitsError(
            f"the price list of AWS has {found} for {what} in {_PLACE}; "
            "use the prices of the project with: --prices file"
        )
    return prices.pop()


def prices_from(
    look_up: Callable[[Query], Sequence[str]], dated: Prices, *, region: str, today: str
) -> Prices:
    """Return today's prices: all that the Price List has, Spot's share and the euro as ``dated``.

    Raises FruitsError where it lacks one: none of the dated ones takes its place.
    """
    usd = {
        query.what: usd_of(look_up(query), query.what) for query in queries(dated.instances, region)
    }

    def figure(name: str, unit: str, *, factor: float = 1.0) -> Figure:
        return Figure(usd[name] * factor, unit, f"AWS price list, {_PLACE}, {today}")

    hourly = "USD per hour, xlarge"
    here = Figure(1.0, "times the price in Frankfurt", f"AWS price list, {_PLACE}, {today}")
    per_thousand = 1000
    return replace(
        dated,
        read=today,
        instances={family: figure(f"EC2 {family}", hourly) for family in dated.instances},
        emr_instances={
            family: figure(f"EMR {family}", f"{hourly}, for EMR of {family}")
            for family in dated.instances
        },
        frankfurt=here,
        # Of memory it is the same to a thousandth.
        serverless_arm=figure(
            "serverless_arm", dated.serverless_arm.unit, factor=1 / usd["serverless_vcpu"]
        ),
        get_requests=figure("get_requests", dated.get_requests.unit, factor=per_thousand),
        put_requests=figure("put_requests", dated.put_requests.unit, factor=per_thousand),
        **{
            name: figure(name, getattr(dated, name).unit)
            for name in (
                "disk", "endpoint", "key", "storage",
                "serverless_vcpu", "serverless_memory", "serverless_storage",
            )
        },
    )  # fmt: skip


def _first_tier(document: Mapping[str, Any]) -> Iterable[float]:
    for term in document["terms"]["OnDemand"].values():
        for dimension in term["priceDimensions"].values():
            if float(dimension.get("beginRange", "0")) == 0:
                yield float(dimension["pricePerUnit"]["USD"])
