"""Follows the store's live snapshot: opens each new one beside the old one, then swaps one reference."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from extractor_service.live.query_model import LoadBackbone, QueryModel, load_query_model
from extractor_service.live.served_snapshot import ServedSnapshot, open_for_serving
from extractor_service.metrics import SNAPSHOT_IMAGES, SNAPSHOT_TIME
from imagesearch.backbones.base import Precision
from imagesearch.errors import (
    ImageSearchError,
    IndexNotReady,
    ModelDamaged,
    ModelMismatch,
    ModelUnavailable,
    SnapshotDamaged,
    SnapshotOutdated,
    StoreMissing,
    VectorsUnavailable,
)
from imagesearch.index import MilvusAddress
from imagesearch.store.layout import StoreLayout
from imagesearch.store.manifest import Manifest
from imagesearch.store.snapshot import Snapshot, current_version

logger = logging.getLogger(__name__)

POLL_INTERVAL_S = 0.25
# A failed snapshot is tried again, for its network may be put there later; hashing it takes up to 0.15 s.
RETRY_INTERVAL_S = 5.0

_LOADING = "The index is still being loaded; try again in a moment."
_ADVICE: dict[type[ImageSearchError], str] = {
    StoreMissing: "Nothing has been indexed yet; run `python -m indexer build`.",
    SnapshotDamaged: "The index is damaged; run `python -m indexer build` to publish a whole one.",
    SnapshotOutdated: "The index was written by an older version; run `python -m indexer build` to write it "
    "again. The photos need not be described again.",
    ModelMismatch: "The index was built with another network or by an older version; "
    "run `python -m indexer build --rebuild`.",
    ModelUnavailable: "The network that the index was built with is missing from the store; "
    "run `python -m indexer build` to put it back.",
    ModelDamaged: "The network that the index was built with is damaged; "
    "run `python -m indexer build` to convert it again.",
}
_UNEXPECTED = "The index could not be opened; see the log of the search service."


class LiveIndex:
    """What queries are answered from. Everything but opening and closing happens on the event loop."""

    def __init__(
        self,
        layout: StoreLayout,
        load_backbone: LoadBackbone,
        precision: Precision,
        max_batch: int,
        threads: int,
        milvus: MilvusAddress | None = None,
    ) -> None:
        self.layout = layout
        self.ready = asyncio.Event()
        """Set while a snapshot is served: from the first on always, unless one turns out to be damaged."""
        self.lost = asyncio.Event()
        """Set while one that was served is not, since it is damaged."""
        self._load_backbone = load_backbone
        self._precision = precision
        self._max_batch = max_batch
        self._threads = threads
        self._milvus = milvus
        self._served: ServedSnapshot | None = None
        self._unready: ImageSearchError = IndexNotReady(_LOADING)
        self._failed_version: str | None = None
        self._condemned_version: str | None = None
        self._retry_at = 0.0

    @contextmanager
    def use(self) -> Iterator[ServedSnapshot]:
        """The live snapshot, which stays open for as long as it is used. Raises IndexNotReady, and
        VectorsUnavailable where that is what it waits for."""
        if self._served is None:
            raise type(self._unready)(str(self._unready))
        with self._served.held() as served:
            yield served

    async def follow(self) -> None:
        """Keeps up with the store until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(POLL_INTERVAL_S)

    async def refresh(self) -> None:
        """Serves the live snapshot if it is not served yet. A failure leaves the old one in place."""
        version: str | None = None
        try:
            version = await asyncio.to_thread(current_version, self.layout)
            if self._is_settled(version):
                return
            self._swap(await asyncio.to_thread(self._open))
        except VectorsUnavailable as error:
            self._fail(version, error, error)
        except ImageSearchError as error:
            self._fail(version, error, IndexNotReady(_ADVICE.get(type(error), _UNEXPECTED)))
        except Exception as error:
            self._fail(version, error, IndexNotReady(_UNEXPECTED))

    def close(self) -> None:
        """Lets go of the served snapshot; requests still under way keep it until they are done."""
        if self._served is not None:
            self._served.release()
            self._served = None

    def _is_settled(self, version: str | None) -> bool:
        if self._served is not None and version in (None, self._served.version):
            # A store whose CURRENT vanished is served from what is open.
            return True
        if version is not None and version == self._condemned_version:
            return True
        return version is not None and version == self._failed_version and time.monotonic() < self._retry_at

    def _open(self) -> ServedSnapshot:
        snapshot = Snapshot.open(self.layout)
        try:
            model = self._model_for(snapshot)
            try:
                return open_for_serving(self.layout, snapshot, model, self._threads, self._milvus)
            finally:
                model.release()
        except BaseException:
            snapshot.close()
            raise

    def _model_for(self, snapshot: Snapshot) -> QueryModel:
        """The model already loaded where it fits, held once more for the caller."""
        manifest = snapshot.manifest
        if self._served is not None and self._served.model.fits(manifest):
            self._served.model.hold()
            return self._served.model
        return load_query_model(
            manifest, snapshot.known, self._load_backbone, self._precision, self._max_batch
        )

    def _swap(self, opened: ServedSnapshot) -> None:
        old, self._served = self._served, opened
        self._failed_version = None
        self.lost.clear()
        self.ready.set()
        manifest = opened.snapshot.manifest
        SNAPSHOT_TIME.set(datetime.fromisoformat(manifest.created).timestamp())
        SNAPSHOT_IMAGES.set(manifest.count)
        logger.info(
            "serving snapshot %s: %s images, %s of %s",
            manifest.version, manifest.count, manifest.descriptor, manifest.model.name,
        )  # fmt: skip
        if old is not None:
            old.release()
        if not manifest.is_hashed_at_opening:
            args = (manifest, asyncio.get_running_loop())
            threading.Thread(target=self._hash, args=args, name="hash-snapshot", daemon=True).start()

    def _hash(self, manifest: Manifest, loop: asyncio.AbstractEventLoop) -> None:
        """Of a snapshot that would have taken too long to hash before it was served."""
        damage = manifest.damage(self.layout.snapshot_dir(manifest.version))
        if damage:
            with suppress(RuntimeError):  # the event loop is closed: nobody is served any more
                loop.call_soon_threadsafe(self._condemn, manifest.version, damage[0])

    def _condemn(self, version: str, damage: str) -> None:
        """Serves it no more, nor again. Where it has been superseded, its files may simply be gone."""
        if self._served is None or self._served.version != version:
            return
        self.close()
        self.ready.clear()
        self.lost.set()
        self._condemned_version = version
        self._fail(version, SnapshotDamaged(damage), IndexNotReady(_ADVICE[SnapshotDamaged]))

    def _fail(self, version: str | None, error: Exception, unready: ImageSearchError) -> None:
        """unready: what requests are told while nothing is served."""
        repeated = (version, str(unready)) == (self._failed_version, str(self._unready))
        self._failed_version, self._unready = version, unready
        self._retry_at = time.monotonic() + RETRY_INTERVAL_S
        if repeated:
            return
        logger.log(
            logging.WARNING if isinstance(error, StoreMissing | VectorsUnavailable) else logging.ERROR,
            "cannot serve snapshot %s, %s: %s", version or "(none)",
            "still serving the one before" if self._served else "nothing to serve", error,
            exc_info=None if isinstance(error, ImageSearchError) else error,
        )  # fmt: skip
