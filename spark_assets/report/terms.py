"""Words for the codes in tables and manifests: reasons, stages, classifiers, items of a bill."""

from spark_assets.output.evaluation_record import NEAREST, RIDGE
from spark_assets.text.languages import mark

DEFINITION_OF_REASON = {
    "empty": mark("the file has no bytes"),
    "not_an_image": mark("no known image format"),
    "truncated": mark("the file is cut short or damaged"),
    "too_large": mark("over the limit of bytes or pixels, not decoded"),
    "unreadable": mark("reading or decoding failed"),
}
TERMS = {
    "empty": mark("empty"),
    "not_an_image": mark("not an image"),
    "truncated": mark("truncated"),
    "too_large": mark("too large"),
    "unreadable": mark("unreadable"),
    RIDGE: mark("ridge classifier"),
    NEAREST: mark("nearest neighbors"),
    "list": mark("list the images"),
    "plan": mark("compare with earlier runs"),
    "model": mark("load the network"),
    "start": mark("start Spark"),
    "featurize": mark("compute features"),
    "write": mark("write tables"),
    "fit": mark("fit the PCA"),
    "project": mark("project"),
    "SPOT": mark("Spot"),
    "ON_DEMAND": mark("on demand"),
    "EC2 on demand": mark("EC2 on demand"),
    "EC2 Spot": mark("EC2 Spot"),
    "disks": mark("disks"),
    "VPC endpoints": mark("VPC endpoints"),
    "KMS key": mark("KMS key"),
    "S3 requests": mark("S3 requests"),
    "vCPUs": mark("vCPUs"),
    "memory": mark("memory"),
}
