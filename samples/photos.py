"""Real photos to try the search on: TensorFlow's flower_photos, 3,670 photos of five flowers, CC BY 2.0."""

from __future__ import annotations

import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from samples.console import Progress
from samples.download import RemoteFile, download
from samples.errors import DownloadDamaged
from samples.staging import alone, staged


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """An archive that holds one folder with one folder of photos for each class."""

    name: str
    archive: RemoteFile
    folders: frozenset[str]
    photos: int


FLOWERS = PhotoSet(
    name="flower_photos",
    # Size and SHA-256 as TensorFlow Datasets records them for this URL (url_checksums/tf_flowers.txt).
    archive=RemoteFile(
        url="https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz",
        size_bytes=228_813_984,
        sha256="4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c",
    ),
    folders=frozenset({"daisy", "dandelion", "roses", "sunflowers", "tulips"}),
    photos=3670,
)


def fetch_photos(out: Path, wanted: PhotoSet, progress: Progress) -> bool:
    """Puts the photos into `out`/<name>, whole or not at all; False if they are there already.

    The archive stays beside them while it comes, so that a broken download goes on where it ended.
    Raises SourceUnreachable, DownloadDamaged, OSError.
    """
    target = out / wanted.name
    archive = out / f".{wanted.name}.download"
    with alone(target):
        if is_whole(target, wanted):
            return False
        download(wanted.archive, archive, progress)
        with staged(target) as folder:
            _unpack(archive, folder, wanted)
        archive.unlink()
    return True


def is_whole(folder: Path, wanted: PhotoSet) -> bool:
    folders = {path.name for path in folder.glob("*") if path.is_dir()}
    return folders == wanted.folders and sum(1 for _ in folder.glob("*/*.jpg")) == wanted.photos


def _unpack(archive: Path, folder: Path, wanted: PhotoSet) -> None:
    """The archive's one folder becomes `folder`; its licence file stays with the photos."""
    try:
        with tarfile.open(archive) as tar:
            _extract(tar, folder)
    except (tarfile.TarError, EOFError) as error:
        raise DownloadDamaged("The archive cannot be unpacked; run the command again.") from error
    inner = folder / wanted.name
    if not is_whole(inner, wanted):
        raise DownloadDamaged("The archive does not hold the photos it should.")
    for path in inner.iterdir():
        shutil.move(path, folder / path.name)
    inner.rmdir()


def _extract(tar: tarfile.TarFile, folder: Path) -> None:
    """The plain files, which must lie inside. By hand: the Python 3.11.2 of Debian 12 knows no filters."""
    for member in filter(tarfile.TarInfo.isfile, tar):
        target = (folder / member.name).resolve()
        if not target.is_relative_to(folder.resolve()):
            raise tarfile.ExtractError(member.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        content = tar.extractfile(member)
        assert content is not None  # of a plain file there is always one
        with content, target.open("wb") as file:
            shutil.copyfileobj(content, file)
