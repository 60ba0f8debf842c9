"""Local features of a mirror image."""

from __future__ import annotations

import numpy as np
import pytest

from imagesearch.local_features.mirrored import mirrored
from imagesearch.local_features.rootsift import RootSift
from imagesearch.ranking.verification import verify
from tests.imagesearch.local_features.test_rootsift import textured


@pytest.mark.parametrize("upright", [False, True])
def test_mirrored_features_are_those_of_the_mirror_image(upright: bool) -> None:
    extractor = RootSift(upright=upright)
    picture = textured()
    seen = extractor.extract(np.ascontiguousarray(picture[:, ::-1]))
    match = verify(mirrored(extractor.extract(picture)), seen)
    assert match is not None
    assert match.inliers > 150
    # Upright or not, the same place is found: the outline is the picture itself, its corners in order.
    np.testing.assert_allclose(match.quadrilateral, [(0, 0), (1, 0), (1, 1), (0, 1)], atol=0.01)


def test_without_being_mirrored_they_do_not_match() -> None:
    extractor = RootSift()
    picture = textured()
    seen = extractor.extract(np.ascontiguousarray(picture[:, ::-1]))
    assert verify(extractor.extract(picture), seen) is None


def test_mirroring_twice_changes_nothing() -> None:
    features = RootSift().extract(textured())
    twice = mirrored(mirrored(features))
    np.testing.assert_array_equal(twice.root_sift, features.root_sift)
    np.testing.assert_array_equal(twice.orientations, features.orientations)


def test_a_picture_without_features_has_none_mirrored() -> None:
    assert len(mirrored(RootSift().extract(np.zeros((20, 20, 3), np.uint8)))) == 0
