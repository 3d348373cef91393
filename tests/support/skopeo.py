"""skopeo, the other side that images are exchanged with."""

from __future__ import annotations

import subprocess
import tempfile
from typing import TYPE_CHECKING

from tests.support.images import OCI_INDEX, OCI_MANIFEST, make_index, write_layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.images import MadeImage
    from tests.support.registry import Registry


def skopeo(*arguments: str) -> bytes:
    """What skopeo prints; it must succeed."""
    done = subprocess.run(["skopeo", *arguments], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def publish(registry: Registry, name: str, image: MadeImage, login: str = "") -> None:
    """Push *image* as *name* ("app:1")."""
    _copy(registry, name, image.blobs[image.manifest], OCI_MANIFEST, image.blobs, login)


def publish_index(registry: Registry, name: str, images: Mapping[str, MadeImage]) -> None:
    """Push an index of *images*, by platform."""
    top, blobs = make_index(images)
    _copy(registry, name, top, OCI_INDEX, blobs, "")


def _copy(
    registry: Registry,
    name: str,
    top: bytes,
    media_type: str,
    blobs: Mapping[str, bytes],
    login: str,
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        write_layout(directory, top, media_type, blobs)
        credentials = ("--dest-creds", login) if login else ()
        skopeo(
            "--insecure-policy", "copy", "--all", "--quiet", "--dest-tls-verify=false",
            *credentials, f"oci:{directory}", f"docker://{registry.host}/{name}",
        )  # fmt: skip
