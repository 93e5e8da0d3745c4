"""Whether a run can work where it was sent to, told before Spark is started."""

import os

from spark_assets.chain.options import FeaturizeOptions
from spark_assets.errors import FruitsError
from spark_assets.images.listing import check_images_exist
from spark_assets.storage.locations import Location


def check_places(options: FeaturizeOptions) -> None:
    """Refuse what needs no Spark to be refused: images that cannot be listed, a bad output.

    Raises FruitsError.
    """
    images, output = options.images, options.output
    if _resolved(images).contains(_resolved(output)):
        raise FruitsError(
            f"the output {output.uri} lies inside the images {images.uri}, where the next run "
            "would take the tables for images; choose an output outside"
        )
    if options.image_list is None:
        check_images_exist(images)


def _resolved(place: Location) -> Location:
    """Return where a local folder is, links and ``..`` followed."""
    return place if place.s3 else Location(os.path.realpath(place.base))
