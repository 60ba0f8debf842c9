"""The int8 form of a network, calibrated and measured on a sample of the photos at hand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones import Backbone, ModelIdentity, Precision
from imagesearch.backbones.converted import ConvertedModel
from imagesearch.descriptors.base import Descriptor
from imagesearch.descriptors.kinds import create_descriptor
from imagesearch.errors import InvalidImage, PrecisionRefused
from imagesearch.host.cpus import available_cpus
from imagesearch.pictures.decode import ImageLimits
from imagesearch.pictures.plans import InputPlan, plan_for
from imagesearch.pictures.pool import DecodePool
from imagesearch.pictures.prepare import IndexedPicture, decode_file
from imagesearch.store.ledger import FileState
from indexer.decoded import decode_ahead
from indexer.network_source import Networks
from indexer.recipes import descriptor_kind, descriptor_settings
from indexer.settings import IndexerSettings
from indexer.walk import walk

LEAST_PHOTOS = 100
"""Fewer say too little of the photos to come, and a photo's ten nearest would be a large part of them."""
CALIBRATION_PHOTOS = 300
MEASURED_PHOTOS = 300
BATCH = 32
_SEED = 20180612


def quantise(settings: IndexerSettings, networks: Networks, identity: ModelIdentity) -> ConvertedModel:
    """Makes a new int8 form of a prepared model from a random sample of the images folder.

    Raises PrecisionRefused for too few photos or too many changed results, ImagesFolderError,
    ModelUnavailable and ModelDamaged.
    """
    exact = networks.load(identity, Precision.F32)
    photos = _drawn(settings)
    half = min(CALIBRATION_PHOTOS, len(photos) // 2)
    calibration = _inputs(settings, photos[:half], plan_for(exact.card.input))
    measured = _inputs(settings, photos[half:], _descriptor(settings, exact).input_plan)
    if len(calibration) + len(measured) < LEAST_PHOTOS:
        raise PrecisionRefused(
            f"int8 is calibrated and measured on {LEAST_PHOTOS} photos at least, and {settings.images_dir} "
            f"has {len(calibration) + len(measured)} that can be read: use bf16 or f32."
        )

    def describe(backbone: Backbone) -> NDArray[np.float32]:
        descriptor = _descriptor(settings, backbone)
        starts = range(0, len(measured), BATCH)
        return np.concatenate(
            [row for start in starts for row in descriptor.describe(measured[start : start + BATCH])]
        )

    return networks.quantise(identity, np.stack(calibration), describe)


def _descriptor(settings: IndexerSettings, backbone: Backbone) -> Descriptor:
    kind = descriptor_kind(settings, backbone.card)
    return create_descriptor(kind, backbone, descriptor_settings(settings, kind, backbone.card))


def _drawn(settings: IndexerSettings) -> list[FileState]:
    """In random order. The same photos give the same network."""
    photos = walk(settings.images_dir, settings.store_dir).photos
    return random.Random(_SEED).sample(photos, min(len(photos), CALIBRATION_PHOTOS + MEASURED_PHOTOS))


def _inputs(
    settings: IndexerSettings, photos: Sequence[FileState], plan: InputPlan
) -> list[NDArray[np.uint8]]:
    """Of each distinct photo that can be read."""
    limits = ImageLimits(settings.max_image_bytes, settings.max_pixels)
    inputs: dict[str, NDArray[np.uint8]] = {}
    workers = settings.workers or available_cpus()
    with DecodePool(workers, settings.decode_timeout_s, settings.decode_memory_bytes) as pool:

        def submit(photo: FileState) -> Future[IndexedPicture]:
            return pool.submit(IndexedPicture, decode_file, settings.images_dir / photo.path, limits, plan)

        for _, decoded in decode_ahead(photos, submit, ahead=2 * BATCH):
            if not isinstance(decoded, InvalidImage):
                inputs[decoded.sha256] = decoded.network_input
    return list(inputs.values())
