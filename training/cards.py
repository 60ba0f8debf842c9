"""The card beside a weights' file: what it was trained on, how, and how good it was measured to be."""

from __future__ import annotations

import platform
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras

from imagesearch.backbones.converted import sha256_of
from training.checkpoints import disk_full_told
from training.recipes import FinetuneRecipe
from training.results import Finetuned


def finetuned_card(done: Finetuned, start: Path, recipe: FinetuneRecipe) -> str:
    measured = done.comparison
    counts = ", ".join(f"{name} {count}" for name, count in done.photos_per_label.items())
    return _card(
        "A network adapted to one's own photos",
        {
            "file": f"{Path(done.model or '').name}, SHA-256 {done.sha256}",
            "began from": f"{start.name}, SHA-256 {sha256_of(start)}",
            "photos learnt from": counts,
            "steps": f"{done.steps:,}, {done.seconds / 60:.1f} minutes",
            f"{done.descriptor} mAP before, {measured.queries:,} held-out photos": f"{measured.before:.3f}",
            f"{done.descriptor} mAP after, the same photos": f"{measured.after:.3f}",
            "difference, 95 % confidence": f"{measured.low:+.3f} to {measured.high:+.3f}",
        },
        asdict(recipe),
    )


def _card(title: str, facts: dict[str, str], recipe: dict[str, Any]) -> str:
    machine = f"{platform.machine()}, Keras {keras.__version__} on {keras.backend.backend()}"
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    rows = [
        f"| {name} | {value} |" for name, value in (facts | {"when and where": f"{when}, {machine}"}).items()
    ]
    options = [f"- `{name}`: {value}" for name, value in recipe.items()]
    return "\n".join(
        [f"# {title}", "", "| what | |", "| --- | --- |", *rows, "", "## Recipe", "", *options, ""]
    )


def write_card(model: Path, text: str) -> None:
    """Beside the weights' file, under its name with the ending .md. Raises DiskFull."""
    card = model.with_suffix(".md")
    unfinished = card.with_name(f".{card.name}.tmp")
    with disk_full_told(unfinished):
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(card)
