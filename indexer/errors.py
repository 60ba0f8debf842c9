"""What can go wrong in the indexer beyond the domain's errors."""

from __future__ import annotations

from imagesearch.errors import ImageSearchError


class ImagesFolderError(ImageSearchError):
    """The images folder is missing or unreadable, or indexing it would leave nothing to search."""

    reason = "UNUSABLE_IMAGES_FOLDER"


class NothingToMatch(ImageSearchError):
    """Of what was given, nothing is a photo."""

    reason = "NOTHING_TO_MATCH"


class NothingToTest(ImageSearchError):
    """No photo of the index can be altered and searched with."""

    reason = "NOTHING_TO_TEST"


class ReportError(ImageSearchError):
    """The self-test's report cannot be written where it should be."""

    reason = "UNWRITABLE_REPORT"


class ClusterUnavailable(ImageSearchError):
    """The cluster that describes cannot be reached, or was lost."""

    reason = "CLUSTER_UNAVAILABLE"
