"""What can go wrong in training beyond the domain's errors."""

from __future__ import annotations

from imagesearch.errors import ImageSearchError


class UnusablePictures(ImageSearchError):
    """The pictures are too few, or too few of them have labels, to learn or to measure anything."""

    reason = "UNUSABLE_PICTURES"


class CheckpointMismatch(ImageSearchError):
    """The folder holds a run of another recipe or on other pictures; it is left as it is."""

    reason = "CHECKPOINT_MISMATCH"


class CheckpointDamaged(ImageSearchError):
    """The checkpoint cannot be read."""

    reason = "CHECKPOINT_DAMAGED"


class TrainingDiverged(ImageSearchError):
    """The loss is no longer a finite number."""

    reason = "TRAINING_DIVERGED"


class DiskFull(ImageSearchError):
    """No space left for a checkpoint or a weights' file; the last whole one is kept."""

    reason = "DISK_FULL"
