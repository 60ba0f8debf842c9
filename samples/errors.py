"""What can go wrong with the sample pictures, by cause. Each message is one sentence for a person.

SamplesError
 ├─ FolderTaken        the folder holds something that is not ours to replace
 ├─ SourceUnreachable  no network, or the server does not answer
 └─ DownloadDamaged    what came is not the published archive
"""

from __future__ import annotations


class SamplesError(Exception):
    """Base of every expected failure."""


class FolderTaken(SamplesError):
    """The folder holds something that is not ours to replace."""


class SourceUnreachable(SamplesError):
    """No network, or the server does not answer."""


class DownloadDamaged(SamplesError):
    """What came is not the published archive."""
