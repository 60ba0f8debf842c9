"""What a snapshot has learnt of its collection: .npz files, without pickles."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.encodings import Encodings
from imagesearch.descriptors.kinds import restore_encoding
from imagesearch.descriptors.vlad import Vlad
from imagesearch.errors import SnapshotDamaged
from imagesearch.store.manifest import Manifest

DESCRIPTOR_ENCODING_NAME = "encoding.npz"
CANDIDATE_ENCODING_NAME = "candidates.npz"


def write_encodings(directory: Path, encodings: Encodings) -> None:
    np.savez(directory / DESCRIPTOR_ENCODING_NAME, allow_pickle=False, **encodings.descriptor.to_arrays())
    if encodings.candidates is not None:
        np.savez(directory / CANDIDATE_ENCODING_NAME, allow_pickle=False, **encodings.candidates.to_arrays())


def open_encodings(directory: Path, manifest: Manifest) -> Encodings:
    """Raises SnapshotDamaged."""
    try:
        descriptor = restore_encoding(manifest.descriptor, _arrays(directory / DESCRIPTOR_ENCODING_NAME))
        candidates = None
        if CANDIDATE_ENCODING_NAME in manifest.files:
            candidates = Vlad.from_arrays(_arrays(directory / CANDIDATE_ENCODING_NAME))
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise SnapshotDamaged(
            f"What snapshot {directory.name} has learnt cannot be read; index again."
        ) from error
    return Encodings(descriptor, candidates, manifest.encoding_note)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)
