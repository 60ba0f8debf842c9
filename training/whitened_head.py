"""fc6 in closed form: what varies between photos is kept, what varies between views of one is evened out.

Learnt whitening: Mikolajczyk & Matas, "Improving descriptors for fast tree matching by optimal linear
projection", ICCV 2007, section 3; for image retrieval Radenović et al. 2018, section 3.3. No label is used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RIDGE = 0.1
"""Added to each variance between views, as a share of their mean: directions in which the few views measured
hardly differ would else dominate. 0.01 to 1 do about as well."""


def whitened_head(
    views: NDArray[np.float32], fc6_dim: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel (D, fc6_dim) and bias (fc6_dim,) of a fully connected layer with ReLU.

    With S the covariance of views around their photo's mean and L Lᵀ = S: the projection onto the
    eigenvectors of the photos' covariance after L⁻¹. Each direction is there with both signs, because ReLU
    passes only one.

    views: shape=(photos, V, D), what fc6 takes, of V views of each photo. D is at least fc6_dim / 2.
    """
    dim = views.shape[-1]
    means = views.mean(axis=1, dtype=np.float64)
    centre = means.mean(axis=0)
    around = (views - means[:, None]).reshape(-1, dim)
    within = around.T @ around / len(around)
    within += np.eye(dim) * (RIDGE * np.trace(within) / dim + 1e-12)
    unmix = np.linalg.inv(np.linalg.cholesky(within))
    _, axes = np.linalg.eigh(np.cov((means - centre) @ unmix.T, rowvar=False))
    projection = unmix.T @ axes[:, ::-1][:, : fc6_dim // 2]
    kernel = np.concatenate([projection, -projection], axis=1)
    return kernel.astype(np.float32), (-centre @ kernel).astype(np.float32)
