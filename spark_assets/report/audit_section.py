"""The words of the audit's findings: name, definition and measurement of each kind."""

from collections.abc import Mapping

from spark_assets.output.findings_table import Finding, FindingKind
from spark_assets.text.languages import Language, mark

NAME_OF_KIND = {
    FindingKind.DUPLICATE: mark("duplicate"),
    FindingKind.NEAR_DUPLICATE: mark("near duplicate"),
    FindingKind.SIMILAR_VIEW: mark("similar view"),
    FindingKind.WRONG_LABEL: mark("label issue"),
    FindingKind.UNDEREXPOSED: mark("underexposed"),
    FindingKind.OVEREXPOSED: mark("overexposed"),
    FindingKind.BLURRED: mark("blurred"),
    FindingKind.LOW_RESOLUTION: mark("low resolution"),
}
DEFINITION_OF_KIND = {
    FindingKind.DUPLICATE: mark("byte-identical to another image"),
    FindingKind.NEAR_DUPLICATE: mark("the same photograph, re-encoded or cropped"),
    FindingKind.SIMILAR_VIEW: mark("nearly the same view as in another split: next frame or burst"),
    FindingKind.WRONG_LABEL: mark("an out-of-fold classifier predicts another label"),
    FindingKind.UNDEREXPOSED: mark("low 99th percentile of luminance"),
    FindingKind.OVEREXPOSED: mark("much of the subject is clipped"),
    FindingKind.BLURRED: mark("no sharp edge"),
    FindingKind.LOW_RESOLUTION: mark("few pixels"),
}
MEASURED = mark("measurement")
HEADING_OF_KIND = {
    FindingKind.DUPLICATE: mark("duplicate of"),
    FindingKind.NEAR_DUPLICATE: mark("near duplicate of"),
    FindingKind.SIMILAR_VIEW: mark("similar to"),
    FindingKind.WRONG_LABEL: mark("suggested label"),
}


def measurement(finding: Finding, thresholds: Mapping[str, float], language: Language) -> str:
    """Return the figure behind a finding, from its score, beside its threshold."""
    score, gettext = finding.score, language.gettext
    match finding.kind:
        case FindingKind.DUPLICATE:
            return gettext("same SHA-256")
        case FindingKind.NEAR_DUPLICATE:
            return gettext("correlation of details %(value)s", value=language.decimal(score, 5))
        case FindingKind.SIMILAR_VIEW:
            return gettext("cosine of features %(value)s", value=language.decimal(score, 3))
        case FindingKind.WRONG_LABEL:
            return gettext(
                "out-of-fold probability of its label %(value)s", value=language.share(1 - score)
            )
        case FindingKind.UNDEREXPOSED:
            return gettext(
                "99th percentile of luminance %(value)s (threshold %(threshold)s)",
                value=language.count(round(255 * (1 - score))),
                threshold=language.count(round(thresholds["max_brightest"])),
            )
        case FindingKind.OVEREXPOSED:
            return gettext(
                "%(value)s of the subject is clipped (threshold %(threshold)s)",
                value=language.share(score, 0),
                threshold=language.share(thresholds["min_clipped"], 0),
            )
        case FindingKind.BLURRED:
            return gettext(
                "sharpness %(value)s (threshold %(threshold)s)",
                value=language.decimal(1 - score, 2),
                threshold=language.decimal(thresholds["max_sharpness"], 2),
            )
        case FindingKind.LOW_RESOLUTION:
            side = thresholds["min_side_px"]
            return gettext(
                "shorter side %(value)s px (threshold %(threshold)s px)",
                value=language.count(round(side * (1 - score))),
                threshold=language.count(round(side)),
            )
