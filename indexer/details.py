"""The second pass: local features of photos that can be searched already, so that results can be verified."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

from imagesearch.errors import InvalidImage, TooCostly, UnreadableFile
from imagesearch.host.cpus import available_cpus
from imagesearch.local_features import RootSift
from imagesearch.local_features.storage import NOTHING
from imagesearch.pictures.decode import ImageLimits
from imagesearch.pictures.pool import DecodePool
from imagesearch.pictures.prepare import detail_file, detail_preview
from imagesearch.store.layout import StoreLayout
from imagesearch.store.ledger import FileState, Ledger
from imagesearch.store.thumbnails import read_preview
from indexer.decoded import decode_ahead
from indexer.progress import ShowProgress
from indexer.settings import IndexerSettings

BATCH = 64
"""Photos whose local features a kill can cost."""


def find_local_features(
    settings: IndexerSettings,
    ledger: Ledger,
    files: Sequence[tuple[FileState, str]],
    show_progress: ShowProgress,
) -> None:
    """files: some of `Ledger.without_local_features`. What is committed when it is killed need not be done
    again. A file that has changed or cannot be read just now is left to the next build; one that takes more
    time or memory than before as well.
    """
    if not files:
        return
    image_ids = {file.path: image_id for file, image_id in files}
    extractor = RootSift.to_verify(ledger.recipe.upright)
    layout = StoreLayout(settings.store_dir)
    limits = ImageLimits(settings.max_image_bytes, settings.max_pixels)
    workers = settings.workers or available_cpus()

    def submit(file: FileState) -> Future[bytes]:
        image_id = image_ids[file.path]
        if preview := read_preview(layout, image_id):
            return pool.submit(bytes, detail_preview, preview, limits, extractor)
        return pool.submit(bytes, detail_file, settings.images_dir / file.path, image_id, limits, extractor)

    with (
        DecodePool(workers, settings.decode_timeout_s, settings.decode_memory_bytes) as pool,
        show_progress(len(files)) as advance,
    ):
        found: dict[str, bytes] = {}
        for file, details in decode_ahead([file for file, _ in files], submit, BATCH):
            image_id = image_ids[file.path]
            if not isinstance(details, UnreadableFile | TooCostly):
                found[image_id] = NOTHING if isinstance(details, InvalidImage) else details
            if len(found) == BATCH:
                ledger.add_local_features(found)
                found = {}
            advance(1)
        ledger.add_local_features(found)
