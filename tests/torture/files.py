"""Files of every accepted type, changed at random: each gets an answer, at once and alike at both doors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from imagesearch.errors import InvalidImage
from imagesearch.pictures.decode import ImageLimits
from imagesearch.pictures.plans import SquareInput
from imagesearch.pictures.pool import DecodePool
from imagesearch.pictures.prepare import IndexedPicture, decode_file
from tests.extractor_service.serving import textured
from tests.imagesearch.pictures.drawn import MEDIA_TYPES, encoded
from tests.torture.promise import Outcome
from tests.torture.site import site

LIMITS = ImageLimits(max_bytes=32 << 20, max_pixels=110_000_000)
ANSWERS = {200, 413, 415, 422}
AT_ONCE_S = 15.0
TALKATIVE = ("Traceback", 'File "', "/site-packages/")


def odd_files(root: Path, short: bool) -> Outcome:
    """Both doors, form and indexer, agree on each."""
    outcome, path = Outcome(), root / "odd"
    with (
        site(root, RATE_LIMIT_PER_MINUTE="0") as here,
        here.client() as client,
        DecodePool(1, 60, 2 << 30) as indexer,
    ):
        for name, data in changed_files(1 if short else 200):
            started = time.monotonic()
            answer = client.post("/search", files={"image": data})
            seconds = time.monotonic() - started
            outcome.check(answer.status_code in ANSWERS, f"{name}: {answer.status_code}")
            outcome.check(seconds < AT_ONCE_S, f"{name}: {seconds:.0f} s")
            outcome.check(not any(word in answer.text for word in TALKATIVE), f"{name}: {answer.text[:200]}")
            path.write_bytes(data)
            try:
                indexer.submit(IndexedPicture, decode_file, path, LIMITS, SquareInput(32)).result()
                accepted = True
            except InvalidImage:
                accepted = False
            agree = accepted == (answer.status_code == 200)
            outcome.check(agree, f"{name}: {answer.status_code}, and the indexer says {accepted}")
    return outcome


def changed_files(of_each: int) -> Iterator[tuple[str, bytes]]:
    """What was done, and the file."""
    rng = np.random.default_rng(20170101)
    picture = textured(1)
    for file_format in MEDIA_TYPES:
        whole = encoded(Image.fromarray(np.asarray(picture)), file_format)
        for number in range(of_each):
            place = int(rng.integers(0, len(whole)))
            noise = rng.integers(0, 256, 64, np.uint8).tobytes()
            yield f"{file_format} cut {number}", whole[:place]
            yield f"{file_format} noise {number}", whole[:place] + noise + whole[place + 64 :]
            flipped = bytes([whole[place] ^ 1 << int(rng.integers(0, 8))])
            yield f"{file_format} flip {number}", whole[:place] + flipped + whole[place + 1 :]
