"""When photos were taken, from the folder to the snapshot; and how a store that lacks it comes by it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from imagesearch.store.ledger import Ledger
from imagesearch.store.snapshot import Snapshot
from indexer import dates
from indexer.inspection import damage
from indexer.settings import IndexerSettings
from tests.imagesearch.store.older import make_older
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw

FIRST = datetime(2019, 7, 14, 18, 3, 22)


def take(path: Path, seed: int, moment: datetime | None) -> None:
    draw(path, seed, "JPEG")
    exif = Image.Exif()
    if moment is not None:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{moment:%Y:%m:%d %H:%M:%S}"
    with Image.open(path) as picture:
        picture.load()
    picture.save(path, "JPEG", exif=exif)


def published_dates(workplace: Workplace) -> dict[str, str]:
    with Snapshot.open(workplace.layout) as snapshot:
        return {record.paths[0]: record.taken_at for record in snapshot.page("", 1_000)}


@pytest.fixture
def taken(workplace: Workplace) -> dict[str, str]:
    """What the photos of the workplace tell: of every third nothing."""
    moments = {
        f"{seed:02d}.jpg": None if seed % 3 == 2 else FIRST + timedelta(days=seed) for seed in range(12)
    }
    for seed, (name, moment) in enumerate(moments.items()):
        take(workplace.images / name, seed, moment)
    return {name: moment.isoformat() if moment else "" for name, moment in moments.items()}


def test_a_build_keeps_when_each_photo_was_taken(workplace: Workplace, taken: Mapping[str, str]) -> None:
    workplace.build()
    assert published_dates(workplace) == taken
    take(workplace.images / "later.jpg", 50, FIRST)
    workplace.build()
    assert published_dates(workplace) == {**taken, "later.jpg": FIRST.isoformat()}


@pytest.mark.parametrize("ledger_format", ["1", "2"])
def test_a_store_of_an_older_version_gets_its_dates_and_describes_nothing(
    workplace: Workplace, taken: Mapping[str, str], ledger_format: str
) -> None:
    workplace.build()
    make_older(workplace.layout, ledger_format)
    workplace.networks.loaded.clear()
    summary = workplace.build()
    assert (summary.described, summary.kept) == (0, 12)
    assert workplace.networks.loaded == []
    assert published_dates(workplace) == taken
    assert damage(workplace.layout, workplace.networks) == []
    assert not workplace.build().published


def test_what_was_read_before_a_stop_is_not_read_again(
    workplace: Workplace, taken: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workplace.build()
    make_older(workplace.layout, "2")
    write = Ledger.write_dates
    commits: list[Mapping[str, str]] = []

    def stop_at_the_second(ledger: Ledger, found: Mapping[str, str]) -> None:
        if commits:
            raise KeyboardInterrupt
        commits.append(found)
        write(ledger, found)

    monkeypatch.setattr(dates, "BATCH", 5)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Ledger, "write_dates", stop_at_the_second)
        workplace.build()
    with Ledger.open(workplace.layout.ledger_path) as ledger:  # type: ignore[union-attr]
        assert len(ledger.undated()) == 7
    assert workplace.build().described == 0
    assert published_dates(workplace) == taken


def test_a_photo_that_cannot_be_read_just_now_is_asked_again(
    workplace: Workplace, taken: Mapping[str, str]
) -> None:
    workplace.build()
    make_older(workplace.layout, "2")
    photo = workplace.images / "00.jpg"
    photo.rename(workplace.images.parent / "away.jpg")
    settings = IndexerSettings(images_dir=workplace.images, store_dir=workplace.store, workers=1)
    with Ledger.open(workplace.layout.ledger_path) as ledger:  # type: ignore[union-attr]
        dates.add_dates(ledger, settings)
        assert list(ledger.undated().values()) == [["00.jpg"]]
    (workplace.images.parent / "away.jpg").rename(photo)
    assert workplace.build().described == 0
    assert published_dates(workplace) == taken


def test_a_date_that_is_not_as_it_was_written_is_never_published(
    workplace: Workplace, taken: Mapping[str, str]
) -> None:
    workplace.build()
    with closing(sqlite3.connect(workplace.layout.ledger_path)) as connection:
        connection.execute(
            "UPDATE dates SET taken_at = '1999-01-01T00:00:00' WHERE taken_at LIKE '2019-07-14%'"
        )
        connection.commit()
    assert "no longer holds 1 images as they were written" in damage(workplace.layout, workplace.networks)[0]
    assert workplace.build().described == 1
    assert published_dates(workplace) == taken
