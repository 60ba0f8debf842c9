"""The folder of a converted model: what is in it, whether it is whole, how it comes to be."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from imagesearch.backbones.base import Card, Int8Quality, ModelIdentity, NetworkInput, Precision, TextTower
from imagesearch.backbones.cards import CARDS
from imagesearch.errors import ModelDamaged, ModelMismatch, ModelUnavailable

logger = logging.getLogger(__name__)

FORMAT_VERSION = 1
RECORD_NAME = "model.json"
TOKENIZER_NAME = "tokenizer.json"
TEMPORARY_PREFIX = ".converting-"
ALWAYS_HASHED_MAX_BYTES = 64 << 20  # takes 0.05 s; 530 MB would take 0.4 s at every start


@dataclass(frozen=True, slots=True)
class ConvertedModel:
    """A folder with a converted network, as its record tells."""

    folder: Path
    card: Card
    identity: ModelIdentity
    """With the preprocessing of this program: the network itself does not depend on it."""
    own_weights: bool
    """The weights are a user's own, not those published for the network."""
    created: str
    """UTC, ISO 8601."""
    int8_quality: Int8Quality | None = None
    """Of an int8 form."""


def file_names(card: Card) -> list[str]:
    """The names of the files of a converted network."""
    graphs = [f"{output}.{suffix}" for output in card.outputs for suffix in ("xml", "bin")]
    return [*graphs, TOKENIZER_NAME] if card.text else graphs


