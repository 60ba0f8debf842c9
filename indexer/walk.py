"""The photos of a folder, and which of them are new, changed or gone since it was indexed."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imagesearch.errors import UnreadableFile
from imagesearch.host.files import modified_ns
from imagesearch.pictures.formats import SUFFIXES, kind_of_suffix
from imagesearch.store.ledger import FileState, KnownFile
from indexer.errors import ImagesFolderError
from indexer.passed_over import LINKED, OTHER_FILES, STORE, Exclusion, is_store

UNREADABLE = "The file cannot be read: check its permissions and the disk."


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that is not indexed, and why."""

    file: FileState
    reason: str
    detail: str


@dataclass(slots=True)
class Listing:
    """The contents of an images folder. Paths are relative to it."""

    photos: list[FileState] = field(default_factory=list)
    """In order of path."""
    refusals: list[Refusal] = field(default_factory=list)
    """Photos and folders that cannot even be looked at."""
    unreadable_folders: list[str] = field(default_factory=list)
    """Nothing is known of what is in these, least of all that it is gone."""
    ignored: int = 0
    """Files that are no photos by their names, and hidden files."""
    ignored_kinds: Counter[str] = field(default_factory=Counter)
    """How many of them are, by their names, pictures of each kind that is known and not accepted."""
    passed_over: Counter[str] = field(default_factory=Counter)
    """How many folders of each kind were passed over with all that is in them, and excluded files."""

    @property
    def left_out(self) -> dict[str, int]:
        """All that was passed over or ignored, by kind, most first; each folder counts as one."""
        counts = self.passed_over + self.ignored_kinds
        counts[OTHER_FILES] = self.ignored - self.ignored_kinds.total()
        return {kind: count for kind, count in counts.most_common() if count}


def unread(path: str) -> FileState:
    """The state of a file that could not be read: no real file's, so that it is tried again the next time."""
    return FileState(path, 0, 0)


def check_folder(images_dir: Path) -> None:
    """Raises ImagesFolderError where it is not there."""
    if not images_dir.is_dir():
        raise ImagesFolderError(
            f"There is no folder {images_dir}; give the folder of photos with --images or INDEXER_IMAGES_DIR "
            "(IMAGES= with make)."
        )


def walk(images_dir: Path, store_dir: Path, exclude: str = "") -> Listing:
    """Lists the photos of a folder and its sub-folders, but for what is passed over.

    Links to files are followed where they stay inside the folder. Links to folders are not: what they lead to
    is listed where it is, or said to lie outside. exclude: INDEXER_EXCLUDE. Raises ImagesFolderError.
    """
    check_folder(images_dir)
    walker = _Walker(images_dir.resolve(), store_dir.resolve(), Exclusion(exclude))
    if walker.root.is_relative_to(walker.store) or is_store(walker.root):
        raise ImagesFolderError(f"{images_dir} belongs to a store: keep the photos in another folder.")
    if not walker.visit(walker.root):
        raise ImagesFolderError(f"The folder {images_dir} cannot be read; check its permissions.")
    while walker.pending:
        walker.visit(walker.pending.pop())
    walker.listing.photos.sort(key=lambda photo: photo.path)
    return walker.listing


