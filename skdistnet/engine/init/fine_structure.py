"""The median activation of the first layer, found by ridge regressions on its activations.

A layer whose activations hardly fall between neighbouring rows shows the layers behind it no fine
structure, and gradient descent takes long to sharpen it: a net on a checkerboard of 8 x 8 fields
stays at chance. Whether narrow units would serve better can be seen before any training: a linear
readout of their activations, fitted in closed form, predicts rows that it was not fitted to.
"""

import numpy as np

#: The usual median activation, and how much narrower than with it units may be.
USUAL_MEDIAN, NARROWER = 0.5, (1, 2, 4, 8)
#: Number of rows, and of centroids among them, that a readout is fitted to.
ROWS, CENTROIDS = 800, 200
#: At least this number of rows to a centroid: with fewer, a readout can predict each by itself.
ROWS_PER_CENTROID = 3
#: Narrower units must lower the error by this share, and by this number of standard errors.
GAIN, STANDARD_ERRORS = 0.1, 2.0
#: Penalties of the ridge regression, in shares of the largest eigenvalue.
PENALTIES = 10.0 ** np.arange(-8.0, 0.5, 0.5)


def leave_one_out_errors(features, target, weights):
    """Return each row's squared error by a ridge regression on the others, (n_rows,).

    The penalty is the one with the smallest mean error. The errors of all fits without a row follow
    from that with all rows, as ``error / (1 - leverage)``. `weights` sum to 1; errors are weighted.
    """
    root = np.sqrt(weights)[:, np.newaxis]
    centered, wanted = root * (features - weights @ features), root * (target - weights @ target)
    eigenvalues, vectors = np.linalg.eigh(centered.T @ centered)
    rotated = centered @ vectors
    projected, squares = rotated.T @ wanted, rotated * rotated
    best = None
    for penalty in PENALTIES * max(eigenvalues[-1], np.finfo(float).tiny ** 0.5):
        shrunk = 1.0 / (np.maximum(eigenvalues, 0.0) + penalty)
        leverage = squares @ shrunk + weights
        residual = wanted - rotated @ (shrunk[:, np.newaxis] * projected)
        residual /= np.maximum(1.0 - leverage, 1e-6)[:, np.newaxis]
        errors = np.einsum("ij,ij->i", residual, residual)
        if best is None or errors.sum() < best.sum():
            best = errors
    return best


def merge_equal_rows(H, target, weights):
    """Return the rows that differ from all earlier ones, with mean targets and sums of weights.

    A readout of narrow units would predict a row, noise included, by its copies.
    """
    _, first, group = np.unique(H, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.argsort(order)[group.ravel()]
    merged, targets = np.zeros(len(first)), np.zeros((len(first), target.shape[1]))
    np.add.at(merged, number, weights)
    np.add.at(targets, number, weights[:, np.newaxis] * target)
    return H[first[order]], targets / merged[:, np.newaxis], merged


def median_activations_of(kernel):
    """Return the median activations that are tried: the usual one, and those of narrower units."""
    u = kernel.inverse(USUAL_MEDIAN) * np.square(NARROWER, dtype=np.float64)
    medians = np.empty_like(u)
    kernel.value(u, medians)
    return [USUAL_MEDIAN, *medians[1:].tolist()]


def choose_median_activation(kernel, H, target, weights, rng):
    """Return the median activation for the first layer, and pairs of those tried and their errors.

    `H` (n_rows, n_inputs) are rows whose inputs have about the same spread.
    """
    rows = rng.permutation(len(H))[:ROWS]
    weights = weights[rows] / weights[rows].sum()
    H, target, weights = merge_equal_rows(H[rows].astype(np.float64), target[rows], weights)
    centroids = H[: min(CENTROIDS, len(H) // ROWS_PER_CENTROID)]
    squared = np.einsum("ij,ij->i", H, H)[:, np.newaxis] - 2.0 * (H @ centroids.T)
    squared += np.einsum("ij,ij->i", centroids, centroids)
    positive = squared[squared > 1e-9 * squared.max(initial=0.0)]
    if not positive.size:
        return USUAL_MEDIAN, []
    squared = np.maximum(squared, 0.0) / np.median(positive)
    chosen, best, tried = USUAL_MEDIAN, None, []
    for median in median_activations_of(kernel):
        features = np.empty_like(squared)
        kernel.value(squared * kernel.inverse(median), features)
        errors = leave_one_out_errors(features, target, weights)
        tried.append([median, float(errors.sum())])
        if best is None:
            best = errors
            continue
        gain = best - errors
        noise = STANDARD_ERRORS * gain.std() * len(gain) ** 0.5
        if gain.sum() > max(noise, GAIN * best.sum()):
            chosen, best = median, errors
        elif gain.sum() < -noise:
            break
    return chosen, tried
