"""What an audit has found, as the report shows it in a real browser."""

from dataclasses import replace

import pytest

from spark_assets.output.findings_table import Finding, FindingKind
from spark_assets.report.html_page import render
from spark_assets.report.report_data import ShownFinding, ShownFindings
from tests.end_to_end.browser import open_page
from tests.made_report import HOSTILE_NAMES, made_report, thumbnail
from tests.recognition.test_audit_record import record


@pytest.mark.parametrize("width", [390, 1280])
def test_the_lists_have_their_pictures_and_nothing_is_wider_than_the_screen(
    chromium, tmp_path, width
):
    picture = thumbnail((30, 160, 60))
    shown = {
        kind: [
            ShownFinding(Finding(name, name, kind, 0.9, name, name, name), picture, picture)
            for name in HOSTILE_NAMES
        ]
        for kind in FindingKind
    }
    n_by_kind = {kind: len(findings) + 7 for kind, findings in shown.items()}
    findings = ShownFindings(record(splits={"Training": 2, "Test": 1}), n_by_kind, shown)
    path = tmp_path / "index.html"
    path.write_text(render(replace(made_report(), findings=findings)), encoding="utf-8")
    with open_page(chromium, path, width=width, height=844) as opened:
        pictures = opened.page.locator("img.thumbnail")
        assert pictures.count() == 2 * len(FindingKind) * len(HOSTILE_NAMES)
        widths = pictures.evaluate_all("images => images.map((image) => image.naturalWidth)")
        assert set(widths) == {24}
        assert opened.page.evaluate("document.documentElement.scrollWidth") == width
        assert opened.page.evaluate("window.hacked") is None
        assert opened.problems == []
        assert opened.requests == []
