"""Multinomial logistic regression over sparse features, in numpy. Knows numbers only.

Regularised maximum likelihood (Bishop, Pattern Recognition and Machine Learning, 4.3.4), found by
limited-memory BFGS (Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Whole = NDArray[np.int64]

MEMORY = 6
"""Steps that the optimiser remembers."""
FIRST_STEP = 20.0
"""Length of its first step: the loss is a mean, so its first gradient is small."""
HALVINGS = 8
DECREASE, STANDSTILL = 1e-4, 1e-5


class Rows(NamedTuple):
    """Sparse rows: the features of row i are `feature[start[i]:start[i + 1]]`, none empty."""

    feature: Whole
    value: Floats
    start: Whole


@dataclass(frozen=True)
class Problem:
    """Rows with their label (0 …) and weight; `features` and `labels` are how many there are."""

    rows: Rows
    label: Whole
    weight: Floats
    features: int
    labels: int
    penalty: float


class _Loss:
    """The loss and its gradient; the last row of the parameters is the bias, not penalised."""

    def __init__(self, problem: Problem) -> None:
        self._p = problem
        rows = problem.rows
        of_row = np.repeat(np.arange(len(problem.label)), np.diff(rows.start))
        by_feature = np.argsort(rows.feature, kind="stable")
        self._row = of_row[by_feature]
        self._value = rows.value[by_feature, None]
        self._begin = np.searchsorted(rows.feature[by_feature], np.arange(problem.features))
        self._own = rows.value[:, None]

    def __call__(self, at: Floats) -> tuple[float, Floats]:
        p = self._p
        weights = at[:-1]
        scores = np.add.reduceat(weights[p.rows.feature] * self._own, p.rows.start[:-1], axis=0)
        scores += at[-1]
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        each = np.arange(len(p.label))
        likelihood = -(p.weight * np.log(scores[each, p.label] + 1e-12)).sum()
        scores[each, p.label] -= 1
        scores *= p.weight[:, None]
        slope = np.empty_like(at)
        slope[:-1] = np.add.reduceat(scores[self._row] * self._value, self._begin, axis=0)
        slope[:-1] += p.penalty * weights
        slope[-1] = scores.sum(axis=0)
        return float(likelihood + p.penalty / 2 * (weights * weights).sum()), slope


def fit(problem: Problem, rounds: int) -> Floats:
    """The parameters, a row a feature and the bias last, a column a label; ≤ `rounds` steps.

    Every feature occurs in some row. The same problem gives the same parameters.
    """
    loss = _Loss(problem)
    at = np.zeros((problem.features + 1, problem.labels), dtype=np.float32)
    value, slope = loss(at)
    steps: list[tuple[Floats, Floats]] = []
    for _ in range(rounds):
        way = _direction(slope, steps)
        downhill = float((way * slope).sum())
        size = 1.0
        for _ in range(HALVINGS):
            after = at - np.float32(size) * way
            new_value, new_slope = loss(after)
            if new_value <= value - DECREASE * size * downhill:
                break
            size /= 2
        else:
            return at
        step, change = after - at, new_slope - slope
        if float((step * change).sum()) > 1e-12:
            steps = [*steps[1 - MEMORY :], (step, change)]
        gained = value - new_value
        at, value, slope = after, new_value, new_slope
        if gained < STANDSTILL * value:
            break
    return at


def _direction(slope: Floats, steps: Sequence[tuple[Floats, Floats]]) -> Floats:
    """Where to go, by the two loops over the remembered steps."""
    way = slope.copy()
    if not steps:
        return way * np.float32(FIRST_STEP)
    shares: list[tuple[float, float]] = []
    for step, change in reversed(steps):
        inverse = 1 / float((change * step).sum())
        share = inverse * float((step * way).sum())
        way -= np.float32(share) * change
        shares.append((share, inverse))
    last_step, last_change = steps[-1]
    way *= np.float32((last_step * last_change).sum() / (last_change * last_change).sum())
    for (share, inverse), (step, change) in zip(reversed(shares), steps, strict=True):
        back = inverse * float((change * way).sum())
        way += np.float32(share - back) * step
    return way
