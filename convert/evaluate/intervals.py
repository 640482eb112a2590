# SPDX-License-Identifier: Apache-2.0
"""A figure with its 95 % interval, from a bootstrap that resamples groups and never single images.

Near copies, the views of a case and the frames of a patient say nearly the same: resampling them one by one would make
the intervals too narrow. So whole groups are drawn with replacement (cluster bootstrap, Field and Welsh 2007;
percentile interval, Efron and Tibshirani 1993). A share of exactly 0 or 1 has no spread to resample: its interval is a
point, and says less than it seems to.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.evaluate.metrics import Floats, confusion_figures, decision_figures, discrimination_figures, once, ratio
from convert.evaluate.predictions import Predictions
from convert.evaluate.reliability import calibration_figures

DRAWS = 1000
SEED = 20_210

FigureMaker = Callable[[Predictions, Floats], Mapping[str, Floats]]
"""From predictions and weights (draws, n) to named figures, each (draws,)."""


class Estimate(NamedTuple):
    """A figure and the bounds of its 95 % interval; NaN where the images cannot give it."""

    value: float
    low: float = math.nan
    high: float = math.nan

    def to_json(self) -> dict[str, float | None]:
        """As an object with ``value``, ``low`` and ``high``; unknown is ``None``, because JSON has no NaN."""
        return {
            name: None if math.isnan(number) else round(float(number), 6) for name, number in self._asdict().items()
        }


class Spread(NamedTuple):
    """A figure over folds: mean, standard deviation (n - 1) and the number of folds that gave it."""

    mean: float
    sd: float
    folds: int

    def to_json(self) -> dict[str, float | int | None]:
        """As an object with ``mean``, ``sd`` and ``folds``; unknown is ``None``."""
        mean, sd = (None if math.isnan(x) else round(float(x), 6) for x in (self.mean, self.sd))
        return {"mean": mean, "sd": sd, "folds": self.folds}


_INFLATED = ("ece", "ece_malignant")
"""Sums of absolute gaps: drawing again adds noise to every gap, so the draws lie above the figure of the images
themselves. They are shifted back onto it (bias-corrected percentiles), or the interval would not even contain it."""


def outline_figures(predictions: Predictions, weights: Floats) -> dict[str, Floats]:
    """Mean Dice of the outlined lesions over the images that have one, (draws,)."""
    known = ~np.isnan(predictions.dice)
    return {"dice": ratio(weights[:, known] @ predictions.dice[known], weights[:, known].sum(1))}


STANDARD: tuple[FigureMaker, ...] = (
    discrimination_figures,
    confusion_figures,
    decision_figures,
    calibration_figures,
    outline_figures,
)
"""What every evaluation is asked for."""


def draw_weights(groups: NDArray[np.str_], draws: int = DRAWS, seed: int = SEED) -> Floats:
    """How often each image counts in each draw of whole groups with replacement: (draws, n).

    Args:
        groups: (n,) group of each image.
        draws: Number of bootstrap draws.
        seed: Same seed and groups, same draws.
    """
    names, member = np.unique(groups, return_inverse=True)
    if not len(names):
        return np.zeros((draws, 0))
    generator = np.random.default_rng(seed)
    counts = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    return counts[:, member].astype(np.float64)


def figures(
    predictions: Predictions,
    makers: Sequence[FigureMaker] = STANDARD,
    draws: int = DRAWS,
) -> dict[str, Estimate]:
    """Every figure with its 95 % interval.

    Args:
        predictions: n images.
        makers: What to compute.
        draws: Bootstrap draws; 0 leaves the intervals out.
    """
    plain, drawn = once(len(predictions)), draw_weights(predictions.groups, draws)
    result: dict[str, Estimate] = {}
    for maker in makers:
        sampled = maker(predictions, drawn) if draws else {}
        for name, value in maker(predictions, plain).items():
            spread = sampled[name] if draws else np.zeros(0)
            if name in _INFLATED and draws:
                spread = np.maximum(spread - np.nanmedian(spread) + value[0], 0.0)
            result[name] = Estimate(float(value[0]), *_interval(spread))
    return result


def over_folds(predictions: Predictions) -> dict[str, Spread]:
    """Mean and standard deviation of every figure over the folds; empty where there are no folds."""
    names = np.unique(predictions.folds[predictions.folds >= 0])
    each = [figures(predictions.where(predictions.folds == fold), draws=0) for fold in names]
    if not each:
        return {}
    return {name: _spread([found[name].value for found in each]) for name in each[0]}


def difference(one: Predictions, other: Predictions, name: str) -> Estimate:
    """How much a figure of ``one`` exceeds that of ``other`` on the same images, with its paired interval.

    Both are resampled by the same draws: what makes an image hard for both cancels out.

    Raises:
        ValueError: The two are not about the same images in the same order.
    """
    if not np.array_equal(one.keys, other.keys):
        raise ValueError("a difference needs predictions of the same images in the same order")
    drawn, plain = draw_weights(one.groups), once(len(one))
    for maker in STANDARD:
        first = maker(one, plain)
        if name in first:
            value = first[name] - maker(other, plain)[name]
            return Estimate(float(value[0]), *_interval(maker(one, drawn)[name] - maker(other, drawn)[name]))
    raise ValueError(f"{name} is none of the figures")


def _interval(sampled: Floats) -> tuple[float, float]:
    known = sampled[~np.isnan(sampled)]
    # A figure that most draws cannot give (one malignant group in a set) has no interval worth printing.
    if not len(sampled) or len(known) < 0.9 * len(sampled):
        return math.nan, math.nan
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def _spread(values: Sequence[float]) -> Spread:
    known = np.asarray([value for value in values if not math.isnan(value)])
    if not len(known):
        return Spread(math.nan, math.nan, 0)
    return Spread(float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else math.nan, len(known))
