"""`POST /search` over HTTP with 1 to 16 clients, beside decoding and network alone and the seed's form."""

from __future__ import annotations

import http.client
import io
import logging
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from werkzeug.serving import make_server

from benchmarks.large_photos import MEGAPIXELS_12, large_photo
from benchmarks.networks import random_vgg16
from benchmarks.photos import LIMITS, MODELS_DIR, photo_files
from benchmarks.report import Table, median_ms, percentile, processor_ms
from benchmarks.seed_way import flask_app, keras_extractor
from benchmarks.services import free_port, index, serving
from imagesearch.backbones import Backbone, Precision, load_backbone
from imagesearch.backbones.making import prepare_model
from imagesearch.host.cpus import available_cpus
from imagesearch.pictures.plans import plan_for
from imagesearch.pictures.prepare import decode_query

IMAGES = 1_000
BATCH = 32
SECONDS = 8.0
ONE_SIZE = [(640, 480)]
MIXED_SIZES = [(640, 480), (640, 480), (1024, 768), (325, 243), (1600, 1200), MEGAPIXELS_12]
"""As a page receives them."""
RUNS: dict[str, tuple[Sequence[tuple[int, int]], Sequence[int]]] = {
    "640 × 480": (ONE_SIZE, (1,)),
    "12 MP": ([MEGAPIXELS_12], (1,)),
    "mixed": (MIXED_SIZES, (4, 16)),
}
"""Photos' sizes, and how many clients post them."""
BOUNDARY = "benchmark"


def run(full: bool) -> None:
    table = Table(
        "serve",
        ("network", "way", "photos", "clients", "requests", "p50 ms", "p95 ms", "p99 ms", "requests a second")
        + ("share of the limit",),
    ).start()
    with tempfile.TemporaryDirectory(dir="var") as directory:
        images_dir = copy_photos(Path(directory) / "images")
        with seeds_form() as port:
            names = ("vgg16", "the seed's form", "640 × 480")
            add_load(table, names, port, "/", [form("query_img", photo((640, 480), 0))], 1, float("nan"))
        for name, model in (("lite0", "efficientnet-lite0"), ("vgg16", str(random_vgg16().resolve()))):
            limits = {photos: add_limit(table, name, model, photos) for photos in RUNS}
            store_dir = Path(directory) / name
            index(images_dir, store_dir, model)
            with serving(store_dir, images_dir) as port:
                for verify in ("false", "true"):
                    measure(table, name, port, verify, limits)
    table.save()


def measure(table: Table, network: str, port: int, verify: str, limits: dict[str, float]) -> None:
    for photos, (sizes, client_counts) in RUNS.items():
        bodies = [form("image", photo(size, seed), verify) for seed, size in enumerate(sizes)]
        for clients in client_counts:
            load(port, "/search", bodies, 2, clients)
            names = (network, f"POST /search, verify={verify}", photos)
            add_load(table, names, port, "/search", bodies, clients, limits[photos])


def copy_photos(images_dir: Path) -> Path:
    images_dir.mkdir()
    for number, path in enumerate(photo_files()[:IMAGES]):
        (images_dir / f"{number}{path.suffix}").write_bytes(path.read_bytes())
    return images_dir


def add_limit(table: Table, network: str, model: str, photos: str) -> float:
    """Decoding and network alone, one process, by processor time. Photos a second."""
    backbone = load_backbone(MODELS_DIR, prepare_model(model, MODELS_DIR).identity, Precision.AUTO, threads=0)
    files = [photo(size, seed) for seed, size in enumerate(RUNS[photos][0])]
    alone_ms = [decoding_ms(backbone, file) for file in files]
    batched_ms = processor_ms(lambda: backbone.embed(noise(backbone, BATCH))) / BATCH
    rate = available_cpus() * 1e3 / (sum(alone_ms) / len(files) + batched_ms)
    one_ms = median_ms(lambda: backbone.embed(noise(backbone, 1)))
    one_after_the_other_ms = sum(alone_ms) / len(files) + one_ms
    way = "decoding and network alone"
    table.add(network, way, photos, 1, len(files), *[one_after_the_other_ms] * 3, rate, 1.0)
    return rate


def decoding_ms(backbone: Backbone, file: bytes) -> float:
    plan = plan_for(backbone.card.input)
    return processor_ms(lambda: decode_query(file, LIMITS, None, plan, preview=False))


def noise(backbone: Backbone, count: int) -> np.ndarray:
    size = backbone.card.input.size_px
    return np.random.default_rng(0).integers(256, size=(count, size, size, 3), dtype=np.uint8)


@contextmanager
def seeds_form() -> Iterator[int]:
    """The port of Keras `predict` and a linear scan behind a Flask form, as in 2017."""
    features = np.random.default_rng(0).random((IMAGES, 4096), dtype=np.float32)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = flask_app(keras_extractor(random_vgg16()), features)
    server = make_server("127.0.0.1", free_port(), app)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.port
    server.shutdown()


def add_load(
    table: Table,
    names: tuple[str, str, str],
    port: int,
    path: str,
    bodies: list[bytes],
    clients: int,
    limit: float,
) -> None:
    """names: of network, way and photos. limit: photos a second."""
    start = time.perf_counter()
    latencies_ms = load(port, path, bodies, SECONDS, clients)
    elapsed_s = time.perf_counter() - start
    shares = [percentile(latencies_ms, share) for share in (0.5, 0.95, 0.99)]
    rate = len(latencies_ms) / elapsed_s
    table.add(*names, clients, len(latencies_ms), *shares, rate, rate / limit)


def load(port: int, path: str, bodies: list[bytes], seconds: float, clients: int) -> list[float]:
    """Latencies in milliseconds of all requests that so many clients made, one after the other each."""
    deadline = time.perf_counter() + seconds
    with ThreadPoolExecutor(clients) as pool:
        parts = pool.map(lambda number: one_client(port, path, bodies, number, deadline), range(clients))
        return [latency_ms for part in parts for latency_ms in part]


def one_client(port: int, path: str, bodies: list[bytes], first: int, deadline: float) -> list[float]:
    """first: the place among the bodies that it begins at, so that clients do not keep step."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    latencies_ms: list[float] = []
    while time.perf_counter() < deadline:
        payload = bodies[(first + len(latencies_ms)) % len(bodies)]
        start = time.perf_counter()
        connection.request("POST", path, payload, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise SystemExit(f"{path} answered {response.status}: {answer[:200]!r}")
        latencies_ms.append((time.perf_counter() - start) * 1e3)
    connection.close()
    return latencies_ms


def photo(size: tuple[int, int], seed: int) -> bytes:
    """A JPEG file. size: width, height."""
    if size == MEGAPIXELS_12:
        return large_photo(photo_files()[seed], size, seed)
    with Image.open(photo_files()[seed]) as small:
        buffer = io.BytesIO()
        small.convert("RGB").resize(size).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def form(field: str, file: bytes, verify: str = "") -> bytes:
    """A multipart form of one file and, where it is given, whether to verify."""
    parts = [
        f'name="{field}"; filename="query.jpg"\r\nContent-Type: image/jpeg'.encode() + b"\r\n\r\n" + file
    ]
    if verify:
        parts.append(f'name="verify"\r\n\r\n{verify}'.encode())
    begin, end = f"--{BOUNDARY}\r\nContent-Disposition: form-data; ".encode(), f"--{BOUNDARY}--\r\n".encode()
    return b"".join(begin + part + b"\r\n" for part in parts) + end
