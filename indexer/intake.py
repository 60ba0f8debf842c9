"""Taking changed files into the ledger: recognised by their bytes, described, or refused."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagesearch.descriptors.known_picture import describe_known
from imagesearch.errors import InvalidImage, TooCostly, UnreadableFile
from imagesearch.host.files import modified_ns
from imagesearch.pictures.prepare import IndexedPicture
from imagesearch.store.layout import StoreLayout, image_id_of
from imagesearch.store.ledger import DescribedImage, FileState, KnownFile, Ledger
from imagesearch.store.thumbnails import write_preview, write_thumbnail
from indexer.cluster.client import Cluster
from indexer.decoded import decode_ahead
from indexer.decoding import decoder
from indexer.describing import Described, describe
from indexer.networks import Describer
from indexer.refusals import conditions
from indexer.settings import IndexerSettings
from indexer.walk import unread

BATCH = 32
"""Photos that go through the network together, and that a kill can cost. More measured no faster."""
AHEAD = 2 * BATCH
"""Photos decoded while a batch is in the network; each holds some 200 kB, with local features 340 kB, for a
convolutional map 230 kB more."""


@dataclass(slots=True)
class Tally:
    """What became of the files so far."""

    added: int = 0
    """Files that are in the index and were not."""
    changed: int = 0
    """Files that were, with another content."""
    kept: int = 0
    """Files that were, with the same content."""
    described: int = 0
    """Images that went through the network."""


@dataclass(slots=True)
class _Pending:
    """A picture that waits for its batch, and the files that hold it."""

    picture: IndexedPicture
    files: list[FileState]
    described: Described | None = None


class Intake:
    """Not thread-safe; the network runs in the calling thread while worker processes decode."""

    def __init__(
        self,
        settings: IndexerSettings,
        ledger: Ledger,
        known: Mapping[str, KnownFile],
        load_describer: Callable[[], Describer],
        advance: Callable[[int], object],
        rest: Callable[[], object],
        cluster: Cluster | None = None,
    ) -> None:
        """load_describer: called when there is something to describe, once for each `take`.
        advance: called with the number of files that have been settled since the last call.
        rest: called after each batch, when the ledger holds all that is described.
        cluster: of other machines that describe; None where this one does."""
        self.tally = Tally()
        self._settings = settings
        self._conditions = conditions(settings)
        self._layout = StoreLayout(settings.store_dir)
        self._ledger = ledger
        self._known = known
        self._load_describer = load_describer
        self._advance = advance
        self._rest = rest
        self._cluster = cluster
        self._batch: dict[str, _Pending] = {}

    def take(self, files: Sequence[FileState]) -> None:
        """What it has committed when it is killed, it need not do again."""
        sizes = self._ledger.image_sizes() | self._ledger.departed_sizes()
        unknown = [file for file in files if file.size_bytes not in sizes or not self._recognise(file)]
        if unknown and self._cluster is not None:
            self._have_described(self._cluster, unknown)
        elif unknown:
            self._decode_and_describe(unknown)

    def _recognise(self, file: FileState) -> bool:
        """Whether it holds an image of the ledger: a renamed, copied or touched file need not be decoded."""
        hashed = _hash(self._settings.images_dir, file.path)
        if hashed is None:
            return False
        state, image_id = hashed
        if self._ledger.has_image(image_id):
            self._link(state, image_id)
            return True
        # What departed last has been published without it, so that its thumbnail may have gone.
        if self._layout.thumbnail_path(image_id).is_file() and self._ledger.bring_back(state, image_id):
            self._count(state, image_id)
            return True
        return False

    def _decode_and_describe(self, files: Sequence[FileState]) -> None:
        """The network runs here while worker processes decode."""
        folder = self._settings.images_dir
        with decoder(self._settings, self._ledger.recipe, self._checked_describer) as (decode, describer):
            outcomes = decode_ahead(files, lambda file: decode(folder / file.path), AHEAD)
            for file, decoded in outcomes:
                if isinstance(decoded, InvalidImage):
                    self._refuse(file, decoded)
                else:
                    self._collect(file, decoded)
                if len(self._batch) == BATCH:
                    self._describe_batch(describer)
            self._describe_batch(describer)

    def _have_described(self, cluster: Cluster, files: Sequence[FileState]) -> None:
        """By other machines. The network is loaded here as well, to tell theirs from another one."""
        self._checked_describer()
        for file, found in cluster.described(self._settings, self._ledger, files):
            if isinstance(found, InvalidImage):
                self._refuse(file, found)
            else:
                self._collect(file, *found)
            if len(self._batch) == BATCH:
                self._add_batch()
        self._add_batch()

    def _refuse(self, file: FileState, error: InvalidImage) -> None:
        state = unread(file.path) if isinstance(error, UnreadableFile) else file
        # The time and memory that a file takes, and a death of its decoder, depend on what else goes on.
        refused_under = None if isinstance(error, TooCostly) else self._conditions
        self._ledger.refuse(state, error.reason, str(error), refused_under)
        self._advance(1)

    def _collect(self, file: FileState, picture: IndexedPicture, described: Described | None = None) -> None:
        image_id = image_id_of(picture.sha256)
        # As it was when it was read, which may be later than when it was listed.
        state = FileState(file.path, picture.size_bytes, picture.mtime_ns)
        if self._ledger.has_image(image_id):
            self._link(state, image_id)
            return
        self._batch.setdefault(image_id, _Pending(picture, [], described)).files.append(state)

    def _checked_describer(self) -> Describer:
        """Raises ModelDamaged where the network does not describe as it did."""
        describer = self._load_describer()
        if describer.descriptor is not None:
            expected = self._ledger.known
            vectors = describe_known(describer.descriptor, expected)
            if expected is None:
                self._ledger.keep_known(vectors)
        return describer

    def _describe_batch(self, describer: Describer) -> None:
        waiting = list(self._batch.values())
        if waiting:
            described = describe(describer, [pending.picture for pending in waiting])
            for pending, each in zip(waiting, described, strict=True):
                pending.described = each
        self._add_batch()

    def _add_batch(self) -> None:
        """Thumbnails first: what the ledger holds is complete."""
        if not self._batch:
            return
        for image_id, pending in self._batch.items():
            write_thumbnail(self._layout, image_id, pending.picture.thumbnail)
            if pending.picture.preview:
                write_preview(self._layout, image_id, pending.picture.preview)
        self._ledger.add(_described(pending) for pending in self._batch.values())
        self.tally.described += len(self._batch)
        for image_id, pending in self._batch.items():
            for file in pending.files:
                self._count(file, image_id)
        self._batch.clear()
        self._rest()

    def _link(self, file: FileState, image_id: str) -> None:
        known = self._known.get(file.path)
        if known is not None and known.image_id == image_id:
            self._ledger.touch(file)
        else:
            self._ledger.link(file, image_id)
        self._count(file, image_id)

    def _count(self, file: FileState, image_id: str) -> None:
        before = self._known[file.path].image_id if file.path in self._known else None
        if before is None:
            self.tally.added += 1
        elif before == image_id:
            self.tally.kept += 1
        else:
            self.tally.changed += 1
        self._advance(1)


def images_among(ledger: Ledger, images_dir: Path, files: Sequence[FileState]) -> Iterator[str]:
    """The ids of the files that are images of the ledger. Only those of an image's size are read."""
    sizes = ledger.image_sizes()
    for file in files:
        hashed = _hash(images_dir, file.path) if file.size_bytes in sizes else None
        if hashed is not None and ledger.has_image(hashed[1]):
            yield hashed[1]


def _described(pending: _Pending) -> DescribedImage:
    picture, described = pending.picture, pending.described
    assert described is not None
    return DescribedImage(
        sha256=picture.sha256,
        size_bytes=picture.size_bytes,
        width=picture.width,
        height=picture.height,
        media_type=picture.media_type,
        vectors=described.vectors,
        files=pending.files,
        local_features=picture.local_features,
        conv_map=described.conv_map,
        damaged=picture.damaged,
        taken_at=picture.taken_at,
    )


def _hash(images_dir: Path, path: str) -> tuple[FileState, str] | None:
    """The file's state and the id of what it holds; None where it cannot be read."""
    try:
        with (images_dir / path).open("rb") as file:
            status = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
    return FileState(path, status.st_size, modified_ns(status)), image_id_of(digest)
