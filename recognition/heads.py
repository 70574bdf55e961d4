"""A small linear model over vectors: which of some labels, learnt from examples.

Multinomial logistic regression, fitted by full steps of accelerated gradient descent; nothing
random, so that the same examples give the same model. Knows vectors and labels, no texts.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

STEPS = 300


class Head:
    """Weights of a fitted model. `labels` are the columns of what it answers."""

    def __init__(self, labels: tuple[str, ...], weights: Floats, mean: Floats) -> None:
        self.labels = labels
        self._weights = weights
        self._mean = mean

    def chances(self, rows: npt.ArrayLike) -> Floats:
        """Probabilities, (n, labels), of vectors (n, d); each row sums to 1."""
        return _softmax(
            (np.asarray(rows, np.float64) - self._mean) @ self._weights[:-1] + self._weights[-1]
        )

    def scores(self, row: npt.ArrayLike) -> Mapping[str, float]:
        """Probabilities of one vector by label."""
        found = self.chances(np.atleast_2d(np.asarray(row, np.float64)))[0]
        return {label: float(chance) for label, chance in zip(self.labels, found, strict=True)}


def fitted(rows: npt.ArrayLike, labels: Sequence[str], *, decay: float) -> Head:
    """Fit on vectors (n, d), one label each; every label counts the same however many it has.

    `decay` holds the weights small: 1e-2 is strong, 1e-5 is nearly none, for vectors of length 1.
    """
    given = np.asarray(rows, np.float64)
    names = tuple(sorted(set(labels)))
    wanted = np.zeros((len(labels), len(names)))
    wanted[np.arange(len(labels)), [names.index(label) for label in labels]] = 1.0
    counts = wanted.sum(0)
    share = (wanted / counts).sum(1, keepdims=True) / len(names)
    mean = given.mean(0)
    with_one = np.hstack([given - mean, np.ones((len(given), 1))])
    weights = np.zeros((with_one.shape[1], len(names)))
    # The loss curves at most half the largest eigenvalue of the weighted moments, plus the decay.
    steepest = _largest(with_one * np.sqrt(share))
    stride = 1.0 / (0.5 * steepest + decay)
    ahead, before = weights, weights
    for step in range(STEPS):
        off = (_softmax(with_one @ ahead) - wanted) * share
        slope = with_one.T @ off + decay * ahead
        weights = ahead - stride * slope
        ahead = weights + step / (step + 3.0) * (weights - before)
        before = weights
    return Head(names, weights, mean)


def _largest(rows: Floats) -> float:
    """A little more than the largest eigenvalue of rows' moments, by powers of them."""
    along = np.ones(rows.shape[1])
    size = 1.0
    for _ in range(30):
        along = rows.T @ (rows @ (along / np.linalg.norm(along)))
        size = float(np.linalg.norm(along))
    return 1.1 * size


def _softmax(raw: Floats) -> Floats:
    raised = np.exp(raw - raw.max(axis=1, keepdims=True))
    chances: Floats = raised / raised.sum(axis=1, keepdims=True)
    return chances
