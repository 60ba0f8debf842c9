from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from extractor_service.live.batching import Batcher
from tests.extractor_service.serving import wait_until


class Network:
    """Describes an image by its first value; runs only while its gate is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.runs: list[list[int]] = []

    def describe(self, inputs: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        values = [int(image.flat[0]) for image in inputs]
        self.runs.append(values)
        assert self.gate.wait(timeout=60)
        if 255 in values:
            raise ArithmeticError("no such picture")
        return np.array([[value] for value in values], dtype=np.float32)


def image(value: int) -> NDArray[np.uint8]:
    return np.full((2, 2, 3), value, dtype=np.uint8)


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def batcher(network: Network) -> Iterator[Batcher]:
    batcher = Batcher(network.describe, max_batch=4)
    yield batcher
    network.gate.set()
    batcher.close()


async def start(batcher: Batcher, *values: int) -> list[asyncio.Task[NDArray[np.float32]]]:
    tasks = [asyncio.create_task(batcher.describe(image(value))) for value in values]
    await asyncio.sleep(0)
    return tasks


async def occupy(batcher: Batcher, network: Network) -> asyncio.Task[NDArray[np.float32]]:
    """Puts an image of value 0 into the network and leaves it there until the gate opens."""
    network.gate.clear()
    (task,) = await start(batcher, 0)
    await wait_until(lambda: network.runs == [[0]])
    return task


async def test_an_idle_network_takes_a_lone_image_at_once(batcher: Batcher, network: Network) -> None:
    assert (await batcher.describe(image(7))).tolist() == [7]
    assert network.runs == [[7]]


async def test_what_queues_up_behind_a_run_goes_together_up_to_the_largest_batch(
    batcher: Batcher, network: Network
) -> None:
    first = await occupy(batcher, network)
    others = await start(batcher, 1, 2, 3, 4, 5, 6)
    network.gate.set()
    answers = await asyncio.gather(first, *others)
    assert [answer.tolist() for answer in answers] == [[value] for value in range(7)]
    assert network.runs == [[0], [1, 2, 3, 4], [5, 6]]


async def test_a_cancelled_image_costs_no_network_time(batcher: Batcher, network: Network) -> None:
    first = await occupy(batcher, network)
    dropped, kept = await start(batcher, 1, 2)
    dropped.cancel()
    await asyncio.wait([dropped])
    network.gate.set()
    await asyncio.gather(first, kept)
    assert network.runs == [[0], [2]]


async def test_cancelling_a_running_image_leaves_the_others_of_its_run(
    batcher: Batcher, network: Network
) -> None:
    running = await occupy(batcher, network)
    running.cancel()
    await asyncio.wait([running])
    network.gate.set()
    assert (await batcher.describe(image(3))).tolist() == [3]


async def test_a_failing_run_fails_its_images_and_not_the_next_ones(
    batcher: Batcher, network: Network
) -> None:
    with pytest.raises(ArithmeticError):
        await batcher.describe(image(255))
    assert (await batcher.describe(image(1))).tolist() == [1]


async def test_closing_answers_what_is_queued(network: Network) -> None:
    batcher = Batcher(network.describe, max_batch=4)
    first = await occupy(batcher, network)
    others = await start(batcher, 1, 2, 3, 4, 5)
    network.gate.set()
    await asyncio.to_thread(batcher.close)
    answers = await asyncio.gather(first, *others)
    assert [answer.tolist() for answer in answers] == [[value] for value in range(6)]
