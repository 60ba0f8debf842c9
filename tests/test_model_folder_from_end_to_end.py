"""A model in a folder, from the command that indexes with it to an answer over HTTP."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
from PIL import Image

from gateway.app import create_app
from gateway.settings import Settings
from imagesearch.backbones import load_backbone
from imagesearch.store.layout import StoreLayout
from indexer.__main__ import main
from tests import model_folders as small
from tests.extractor_service.serving import Folder, running, settings_for


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder.at(tmp_path)
    for name, rgb in small.COLOURS.items():
        content = io.BytesIO()
        Image.new("RGB", (64, 48), rgb).save(content, "PNG")
        folder.add(f"{name}.png", content.getvalue())
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return small.write_clip(tmp_path / "Small_CLIP")


def build(folder: Folder, model: Path | str, *options: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INDEXER_MODEL", str(model))
        patch.setenv("INDEXER_PRECISION", "f32")
        return main(["build", "--images", str(folder.images_dir), "--store", str(folder.store_dir), *options])


@asynccontextmanager
async def serving(folder: Folder) -> AsyncIterator[httpx.AsyncClient]:
    load = partial(load_backbone, StoreLayout(folder.store_dir).models_dir, threads=1)
    async with running(settings_for(folder), load) as service:
        app = create_app(Settings(extractor_address=f"127.0.0.1:{service.server.port}", search_timeout_s=60))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                yield client


async def first_result(client: httpx.AsyncClient, text: str) -> str:
    answer = await client.post("/search", json={"text": text})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["results"][0]["path"])


async def test_a_store_built_with_a_folder_answers_words_over_http(folder: Folder, model: Path) -> None:
    assert build(folder, model) == 0
    async with serving(folder) as client:
        for colour in small.COLOURS:
            assert await first_result(client, f"a photo of {colour}") == f"{colour}.png"
        index = (await client.get("/index")).json()
        assert index["text"] is True
        assert (index["model"], index["descriptor"], index["dimensions"]) == (
            "small-clip", "embedding", small.WIDTH
        )  # fmt: skip
        page = await client.get("/", params={"text": "red"})
        assert "red.png" in page.text


async def test_the_folder_may_change_while_its_store_is_served(folder: Folder, model: Path) -> None:
    assert build(folder, model) == 0
    async with serving(folder) as client:
        (model / "onnx" / "vision_model.onnx").write_bytes(b"")
        assert await first_result(client, "green") == "green.png"


def test_a_store_goes_on_with_its_model_when_the_folder_is_gone(folder: Folder, model: Path) -> None:
    assert build(folder, model) == 0
    model.rename(model.with_name("elsewhere"))
    (folder.images_dir / "red.png").rename(folder.images_dir / "moved.png")
    assert build(folder, "auto") == 0


def test_another_model_of_the_same_name_is_refused_for_the_store(
    folder: Folder, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(folder, model) == 0
    small.write_preprocessing(model, resample=2)
    assert build(folder, model) != 0
    assert "built with model small-clip" in capsys.readouterr().err
    assert build(folder, model, "--rebuild") == 0


def test_a_folder_that_will_not_do_leaves_the_store_as_it_is(
    folder: Folder, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(folder, model) == 0
    before = sorted(path.name for path in (folder.store_dir / "snapshots").iterdir())
    small.write_preprocessing(model, do_pad=True)
    assert build(folder, model, "--rebuild") != 0
    assert "preprocessor_config.json sets do_pad to True" in capsys.readouterr().err
    assert sorted(path.name for path in (folder.store_dir / "snapshots").iterdir()) == before
