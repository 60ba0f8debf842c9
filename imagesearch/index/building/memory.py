"""How much memory building an index takes, told from sizes before anything is computed."""

from __future__ import annotations

from imagesearch.errors import NotEnoughMemory
from imagesearch.index.building.training import (
    BLOCK_ROWS,
    ROTATION_ROWS,
    TRAININGS,
)
from imagesearch.index.many_queries import BLOCK_BYTES
from imagesearch.index.plan import IndexPlan, choose_kind

WORKSPACE_BYTES = 64 * 1024 * 1024
"""What the libraries set aside besides, as measured with 100,000 and 400,000 descriptors."""


def require_memory(plan: IndexPlan, count: int, dim: int, available_bytes: int) -> None:
    """Raises NotEnoughMemory where building would take more than there is."""
    kind, _ = choose_kind(plan.kind, count, dim)
    needed = estimated_bytes(kind, count, dim)
    if needed > available_bytes:
        raise NotEnoughMemory(
            f"The index ({kind}) over {count:,} images takes about {_shown(needed)} of memory to build, and "
            f"{_shown(available_bytes)} are free. Nothing was published. Give it more memory, or ask for "
            "another kind: INDEXER_INDEX=exact needs the least."
        )


def estimated_bytes(kind: str, count: int, dim: int) -> int:
    """Of memory at the peak, beyond what the program takes anyway; what is memory-mapped makes way and is not
    counted."""
    order = 16 * count
    test = 3 * BLOCK_BYTES
    if kind == "exact":
        return order
    training = TRAININGS[kind]
    rotated = min(dim, training.rotated_dim)
    rotating = 3 * 4 * min(count, ROTATION_ROWS) * dim
    block = (2 + 4) * min(count, BLOCK_ROWS) * dim  # as stored and widened
    sample = 4 * min(count, training.training_rows(count)) * rotated
    stage = max(test, rotating, 3 * sample, block + 2 * sample)
    return order + count * training.code_bytes(rotated) + stage + WORKSPACE_BYTES


def _shown(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"
