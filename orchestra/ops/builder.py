"""`builder du` and `builder prune`: what builds keep, and how to be rid of it."""

from __future__ import annotations

import fcntl
import os
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.records import Records
from orchestra.image.store import LocalImageStore
from orchestra.image.sweep import sweep
from orchestra.linux.remove_tree import remove_tree
from orchestra.linux.tree_size import tree_size
from orchestra.ops.image_use import used_images

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.layout import Layout


class CacheEntry(NamedTuple):
    """The result of a step, or a cache mount. *used_ns* is when it was used last.

    What *is_shared* is a layer of an image as well: forgetting it frees nothing.
    """

    id: str
    kind: str  # "step" | "cache mount"
    detail: str
    size_bytes: int
    created_ns: int
    used_ns: int
    is_shared: bool = False


class CachePruned(NamedTuple):
    """The ids of what went, and the bytes that this freed."""

    removed: tuple[str, ...]
    freed_bytes: int


def build_cache(layout: Layout) -> tuple[CacheEntry, ...]:
    """Everything that builds keep, the largest first."""
    entries = [*_steps(layout), *_mounts(layout)]
    return tuple(sorted(entries, key=lambda entry: (-entry.size_bytes, entry.id)))


def _steps(layout: Layout) -> Iterator[CacheEntry]:
    in_images = image_layers(LocalImageStore(layout.images))
    for path, record in _records(layout).all():
        yield CacheEntry(
            _short(path),
            "step",
            record.detail,
            record.size_bytes,
            record.created_ns,
            os.stat(path).st_mtime_ns,
            is_shared=record.diff_id in in_images,
        )


def image_layers(store: LocalImageStore) -> frozenset[str]:
    """The diff ids of all images."""
    images = (store.readable(row.id) for row in store.catalog.images())
    return frozenset(
        diff_id for image in images if image is not None for diff_id in image.document.diff_ids
    )


def _short(path: str) -> str:
    return os.path.basename(path)[:12]


def _mounts(layout: Layout) -> Iterator[CacheEntry]:
    directory = _caches(layout)
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
        path = os.path.join(directory, name)
        used_ns = os.stat(path).st_mtime_ns
        yield CacheEntry(_short(path), "cache mount", "", tree_size(path), used_ns, used_ns)


def prune_build_cache(
    layout: Layout, *, before_ns: int | None = None, shared_too: bool = True
) -> CachePruned:
    """Forget what was not used since *before_ns* (None: everything).

    Caches that a build is using stay, and images keep their layers. Unless *shared_too* the results
    that are layers of images stay, and those without a layer, since they take no space.
    """
    removed: list[str] = []
    freed = 0
    for path in _old_entries(_caches(layout), before_ns):
        size = _prune_mount(path)
        freed += size
        removed += () if os.path.exists(path) else (_short(path),)
    store = LocalImageStore(layout.images)
    spared = frozenset() if shared_too else image_layers(store) | {""}
    kept = set()
    for path, record in _records(layout).all():
        is_old = before_ns is None or os.stat(path).st_mtime_ns < before_ns
        if is_old and record.diff_id not in spared:
            os.unlink(path)
            removed.append(_short(path))
        elif record.diff_id:
            kept |= {record.diff_id, record.blob}
    for digest in store.pinned() - kept:
        store.unpin(digest)
    for name in ("finished", "digests", "compressed", "downloads", "git"):
        old = _old_entries(os.path.join(layout.builds, name), before_ns)
        freed += sum(map(_prune_mount, old))
    freed += sweep(store, partial(used_images, layout)).freed_bytes
    return CachePruned(tuple(removed), freed)


def _old_entries(directory: str, before_ns: int | None) -> Iterator[str]:
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        path = os.path.join(directory, name)
        if before_ns is None or os.stat(path).st_mtime_ns < before_ns:
            yield path


def _prune_mount(path: str) -> int:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_directory = os.path.isdir(path)
        size = tree_size(path) if is_directory else os.fstat(fd).st_size
        remove_tree(path) if is_directory else os.unlink(path)
    except BlockingIOError:
        return 0
    finally:
        os.close(fd)
    return size


def _records(layout: Layout) -> Records:
    return Records(os.path.join(layout.builds, "records"))


def _caches(layout: Layout) -> str:
    return os.path.join(layout.builds, "caches")
