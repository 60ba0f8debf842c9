"""Decoding files of the folder, in processes of this machine, as a store's recipe asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from imagesearch.descriptors.choices import LOCAL_KINDS
from imagesearch.host.cpus import available_cpus
from imagesearch.local_features import RootSift
from imagesearch.pictures.decode import ImageLimits
from imagesearch.pictures.plans import NoInput
from imagesearch.pictures.pool import DecodePool
from imagesearch.pictures.prepare import IndexedPicture, decode_file
from imagesearch.store.recipe import Recipe
from indexer.networks import Describer
from indexer.settings import IndexerSettings

Decode = Callable[[Path], Future[IndexedPicture]]


@contextmanager
def decoder(
    settings: IndexerSettings, recipe: Recipe, load: Callable[[], Describer]
) -> Iterator[tuple[Decode, Describer]]:
    """What decodes a file for the describer that `load` gives, while the processes start."""
    limits = ImageLimits(settings.max_image_bytes, settings.max_pixels)
    local_features = RootSift(upright=recipe.upright) if recipe.descriptor in LOCAL_KINDS else None
    workers = settings.workers or available_cpus()
    with DecodePool(workers, settings.decode_timeout_s, settings.decode_memory_bytes) as pool:
        describer = load()
        plan = describer.descriptor.input_plan if describer.descriptor else NoInput()
        map_plan = describer.maps.input_plan if describer.maps else None

        def decode(path: Path) -> Future[IndexedPicture]:
            return pool.submit(IndexedPicture, decode_file, path, limits, plan, local_features, map_plan)

        yield decode, describer
