"""Whether a network still describes as it did is told by a picture that is always the same."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.descriptors.choices import DescriptorSettings
from imagesearch.descriptors.kinds import create_descriptor
from imagesearch.descriptors.known_picture import describe_known
from imagesearch.errors import ModelDamaged
from tests.fakes import FakeBackbone


class Altered(FakeBackbone):
    """A network of which a part has changed."""

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        features = super().embed(images)
        features[:, ::3] = 0
        return features


def test_a_network_that_describes_as_it_did_passes_at_any_precision() -> None:
    network = create_descriptor("fc6", FakeBackbone(), DescriptorSettings())
    known = describe_known(network, None)
    rounded = known.astype(np.float16) * np.float16(1.01)
    np.testing.assert_array_equal(describe_known(network, rounded), known)


def test_one_that_has_changed_is_damaged_though_its_vectors_look_well() -> None:
    known = describe_known(create_descriptor("fc6", FakeBackbone(), DescriptorSettings()), None)
    with pytest.raises(ModelDamaged, match="otherwise than it did"):
        describe_known(create_descriptor("fc6", Altered(), DescriptorSettings()), known)