class _Walker:
    def __init__(self, root: Path, store: Path, exclusion: Exclusion) -> None:
        self.root = root
        self.store = store
        self.pending: list[Path] = []
        self.listing = Listing()
        self._exclusion = exclusion

    def visit(self, folder: Path) -> bool:
        """False where the folder cannot be read."""
        try:
            entries = list(os.scandir(folder))
        except OSError:
            self._refuse(folder, "The folder cannot be read: check its permissions and the disk.")
            self.listing.unreadable_folders.append(self._relative(folder))
            return False
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                self._add_folder(Path(entry.path))
            elif entry.name.startswith("."):
                self.listing.ignored += 1
            elif entry.is_symlink() and _is_folder(entry):
                self._add_linked_folder(Path(entry.path))
            else:
                self._add_file(entry)
        return True

    def _add_folder(self, folder: Path) -> None:
        if folder == self.store or is_store(folder):
            self.listing.passed_over[STORE] += 1
        elif kind := self._exclusion.kind_of_folder(self._relative(folder)):
            self.listing.passed_over[kind] += 1
        elif _is_utf8(folder.name):
            self.pending.append(folder)
        else:
            self._refuse(folder, "The folder's name is not valid UTF-8: rename it.")

    def _add_linked_folder(self, link: Path) -> None:
        if kind := self._exclusion.kind_of_folder(self._relative(link)):
            self.listing.passed_over[kind] += 1
        elif self._leads_inside(link):
            self.listing.passed_over[LINKED] += 1
        else:
            self._refuse(link, "The link leads to a folder outside of the images folder.")

    def _add_file(self, entry: os.DirEntry[str]) -> None:
        path = Path(entry.path)
        if path.suffix.lower() not in SUFFIXES:
            self._ignore(path)
        elif kind := self._exclusion.kind_of_file(self._relative(path)):
            self.listing.passed_over[kind] += 1
        elif not _is_utf8(entry.name):
            self._refuse(path, "The file's name is not valid UTF-8: rename it.")
        elif entry.is_symlink() and not self._leads_inside(path):
            self._refuse(path, "The link leads out of the images folder, or nowhere.")
        else:
            self._add_photo(path)

    def _ignore(self, path: Path) -> None:
        self.listing.ignored += 1
        if kind := kind_of_suffix(path.suffix.lower()):
            self.listing.ignored_kinds[kind] += 1

    def _add_photo(self, path: Path) -> None:
        try:
            status = path.stat()
        except OSError:
            self._refuse(path, UNREADABLE)
            return
        if not stat.S_ISREG(status.st_mode):
            self.listing.ignored += 1
        elif not os.access(path, os.R_OK, effective_ids=True):
            # Asked here and each time, for a change of permissions leaves no trace in mtime.
            self._refuse(path, UNREADABLE)
        else:
            self.listing.photos.append(FileState(self._relative(path), status.st_size, modified_ns(status)))

    def _leads_inside(self, link: Path) -> bool:
        try:
            return link.resolve(strict=True).is_relative_to(self.root)
        except (OSError, RuntimeError):  # a loop of links
            return False

    def _refuse(self, path: Path, detail: str) -> None:
        file = unread(self._relative(path))
        self.listing.refusals.append(Refusal(file, UnreadableFile.reason, detail))

    def _relative(self, path: Path) -> str:
        """As text that can be stored and shown, whatever bytes the name consists of."""
        name = path.relative_to(self.root).as_posix()
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _is_folder(link: os.DirEntry[str]) -> bool:
    try:
        return link.is_dir()
    except OSError:  # a loop of links, or closed to us
        return False


def _is_utf8(name: str) -> bool:
    # Python stands a lone surrogate for each byte that is no UTF-8.
    return not any("\ud800" <= character <= "\udfff" for character in name)


@dataclass(frozen=True, slots=True)
class Plan:
    """What tells the ledger from the folder."""

    changed: list[FileState]
    """New photos, those whose size or modification time is another, refused ones that are to be tried again,
    and those of corrupt images, in order of path."""
    refusals: list[Refusal]
    """That the ledger does not hold yet."""
    vanished: list[str]
    """Paths that the ledger holds and the folder no more, in order."""
    dropped: int
    """How many of them held an image."""
    kept: int
    """Indexed files that are as they were."""


def make_plan(
    listing: Listing,
    known: Mapping[str, KnownFile],
    conditions: str,
    corrupt: Collection[str] = (),
    check: bool = False,
) -> Plan:
    """What is below a folder that cannot be read just now is neither changed nor vanished.

    conditions: of this build, see `refusals`; files refused under others are tried again.
    corrupt: ids of images that the ledger does not hold as they were written.
    check: whether every photo counts as changed.
    """
    settled = {path for path, file in known.items() if not check and _is_settled(file, conditions, corrupt)}
    changed = [photo for photo in listing.photos if photo.path not in settled or is_another(photo, known)]
    refusals = [refusal for refusal in listing.refusals if not _is_refused(refusal, known)]
    present = {photo.path for photo in listing.photos} | {refusal.file.path for refusal in listing.refusals}
    hidden = tuple(f"{folder}/" for folder in listing.unreadable_folders)
    vanished = sorted(path for path in known if path not in present and not path.startswith(hidden))
    touched = {photo.path for photo in changed} | {refusal.file.path for refusal in refusals} | set(vanished)
    kept = sum(known[path].image_id is not None for path in settled - touched)
    dropped = sum(known[path].image_id is not None for path in vanished)
    return Plan(changed, refusals, vanished, dropped, kept)


def is_another(photo: FileState, known: Mapping[str, KnownFile]) -> bool:
    """Whether the ledger does not know the file as it is."""
    return photo.path not in known or known[photo.path].state != photo


def _is_settled(file: KnownFile, conditions: str, corrupt: Collection[str]) -> bool:
    """Whether there is nothing to do about it as long as it stays as it is."""
    return file.refused_under == conditions if file.image_id is None else file.image_id not in corrupt


def _is_refused(refusal: Refusal, known: Mapping[str, KnownFile]) -> bool:
    file = known.get(refusal.file.path)
    return file is not None and file.image_id is None and file.state == refusal.file
