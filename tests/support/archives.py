"""Archives of images as `docker save` writes them, and images made from programs of this host."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

from tests.support.images import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def docker_archive(
    name: str, layers: Sequence[bytes], settings: Mapping[str, object] | None = None
) -> bytes:
    """An archive in the layout of `docker save` before 25: *layers* are uncompressed, lowest first.

    *settings* is the config object; *name* may be "" for an image without one.
    """
    document = {
        "created": "2024-05-01T10:00:00Z",
        "architecture": "amd64",
        "os": "linux",
        "config": dict(settings or {}),
        "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
        "history": [
            {"created": "2024-05-01T10:00:00Z", "created_by": f"/bin/sh -c #(nop) step {number}"}
            for number in range(len(layers))
        ],
    }
    config = json.dumps(document).encode()
    config_name = digest_of(config).removeprefix("sha256:") + ".json"
    paths = [digest_of(layer).removeprefix("sha256:") + "/layer.tar" for layer in layers]
    manifest = [{"Config": config_name, "RepoTags": [name] if name else None, "Layers": paths}]
    members = {
        config_name: config,
        **dict(zip(paths, layers, strict=True)),
        "manifest.json": json.dumps(manifest).encode(),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in members.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def files_layer(files: Mapping[str, bytes | str], *, owner: int = 0) -> bytes:
    """A layer of *files* by path: bytes are content, a string the target of a symbolic link.

    A path that ends with "/" is a directory. Everything is executable.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, content in files.items():
            info = tarfile.TarInfo(path.rstrip("/"))
            info.mode, info.uid, info.gid = 0o755, owner, owner
            if path.endswith("/"):
                info.type = tarfile.DIRTYPE
            elif isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
            else:
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content if isinstance(content, bytes) else b""))
    return buffer.getvalue()


def busybox_layer() -> bytes:
    """A root file system of busybox alone (package busybox-static), with its applets."""
    program = shutil.which("busybox")
    assert program is not None
    files: dict[str, bytes | str] = {"bin/": b"", "bin/busybox": _content(program)}
    applets = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    files |= {f"bin/{name}": "busybox" for name in applets.stdout.split() if name != "busybox"}
    files |= {"etc/": b"", "etc/passwd": b"root:x:0:0::/root:/bin/sh\n", "root/": b"", "tmp/": b""}
    return files_layer(files)


def programs_layer(names: Iterable[str]) -> bytes:
    """The Debian programs *names* with the libraries that ldd(1) lists, where Debian has them."""
    files: dict[str, bytes | str] = {"lib": "usr/lib", "lib64": "usr/lib64", "bin": "usr/bin"}
    for name in names:
        program = shutil.which(name)
        assert program is not None
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        for path in (program, *re.findall(r"(/\S+)", listed)):
            target = path if path.startswith("/usr/") else f"/usr{path}"
            files[target.lstrip("/")] = _content(path)
    return files_layer(files)


def _content(path: str) -> bytes:
    with open(os.path.realpath(path), "rb") as file:
        return file.read()
