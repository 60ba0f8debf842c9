"""Memory, descriptors and threads of both services, over many searches and snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.extractor_service.serving import png, textured
from tests.memory import own_bytes
from tests.torture.promise import Outcome
from tests.torture.site import Program, site

MIB = 1 << 20
ALLOWED_BYTES = 24 * MIB
ALLOWED_DESCRIPTORS = 16
ALLOWED_THREADS = 8
SEARCHES_A_SWAP = 100


@dataclass(frozen=True, slots=True)
class Held:
    memory: int
    descriptors: int
    threads: int

    @classmethod
    def by(cls, program: Program) -> Held:
        pid = program.process.pid
        descriptors, threads = (len(list(Path(f"/proc/{pid}/{kind}").iterdir())) for kind in ("fd", "task"))
        return cls(own_bytes(pid), descriptors, threads)


def level_memory(root: Path, short: bool) -> Outcome:
    """Searches of every kind, with a new snapshot now and then."""
    outcome, swaps = Outcome(), 3 if short else 60
    searches = 0
    with (
        site(root, RATE_LIMIT_PER_MINUTE="0", READ_RATE_LIMIT_PER_MINUTE="0") as here,
        here.client() as client,
    ):
        before: dict[str, Held] = {}
        for swap in range(swaps + 2):
            if swap == 2:  # what is kept on purpose is there by now
                before = {"service": Held.by(here.service), "gateway": Held.by(here.gateway)}
            for number in range(SEARCHES_A_SWAP if not short else 20):
                options = (("verify", "true"), ("localize", "true"), ("expand", "true"), ("exact", "true"))
                name, value = options[number % 4]
                photo = png(textured(number % 5))
                answer = client.post("/search", files={"image": photo}, data={name: value})
                outcome.check(answer.status_code == 200, f"a search: {answer.status_code}")
                searches += 1
            here.folder.add(f"swap {swap}.png", png(textured(1000 + swap, 64, 48)))
            here.folder.publish(local_features=True, localization=True)
        after = {"service": Held.by(here.service), "gateway": Held.by(here.gateway)}
    for name, held in after.items():
        grown = held.memory - before[name].memory
        outcome.check(grown <= ALLOWED_BYTES, f"{name}: {grown / MIB:.0f} MiB more")
        more = held.descriptors - before[name].descriptors
        outcome.check(more <= ALLOWED_DESCRIPTORS, f"{name}: {more} descriptors more")
        threads = held.threads - before[name].threads
        outcome.check(threads <= ALLOWED_THREADS, f"{name}: {threads} threads more")
    grown = after["service"].memory - before["service"].memory
    outcome.note = f"{searches:,} searches, {swaps + 2} snapshots; service {grown / MIB:+.1f} MiB"
    return outcome
