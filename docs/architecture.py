"""Draws docs/images/architecture.png, the picture of the cloud in the README.

It needs two packages that nothing else here does, ``apt-get install graphviz`` and
``pip install diagrams``; then ``python docs/architecture.py`` draws.
"""

from itertools import pairwise
from pathlib import Path

from diagrams import Cluster, Diagram, Edge, Node
from diagrams.aws.analytics import EMR
from diagrams.aws.compute import EC2Instance, EC2SpotInstance
from diagrams.aws.general import Client, MobileClient, User
from diagrams.aws.network import Endpoint
from diagrams.aws.security import KMS
from diagrams.aws.storage import SimpleStorageServiceS3Bucket as Bucket
from diagrams.onprem.analytics import Spark

_IMAGE = Path(__file__).parent / "images" / "architecture"
_FONT = {"fontname": "Liberation Sans", "fontsize": "17", "fontcolor": "#232f3e"}
_GRAPH = {
    "nodesep": "0.25",
    "ranksep": "1.15",
    "pad": "0.5,0.15",
    "splines": "spline",
    "compound": "true",
    "dpi": "100",
}
_SIDES = {"tailport": "e", "headport": "w"}
_STYLES = ("dashed", "dashed", "solid")
_EMR_TITLE = "EMR cluster: ends by itself"
_ICON_INCHES = 0.8
_LINE_INCHES = 0.3


def _frame(title: str, fill: str, line: str) -> Cluster:
    look = {"bgcolor": fill, "pencolor": line, "penwidth": "2", "margin": "22"}
    return Cluster(title, graph_attr={**_FONT, "fontcolor": line, **look})


def _icon(kind: type[Node], *lines: str) -> Node:
    height = _ICON_INCHES + _LINE_INCHES * len(lines)
    return kind("\n".join(lines), width=str(_ICON_INCHES), height=f"{height:.2f}", imagepos="tc")


def _arrow(label: str = "", **look: str) -> Edge:
    return Edge(label=label, color="#545b64", penwidth="2", **_FONT, **look)


def draw() -> None:
    """Write the picture."""
    with Diagram(
        filename=str(_IMAGE),
        show=False,
        direction="LR",
        graph_attr={**_FONT, **_GRAPH},
        node_attr=_FONT,
    ):
        repository = _icon(Client, "this repository")
        photographs = _icon(MobileClient, "photographs", "in folders")
        reader = _icon(User, "reader")
        with _frame("AWS, region eu-central-1 (Frankfurt)", "#ffffff", "#232f3e"):
            with _frame("CDK's own bucket", "#f4f4f4", "#545b64"):
                assets = _icon(Bucket, "assets: scripts,", "wheels, model")
            service = _icon(EMR, "EMR service")
            with _frame("data stack: stays", "#f2f8ee", "#2f6a18"):
                key = _icon(KMS, "KMS key", "of data and disks")
                logs = _icon(Bucket, "logs")
                results = _icon(Bucket, "results", "tables, report")
                raw = _icon(Bucket, "raw", "photographs")
            with (
                _frame("compute stack: destroyed after a run", "#fdf4ea", "#b7500a"),
                _frame("VPC with one subnet and no way to the Internet", "#f5f0fc", "#5b32b0"),
            ):
                cell = _icon(Endpoint, "EMR cell", "endpoint")
                kms = _icon(Endpoint, "KMS", "endpoint")
                s3 = _icon(Endpoint, "S3 gateway", "endpoint")
                with _frame(_EMR_TITLE, "#ffffff", "#5b32b0"):
                    nodes = [
                        _icon(EC2SpotInstance, "task", "on Spot"),
                        _icon(EC2Instance, "core", "on demand"),
                        _icon(EC2Instance, "primary", "on demand"),
                    ]
                    steps = [
                        _icon(Spark, step) for step in ("3. report", "2. reduce", "1. featurize")
                    ]
        repository >> _arrow("fruits deploy") >> assets
        photographs >> _arrow("fruits upload") >> raw
        reader << _arrow("report") << results
        for bucket in (assets, raw):
            bucket >> _arrow(**_SIDES) >> s3
        for bucket in (results, logs):
            bucket << _arrow(**_SIDES) << s3
        key >> _arrow(style="dashed", **_SIDES) << kms
        service >> _arrow(style="dashed", **_SIDES) << cell
        for endpoint, node, style in zip((cell, kms, s3), nodes, _STYLES, strict=True):
            endpoint >> _arrow(style=style, lhead=f"cluster_{_EMR_TITLE}") << node
        for node, step in zip(nodes, steps, strict=True):
            node >> _arrow(style="invis") >> step
        for following, step in pairwise(steps):
            step >> _arrow(constraint="false") >> following


if __name__ == "__main__":
    draw()
