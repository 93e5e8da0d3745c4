"""The section of the report about what an audit has found."""

from dataclasses import replace

import pytest

from spark_assets.output.findings_table import Finding, FindingKind
from spark_assets.report.html_page import render
from spark_assets.report.report_data import ShownFinding, ShownFindings
from spark_assets.text.printable import printable
from tests.made_report import HOSTILE_NAMES, NO_LABEL, made_report, thumbnail
from tests.recognition.test_audit_record import record
from tests.spark.test_report_page import Page

DATA = made_report()
# Of a score of 0.9.
MEASUREMENT = {
    FindingKind.DUPLICATE: "same SHA-256",
    FindingKind.NEAR_DUPLICATE: "correlation of details 0.90000",
    FindingKind.SIMILAR_VIEW: "cosine of features 0.900",
    FindingKind.WRONG_LABEL: "out-of-fold probability of its label 10.0 %",
    FindingKind.UNDEREXPOSED: "99th percentile of luminance 25 (threshold 110)",
    FindingKind.OVEREXPOSED: "90 % of the subject is clipped (threshold 20 %)",
    FindingKind.BLURRED: "sharpness 0.10 (threshold 0.36)",
    FindingKind.LOW_RESOLUTION: "shorter side 6 px (threshold 64 px)",
}


def shown(
    kind: FindingKind,
    path: str,
    *,
    label: str | None = "apple",
    suggestion: str | None = None,
    related: str | None = None,
    has_thumbnail: bool = True,
) -> ShownFinding:
    finding = Finding(path, label, kind, 0.9, suggestion, related, "as measured")
    picture = thumbnail((200, 30, 30)) if has_thumbnail else None
    return ShownFinding(finding, picture, None if related is None else picture)


def page_of(*findings: ShownFinding, n_more: int = 0, **of_record) -> Page:
    by_kind = {kind: [f for f in findings if f.finding.kind is kind] for kind in FindingKind}
    n_by_kind = {kind: len(some) + n_more * bool(some) for kind, some in by_kind.items()}
    found = ShownFindings(record(**of_record), n_by_kind, by_kind)
    return Page(render(replace(DATA, findings=found)))


def test_without_an_audit_there_is_no_section():
    assert Page(render(DATA)).with_id("findings-heading") is None


def test_every_kind_is_counted_and_every_finding_listed():
    findings = [shown(kind, f"apple/{kind}.jpg") for kind in FindingKind]
    page = page_of(*findings)
    assert page.text("findings-heading") == "Data audit"
    assert page.value("n-audited") == 40
    for each in findings:
        kind = each.finding.kind
        (row,) = page.texts("tr", **{"data-kind": kind})
        assert row.endswith(" 1")
        (table,) = page.texts("table", **{"data-findings": kind})
        assert each.finding.path in table
        assert MEASUREMENT[kind] in table
        assert page.text(f"findings-{kind}").endswith(" (1)")


def test_a_doubted_label_stands_beside_its_suggestion():
    page = page_of(shown(FindingKind.WRONG_LABEL, "apple/1.jpg", suggestion="pear"))
    (table,) = page.texts("table", **{"data-findings": "wrong_label"})
    assert table.split()[:3] == ["image", "label", "suggested"]
    assert "apple/1.jpg apple pear out-of-fold probability" in table


def test_a_copy_stands_beside_the_photograph_that_it_is_of():
    page = page_of(shown(FindingKind.NEAR_DUPLICATE, "Test/1.jpg", related="Training/2.jpg"))
    pictures = [has for tag, has, _ in page.elements if tag == "img" and has.get("alt")]
    assert [has["alt"] for has in pictures] == ["Test/1.jpg", "Training/2.jpg"]
    assert all(has["src"].startswith("data:image/jpeg") for has in pictures)


def test_every_picture_has_a_text_and_every_list_a_name_and_row_headings():
    page = page_of(*(shown(kind, "a/1.jpg", related="b/2.jpg") for kind in FindingKind))
    assert all(has["alt"] for tag, has, _ in page.elements if tag == "img" and "id" not in has)
    ids = {has["id"] for _, has, _ in page.elements if "id" in has}
    regions = [has for _, has, _ in page.elements if has.get("role") == "region"]
    assert all(has.get("aria-label") or has["aria-labelledby"] in ids for has in regions)
    assert len(page.texts("table", **{"class": "findings"})) == len(FindingKind)
    headings = [has for tag, has, _ in page.elements if tag == "th"]
    assert all(has["scope"] in ("row", "col", "rowgroup") for has in headings)


def test_what_is_gone_and_has_no_label_is_listed_without_a_picture():
    page = page_of(shown(FindingKind.UNDEREXPOSED, "1.jpg", label=None, has_thumbnail=False))
    (table,) = page.texts("table", **{"data-findings": "underexposed"})
    assert f"no thumbnail1.jpg {NO_LABEL}" in table


def test_a_long_list_says_how_many_more_the_table_has():
    page = page_of(shown(FindingKind.BLURRED, "a/1.jpg"), n_more=1200)
    (more,) = page.texts("p", **{"data-not-shown": "blurred"})
    assert more == "1,200 more are in the table findings/."
    assert page.text("findings-blurred") == "Blurred (1,201)"


def test_an_audit_that_found_nothing_says_so():
    page = page_of()
    assert "No findings on images that have not changed since." in " ".join(page.texts("section"))
    assert page.with_id("findings-by-kind") is None


@pytest.mark.parametrize(
    ("changes", "element_id", "text"),
    [
        ({"warning": "seeded weights"}, "findings-warning", "seeded weights"),
        ({"n_unreadable": 3}, "findings-unreadable", "3 images could not be read"),
        (
            {"labels_not_judged": "few", "label_agreement": None},
            "labels-not-judged",
            "not judged: too few labels",
        ),
        (
            {"labels_not_judged": "weak", "label_agreement": 0.312},
            "labels-not-judged",
            "not judged: the out-of-fold accuracy of 31.2 % is too low.",
        ),
        (
            {"splits": {"Training": 480, "Test": 240}, "n_leaked": 2},
            "findings-leaked",
            "Test 240. 2 images of the other splits are duplicated in Training.",
        ),
    ],
)
def test_what_limits_an_audit_is_told(changes, element_id, text):
    assert text in page_of(**changes).text(element_id)
    assert page_of().with_id(element_id) is None


def test_a_sample_says_of_how_many():
    text = " ".join(page_of(n_current=90_000, n_audited=20_000).texts("section"))
    assert "Audited 20,000 of 90,000 photographs (random sample) on " in text


def test_hostile_names_add_no_element_and_no_attribute():
    def page(name, label, suggestion, related, warning):
        findings = [
            shown(kind, name, label=label, suggestion=suggestion, related=related)
            for kind in FindingKind
        ]
        return page_of(*findings, splits={name: 2, label: 1}, warning=warning)

    plain = page("path", "label", "suggestion", "related", "detail")
    for name in HOSTILE_NAMES:
        hostile = page(name, f"{name}-", name, name, name)
        assert [tag for tag, _, _ in hostile.elements] == [tag for tag, _, _ in plain.elements]
        assert hostile.scripts() == plain.scripts()
        assert hostile.policy() == plain.policy()
        (table,) = hostile.texts("table", **{"data-findings": "underexposed"})
        assert " ".join(printable(name).split()) in table
