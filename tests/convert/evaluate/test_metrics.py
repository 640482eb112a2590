# SPDX-License-Identifier: Apache-2.0
"""Our weighted figures against scikit-learn's, which are independent of ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from convert.evaluate.metrics import (
    apply_thresholds,
    auc,
    benign_malignant_score,
    confusion_counts,
    confusion_figures,
    decision_figures,
    dice,
    discrimination_figures,
    once,
)
from convert.evaluate.predictions import Predictions
from device.inference.finding import CLASSES
from device.inference.manifest import Abstention
from tests.convert.made_up import make_predictions


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    return make_predictions(3)


def test_confusion_matrix_has_true_classes_as_rows(predictions: Predictions) -> None:
    ours = confusion_counts(predictions.labels, predictions.predicted, once(len(predictions)))[0]
    assert np.array_equal(ours, oracle.confusion_matrix(predictions.labels, predictions.predicted))


def test_class_figures_equal_scikit_learns(predictions: Predictions) -> None:
    ours = {name: value[0] for name, value in confusion_figures(predictions, once(len(predictions))).items()}
    true, said = predictions.labels, predictions.predicted
    assert ours["accuracy"] == pytest.approx(oracle.accuracy_score(true, said))
    assert ours["balanced_accuracy"] == pytest.approx(oracle.balanced_accuracy_score(true, said))
    assert ours["f1_macro"] == pytest.approx(oracle.f1_score(true, said, average="macro"))
    precision, recall, f1, _ = oracle.precision_recall_fscore_support(true, said)
    for index, name in enumerate(CLASSES):
        assert ours[f"precision_{name}"] == pytest.approx(precision[index])
        assert ours[f"sensitivity_{name}"] == pytest.approx(recall[index])
        assert ours[f"f1_{name}"] == pytest.approx(f1[index])
        specificity = oracle.recall_score(true != index, said != index)
        assert ours[f"specificity_{name}"] == pytest.approx(specificity)
    benign = true == CLASSES.index("benign")
    assert ours["benign_called_normal"] == pytest.approx(np.mean(said[benign] == CLASSES.index("normal")))


def test_areas_equal_scikit_learns(predictions: Predictions) -> None:
    ours = {name: value[0] for name, value in discrimination_figures(predictions, once(len(predictions))).items()}
    p, true = predictions.probabilities, predictions.labels
    assert ours["auc_malignant_vs_rest"] == pytest.approx(oracle.roc_auc_score(true == 2, p[:, 2]))
    assert ours["auc_macro"] == pytest.approx(oracle.roc_auc_score(true, p, multi_class="ovr"))
    lesion = true > 0
    score = p[lesion, 2] / (p[lesion, 1] + p[lesion, 2])
    assert ours["auc_benign_vs_malignant"] == pytest.approx(oracle.roc_auc_score(true[lesion] == 2, score))
    assert ours["sensitivity_benign_vs_malignant"] == pytest.approx(
        oracle.recall_score(true[lesion] == 2, score >= 0.5)
    )


def test_weighted_area_with_ties_equals_scikit_learns_for_every_draw() -> None:
    generator = np.random.default_rng(1)
    truth = generator.random(200) < 0.3
    scores = np.round(generator.normal(size=200) + truth, 1)  # many ties, as int8 outputs have
    weights = generator.integers(0, 4, (20, 200)).astype(np.float64)
    ours = auc(truth, scores, weights)
    theirs = [oracle.roc_auc_score(truth, scores, sample_weight=row) for row in weights]
    assert ours == pytest.approx(theirs)


def test_what_a_set_cannot_tell_is_unknown_and_not_zero(predictions: Predictions) -> None:
    without = predictions.where(predictions.labels != CLASSES.index("malignant"))
    assert np.isnan(discrimination_figures(without, once(len(without)))["auc_malignant_vs_rest"][0])
    assert np.isnan(confusion_figures(without, once(len(without)))["sensitivity_malignant"][0])
    nothing = predictions.where(np.zeros(len(predictions), bool))
    assert all(np.isnan(value[0]) for value in confusion_figures(nothing, once(0)).values())
    assert all(np.isnan(value[0]) for value in discrimination_figures(nothing, once(0)).values())


def test_an_all_normal_answer_speaks_for_neither_lesion() -> None:
    assert benign_malignant_score(np.array([[1.0, 0, 0], [0.5, 0.125, 0.375]])).tolist() == [0.5, 0.75]


def test_decisions_at_threshold_and_outside_the_band() -> None:
    malignant = np.array([0.05, 0.25, 0.45, 0.9, 0.1, 0.3, 0.8, 0.02])
    normal = np.array([0.9, 0.1, 0.1, 0.05, 0.2, 0.1, 0.1, 0.9])
    lists: dict[str, Any] = {  # they become arrays
        "labels": [0, 2, 2, 2, 1, 1, 1, 2],
        "groups": list("abcdefgh"),
        "sets": ["busi"] * 8,
        "scanners": ["busi"] * 8,
        "keys": list("abcdefgh"),
    }
    predictions = Predictions(np.stack([normal, 1 - normal - malignant, malignant], axis=1), **lists)
    strange = np.array([False] * 7 + [True])
    known = apply_thresholds(predictions, 0.28, Abstention(lower=0.2, upper=0.5), strange)
    figures = decision_figures(known, once(8))
    assert {name: value[0] for name, value in figures.items()} == pytest.approx(
        {
            "sensitivity_at_threshold": 2 / 4,  # 0.45 and 0.9, not 0.25 and 0.02
            "specificity_at_threshold": 2 / 4,
            "coverage": 4 / 8,
            "uncertain": 3 / 8,
            "not_evaluable": 1 / 8,
            "accuracy_decided": 3 / 4,
            "npv_decided": 2 / 2,
            "ppv_decided": 1 / 2,
            "malignant_missed": 0 / 4,
        }
    )
    assert all(np.isnan(value[0]) for value in decision_figures(predictions, once(8)).values())


def test_dice_of_masks() -> None:
    truth = np.zeros((3, 10, 10), bool)
    truth[0, 2:6, 2:6] = True
    truth[1, 0:2, 0:5] = True
    found = np.zeros_like(truth)
    found[0, 2:6, 4:8] = True
    found[2, 0, 0] = True
    values = dice(found, truth)
    assert values[:2].tolist() == [0.5, 0.0]
    assert np.isnan(values[2])  # an outline where there is no lesion has no overlap to speak of
    assert dice(truth[0], truth[0]).tolist() == [1.0]
