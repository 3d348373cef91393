"""Unpacked layers: each once, whichever images share it, read-only from the moment it appears.

A layer is unpacked into a draft, compared with its digest, written to the disk and renamed to its
place; a crash leaves a draft that the next sweep removes. Its directory is called by 128 bits of
its digest, so that the names of a hundred layers fit in the page that mount(2) has for options.
"""

from __future__ import annotations

import base64
import contextlib
import os
from typing import TYPE_CHECKING

from orchestra.errors import DigestMismatch, NotFound
from orchestra.image.blobs import hex_of, sync_directory
from orchestra.image.bytestream import ByteStream
from orchestra.image.filelock import locked
from orchestra.linux.block_groups import spread_subdirectories
from orchestra.linux.remove_tree import remove_tree
from orchestra.linux.syncfs import syncfs
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence, Set

_DRAFT, _SIZE, _LOCK, _EMPTY = ".draft", ".size", ".lock", "empty"


class Draft(NamedTuple):
    """A verified layer, not yet on the disk; *undo* removes it unless published, and unlocks."""

    final: str
    undo: contextlib.ExitStack


class Layers:
    """The layers in *directory*, by the digest of their uncompressed archives (diff id)."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def path(self, diff_id: str) -> str:
        """The layer's directory: a lower directory for overlayfs. It may not be there."""
        return os.path.join(self._directory, _name(diff_id))

    def has(self, diff_id: str) -> bool:
        return os.path.isdir(self.path(diff_id))

    def size(self, diff_id: str) -> int:
        """Bytes of its files, as Docker counts them. Raises NotFound."""
        try:
            with open(self.path(diff_id) + _SIZE, encoding="ascii") as file:
                return int(file.read())
        except FileNotFoundError as exc:
            raise NotFound(
                f"layer {diff_id} is not in the image store", fix="pull or load the image again"
            ) from exc

    def add(self, diff_id: str, content: Callable[[], Iterator[bytes]]) -> None:
        """Unpack the archive *content* as the layer *diff_id*, unless that is here.

        Somebody else who is at it is waited for. Raises DigestMismatch, RegistryError for hostile
        or damaged archives, OSError (ENOSPC); then nothing of it stays.
        """
        draft = self.draft(diff_id, content)
        if draft is not None:
            self.publish((draft,))

    def draft(self, diff_id: str, content: Callable[[], Iterator[bytes]]) -> Draft | None:
        """As `add`, but to be published by the caller, who has the layer's lock until then.

        None when the layer is here.
        """
        final = self.path(diff_id)
        if os.path.isdir(final):
            return None
        self._make_directory()
        with contextlib.ExitStack() as undo:
            undo.enter_context(locked(final + _LOCK))
            if os.path.isdir(final):
                return None
            path = final + _DRAFT
            remove_tree(path)
            os.mkdir(path, 0o700)
            undo.callback(remove_tree, path)  # which finds nothing once it has been published
            self._fill(path, diff_id, content())
            return Draft(final, undo.pop_all())

    def publish(self, drafts: Sequence[Draft]) -> None:
        """Write *drafts* to the disk, all by one syncfs(2), and let them appear.

        Raises OSError (EIO, ENOSPC); then nothing of them stays.
        """
        try:
            self.sync()
            for draft in drafts:
                os.rename(draft.final + _DRAFT, draft.final)
            sync_directory(self._directory)
        finally:
            for draft in drafts:
                draft.undo.close()

    def adopt(self, diff_id: str, directory: str, size_bytes: int) -> None:
        """Take *directory* as the layer *diff_id*, unless that is here; it moves or stays.

        It is what overlayfs has left in an upper directory, and its archive has that digest. The
        caller syncs the file system before anything durable speaks of the layer.
        """
        final = self.path(diff_id)
        os.makedirs(self._directory, 0o700, exist_ok=True)
        with locked(final + _LOCK):
            if os.path.isdir(final):
                return
            with open(final + _SIZE, "w", encoding="ascii") as file:
                file.write(str(size_bytes))
            os.rename(directory, final)

    def sync(self) -> None:
        """Write all layers to the disk. syncfs(2)."""
        os.makedirs(self._directory, 0o700, exist_ok=True)
        fd = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            syncfs(fd)
        finally:
            os.close(fd)

    def _make_directory(self) -> None:
        """Layers are strangers to each other: on ext4 each gets a neighbourhood of its own.

        Without a journal ext4 does not give inodes again for minutes after their deletion, and who
        creates files where many were deleted searches past them: 1 ms for each file.
        """
        os.makedirs(self._directory, 0o700, exist_ok=True)
        fd = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            spread_subdirectories(fd)
        finally:
            os.close(fd)

    def _fill(self, draft: str, diff_id: str, content: Iterator[bytes]) -> None:
        import hashlib  # like the next one not for who only asks what is here

        from orchestra.image.unpack import unpack

        digest = hashlib.sha256()

        def hashed() -> Iterator[bytes]:
            for chunk in content:
                digest.update(chunk)
                yield chunk

        os.chmod(draft, 0o755)  # noqa: S103 (a root directory is for everybody)
        size = unpack(ByteStream(hashed()), draft)
        if digest.hexdigest() != hex_of(diff_id):
            raise DigestMismatch(
                f"unpacked it has the digest sha256:{digest.hexdigest()}, not {diff_id} as its "
                "image's config says",
                fix="the image is damaged or was changed; build and push it again, or pull another",
            )
        with open(self.path(diff_id) + _SIZE, "w", encoding="ascii") as file:
            file.write(str(size))

    def empty(self) -> str:
        """The lower directory of an image without layers, as `FROM scratch` makes."""
        path = os.path.join(self._directory, _EMPTY)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o755)  # noqa: S103 (a root directory is for everybody)
        return path

    def sweep(self, wanted: Set[str]) -> int:
        """Remove every layer but *wanted* (diff ids) and what the dead have left; bytes freed.

        The caller sees to it that no layer is being added or used.
        """
        kept = {_name(diff_id) for diff_id in wanted} | {_EMPTY}
        freed = 0
        with contextlib.suppress(FileNotFoundError):
            for name in sorted(os.listdir(self._directory)):
                if name.partition(".")[0] not in kept or name.endswith((_DRAFT, _LOCK)):
                    freed += self._remove(os.path.join(self._directory, name))
        return freed

    def _remove(self, path: str) -> int:
        """Remove a layer, whose place is empty at once; or a draft, a lock, a layer's size."""
        if not os.path.isdir(path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            return 0
        size = 0
        if not path.endswith(_DRAFT):
            with contextlib.suppress(FileNotFoundError, ValueError):
                with open(path + _SIZE, encoding="ascii") as file:
                    size = int(file.read())
                os.unlink(path + _SIZE)
            remove_tree(path + _DRAFT)
            os.rename(path, path + _DRAFT)
        remove_tree(path.removesuffix(_DRAFT) + _DRAFT)
        return size


def _name(diff_id: str) -> str:
    digest = bytes.fromhex(hex_of(diff_id))
    return base64.b32encode(digest[:16]).decode("ascii").rstrip("=").lower()
