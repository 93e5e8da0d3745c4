"""Today's prices, from AWS's Price List API."""

from datetime import UTC, datetime

from cdk_app.config import REGION
from operations.aws.clients import Client, aws_client
from operations.costs.price_documents import Query, prices_from
from operations.costs.prices import Prices, load_prices


def read_prices(client: Client | None = None) -> Prices:
    """Return the prices in Frankfurt.

    Raises FruitsError for one that the list does not have, and what AWS throws.
    """
    # One of the three regions in which the API is.
    pricing = client or aws_client("pricing")

    def look_up(query: Query) -> list[str]:
        pages = pricing.get_paginator("get_products").paginate(
            ServiceCode=query.service,
            Filters=[
                {"Type": "TERM_MATCH", "Field": name, "Value": value}
                for name, value in query.filters.items()
            ],
            FormatVersion="aws_v1",
        )
        return [document for page in pages for document in page["PriceList"]]

    today = f"{datetime.now(UTC):%Y-%m-%d}"
    return prices_from(look_up, load_prices(), region=REGION, today=today)
