from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from samples.__main__ import main
from samples.download import RemoteFile
from samples.errors import DownloadDamaged, SourceUnreachable
from samples.photos import FLOWERS, PhotoSet, fetch_photos

FOLDERS = ("roses", "tulips")


@dataclass
class Source:
    """A web server on this machine with one file."""

    body: bytes
    url: str = ""
    stop_after: int | None = None
    """Answers break off at this byte of the file."""
    knows_ranges: bool = True
    ranges: list[str | None] = field(default_factory=list)
    """What was asked for, request by request."""


@pytest.fixture
def source() -> Iterator[Source]:
    served = Source(archive())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers["Range"]
            served.ranges.append(asked)
            start = (
                int(asked.removeprefix("bytes=").removesuffix("-")) if asked and served.knows_ranges else 0
            )
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(served.body) - start))
            self.end_headers()
            self.wfile.write(served.body[start : served.stop_after])

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_port}/flowers.tgz"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield served
        server.shutdown()


def archive(files: dict[str, bytes] | None = None) -> bytes:
    """A gzipped tar with two photos in each folder, and a licence; bytes that do not compress away."""
    noise = np.random.default_rng(1)
    if files is None:
        names = [f"flowers/{folder}/{n}.jpg" for folder in FOLDERS for n in range(2)]
        files = {name: noise.bytes(40_000) for name in [*names, "flowers/LICENSE.txt"]}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def photo_set(source: Source) -> PhotoSet:
    remote = RemoteFile(source.url, len(source.body), hashlib.sha256(source.body).hexdigest())
    return PhotoSet("flowers", remote, frozenset(FOLDERS), photos=4)


def quiet(done: int, total: int) -> None:
    pass


def test_the_photos_come_and_nothing_else_is_left(source: Source, tmp_path: Path) -> None:
    assert fetch_photos(tmp_path, photo_set(source), quiet)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flowers"]
    assert len(list((tmp_path / "flowers").glob("*/*.jpg"))) == 4
    assert (tmp_path / "flowers" / "LICENSE.txt").exists()


def test_photos_that_are_there_are_not_fetched_again(source: Source, tmp_path: Path) -> None:
    fetch_photos(tmp_path, photo_set(source), quiet)
    assert not fetch_photos(tmp_path, photo_set(source), quiet)
    assert len(source.ranges) == 1


def test_a_broken_download_goes_on_where_it_ended(source: Source, tmp_path: Path) -> None:
    source.stop_after = 70_000
    with pytest.raises(SourceUnreachable):
        fetch_photos(tmp_path, photo_set(source), quiet)
    assert not (tmp_path / "flowers").exists()
    source.stop_after = None
    assert fetch_photos(tmp_path, photo_set(source), quiet)
    assert source.ranges == [None, "bytes=70000-"]


def test_a_server_without_ranges_is_asked_for_all_of_it(source: Source, tmp_path: Path) -> None:
    source.stop_after, source.knows_ranges = 70_000, False
    with pytest.raises(SourceUnreachable):
        fetch_photos(tmp_path, photo_set(source), quiet)
    source.stop_after = None
    assert fetch_photos(tmp_path, photo_set(source), quiet)


def test_progress_ends_at_the_size(source: Source, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    fetch_photos(tmp_path, photo_set(source), lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (len(source.body), len(source.body))


def test_another_file_of_the_same_size_is_refused_and_not_kept(source: Source, tmp_path: Path) -> None:
    wanted = photo_set(source)
    source.body = source.body[:-1] + bytes([source.body[-1] ^ 1])
    with pytest.raises(DownloadDamaged):
        fetch_photos(tmp_path, wanted, quiet)
    assert list(tmp_path.iterdir()) == []


def test_an_endless_answer_is_cut_at_the_published_size(source: Source, tmp_path: Path) -> None:
    wanted = photo_set(source)
    source.body += bytes(10_000_000)
    assert fetch_photos(tmp_path, wanted, quiet)


@pytest.mark.parametrize(
    "files",
    [
        {"flowers/roses/0.jpg": b"one photo too few"},
        {"../outside.jpg": b"out of the folder"},
        {"/tmp/outside.jpg": b"out of the folder", "flowers/roses/0.jpg": b""},
    ],
)
def test_an_archive_that_is_not_what_it_should_be_leaves_no_folder(
    source: Source, tmp_path: Path, files: dict[str, bytes]
) -> None:
    source.body = archive(files)
    with pytest.raises(DownloadDamaged):
        fetch_photos(tmp_path / "photos", photo_set(source), quiet)
    assert not (tmp_path / "photos" / "flowers").exists()
    assert not list(tmp_path.rglob("outside.jpg"))


def test_without_a_network_the_command_says_what_to_do_instead(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = replace(FLOWERS, archive=replace(FLOWERS.archive, url="http://127.0.0.1:9/flowers.tgz"))
    assert main(["photos", "--out", str(tmp_path)], nobody) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "cannot be reached" in said
    assert "make run" in said
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_where_the_photos_are(
    source: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["photos", "--out", str(tmp_path)], photo_set(source)) == 0
    assert str(tmp_path / "flowers") in capsys.readouterr().out


def test_the_published_archive_is_described_in_full() -> None:
    assert len(bytes.fromhex(FLOWERS.archive.sha256)) == 32
    assert FLOWERS.archive.url.startswith("https://")
    assert (len(FLOWERS.folders), FLOWERS.photos) == (5, 3670)
