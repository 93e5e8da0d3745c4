"""The findings of the newest audit, as the report shows them."""

from collections.abc import Sequence

from spark_assets.images.listing import ImageEntry
from spark_assets.images.reading import ReadAhead, reader_of_extras
from spark_assets.images.rejection import ImageLimits
from spark_assets.images.thumbnails import thumbnail_of
from spark_assets.output.findings_table import (
    AuditRecord,
    Finding,
    FindingKind,
    audit_record,
    current_findings,
)
from spark_assets.output.manifest import RunManifest
from spark_assets.output.output import Output
from spark_assets.report.report_data import ShownFinding, ShownFindings
from spark_assets.storage.locations import Location, parse_location

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
    thumbnails = _thumbnails(
        latest, record, [each for some in worst.values() for each in some], limits
    )
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
    run: RunManifest, record: AuditRecord, findings: Sequence[Finding], limits: ImageLimits
) -> dict[str, str | None]:
    """Return a thumbnail of each image that is named, read once; test images go by their URI."""
    named = (path for each in findings for path in (each.path, each.related_path))
    paths = dict.fromkeys(path for path in named if path is not None)
    if record.test_images is None:
        return _thumbnails_in(run.images, "", list(paths), limits)
    is_anonymous = bool(run.options.get("anonymous"))
    test = parse_location(record.test_images, anonymous=is_anonymous)
    start = f"{test.uri.rstrip('/')}/"
    of_test = [path for path in paths if path.startswith(start)]
    others = [path for path in paths if not path.startswith(start)]
    return {
        **_thumbnails_in(test, start, of_test, limits),
        **_thumbnails_in(run.images, "", others, limits),
    }


def _thumbnails_in(
    images: Location, start: str, paths: Sequence[str], limits: ImageLimits
) -> dict[str, str | None]:
    """Return thumbnails by path; ``start`` of each path is the place of the images."""
    entries = (ImageEntry(path.removeprefix(start), None, None) for path in paths)
    read = ReadAhead(n_readers=4).read(entries, reader_of_extras(images, limits=limits))
    return {f"{start}{image.entry.path}": thumbnail_of(image, limits) for image in read}
