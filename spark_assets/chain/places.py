"""Whether a run can work where it was sent to, told before Spark is started."""

from spark_assets.chain.options import FeaturizeOptions
from spark_assets.errors import FruitsError
from spark_assets.images.listing import check_images_exist


def check_places(options: FeaturizeOptions) -> None:
    """Refuse what needs no Spark to be refused: images that cannot be listed, a bad output.

    Raises FruitsError.
    """
    images, output = options.images, options.output
    if images.contains(output):
        raise FruitsError(
            f"the output {output.uri} lies inside the images {images.uri}, where the next run "
            "would take the tables for images; choose an output outside"
        )
    if options.image_list is None:
        check_images_exist(images)
