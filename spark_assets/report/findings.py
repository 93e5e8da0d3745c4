"""What the newest audit has found, as the report shows it."""

from collections.abc import Sequence

from spark_assets.images.decoding import ImageLimits
from spark_assets.images.listing import ImageEntry
from spark_assets.images.reading import ReadAhead, reader_of_extras
from spark_assets.images.thumbnails import thumbnail_of
from spark_assets.output.finding import Finding, FindingKind
from spark_assets.output.findings import audit_record, current_findings
from spark_assets.output.manifest import RunManifest
from spark_assets.output.output import Output
from spark_assets.report.data import ShownFinding, ShownFindings

# Of each kind; the table holds them all.
MAX_SHOWN = 24


def collect_findings(
    output: Output, latest: RunManifest, limits: ImageLimits
) -> ShownFindings | None:
    """Return the findings, the worst of each kind with thumbnails; None where there is no audit."""
    record = audit_record(output)
    if record is None:
        return None
    of_kind: dict[FindingKind, list[Finding]] = {kind: [] for kind in FindingKind}
    for finding in current_findings(output):
        of_kind[finding.kind].append(finding)
    worst = {kind: findings[:MAX_SHOWN] for kind, findings in of_kind.items()}
    thumbnails = _thumbnails(latest, [each for some in worst.values() for each in some], limits)
    return ShownFindings(
        record,
        {kind: len(findings) for kind, findings in of_kind.items()},
        {
            kind: [
                ShownFinding(
                    each,
                    thumbnails.get(each.path),
                    None if each.related_path is None else thumbnails.get(each.related_path),
                )
                for each in findings
            ]
            for kind, findings in worst.items()
        },
    )


def _thumbnails(
    run: RunManifest, findings: Sequence[Finding], limits: ImageLimits
) -> dict[str, str | None]:
    """Return a thumbnail of each image that is named, read once."""
    named = (path for each in findings for path in (each.path, each.related_path))
    paths = dict.fromkeys(path for path in named if path is not None)
    reader = reader_of_extras(run.images, limits=limits)
    entries = (ImageEntry(path, None, None) for path in paths)
    read = ReadAhead(n_readers=4).read(entries, reader)
    return {image.entry.path: thumbnail_of(image, limits) for image in read}
