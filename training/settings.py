"""Settings of training, read once from the environment by the entry point."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from imagesearch.backbones.base import Precision
from imagesearch.backbones.cards import EFFICIENTNET_LITE0, VGG16
from imagesearch.backbones.making.prepare import packaged_efficientnet
from imagesearch.errors import ModelUnavailable
from imagesearch.pictures.decode import ImageLimits

MIB = 1024 * 1024


class TrainingSettings(BaseSettings):
    """Every setting of training. The environment variable is TRAINING_ and the name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="TRAINING_", env_ignore_empty=True, frozen=True, extra="forbid", populate_by_name=True
    )

    vgg16_weights: Path | None = Field(
        None,
        validation_alias="VGG16_WEIGHTS",
        description="Keras' .h5 file of VGG16's weights, to fine-tune vgg16.",
    )
    precision: Precision = Field(
        Precision.AUTO,
        description="Arithmetic while training: f32 or bf16, with weights kept in f32; auto takes bf16 "
        "on a GPU.",
    )
    threads: int = Field(0, ge=0, description="Threads for the network; 0 takes one per available processor.")
    max_image_bytes: int = Field(256 * MIB, ge=1, description="Largest photo file accepted, in bytes.")
    max_pixels: int = Field(110_000_000, ge=1, description="Largest photo accepted, as width times height.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe messages that are logged."
    )

    def weights_of(self, model: str) -> Path:
        """The file of a network by its name, or the one whose path is given. Raises ModelUnavailable."""
        if model == EFFICIENTNET_LITE0.name:
            return packaged_efficientnet()
        if model != VGG16.name:
            return Path(model)
        if self.vgg16_weights is None:
            raise ModelUnavailable(
                "To fine-tune vgg16, name Keras' file of its weights with VGG16_WEIGHTS=file.h5."
            )
        return self.vgg16_weights

    def limits(self) -> ImageLimits:
        return ImageLimits(max_bytes=self.max_image_bytes, max_pixels=self.max_pixels)
