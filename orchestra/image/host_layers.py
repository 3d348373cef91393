"""Builds the read-only layers of `image: host`: a skeleton root and a mask over each host tree.

A *mask* is an overlay layer with a whiteout for each path that must not be seen. Layers are named
by a digest of their content and never changed or removed: deleting a whiteout below a running
container would show what it hides. They are a few inodes each.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from orchestra.named import NamedTuple
from orchestra.sha256 import sha256

if TYPE_CHECKING:
    from collections.abc import Sequence

TREES = ("usr", "etc", "opt", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
"""What is shown of the host, when it is a directory there; a symbolic link is copied as one."""

_DIRECTORIES = (
    ("dev", 0o755), ("proc", 0o555), ("sys", 0o555), ("run", 0o755), ("run/lock", 0o1777),
    ("tmp", 0o1777), ("root", 0o700), ("home", 0o755), ("srv", 0o755), ("mnt", 0o755),
    ("media", 0o755), ("opt", 0o755), ("etc", 0o755), ("usr", 0o755),
    ("var", 0o755), ("var/cache", 0o755), ("var/lib", 0o755), ("var/lib/misc", 0o755),
    ("var/local", 0o755), ("var/log", 0o755), ("var/mail", 0o755), ("var/opt", 0o755),
    ("var/spool", 0o755), ("var/tmp", 0o1777),
)  # fmt: skip
_LINKS = (("var/run", "/run"), ("var/lock", "/run/lock"))
_REPLACED_FILES = ("etc/hosts", "etc/hostname", "etc/resolv.conf")
_REPLACED_LINKS = (("etc/mtab", "/proc/mounts"),)
_COPIED_XATTRS = ("security.selinux", "system.posix_acl_access", "system.posix_acl_default")


class HostTree(NamedTuple):
    """One directory of the host as layers, top first. *target* is "/usr"; "/" is the skeleton."""

    target: str
    lower: tuple[str, ...]


def build(host_root: str, layers_dir: str, hidden: Sequence[str]) -> tuple[HostTree, ...]:
    """The trees of *host_root* with *hidden* (relative paths) masked; "/" comes first.

    Layers that exist already in *layers_dir* are used again.
    """
    shown = tuple(tree for tree in TREES if _is_shown(host_root, tree, hidden))
    links = tuple(
        (tree, os.readlink(os.path.join(host_root, tree)))
        for tree in TREES
        if os.path.islink(os.path.join(host_root, tree))
    )
    masks = {
        path: ancestors
        for path in outermost(hidden)
        if path not in TREES and (ancestors := _ancestors(host_root, path))
    }
    recipe = repr((1, shown, links, sorted(masks.items()))).encode()
    base = os.path.join(layers_dir, sha256(recipe).hexdigest()[:32])
    if not os.path.isdir(base):
        _publish(host_root, base, shown, links, tuple(masks))
    trees = [HostTree("/", (os.path.join(base, "root"),))]
    for tree in shown:
        lower = (os.path.join(base, "mask", tree), os.path.join(host_root, tree))
        trees.append(HostTree("/" + tree, lower))
    return tuple(trees)


def outermost(paths: Sequence[str]) -> list[str]:
    """*paths* without those that lie below another of them."""
    listed = frozenset(paths)
    return [
        path
        for path in dict.fromkeys(paths)
        if not any(path[:at] in listed for at, letter in enumerate(path) if letter == "/")
    ]


def _is_shown(host_root: str, tree: str, hidden: Sequence[str]) -> bool:
    try:
        mode = os.lstat(os.path.join(host_root, tree)).st_mode
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(mode) and tree not in hidden


def _ancestors(host_root: str, path: str) -> tuple[tuple[str, int, int, int], ...]:
    """Path, mode, uid and gid of each directory above *path*: the mask has to repeat them.

    Empty when one is gone or no directory: then there is nothing at *path* any more.
    """
    parts = path.split("/")
    found = []
    for depth in range(1, len(parts)):
        directory = "/".join(parts[:depth])
        try:
            status = os.lstat(os.path.join(host_root, directory))
        except FileNotFoundError:
            return ()
        if not stat.S_ISDIR(status.st_mode):
            return ()
        found.append((directory, status.st_mode, status.st_uid, status.st_gid))
    return tuple(found)


def _publish(
    host_root: str,
    base: str,
    shown: tuple[str, ...],
    links: tuple[tuple[str, str], ...],
    masked: tuple[str, ...],
) -> None:
    """Build under a temporary name, then rename: a layer is seen whole or not at all."""
    import shutil  # 2 ms that only the first container of a host has to pay
    import tempfile

    os.makedirs(os.path.dirname(base), mode=0o700, exist_ok=True)
    draft = tempfile.mkdtemp(prefix=".draft-", dir=os.path.dirname(base))
    try:
        _make_skeleton(os.path.join(draft, "root"), shown, links)
        mask = os.path.join(draft, "mask")
        os.mkdir(mask)
        for tree in shown:
            _mirror_directory(host_root, mask, tree)
        for path in masked:
            if path.split("/", 1)[0] in shown:
                _mask(host_root, mask, path)
        if "etc" in shown:
            _replace_generated(mask)
        os.rename(draft, base)
    except FileExistsError:
        shutil.rmtree(draft)
    except OSError as exc:
        shutil.rmtree(draft)
        if not os.path.isdir(base):  # another process may have been quicker: ENOTEMPTY
            raise exc


def _make_skeleton(root: str, shown: tuple[str, ...], links: tuple[tuple[str, str], ...]) -> None:
    os.mkdir(root)
    os.chmod(root, 0o755)  # noqa: S103 (a root directory is for everybody)
    for name, mode in _DIRECTORIES:
        path = os.path.join(root, name)
        os.mkdir(path)
        os.chmod(path, mode)
    for name in shown:
        os.makedirs(os.path.join(root, name), mode=0o755, exist_ok=True)
    for name, target in _LINKS + links:
        path = os.path.join(root, name)
        if os.path.isdir(path):
            os.rmdir(path)
        os.symlink(target, path)


def _mirror_directory(host_root: str, mask: str, directory: str) -> None:
    """An empty directory with the host's attributes: overlayfs shows those of the topmost layer."""
    source = os.path.join(host_root, directory)
    copy = os.path.join(mask, directory)
    try:
        os.mkdir(copy)
    except FileExistsError:
        return
    status = os.lstat(source)
    os.chown(copy, status.st_uid, status.st_gid)
    os.chmod(copy, stat.S_IMODE(status.st_mode))
    for name in os.listxattr(source):
        if name in _COPIED_XATTRS:
            os.setxattr(copy, name, os.getxattr(source, name))
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))


def _mask(host_root: str, mask: str, path: str) -> None:
    parts = path.split("/")
    for depth in range(1, len(parts)):
        _mirror_directory(host_root, mask, "/".join(parts[:depth]))
    # a whiteout is a 0:0 character device; overlayfs(5) of the kernel's documentation
    os.mknod(os.path.join(mask, path), stat.S_IFCHR, os.makedev(0, 0))


def _replace_generated(mask: str) -> None:
    """Regular files where the runtime binds its own; on the host they may be links into /run."""
    for name in _REPLACED_FILES + tuple(name for name, _ in _REPLACED_LINKS):
        path = os.path.join(mask, name)
        if os.path.lexists(path):
            os.unlink(path)
    for name in _REPLACED_FILES:
        with open(os.path.join(mask, name), "xb") as file:
            os.fchmod(file.fileno(), 0o644)
    for name, target in _REPLACED_LINKS:
        os.symlink(target, os.path.join(mask, name))
