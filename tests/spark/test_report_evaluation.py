"""The report's section on the evaluation: figures, warnings, any label."""

import json
import re
from dataclasses import replace

from spark_assets.output.evaluation_record import (
    NEAREST,
    RIDGE,
    CalibrationBin,
    Confusion,
    CurvePoint,
    Evaluation,
    LabelScore,
    Score,
    VarietyScores,
)
from spark_assets.report.confusion_matrix import MAX_LABELS_IN_MATRIX, confusion_matrix
from spark_assets.report.html_page import render
from spark_assets.text.languages import ENGLISH
from spark_assets.text.printable import printable
from tests.made_report import HOSTILE_NAMES, made_report


def score(classifier: str, split: str, n_components: int | None, accuracy: float) -> Score:
    return Score(
        classifier, split, n_components, accuracy, accuracy - 0.1, accuracy + 0.1, 0.5, 0.4
    )


def made_evaluation(labels: tuple[str, ...] = ("apple", "pear"), **changes) -> Evaluation:
    evaluation = Evaluation(
        model_id="M",
        made_at="2026-01-02T03:04:05+00:00",
        network_sha256="ab" * 32,
        warning=None,
        n_folds=5,
        group_by="object",
        n_photographs=120,
        n_objects=12,
        n_unlabeled=3,
        n_sampled=125,
        n_current=125,
        n_tested=118,
        n_test_rejected=0,
        n_copies=2,
        penalty=0.3,
        n_neighbors=5,
        chosen_by="objects",
        labels=list(labels),
        labels_left_out=["fig"],
        scores=[
            score(classifier, split, n_components, 0.61)
            for split in ("objects", "photographs")
            for n_components in (40, None)
            for classifier in (RIDGE, NEAREST)
        ],
        by_label=[LabelScore(label, 59, 0.7, 0.6, 0.65) for label in labels],
        confusions=[Confusion(a, b, 7 if a != b else 50) for a in labels for b in labels],
        calibration=[CalibrationBin(118, 0.8, 0.61)],
        calibration_error=0.19,
        curve=[
            CurvePoint(classifier, n, share, 0.6)
            for classifier in (RIDGE, NEAREST)
            for n, share in ((2, None), (40, 0.95))
        ],
    )
    return replace(evaluation, **changes)


def page_of(evaluation: Evaluation | None) -> str:
    return render(replace(made_report(), evaluation=evaluation))


def figures_of(page: str) -> dict:
    data = re.search(r'<script type="application/json" id="page-data">(.*?)</script>', page, re.S)
    assert data is not None
    return json.loads(data[1])["figures"]


def value(page: str, element_id: str) -> float:
    found = re.search(rf'id="{element_id}" data-value="([^"]*)"', page)
    assert found is not None
    return float(found[1])


def test_without_an_evaluation_nothing_is_said_of_it():
    page = page_of(None)
    assert "evaluation-heading" not in page
    assert "accuracy" not in figures_of(page)


def test_the_figures_to_go_by_are_those_of_the_first_score():
    page = page_of(made_evaluation())
    assert (value(page, "accuracy"), value(page, "balanced-accuracy")) == (0.61, 0.5)
    assert (value(page, "n-evaluated"), value(page, "calibration-error")) == (118, 0.19)
    assert {"accuracy", "confusions", "reliability"} <= figures_of(page).keys()
    assert "Evaluated on: held-out objects." in page
    assert "Cross-validation in 5 folds." in page
    assert re.search(r'id="labels-left-out">fig<', page)


def test_a_warning_of_random_weights_stands_beside_the_figures():
    page = page_of(made_evaluation(warning="the weights are random numbers"))
    section = page[page.index('id="evaluation-heading"') :]
    assert section.index("the weights are random numbers") < section.index('id="accuracy"')


def test_without_groups_the_option_that_names_them_is_said():
    scores = [replace(each, split="clusters") for each in made_evaluation().scores[:4]]
    assert 'id="no-groups"' in page_of(made_evaluation(group_by=None, scores=scores))
    assert 'id="no-groups"' not in page_of(made_evaluation())


def test_mistakes_are_told_by_how_often_they_occur():
    page = page_of(made_evaluation(("apple", "pear", "plum")))
    rows = re.search(r'<table id="mistakes">(.*?)</table>', page, re.S)
    assert rows is not None
    assert rows[1].count("<tr>") == 1 + 6
    none = made_evaluation(confusions=[Confusion("apple", "apple", 118)])
    assert 'id="no-mistakes"' in page_of(none)


def test_of_many_labels_the_matrix_is_left_out_and_the_table_stays():
    many = made_evaluation(tuple(f"label {n}" for n in range(MAX_LABELS_IN_MATRIX + 1)))
    assert confusion_matrix(many, ENGLISH) is None
    page = page_of(many)
    assert "confusions" not in figures_of(page)
    assert "The most frequent errors" in page


def test_any_label_is_text():
    page = page_of(made_evaluation(HOSTILE_NAMES, labels_left_out=list(HOSTILE_NAMES)))
    section = page[page.index('id="evaluation-heading"') : page.index('id="rejected-heading"')]
    assert "<script>" not in section
    assert "<img" not in section
    page.encode("utf-8")
    # As many categories as labels, although the names are cut.
    names = figures_of(page)["confusions"]["data"][0]["x"]
    assert len(set(names)) == len(HOSTILE_NAMES)
    assert printable(HOSTILE_NAMES[3]) in page.replace("&#39;", "'")


def test_a_sample_is_said_to_be_one_and_copies_that_are_left_out_make_none():
    assert "random sample" not in page_of(made_evaluation())
    page = " ".join(page_of(made_evaluation(n_current=900, n_unlabeled=0)).split())
    assert "120 photographs, a random sample of 900. 2 byte-identical duplicates are" in page


def test_varieties_have_a_table_where_there_are_some():
    scores = VarietyScores("regex", 12, 47, 3, 0.574, 0.426, 0.723, 0.591, 0.8, 0.319, 0.933)
    assert 'id="varieties"' not in page_of(made_evaluation())
    table = re.search(
        r'<table id="varieties">(.*?)</table>', page_of(made_evaluation(varieties=scores)), re.S
    )
    assert table is not None
    assert "12 varieties" in table[1]
    assert "47 photographs, 3 of varieties" in " ".join(table[1].split())
    assert [float(each) for each in re.findall('data-value="([^"]*)"', table[1])] == [0.574, 0.319]
    assert "93.3" in table[1]
    none = page_of(made_evaluation(varieties=replace(scores, accuracy_answered=None)))
    assert 'id="varieties"' in none
