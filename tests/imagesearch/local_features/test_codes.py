from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imagesearch.local_features import LocalFeatures, RootSift
from imagesearch.local_features.codes import codebook, from_codes, to_codes


def found_in_a_texture() -> LocalFeatures:
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (40, 60, 3), np.uint8)
    rgb: NDArray[np.uint8] = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
    return RootSift.to_verify(upright=False).extract(rgb)


def test_each_part_is_kept_as_its_nearest_centroid() -> None:
    found = found_in_a_texture()
    codes = to_codes(found)
    for part, centroids in enumerate(codebook()):
        values = found.root_sift[:, 8 * part : 8 * part + 8]
        distances = np.linalg.norm(values[:, None] - centroids, axis=2)
        chosen = distances[np.arange(len(found)), codes["descriptor"][:, part]]
        np.testing.assert_allclose(chosen, distances.min(axis=1), atol=1e-4)


def test_what_is_kept_is_nearer_to_what_was_found_than_other_features_are() -> None:
    found = found_in_a_texture()
    kept = from_codes(to_codes(found), found.width_px, found.height_px)
    np.testing.assert_allclose(np.linalg.norm(kept.root_sift, axis=1), 1, atol=1e-3)
    own = (found.root_sift * kept.root_sift).sum(axis=1)
    assert np.median(own) > 0.85
    assert np.mean(own >= (found.root_sift @ kept.root_sift.T).max(axis=1) - 1e-6) > 0.8


def test_nothing_is_kept_of_nothing() -> None:
    nothing = found_in_a_texture().first(0)
    assert len(from_codes(to_codes(nothing), 1, 1)) == 0
