"""What the tests that build with a Docker Engine and with orchestra share: a context, and trees."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BASE = "oracle:busybox"
SETTINGS = (
    "Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "OnBuild", "Shell",
    "StopSignal", "User", "Volumes", "WorkingDir",
)  # fmt: skip

_KEPT_XATTRS = "SCHILY.xattr.security."
"""An engine leaves those of users out of what it saves, whatever its builder did with them."""

Tree = dict[str, tuple[object, ...]]
"""By path: type, mode, uid, gid, content or link target, xattrs, device."""


def tree_of(archive: str, *, mode_bits: int = 0o1777) -> Tree:
    """The files of the image that `docker save` wrote, its layers laid over each other.

    Hard links are files with their content: which of the names is the link is the writer's choice.
    """
    tree: Tree = {}
    with tarfile.open(archive) as whole:
        manifest = json.loads(_content(whole, "manifest.json"))
        for layer in manifest[0]["Layers"]:
            with tarfile.open(fileobj=io.BytesIO(_content(whole, layer))) as files:
                _lay_over(tree, files, mode_bits)
    return tree


def _content(archive: tarfile.TarFile, name: str | tarfile.TarInfo) -> bytes:
    file = archive.extractfile(name)
    assert file is not None
    return file.read()


def _lay_over(tree: Tree, files: tarfile.TarFile, mode_bits: int) -> None:
    below = set(tree)
    for entry in files:
        directory, _, name = entry.name.strip("/").rpartition("/")
        path = f"{directory}/{name}".strip("/")
        if name == ".wh..wh..opq":
            _remove(tree, {path for path in below if path.startswith(f"{directory}/")})
        elif name.startswith(".wh."):
            hidden = f"{directory}/{name[4:]}".strip("/")
            _remove(tree, {p for p in tree if p == hidden or p.startswith(f"{hidden}/")})
        else:
            if not entry.isdir():
                _remove(tree, {p for p in below if p.startswith(f"{path}/")})
            tree[path] = _described(tree, files, entry, mode_bits)


def _remove(tree: Tree, paths: set[str]) -> None:
    for path in paths:
        tree.pop(path, None)


def _described(
    tree: Tree, files: tarfile.TarFile, entry: tarfile.TarInfo, mode_bits: int
) -> tuple[object, ...]:
    if entry.islnk():
        return tree[entry.linkname.strip("/")]
    content = _content(files, entry) if entry.isreg() else entry.linkname
    mode = 0 if entry.issym() else entry.mode & mode_bits
    xattrs = {k: v for k, v in entry.pax_headers.items() if k.startswith(_KEPT_XATTRS)}
    device = (entry.devmajor, entry.devminor) if entry.isdev() else ()
    return (entry.type, mode, entry.uid, entry.gid, content, xattrs, device)


def hard_links_of(archive: str) -> set[frozenset[str]]:
    """The names that are one file, by the layers of an image that `docker save` wrote."""
    groups: dict[tuple[int, str], set[str]] = {}
    with tarfile.open(archive) as whole:
        manifest = json.loads(_content(whole, "manifest.json"))
        for number, layer in enumerate(manifest[0]["Layers"]):
            with tarfile.open(fileobj=io.BytesIO(_content(whole, layer))) as files:
                for entry in files:
                    if entry.islnk():
                        first = entry.linkname.strip("/")
                        groups.setdefault((number, first), {first}).add(entry.name.strip("/"))
    return {frozenset(names) for names in groups.values()}


def differences(ours: Tree, theirs: Tree) -> dict[str, tuple[object, object]]:
    """What is not the same, by path: ours and theirs, contents cut short."""
    both = {path: (ours.get(path), theirs.get(path)) for path in ours | theirs}
    return {path: pair for path, pair in both.items() if pair[0] != pair[1]}


def settings_that_differ(
    ours: Mapping[str, object], theirs: Mapping[str, object]
) -> dict[str, tuple[object, object]]:
    """Of two image configs; Docker Compose's own labels left out."""
    found = {}
    for name in SETTINGS:
        pair = tuple(_without_compose(each.get(name)) for each in (ours, theirs))
        if pair[0] != pair[1]:
            found[name] = (pair[0], pair[1])
    return found


def _without_compose(value: object) -> object:
    if isinstance(value, dict):
        value = {k: v for k, v in value.items() if not k.startswith("com.docker.")}
    return value or None


