# SPDX-License-Identifier: Apache-2.0
"""The chain behind deep features: right on plain data, the same as scikit-learn, and the same as one network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from convert.cadx.chain import chain_head, fit_chain
from device.imaging.enhance import pseudocolour


def deep_features(n: int = 120, d: int = 40, classes: int = 3) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(5)
    labels = np.arange(n) % classes + (3 - classes)
    centres = rng.normal(0, 1.0, (3, d))
    features = (centres[labels] + rng.normal(0, 1.2, (n, d))) * rng.uniform(0.1, 20, d) + 3
    return features.astype(np.float32), labels.astype(np.int64), np.array([f"g{i // 2}" for i in range(n)])


@pytest.mark.parametrize(
    ("level", "colour"),
    # |sin(2 pi (I / 255 + phase))| by hand: at 0 sin(9.8696) = -0.4303, sin(4.9348) = -0.9754, sin(3.2899) = -0.1477;
    # at 51, a fifth of a turn further, sin(11.1262) = -0.9915, sin(6.1914) = -0.0916, sin(4.5465) = -0.9863.
    [(0, (110, 249, 38)), (51, (253, 23, 251)), (128, (113, 248, 41)), (255, (110, 249, 38))],
)
def test_pseudocolour_by_hand(level: int, colour: tuple[int, int, int]) -> None:
    seen = pseudocolour(np.full((1, 1), level, np.uint8))[0, 0].astype(int)
    np.testing.assert_allclose(seen, colour, atol=1)


def test_plain_classes_are_told_apart_with_fewer_components_than_there_are() -> None:
    features, labels, groups = deep_features()
    chain = fit_chain(features[:90], labels[:90], groups[:90], 60, 1.0, 5)
    found = chain.probabilities(features[90:])
    assert (found.argmax(1) == labels[90:]).mean() > 0.9
    np.testing.assert_allclose(found.sum(1), 1.0)
    assert 2 <= len(chain.elimination.kept) <= 40
    assert chain.gamma == pytest.approx(1 / 40)


def test_its_decisions_are_those_of_scikit_learn() -> None:
    features, labels, groups = deep_features()
    chain = fit_chain(features, labels, groups, 30, 1.0, 5)
    z = (features - chain.mean) / chain.spread @ chain.projection
    machines = OneVsRestClassifier(SVC(C=1.0, gamma=1 / 40)).fit(z, labels)
    np.testing.assert_allclose(chain.decisions(features), machines.decision_function(z), atol=1e-6)


def test_two_classes_as_of_mammograms_leave_the_third_impossible() -> None:
    features, labels, groups = deep_features(classes=2)
    chain = fit_chain(features, labels, groups, 30, 1.0, 5)
    found = chain.probabilities(features)
    assert set(labels.tolist()) == {1, 2}
    assert found[:, 0].max() < 1e-6
    assert (found.argmax(1) == labels).mean() > 0.9


def test_one_class_alone_is_refused() -> None:
    features, _, groups = deep_features()
    with pytest.raises(ValueError, match="two classes"):
        fit_chain(features, np.ones(len(features), np.int64), groups, 10, 1.0, 5)


def test_the_exported_network_says_the_same(tmp_path: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter

    from convert.quantise import to_float

    features, labels, groups = deep_features()
    chain = fit_chain(features, labels, groups, 30, 1.0, 5)
    network = chain_head(chain)
    wanted = chain.logits(features)
    np.testing.assert_allclose(network.predict(features, verbose=0), wanted, atol=2e-3)
    path = tmp_path / "chain.tflite"
    path.write_bytes(to_float(network))
    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], features[:1])
    interpreter.invoke()
    said = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(said, wanted[:1], atol=2e-3)
