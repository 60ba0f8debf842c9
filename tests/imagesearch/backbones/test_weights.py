from __future__ import annotations

import hashlib
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from imagesearch.backbones.making.weights import VGG16_IMAGENET, FetchFailed, PublishedFile, fetch
from tests.imagesearch.backbones.file_server import FileServer, serving

CONTENT = np.random.default_rng(0).bytes(3_500_000)


def published_at(url: str) -> PublishedFile:
    return PublishedFile(url, f"md5:{hashlib.md5(CONTENT).hexdigest()}")


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(FileServer(CONTENT)) as server:
        yield server


def test_a_download_is_the_published_file(server: FileServer, tmp_path: Path) -> None:
    file = fetch(published_at(server.url), tmp_path)
    assert file.read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["weights.h5"]


def test_progress_goes_from_nothing_to_all_of_it(server: FileServer, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    fetch(published_at(server.url), tmp_path, progress=lambda *step: seen.append(step))
    assert seen[0] == ("downloading", 0, len(CONTENT))
    assert seen[-1] == ("downloading", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_a_file_that_is_there_is_not_fetched_again(server: FileServer, tmp_path: Path) -> None:
    fetch(published_at(server.url), tmp_path)
    fetch(published_at(server.url), tmp_path)
    assert len(server.requested_ranges) == 1


def test_a_broken_download_goes_on_where_it_stopped(server: FileServer, tmp_path: Path) -> None:
    server.breaks_after_bytes = 2_000_000
    with pytest.raises(FetchFailed, match="broke off"):
        fetch(published_at(server.url), tmp_path)
    assert not (tmp_path / "weights.h5").exists()

    server.breaks_after_bytes = None
    seen: list[int] = []
    file = fetch(published_at(server.url), tmp_path, progress=lambda _, done, total: seen.append(done))
    assert file.read_bytes() == CONTENT
    assert server.requested_ranges == [None, "bytes=2000000-"]
    assert seen[0] == 2_000_000


def test_a_server_without_ranges_sends_it_from_the_start(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "weights.h5.part").write_bytes(CONTENT[:1_000_000])
    server.honours_ranges = False
    assert fetch(published_at(server.url), tmp_path).read_bytes() == CONTENT


def test_a_part_that_is_complete_is_taken(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "weights.h5.part").write_bytes(CONTENT)
    assert fetch(published_at(server.url), tmp_path).read_bytes() == CONTENT


def test_another_content_is_refused_and_not_continued(server: FileServer, tmp_path: Path) -> None:
    server.content = b"<html>Please log in to this hotel's network</html>"
    with pytest.raises(FetchFailed, match="not the published file"):
        fetch(published_at(server.url), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_another_file_is_found_out_and_the_next_try_succeeds(
    server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "weights.h5.part").write_bytes(b"x" * 1_000_000)
    with pytest.raises(FetchFailed, match="not the published file"):
        fetch(published_at(server.url), tmp_path)
    assert fetch(published_at(server.url), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refusal_is_told_with_its_status(server: FileServer, tmp_path: Path, status: int) -> None:
    server.status = status
    with pytest.raises(FetchFailed, match=f"127.0.0.1 answered with status {status}"):
        fetch(published_at(server.url), tmp_path)


def test_a_refused_connection_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    with pytest.raises(FetchFailed, match="refused the connection"):
        fetch(published_at(f"http://127.0.0.1:{port}/weights.h5"), tmp_path)


def test_a_name_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match="weights.invalid cannot be reached"):
        fetch(published_at("http://weights.invalid/weights.h5"), tmp_path)


def test_a_server_that_never_answers_is_given_up(server: FileServer, tmp_path: Path) -> None:
    server.answers.clear()
    with pytest.raises(FetchFailed, match="did not answer in time"):
        fetch(published_at(server.url), tmp_path, answer_timeout_s=0.2)


def test_a_disk_without_room_is_told_before_the_download(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(FetchFailed, match="the disk is full"):
        fetch(published_at(server.url), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_failure_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed) as failure:
        fetch(published_at("http://weights.invalid/weights.h5"), tmp_path)
    assert "VGG16_WEIGHTS=FILE" in str(failure.value)


def test_the_published_file_is_the_one_that_keras_names() -> None:
    """Read from Keras' source, because importing Keras takes seconds."""
    from importlib.metadata import files

    source = next(path for path in files("keras") or [] if path.match("src/applications/vgg16.py"))
    text = source.read_text().replace('"\n    "', "")
    assert VGG16_IMAGENET.url in text
    assert VGG16_IMAGENET.digest.removeprefix("md5:") in text
