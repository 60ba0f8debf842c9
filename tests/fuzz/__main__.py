"""python -m tests.fuzz -max_total_time=60: mutated pictures of every type are decoded, or refused by name.

Takes libFuzzer's arguments, and needs `pip install atheris`. A finding is written to the working folder.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["imagesearch"]):
    from imagesearch.errors import InvalidImage
    from imagesearch.pictures.decode import ImageLimits, decode

from tests.imagesearch.pictures.drawn import MEDIA_TYPES, encoded, gradient

LIMITS = ImageLimits(max_bytes=1 << 20, max_pixels=1_000_000)
BOUNDS = ("-timeout=20", "-rss_limit_mb=4096", "-max_len=100000")


def decoded_or_refused(data: bytes) -> None:
    """Type, header and pixels, as a worker would do them. Any other error than a refusal is a finding."""
    try:
        decode(data, LIMITS)
    except InvalidImage:
        return


def main() -> None:
    with tempfile.TemporaryDirectory() as corpus:
        for file_format in MEDIA_TYPES:
            Path(corpus, file_format).write_bytes(encoded(gradient(), file_format))
        atheris.Setup([sys.argv[0], corpus, *BOUNDS, *sys.argv[1:]], decoded_or_refused)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
