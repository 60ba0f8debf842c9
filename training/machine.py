"""What the machine at hand can do."""

from __future__ import annotations

import keras

from imagesearch.backbones import Precision, resolve_precision
from imagesearch.pictures.decode import ImageLimits
from training.recipes import Machine
from training.settings import TrainingSettings


def has_gpu() -> bool:
    """As the backend of Keras sees it."""
    return bool(keras.distribution.list_devices("gpu"))


def machine_of(settings: TrainingSettings) -> Machine:
    bf16 = (
        settings.precision is not Precision.F32
        if has_gpu()
        else resolve_precision(settings.precision) is Precision.BF16
    )
    limits = ImageLimits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_pixels)
    return Machine(bf16, settings.workers, limits)
