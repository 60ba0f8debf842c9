"""The store's collections in Milvus: what they are called, the alias beside them, and which may go."""

from __future__ import annotations

import logging
import secrets
from datetime import date

from imagesearch.errors import StoreError, VectorsUnavailable
from imagesearch.index.milvus.collection import Facts
from imagesearch.index.milvus.server import ANSWER_S, MilvusAddress, connected, typed_failures
from imagesearch.store.durable import replace_file
from imagesearch.store.folders import folders_above
from imagesearch.store.layout import StoreLayout
from imagesearch.store.manifest import Manifest
from imagesearch.store.records import ImageRecord
from imagesearch.store.versions import versions

logger = logging.getLogger(__name__)


def name_of(layout: StoreLayout) -> str:
    """The alias, and what the names of this store's collections begin with; made up once.

    Several stores may share a server: none takes another's collections for its own.
    """
    try:
        return layout.milvus_name_path.read_text("ascii").strip()
    except FileNotFoundError:
        name = f"images_{secrets.token_hex(4)}"
        layout.root.mkdir(parents=True, exist_ok=True)
        replace_file(layout.milvus_name_path, f"{name}\n".encode("ascii"))
        return name


def facts_of(image: ImageRecord) -> Facts:
    folders = {folder for path in image.paths for folder in folders_above(path)}
    day = date.fromisoformat(image.taken_at[:10]).toordinal() if image.taken_at else 0
    return Facts(sorted(folders), day)


def point_alias(layout: StoreLayout, milvus: MilvusAddress | None, manifest: Manifest) -> None:
    """Has the alias name what has just been published. Nobody here reads it: it is for other clients."""
    if not manifest.index.collection:
        return
    alias, collection = name_of(layout), manifest.index.collection
    try:
        with typed_failures():
            client = connected(milvus).client
            known = client.list_aliases(timeout=ANSWER_S)["aliases"]
            point = client.alter_alias if alias in known else client.create_alias
            point(collection, alias, timeout=ANSWER_S)
    except VectorsUnavailable:
        logger.warning("The alias %s in Milvus still names an older collection.", alias)


def drop_unnamed(layout: StoreLayout, milvus: MilvusAddress | None) -> list[str]:
    """Drops the collections of this store that none of its snapshots names; returns their names.

    Drops nothing where a manifest cannot be read. Only under `durable.exclusive`. Raises VectorsUnavailable.
    """
    if milvus is None or not layout.milvus_name_path.exists():
        return []
    try:
        named = {Manifest.read(layout.snapshot_dir(each)).index.collection for each in versions(layout)}
    except StoreError:
        return []
    with typed_failures():
        client = connected(milvus).client
        own = [each for each in client.list_collections() if each.startswith(f"{name_of(layout)}_")]
        doomed = sorted(set(own) - named)
        for name in doomed:
            client.drop_collection(name)
    return doomed
