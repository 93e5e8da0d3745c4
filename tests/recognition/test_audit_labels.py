"""Labels that are wrong are doubted, and others are not."""

import numpy as np
import pytest

from recognition.audit.label_issues import audit_labels

N_LABELS, N_EACH = 4, 30


def made(seed: int = 0, spread: float = 0.25):
    """Return features in a cloud for each label, and the labels."""
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((N_LABELS, 24))
    numbers = np.repeat(np.arange(N_LABELS), N_EACH)
    features = centres[numbers] + spread * generator.standard_normal((len(numbers), 24))
    return features.astype(np.float32), [f"label {number}" for number in numbers]


def with_wrong(labels, rows, to="label 3"):
    return [to if row in rows else label for row, label in enumerate(labels)]


def test_right_labels_are_not_doubted():
    features, labels = made()
    audit = audit_labels(features, labels)
    assert audit.issues == []
    assert (audit.n_judged, audit.agreement, audit.reason) == (len(labels), 1.0, None)


@pytest.mark.parametrize("seed", range(4))
def test_wrong_labels_are_doubted_with_the_right_one_as_suggestion(seed):
    features, labels = made(seed)
    rows = {2, 5, 31, 44, 70}
    audit = audit_labels(features, with_wrong(labels, rows))
    assert {issue.row for issue in audit.issues} == rows
    assert all(issue.suggestion == labels[issue.row] for issue in audit.issues)
    shares = [issue.p_label for issue in audit.issues]
    assert shares == sorted(shares)
    assert all(issue.p_label < 0.05 < issue.p_suggestion for issue in audit.issues)


def test_what_has_no_label_or_a_rare_one_is_not_judged():
    features, labels = made()
    labels[0:3] = [None, None, "rare"]
    audit = audit_labels(features, labels)
    assert audit.n_judged == len(labels) - 3
    assert audit.issues == []


@pytest.mark.parametrize("labels", [[None] * 20, ["apple"] * 20, ["apple", "pear"] * 4])
def test_where_there_are_not_two_labels_the_audit_says_why_it_judges_none(labels):
    audit = audit_labels(np.ones((len(labels), 4), np.float32), labels)
    assert audit.issues == []
    assert audit.agreement is None
    assert audit.reason == "fewer than 2 labels have 5 photographs or more"


def test_features_that_know_nothing_of_labels_doubt_none():
    generator = np.random.default_rng(0)
    features = generator.standard_normal((120, 24)).astype(np.float32)
    audit = audit_labels(features, [f"label {n % 4}" for n in range(120)])
    assert audit.issues == []
    assert "more often wrong than the labels are" in audit.reason


def test_what_is_left_out_is_neither_judged_nor_learnt_from():
    features, labels = made()
    rows = {2, 31}
    audit = audit_labels(features, with_wrong(labels, rows), left_out={2})
    assert {issue.row for issue in audit.issues} == {31}
    assert audit.n_judged == len(labels) - 1


def test_an_object_whose_every_photograph_has_a_wrong_label_is_doubted_by_other_objects():
    """Its own photographs vouch for each other, unless they are kept together."""
    generator = np.random.default_rng(5)
    labels_of, objects, features = [], [], []
    centres = 3 * generator.standard_normal((3, 24))
    for number in range(36):
        centre = centres[number % 3] + 0.6 * generator.standard_normal(24)
        for _ in range(8):
            features.append(centre + 0.05 * generator.standard_normal(24))
            labels_of.append(f"label {number % 3}")
            objects.append(f"object {number}")
    features = np.array(features, np.float32)
    wrong = [
        "label 1" if each == "object 0" else label
        for each, label in zip(objects, labels_of, strict=True)
    ]
    rows = {row for row, each in enumerate(objects) if each == "object 0"}
    assert {issue.row for issue in audit_labels(features, wrong, objects).issues} == rows
    assert not {issue.row for issue in audit_labels(features, wrong).issues} & rows


def test_every_photograph_without_an_object_is_one_of_its_own():
    features, labels = made()
    alone = audit_labels(features, labels, [None] * len(labels))
    assert (alone.issues, alone.agreement) == ([], 1.0)


def test_equal_features_divide_by_nothing():
    labels = ["apple"] * 10 + ["pear"] * 10
    audit = audit_labels(np.ones((20, 8), np.float32), labels)
    assert audit.issues == []