# -- a context with one of everything -------------------------------------------------------------
_TEXTS = {
    "src/a": 0o755, "src/b.txt": 0o644, "src/c.txt": 0o644, "src/d.txt": 0o444,
    "src/a.txt": 0o600, "src/long.txt": 0o664, "src/lit[1].txt": 0o644, "src/.hidden": 0o640,
    "src/sub/b": 0o600, "src/sub/.dot": 0o644, "src/sub/deeper/leaf": 0o644,
    "src/sub2/other": 0o644, "src/with space": 0o644, "src/x.log": 0o644,
    "deep/keep.log": 0o644, "deep/lose.log": 0o644, "deep/a/really.log": 0o644,
    "deep/a/gone": 0o644, "deep/a/b/gone": 0o644, "deep/all/one": 0o644,
    "deep/all/but/this": 0o644, "deep/all/but/not": 0o644, "ignore-me": 0o644,
    "modes/set-uid": 0o4755, "modes/set-gid": 0o2755, "modes/none": 0o000, "modes/all": 0o777,
    "sub/modes": 0o644, "owned/by/others": 0o644, "special/attributes": 0o644,
    "special/capable": 0o755, "fake.tar.gz": 0o644,
}  # fmt: skip
_COMPRESSIONS = {"": "w", ".gz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}
_TOOLS = {"setcap": "/usr/sbin/setcap", "ld.so": "/lib64/ld-linux-x86-64.so.2"}
_LIBRARIES = ("libcap.so.2", "libc.so.6")


def make_context(directory: str) -> None:
    """Files, links, archives, owners and modes of many kinds. Needs root."""
    for name, mode in _TEXTS.items():
        path = f"{directory}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"the text of {name}\n")
        os.chmod(path, mode)
    os.makedirs(f"{directory}/empty")
    for name, target in {"link": "a", "dirlink": "sub", "dangling": "/nowhere"}.items():
        os.symlink(target, f"{directory}/src/{name}")
    os.chmod(f"{directory}/src/sub", 0o750)
    os.chown(f"{directory}/owned/by/others", 70000, 70001)
    os.chown(f"{directory}/owned/by", 1234, 5678)
    _make_special(f"{directory}/special")
    for suffix, mode_of_tar in _COMPRESSIONS.items():
        _make_archive(f"{directory}/archive.tar{suffix}", mode_of_tar)
    os.makedirs(f"{directory}/archives")
    shutil.copy(f"{directory}/archive.tar", f"{directory}/archives/inner.tar")
    _make_rich_archive(f"{directory}/rich.tar")
    with tarfile.open(f"{directory}/plain.gz", "w:gz"):
        pass
    _make_tools(f"{directory}/tools")


def _make_special(directory: str) -> None:
    os.link(f"{directory}/attributes", f"{directory}/hard")
    os.setxattr(f"{directory}/attributes", "user.colour", b"blue")
    with open(f"{directory}/sparse", "wb") as file:
        file.truncate(1 << 20)


def _make_archive(path: str, mode: str) -> None:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, kind, bits in (
            ("in", tarfile.DIRTYPE, 0o750),
            ("in/file", tarfile.REGTYPE, 0o604),
            ("file", tarfile.REGTYPE, 0o644),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.uid, entry.gid = kind, bits, 11, 12
            entry.size = 3 if kind == tarfile.REGTYPE else 0
            archive.addfile(entry, io.BytesIO(b"abc"[: entry.size]))


def _make_rich_archive(path: str) -> None:
    """Links of both kinds, a FIFO, a device, an attribute, large owners, no parents."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind, target in (
            ("no/parents/file", tarfile.REGTYPE, ""), ("soft", tarfile.SYMTYPE, "no/parents/file"),
            ("hard", tarfile.LNKTYPE, "no/parents/file"), ("pipe", tarfile.FIFOTYPE, ""),
            ("null", tarfile.CHRTYPE, ""), ("./dotted", tarfile.REGTYPE, ""),
            ("/rooted", tarfile.REGTYPE, ""), ("absolute", tarfile.SYMTYPE, "/etc"),
        ):  # fmt: skip
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.mode = kind, target, 0o4755
            entry.uid, entry.gid = 100000, 100001
            entry.devmajor, entry.devminor = (1, 3) if kind == tarfile.CHRTYPE else (0, 0)
            if name == "no/parents/file":
                entry.pax_headers = {"SCHILY.xattr.user.colour": "red"}
            archive.addfile(entry)


def _make_tools(directory: str) -> None:
    """setcap(8) with its libraries, for an image that has none."""
    os.makedirs(directory)
    for name, path in _TOOLS.items():
        shutil.copy(path, f"{directory}/{name}")
    for library in _LIBRARIES:
        shutil.copy(f"/lib/x86_64-linux-gnu/{library}", f"{directory}/{library}")
