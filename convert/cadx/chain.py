# SPDX-License-Identifier: Apache-2.0
"""The chain behind the deep features: standardise, PCA, support vectors, probabilities; and its export as one network.

Each class has its own machine against the rest (RBF kernel, C = 1, gamma = 1 / number of deep features), and a logistic
layer on their decisions, fitted in grouped folds, makes probabilities of them. Written so, the whole chain is a
network of matrix products, squares and one exponential: a ``.tflite`` file can hold it, a gradient can pass through it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from convert.cadx.elimination import Elimination, Labels, Matrix, eliminate
from device.inference.finding import CLASSES


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """A fitted chain.

    Attributes:
        mean: (d,) of the deep features.
        spread: (d,) standard deviations.
        projection: (d, k) onto the components that were kept.
        support: (s, k) support vectors of all machines under each other.
        gamma: Of the kernel.
        weights: (s, 3) dual coefficients, a column a class; absent classes have zeros.
        offsets: (3,) of the decisions.
        scale: (3, 3) from decisions to logits.
        bias: (3,) of the logits; absent classes have a very low one.
        elimination: How the components were chosen.
    """

    mean: Matrix
    spread: Matrix
    projection: Matrix
    support: Matrix
    gamma: float
    weights: Matrix
    offsets: Matrix
    scale: Matrix
    bias: Matrix
    elimination: Elimination

    def decisions(self, features: NDArray[Any]) -> Matrix:
        """Signed distances of every class against the rest, (n, 3)."""
        z = (features - self.mean) / self.spread @ self.projection
        apart = (z**2).sum(1)[:, None] + (self.support**2).sum(1) - 2 * z @ self.support.T
        return np.asarray(np.exp(-self.gamma * apart) @ self.weights + self.offsets, np.float64)

    def logits(self, features: NDArray[Any]) -> Matrix:
        """Class logits (n, 3) of deep features (n, d)."""
        return np.asarray(self.decisions(features) @ self.scale + self.bias, np.float64)

    def probabilities(self, features: NDArray[Any]) -> Matrix:
        """Class probabilities (n, 3) of deep features (n, d)."""
        logits = self.logits(features)
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float64)


_ABSENT = -30.0
"""Logit of a class that no training image has (mammograms have no normal ones)."""


def fit_chain(
    features: NDArray[Any], labels: Labels, groups: NDArray[np.str_], components: int, penalty: float, folds: int
) -> Chain:
    """Fit the chain on deep features.

    Args:
        features: (n, d).
        labels: (n,), indices into ``CLASSES``, of at least two classes.
        groups: (n,).
        components: The largest number of components.
        penalty: C.
        folds: Grouped folds for the number of components and for the probabilities.

    Raises:
        ValueError: There is only one class.
    """
    present = np.unique(labels)
    if len(present) < 2:
        raise ValueError("this chain needs images of at least two classes to learn from")
    values = features.astype(np.float64)
    mean, spread = values.mean(axis=0), values.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    standard = (values - mean) / spread
    # What the components still vary around zero is the mean, which standardising has taken away.
    pca = PCA(min(components, len(values) - 1, values.shape[1]), svd_solver="full").fit(standard)
    projected = standard @ pca.components_.T
    gamma = 1.0 / values.shape[1]

    def make() -> Any:
        return OneVsRestClassifier(SVC(C=penalty, kernel="rbf", gamma=gamma))

    chosen = eliminate(projected, labels, groups, make, folds)
    kept = projected[:, chosen.kept]
    machines = make().fit(kept, labels)
    support, weights, offsets = _joined(machines, kept.shape[1])
    chain = Chain(
        mean, spread, pca.components_[chosen.kept].T, support, gamma, weights, offsets, np.eye(3), np.zeros(3), chosen
    )
    scale, bias = _logistic(_held_out(kept, labels, groups, make, folds), labels, chain.decisions(features))
    return replace(chain, scale=scale, bias=bias)


def _joined(machines: Any, width: int) -> tuple[Matrix, Matrix, Matrix]:
    """Support vectors, dual coefficients and offsets of all machines."""
    classes = machines.classes_
    # Two classes have one machine, for the second of them.
    estimators = machines.estimators_ if len(classes) > 2 else [machines.estimators_[0]]
    named = classes if len(classes) > 2 else classes[1:]
    support = np.vstack([m.support_vectors_ for m in estimators]).reshape(-1, width)
    weights, offsets = np.zeros((len(support), len(CLASSES))), np.zeros(len(CLASSES))
    start = 0
    for label, machine in zip(named, estimators, strict=True):
        count = len(machine.support_vectors_)
        weights[start : start + count, label] = machine.dual_coef_[0]
        offsets[label] = machine.intercept_[0]
        start += count
    if len(classes) == 2:
        weights[:, classes[0]], offsets[classes[0]] = -weights[:, classes[1]], -offsets[classes[1]]
    return support, weights, offsets


def _held_out(
    components: Matrix, labels: Labels, groups: NDArray[np.str_], make: Any, folds: int
) -> tuple[Matrix, NDArray[np.bool_]]:
    """Decisions (n, 3) of machines that had not seen the image, and which images got one."""
    decisions, known = np.zeros((len(labels), len(CLASSES))), np.zeros(len(labels), bool)
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=0)
    present = np.unique(labels)
    for fit, test in splitter.split(components, labels, groups):
        if len(np.unique(labels[fit])) < len(present) or not len(test):
            continue
        found = make().fit(components[fit], labels[fit]).decision_function(components[test])
        decisions[np.ix_(test, present)] = np.stack([-found, found], axis=1) if len(present) == 2 else found
        known[test] = True
    return decisions, known


def _logistic(held: tuple[Matrix, NDArray[np.bool_]], labels: Labels, fitted: Matrix) -> tuple[Matrix, Matrix]:
    """From decisions to logits: (3, 3) and (3,)."""
    decisions, known = held
    present = np.unique(labels)
    if len(np.unique(labels[known])) < len(present):  # too few groups to hold any out
        decisions, known = fitted, np.ones(len(labels), bool)
    model = LogisticRegression(C=1.0, max_iter=1000).fit(decisions[known], labels[known])
    scale, bias = np.zeros((len(CLASSES), len(CLASSES))), np.full(len(CLASSES), _ABSENT)
    if len(present) == 2:
        scale[:, present[1]], bias[present[1]], bias[present[0]] = model.coef_[0], model.intercept_[0], 0.0
    else:
        scale[:, present], bias[present] = model.coef_.T, model.intercept_
    return scale, bias


def chain_head(chain: Chain) -> Any:
    """The chain as a Keras model from deep features (n, d) to logits (n, 3): exportable and differentiable."""
    import keras
    from keras import layers, ops

    features = keras.Input((len(chain.mean),), name="features")
    kernel = chain.projection / chain.spread[:, None]
    width, count = chain.projection.shape[1], len(chain.support)
    z = layers.Dense(width, name="components")(features)
    across = layers.Dense(count, name="support")(z)
    # |z|² by a matrix of ones, added to every support vector's column.
    squares = layers.Dense(count, use_bias=False, name="squares")(ops.multiply(z, z))
    near = ops.exp(layers.Add()([across, squares]))
    logits = layers.Dense(len(CLASSES), name="logits")(layers.Dense(len(CLASSES), name="decisions")(near))
    model = keras.Model(features, logits, name="head")
    gamma = chain.gamma
    values = {
        "components": [kernel, -(chain.mean @ kernel)],
        "support": [2 * gamma * chain.support.T, -gamma * (chain.support**2).sum(1)],
        "squares": [np.full((width, count), -gamma)],
        "decisions": [chain.weights, chain.offsets],
        "logits": [chain.scale, chain.bias],
    }
    for name, arrays in values.items():
        model.get_layer(name).set_weights([np.asarray(array, np.float32) for array in arrays])
    return model