def sha256_of(path: Path) -> str:
    """The hash of the file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_of(models_dir: Path, identity: ModelIdentity) -> Path:
    int8 = f"-int8-{identity.quantisation[:12]}" if identity.quantisation else ""
    return models_dir / f"{identity.name}-{identity.digest[:12]}{int8}"


def open_converted(models_dir: Path, identity: ModelIdentity) -> ConvertedModel:
    """The converted model of this identity, its files checked: sizes always, contents where that is quick.

    Raises ModelUnavailable when there is none, ModelDamaged when its files are not those that were written,
    ModelMismatch when this program no longer has the network or prepares photos as the identity says.
    """
    folder = folder_of(models_dir, identity)
    if not folder.is_dir():
        raise ModelUnavailable(
            f"The store lacks the model {folder.name}: run the indexer again, "
            f"or copy the folder models/{folder.name} from a store that has it."
        )
    model = _read(folder)
    if model.identity.preprocessing != identity.preprocessing:
        raise ModelMismatch(
            f"The store was built by another version of this program, which prepared photos otherwise "
            f"({identity.preprocessing}, now {model.identity.preprocessing}): describe them again by "
            "python -m indexer build --rebuild."
        )
    if model.identity != identity:
        raise _damaged(folder, "it holds another model than its name says")
    return model


def list_converted(models_dir: Path, name: str) -> list[ConvertedModel]:
    """The whole models of this name, the latest converted first. Those that cannot be used are logged and
    left out."""
    return [model for model in _latest_first(models_dir, name) if not model.identity.quantisation]


def list_int8(models_dir: Path, identity: ModelIdentity) -> list[ConvertedModel]:
    """The int8 forms of a model, the latest first. Those that cannot be used are logged and left out."""
    return [
        model
        for model in _latest_first(models_dir, identity.name)
        if model.identity.quantisation and model.identity.unquantised == identity.unquantised
    ]


def _latest_first(models_dir: Path, name: str) -> list[ConvertedModel]:
    models = []
    for folder in models_dir.glob(f"{name}-*/"):
        try:
            models.append(_read(folder))
        except (ModelDamaged, ModelMismatch) as error:
            logger.warning("%s", error)
    return sorted(models, key=lambda model: model.created, reverse=True)


def models_damage(models_dir: Path) -> list[str]:
    """One sentence for each model whose files are not those that were written. Reads all of them."""
    found = []
    for folder in sorted(models_dir.glob("[!.]*/")):
        try:
            _read(folder, hash_all=True)
        except (ModelDamaged, ModelMismatch) as error:
            found.append(str(error))
    return found


@contextmanager
def exclusively(models_dir: Path) -> Iterator[None]:
    """One process at a time downloads or converts into a folder; the others wait. Its end, however it comes,
    lets the next one in."""
    models_dir.mkdir(parents=True, exist_ok=True)
    with (models_dir / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.info("Another process is preparing a model in this store; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def publish(
    models_dir: Path,
    identity: ModelIdentity,
    own_weights: bool,
    write: Callable[[Path], Card],
    int8_quality: Int8Quality | None = None,
) -> ConvertedModel:
    """Lets `write` fill a temporary folder, adds the record, and puts it in place by one rename.

    Called within `exclusively`. A damaged folder in the way is replaced.
    """
    for leftover in models_dir.glob(f"{TEMPORARY_PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=models_dir))
    folder = folder_of(models_dir, identity)
    try:
        temporary.chmod(0o755)
        card = write(temporary)
        _write_record(temporary, card, identity, own_weights, int8_quality)
        if folder.exists():
            folder.rename(temporary.with_suffix(".damaged"))
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(temporary.with_suffix(".damaged"), ignore_errors=True)
    return _read(folder)


def _write_record(
    folder: Path, card: Card, identity: ModelIdentity, own_weights: bool, int8_quality: Int8Quality | None
) -> None:
    record = {
        "format_version": FORMAT_VERSION,
        "name": identity.name,
        "card": None if identity.name in CARDS else asdict(card),
        "digest": identity.digest,
        "quantisation": identity.quantisation,
        "own_weights": own_weights,
        "int8_quality": asdict(int8_quality) if int8_quality else None,
        "created": datetime.now(UTC).isoformat(timespec="microseconds"),
        "files": {
            name: {"bytes": (folder / name).stat().st_size, "sha256": sha256_of(folder / name)}
            for name in file_names(card)
        },
    }
    (folder / RECORD_NAME).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _read(folder: Path, hash_all: bool = False) -> ConvertedModel:
    try:
        record = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
        card = _card_of(record)
        _check_files(folder, file_names(card), record, hash_all)
        return ConvertedModel(
            folder=folder,
            card=card,
            identity=ModelIdentity(
                card.name, record["digest"], card.preprocessing, record.get("quantisation", "")
            ),
            own_weights=record["own_weights"],
            created=record["created"],
            int8_quality=Int8Quality(**record["int8_quality"]) if record.get("int8_quality") else None,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, "its record is missing or unreadable") from error


def _card_of(record: dict[str, Any]) -> Card:
    """Raises ModelMismatch for a network that an earlier version knew."""
    if record["name"] in CARDS:
        return CARDS[record["name"]]
    if record.get("card") is None:
        raise ModelMismatch(
            f"The store was built with the network {record['name']}, which this version does not have: "
            "describe the photos with another one by python -m indexer build --rebuild."
        )
    return card_from_json(record["card"])


def card_from_json(fields: dict[str, Any]) -> Card:
    """Of a network that came in a folder: from what `asdict` gave. Raises KeyError and TypeError."""
    text = TextTower(**fields["text"]) if fields["text"] else None
    precision = Precision(fields.get("precision", Precision.AUTO))  # which earlier versions did not write
    return Card(
        **fields
        | {"input": NetworkInput(**fields["input"]), "conv_map": None, "text": text, "precision": precision}
    )


def _check_files(folder: Path, names: list[str], record: dict[str, Any], hash_all: bool) -> None:
    if record["format_version"] != FORMAT_VERSION:
        raise _damaged(folder, "it was written by another version of this program")
    sizes = {name: (folder / name).stat().st_size for name in names if (folder / name).is_file()}
    for name in names:
        if sizes.get(name) != record["files"][name]["bytes"]:
            raise _damaged(folder, f"{name} is missing or has another size than when it was written")
    if sum(sizes.values()) > ALWAYS_HASHED_MAX_BYTES and not hash_all:
        return
    for name in names:
        if sha256_of(folder / name) != record["files"][name]["sha256"]:
            raise _damaged(folder, f"{name} has another content than when it was written")


def _damaged(folder: Path, what: str) -> ModelDamaged:
    return ModelDamaged(
        f"The converted model {folder.name} is damaged: {what}. "
        "Run the indexer again, which converts it again; what it was made of must be at hand."
    )
