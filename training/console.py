"""What training says to a person, or to a script."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from training.results import Finetuned


@contextmanager
def bars() -> Iterator[Callable[[str, int], Callable[[int], object]]]:
    """Opens progress bars, one after the other, where somebody is watching."""
    with ExitStack() as opened, logging_redirect_tqdm():

        def bar(what: str, total: int) -> Callable[[int], object]:
            hidden = not sys.stderr.isatty()
            return opened.enter_context(tqdm(total=total, desc=what, disable=hidden)).update

        yield bar


def finetuned_text(done: Finetuned) -> str:
    measured = done.comparison
    lines = [
        f"{done.descriptor} mAP of {measured.queries} held-out photos: {measured.before:.3f} before, "
        f"{measured.after:.3f} after {done.steps} steps in {done.seconds / 60:.1f} minutes; difference "
        f"{measured.low:+.3f} to {measured.high:+.3f} with 95 % confidence."
    ]
    if done.left_out:
        few = ", ".join(f"{name} ({count})" for name, count in done.left_out.items())
        lines.append(f"Left out, having too few photos: {few}.")
    if done.unreadable:
        lines.append(f"{len(done.unreadable)} photos cannot be decoded, {done.unreadable[0]} the first.")
    lines.append(
        f"Use it with INDEXER_MODEL={done.model} and a new store."
        if done.model
        else "No improvement was measured, so no model was written."
    )
    return "\n".join(lines)
