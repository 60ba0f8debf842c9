"""Running a converted network: OpenVINO on the processor, no TensorFlow.

OpenVINO is imported when a network is loaded, so that the rooms that only name a model stay light.
"""

from __future__ import annotations

import logging
import threading
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones import compiled
from imagesearch.backbones.base import TEXT_OUTPUT, Card, ModelIdentity, Precision
from imagesearch.backbones.converted import TOKENIZER_NAME, open_converted
from imagesearch.errors import ModelDamaged, ModelUnavailable

if TYPE_CHECKING:
    import openvino as ov

    from imagesearch.backbones.text import TextEncoder

logger = logging.getLogger(__name__)


@cache
def _has_bf16() -> bool:
    import openvino as ov

    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def resolve_precision(requested: Precision) -> Precision:
    """F32, BF16 or INT8. AUTO is BF16 where the processor has it in hardware (AMX, AVX512-BF16), else F32.

    BF16 without the hardware becomes F32, with a warning: the descriptors stay comparable, and emulated bf16
    would be slower than f32.
    """
    if requested in (Precision.F32, Precision.INT8):
        return requested
    if _has_bf16():
        return Precision.BF16
    if requested is Precision.BF16:
        logger.warning("This processor has no bf16 arithmetic: computing in f32.")
    return Precision.F32


def load_backbone(
    models_dir: Path,
    identity: ModelIdentity,
    precision: Precision,
    threads: int,
) -> OpenVinoBackbone:
    """The converted model of this identity, ready to run on `threads` threads (0: one for each core).

    precision: AUTO takes the card's; an int8 form is computed in INT8 whatever is asked for; nothing else can
    be. Raises ModelUnavailable when the model, or its int8 form, is not in `models_dir`, ModelDamaged when it
    is not what was written.
    """
    model = open_converted(models_dir, identity)
    if identity.quantisation:
        precision = Precision.INT8
    elif precision is Precision.INT8:
        raise ModelUnavailable(
            f"The store has no int8 form of {identity.name}: make one with python -m indexer quantize."
        )
    precision = resolve_precision(model.card.precision if precision is Precision.AUTO else precision)
    cache_dir = compiled.trusted_folder(models_dir)
    return OpenVinoBackbone(model.folder, model.card, identity, precision, threads, cache_dir)


class OpenVinoBackbone:
    """A `Backbone`. Calls from several threads take turns: one call already uses all its threads."""

    def __init__(
        self,
        folder: Path,
        card: Card,
        identity: ModelIdentity,
        precision: Precision,
        threads: int,
        cache_dir: Path | None,
    ) -> None:
        self.card = card
        self.identity = identity
        self.precision = precision
        self._folder = folder
        # What an int8 form leaves unquantised is computed like any other network.
        hint = resolve_precision(Precision.AUTO) if precision is Precision.INT8 else precision
        self._options: dict[str, str | int | bool] = {
            "INFERENCE_PRECISION_HINT": hint.value,
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,  # else a service and an indexer side by side pin to the same cores
        }
        self._cache_dir = cache_dir
        if cache_dir is not None:
            # By size: without the weights, which are read from the model. With them it would take longer.
            self._options |= {"CACHE_DIR": str(cache_dir), "CACHE_MODE": "OPTIMIZE_SIZE"}
        self._turn = threading.RLock()
        network = self._compile(card.descriptor)
        self.dim = int(network.outputs[0].partial_shape[1].get_length())
        self._request = network.create_infer_request()

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Backbone.embed`."""
        with self._turn:
            return _infer(self._request, images)

    def embed_text(self, text: str) -> NDArray[np.float32]:
        """See `Backbone.embed_text`. The first call compiles the text tower."""
        with self._turn:
            return self._text.embed(text)

    @cached_property
    def _text(self) -> TextEncoder:
        assert self.card.text is not None
        from imagesearch.backbones.text import TextEncoder

        request = self._compile(TEXT_OUTPUT).create_infer_request()
        return TextEncoder(request, self._folder / TOKENIZER_NAME, self.card.text)

    def conv_map(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Backbone.conv_map`. The first call compiles the network, in a fraction of a second."""
        with self._turn:
            return _infer(self._map_request, images)

    @cached_property
    def _map_request(self) -> ov.InferRequest:
        assert self.card.conv_map is not None
        return self._compile(self.card.conv_map.output).create_infer_request()

    def _compile(self, output: str) -> ov.CompiledModel:
        import openvino as ov

        try:
            network = ov.Core().compile_model(self._folder / f"{output}.xml", "CPU", self._options)
        except RuntimeError as error:
            raise ModelDamaged(
                f"The converted model {self._folder.name} cannot be loaded; delete its folder under models/ "
                "in the store and run the indexer again."
            ) from error
        if self._cache_dir is not None:
            compiled.write_checksums(self._cache_dir)
        return network


def _infer(request: ov.InferRequest, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    outputs = request.infer([np.ascontiguousarray(images)], share_inputs=True)
    return np.array(outputs[0], dtype=np.float32)
