"""The small pictures beside the snapshots: STORE/thumbnails/ab/<image_id>.webp."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from imagesearch.store.layout import StoreLayout


def write_thumbnail(layout: StoreLayout, image_id: str, webp: bytes) -> None:
    """Writes by one rename: a reader reads all of it."""
    path = layout.thumbnail_path(image_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_bytes(webp)
    temporary.replace(path)


def remove_thumbnails(layout: StoreLayout, image_ids: Iterable[str]) -> None:
    for image_id in image_ids:
        layout.thumbnail_path(image_id).unlink(missing_ok=True)


def sweep_thumbnails(layout: StoreLayout, wanted: Container[str]) -> None:
    """Removes every thumbnail but those of the `wanted` ids, and what a killed writer left."""
    unwanted = [path for path in _files(layout) if path.suffix != ".webp" or path.stem not in wanted]
    for path in unwanted:
        path.unlink()


def missing_thumbnails(layout: StoreLayout, image_ids: Iterable[str]) -> Iterator[str]:
    """The ids whose thumbnail is not there or is no WebP file."""
    return (image_id for image_id in image_ids if not _is_webp(layout.thumbnail_path(image_id)))


def _files(layout: StoreLayout) -> Iterator[Path]:
    return layout.thumbnails_dir.glob("??/*")


def _is_webp(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            header = file.read(12)
    except OSError:
        return False
    return header[:4] == b"RIFF" and header[8:] == b"WEBP"
