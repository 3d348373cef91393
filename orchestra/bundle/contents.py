"""`bundle.json`, the first member of a bundle: what the file holds, in its order, and what not.

Who reads a bundle knows from it what comes, and with which digests, before anything is unpacked.
docs/design/032-bundles.md draws the file.
"""

from __future__ import annotations

import re

import msgspec

from orchestra.errors import RegistryError, Unsupported
from orchestra.model.container import Frozen

FORMAT = 1
CONTENTS, MODEL, FILES = "bundle.json", "compose.yaml", "files.tar.gz"
MAX_CONTENTS_BYTES = 4 << 20
MAX_MODEL_BYTES = 16 << 20

_KEY = r"[a-zA-Z0-9][a-zA-Z0-9._-]*"
_PART = re.compile(
    rf"{re.escape(MODEL)}|{re.escape(FILES)}|(configs|secrets)/{_KEY}|volumes/({_KEY})\.tar\.gz"
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Part(Frozen, frozen=True, kw_only=True):
    """A member that is no part of an image. *unpacked_bytes* is the size of the files in it."""

    path: str
    digest: str
    size_bytes: int
    unpacked_bytes: int = 0

    @property
    def volume(self) -> str:
        """The key of the volume whose content this is; "" for another part."""
        match = _PART.fullmatch(self.path)
        return (match[2] or "") if match else ""


class BundledImage(Frozen, frozen=True, kw_only=True):
    """An image under the name that the model calls it by."""

    name: str
    id: str
    manifest: str
    services: tuple[str, ...]


class Contents(Frozen, frozen=True, kw_only=True):
    """*needs* says, in sentences, what the other machine must have because the file has it not."""

    format: int
    project: str
    services: tuple[str, ...]
    parts: tuple[Part, ...]
    images: tuple[BundledImage, ...]
    needs: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """The same for bundles with the same model and files, whatever volumes they hold."""
        import hashlib

        digests = [part.digest for part in self.parts if not part.volume]
        return hashlib.sha256("\n".join(digests).encode()).hexdigest()[:12]


def encode_contents(contents: Contents) -> bytes:
    return msgspec.json.format(msgspec.json.encode(contents), indent=1) + b"\n"


def decode_contents(data: bytes) -> Contents:
    """What `bundle.json` says. Raises RegistryError, Unsupported for a newer format."""
    try:
        head = msgspec.json.decode(data)
        version = head.get("format") if isinstance(head, dict) else None
        if isinstance(version, int) and version > FORMAT:
            raise Unsupported(
                f"the bundle has format {version}, this orchestra knows {FORMAT}",
                fix="use the version of orchestra that has written it, or a newer one",
            )
        contents = msgspec.json.decode(data, type=Contents)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise malformed(f"{CONTENTS}: {exc}") from exc
    paths = [part.path for part in contents.parts]
    if paths[:1] != [MODEL] or len(set(paths)) < len(paths):
        raise malformed("its parts do not begin with the model, or one comes twice")
    for part in contents.parts:
        if not _PART.fullmatch(part.path) or not _DIGEST.fullmatch(part.digest):
            raise malformed(f"it cannot have a part {part.path[:200]!r}")
        if part.size_bytes < 0 or part.unpacked_bytes < 0:
            raise malformed(f"the part {part.path!r} has no size")
    return contents


def malformed(why: str) -> RegistryError:
    return RegistryError(
        f"this is no good bundle: {why}",
        fix="`orchestra bundle save -o FILE` writes bundles; copy or save it once more",
    )
