"""Everything that can go wrong in the domain, by cause.

ImageSearchError
 ├─ InvalidImage              the picture itself
 │   ├─ EmptyImage
 │   ├─ TooManyBytes
 │   ├─ TooManyPixels
 │   ├─ UnsupportedImageType
 │   ├─ UndecodableImage
 │   │   └─ TooCostly         by the memory or the time it takes, or the decoders it brings down
 │   └─ UnreadableFile        a file of the indexed folder that cannot be opened
 ├─ InvalidOption             an option or a vector outside its range
 ├─ OptionUnavailable         valid, but the live snapshot lacks what it needs
 │   └─ TextUnavailable       words, where the network knows none
 ├─ UnknownImage              no such id
 ├─ UnknownFolder             no image is in it
 ├─ PhotoGone                 an indexed image whose file is gone or has changed
 ├─ IndexNotReady             nothing to search yet
 ├─ VectorsUnavailable        the vector database cannot be asked
 │   └─ VectorsGone           it no longer holds what was written into it
 ├─ Overloaded                the queue is full
 ├─ NotEnoughMemory           to build what was asked for
 ├─ StoreError                the folder on disk
 │   ├─ StoreMissing
 │   ├─ StoreBusy             another indexer holds it
 │   ├─ StoreFull             no space left
 │   ├─ SnapshotDamaged
 │   ├─ SnapshotOutdated      written by an older version
 │   └─ ModelMismatch         built by another model, descriptor or preprocessing
 └─ ModelError                the network
     ├─ ModelUnavailable      missing, and nothing can make it
     ├─ ModelDamaged          there, but not what it should be
     └─ PrecisionRefused      int8 would change the results, or cannot be measured

The message of each is one sentence for a person: what is wrong and what to do. It may name what the user
gave (a folder, an option); it never holds the text of another exception. Edges (gRPC, command line)
translate the classes; nothing else does.
"""

from __future__ import annotations


class ImageSearchError(Exception):
    """Base of every expected failure. `reason` is stable and machine-readable."""

    reason = "INTERNAL"


class InvalidImage(ImageSearchError):
    """The picture cannot be used."""

    reason = "UNDECODABLE_IMAGE"


class EmptyImage(InvalidImage):
    """The picture has no bytes."""

    reason = "EMPTY_IMAGE"


class TooManyBytes(InvalidImage):
    """The file is larger than the limit."""

    reason = "TOO_MANY_BYTES"


class TooManyPixels(InvalidImage):
    """By its header the picture needs more memory than the limit."""

    reason = "TOO_MANY_PIXELS"


class UnsupportedImageType(InvalidImage):
    """The bytes are not of an accepted image type, whatever the file's name says."""

    reason = "UNSUPPORTED_IMAGE_TYPE"


class UndecodableImage(InvalidImage):
    """An accepted type, but truncated, damaged, or too costly to decode."""


class TooCostly(UndecodableImage):
    """Decoding it takes more memory or time than is allowed, or brings the decoder down."""


class UnreadableFile(InvalidImage):
    """The file cannot be opened or read, so nothing is known of the picture."""

    reason = "UNREADABLE_FILE"


class InvalidOption(ImageSearchError):
    """An option or a vector outside its range."""

    reason = "INVALID_OPTION"


class OptionUnavailable(ImageSearchError):
    """A valid option whose evidence the live snapshot does not hold."""

    reason = "OPTION_UNAVAILABLE"


class TextUnavailable(OptionUnavailable):
    """Words as a query, which the live snapshot's network does not know."""

    reason = "TEXT_UNAVAILABLE"


class UnknownImage(ImageSearchError):
    """No image of this id in the live snapshot."""

    reason = "UNKNOWN_IMAGE"


class UnknownFolder(ImageSearchError):
    """No image of the live snapshot is in this folder or below it."""

    reason = "UNKNOWN_FOLDER"


class PhotoGone(ImageSearchError):
    """An indexed image whose file no longer holds the indexed bytes, or whose thumbnail is missing."""

    reason = "PHOTO_GONE"


class IndexNotReady(ImageSearchError):
    """No snapshot is loaded yet."""

    reason = "INDEX_NOT_READY"


class VectorsUnavailable(ImageSearchError):
    """The vector database cannot be asked."""

    reason = "VECTORS_UNAVAILABLE"


class VectorsGone(VectorsUnavailable):
    """The vector database no longer holds what was written into it."""


class Overloaded(ImageSearchError):
    """The queue is full."""

    reason = "OVERLOADED"


class NotEnoughMemory(ImageSearchError):
    """Building would take more memory than there is, by an estimate made before it."""

    reason = "NOT_ENOUGH_MEMORY"


class StoreError(ImageSearchError):
    """The store on disk cannot be used."""

    reason = "STORE_ERROR"


class StoreMissing(StoreError):
    """No store, or no published snapshot in it."""


class StoreBusy(StoreError):
    """Another indexer is at work on this store."""


class StoreFull(StoreError):
    """The disk is full."""


class SnapshotDamaged(StoreError):
    """A snapshot's files do not agree with its manifest."""


class SnapshotOutdated(StoreError):
    """A snapshot of an earlier format, which only the version that wrote it reads."""


class ModelMismatch(StoreError):
    """The store was built by another model, descriptor or preprocessing."""


class ModelError(ImageSearchError):
    """The network cannot be used."""

    reason = "MODEL_ERROR"


class ModelUnavailable(ModelError):
    """The weights are not there and cannot be fetched."""


class ModelDamaged(ModelError):
    """The weights are not what they should be."""


class PrecisionRefused(ModelError):
    """The int8 form of the network changes too many results, or there are too few photos to tell."""
