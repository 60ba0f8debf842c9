"""Live snapshot, decoding processes and engine, put together: the service without its transport."""

from __future__ import annotations

from threadpoolctl import threadpool_limits

from extractor_service.live.live_index import LiveIndex
from extractor_service.live.query_model import LoadBackbone
from extractor_service.metrics import DECODER_DEATHS, WAITING
from extractor_service.search.closer_look import Effort, Efforts
from extractor_service.search.engine import Engine
from extractor_service.search.places import Places
from extractor_service.settings import ExtractorSettings
from imagesearch.host.cpus import available_cpus
from imagesearch.pictures.decode import ImageLimits
from imagesearch.pictures.pool import DecodePool
from imagesearch.store.layout import StoreLayout


class SearchCore:
    """What answers queries as the settings say. Build it on the event loop that uses it."""

    def __init__(self, settings: ExtractorSettings, load_backbone: LoadBackbone) -> None:
        # For all of the process. NumPy's products are small here, and its threads cost more by waiting for
        # work than they save: verifying 40 candidates took 77 ms with one, 376 with two.
        threadpool_limits(1, "blas")
        threads = settings.threads or available_cpus()
        layout = StoreLayout(settings.store_dir)
        self.live = LiveIndex(
            layout, load_backbone, settings.precision, settings.max_batch, threads, settings.milvus
        )
        self.decode_pool = DecodePool(
            settings.decode_workers or available_cpus(),
            settings.decode_timeout_s,
            settings.decode_memory_bytes,
            on_death=lambda cause: DECODER_DEATHS.labels(cause).inc(),
        )
        WAITING.labels("decoder").set_function(lambda: self.decode_pool.waiting)
        self.engine = Engine(
            self.live,
            self.decode_pool,
            ImageLimits(settings.max_image_bytes, settings.max_pixels),
            settings.images_dir,
            Places(settings.max_in_flight, settings.max_bytes_in_flight),
            threads,
            Efforts(
                Effort(settings.verify_candidates, settings.verify_budget_ms / 1_000),
                Effort(settings.localize_candidates, settings.localize_budget_ms / 1_000),
            ),
        )

    def close(self) -> None:
        """Ends at once whatever is still under way."""
        self.decode_pool.close()
        self.engine.close()
        self.live.close()
