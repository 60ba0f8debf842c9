"""`POST /search` over HTTP with 1 to 64 clients, beside the raw runtime and the seed's Flask form."""

from __future__ import annotations

import http.client
import io
import logging
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from werkzeug.serving import make_server

from benchmarks.networks import random_vgg16
from benchmarks.photos import MODELS_DIR, photo_files
from benchmarks.report import Table, median_ms, percentile
from benchmarks.seed_way import flask_app, keras_extractor
from benchmarks.services import free_port, index, serving
from imagesearch.backbones import Precision, load_backbone
from imagesearch.backbones.making import prepare_model

IMAGES = 1_000
CLIENTS = (1, 4, 16, 64)
SECONDS = 8.0
SIZES = ((640, 480), (640, 480), (1024, 768), (325, 243), (1600, 1200))
"""Mixed photo sizes, as a page receives them; one client alone posts 640 × 480 only."""
BOUNDARY = "benchmark"


def run(full: bool) -> None:
    table = Table(
        "serve",
        ("network", "way", "clients", "requests", "p50 ms", "p95 ms", "p99 ms", "requests a second")
        + ("share of OpenVINO in batches",),
    ).start()
    with tempfile.TemporaryDirectory(dir="var") as directory:
        images_dir = copy_photos(Path(directory) / "images")
        add_seed(table)
        for name, model in (
            ("lite0", "efficientnet-lite0"),
            ("vgg16", str(random_vgg16().resolve())),
        ):
            alone = add_raw(table, name, model)
            store_dir = Path(directory) / name
            index(images_dir, store_dir, model)
            with serving(store_dir, images_dir) as port:
                for clients in CLIENTS:
                    bodies = [
                        body(size, seed) for seed, size in enumerate(SIZES[: 1 if clients == 1 else None])
                    ]
                    load(port, "/search", bodies, 2, clients)
                    add_load(table, name, "POST /search", port, "/search", bodies, clients, alone)
    table.save()


def copy_photos(images_dir: Path) -> Path:
    images_dir.mkdir()
    for number, path in enumerate(photo_files()[:IMAGES]):
        (images_dir / f"{number}{path.suffix}").write_bytes(path.read_bytes())
    return images_dir


def add_raw(table: Table, name: str, model: str) -> float:
    """The network alone at the precision the service takes, one photo and a batch of 32. Photos a second."""
    backbone = load_backbone(MODELS_DIR, prepare_model(model, MODELS_DIR).identity, Precision.AUTO, threads=0)
    size = backbone.card.input.size_px
    images = np.random.default_rng(0).integers(256, size=(32, size, size, 3), dtype=np.uint8)
    for batch in (1, 32):
        ms = median_ms(lambda: backbone.embed(images[:batch]), repeats=20) / batch  # noqa: B023
        table.add(name, f"OpenVINO alone, batch of {batch}", 1, 20 * batch, ms, ms, ms, 1e3 / ms, "")
    return 1e3 / ms


def add_seed(table: Table) -> None:
    """Keras `predict` and a linear scan behind a Flask form, one client, as in 2017."""
    features = np.random.default_rng(0).random((IMAGES, 4096), dtype=np.float32)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = flask_app(keras_extractor(random_vgg16()), features)
    server = make_server("127.0.0.1", free_port(), app)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    bodies = [body((640, 480), 0, "query_img")]
    load(server.port, "/", bodies, 2, 1)
    add_load(table, "vgg16", "the seed's form", server.port, "/", bodies, 1, alone=float("nan"))
    server.shutdown()


def add_load(
    table: Table,
    name: str,
    way: str,
    port: int,
    path: str,
    bodies: list[bytes],
    clients: int,
    alone: float,
) -> None:
    """alone: photos a second of the network by itself, in batches."""
    start = time.perf_counter()
    latencies_ms = load(port, path, bodies, SECONDS, clients)
    elapsed_s = time.perf_counter() - start
    shares = [percentile(latencies_ms, share) for share in (0.5, 0.95, 0.99)]
    rate = len(latencies_ms) / elapsed_s
    table.add(name, way, clients, len(latencies_ms), *shares, rate, rate / alone)


def load(port: int, path: str, bodies: list[bytes], seconds: float, clients: int) -> list[float]:
    """Latencies in milliseconds of all requests that so many clients made, one after the other each."""
    deadline = time.perf_counter() + seconds
    with ThreadPoolExecutor(clients) as pool:
        parts = pool.map(lambda _: one_client(port, path, bodies, deadline), range(clients))
        return [latency_ms for part in parts for latency_ms in part]


def one_client(port: int, path: str, bodies: list[bytes], deadline: float) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    latencies_ms: list[float] = []
    while time.perf_counter() < deadline:
        payload = bodies[len(latencies_ms) % len(bodies)]
        start = time.perf_counter()
        connection.request("POST", path, payload, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise SystemExit(f"{path} answered {response.status}: {answer[:200]!r}")
        latencies_ms.append((time.perf_counter() - start) * 1e3)
    connection.close()
    return latencies_ms


def body(size: tuple[int, int], seed: int, field: str = "image") -> bytes:
    """A photo scaled to this size as a multipart form."""
    with Image.open(photo_files()[seed]) as photo:
        buffer = io.BytesIO()
        photo.convert("RGB").resize(size).save(buffer, "JPEG", quality=88)
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="query.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + buffer.getvalue() + f"\r\n--{BOUNDARY}--\r\n".encode()
