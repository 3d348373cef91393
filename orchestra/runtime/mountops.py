"""What is done to build a container's root, as objects: `describe` says it, `apply` does it.

They run in the forked child, in its private mount namespace, while the host's root is still "/".
Every path below the new root is resolved by `safe_open`, so that no symbolic link in an image or
volume leads out. `plan_rootfs` decides which operations there are and their order.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, Protocol

from orchestra.linux import constants as c
from orchestra.linux.mount import attach_tree, clone_tree, make_read_only, mount
from orchestra.linux.safe_open import Create, safe_open
from orchestra.named import NamedTuple
from orchestra.runtime.failure import BEFORE_EXEC, Failure, StepFailed
from orchestra.runtime.fill import copy_tree

if TYPE_CHECKING:
    from orchestra.model.rootfs import Rootfs

_MAX_MOUNT_DATA = 4095  # mount(2) takes one page
PROPAGATION = {
    "private": c.MS_PRIVATE,
    "rprivate": c.MS_PRIVATE | c.MS_REC,
    "slave": c.MS_SLAVE,
    "rslave": c.MS_SLAVE | c.MS_REC,
    "shared": c.MS_SHARED,
    "rshared": c.MS_SHARED | c.MS_REC,
}


class RootDirectory:
    """The root being built: *mount_point* on the host, *fd* once its first overlay is mounted."""

    __slots__ = ("fd", "layers", "mount_point", "null", "shared_trees", "staging")

    def __init__(self, mount_point: str, staging: str) -> None:
        self.mount_point = mount_point
        self.staging = staging  # a directory on the host to put a private tmpfs on
        self.fd = -1
        self.null = "/dev/null"  # the container's own, once it has one
        self.layers: list[int] = []  # O_PATH descriptors of the overlays' roots
        self.shared_trees: dict[str, int] = {}  # target -> detached tree


class MountOp(Protocol):
    """One step of building the root."""

    def describe(self) -> str:
        """A verb phrase: "mount the overlay on /"."""
        ...

    def apply(self, root: RootDirectory) -> None:
        """Do it. Raises OSError or StepFailed."""
        ...


class Overlay(NamedTuple):
    """One layer stack on *target*; without *lower*, *upper* itself."""

    target: str
    lower: tuple[str, ...]
    upper: str
    work: str
    options: str = ""

    def describe(self) -> str:
        return f"mount the image's layers on {self.target}"

    def apply(self, root: RootDirectory) -> None:
        if root.fd < 0:
            os.makedirs(root.mount_point, 0o700, exist_ok=True)
            self._mount(root.mount_point)
            root.fd = os.open(root.mount_point, os.O_PATH | os.O_CLOEXEC)
            root.layers.append(root.fd)
            return
        with safe_open(root.fd, self.target, create=Create.DIRECTORY) as target:
            self._mount(target.path)
        root.layers.append(safe_open(root.fd, self.target).detach())

    def _mount(self, target: str) -> None:
        if not self.lower:
            mount(self.upper, target, None, c.MS_BIND | c.MS_REC)
            return
        for directory in (self.upper, self.work):
            if directory:
                os.makedirs(directory, 0o755, exist_ok=True)
        common, data = overlay_options(self)
        if common:
            os.chdir(common)
        try:
            mount("overlay", target, "overlay", 0, data)
        except OSError as exc:
            if exc.errno != errno.EINVAL:
                raise
            text = f"the file system below {self.upper} cannot hold an overlay's upper layer"
            fix = "set ORCHESTRA_DATA_ROOT to a directory on ext4, xfs, btrfs or tmpfs"
            failure = Failure(BEFORE_EXEC, self.describe(), errno.EINVAL, self.upper, text, fix)
            raise StepFailed(failure) from exc


def overlay_options(layers: Overlay) -> tuple[str, str]:
    """(directory to be in or "", options): relative lower layers when the page would be full."""
    tail = f",{layers.options}" if layers.options else ""
    if layers.upper:
        tail += f",upperdir={_escape(layers.upper)},workdir={_escape(layers.work)}"
    data = "lowerdir=" + ":".join(_escape(path) for path in layers.lower) + tail
    if len(os.fsencode(data)) <= _MAX_MOUNT_DATA or len(layers.lower) < 2:
        return "", data
    common = os.path.commonpath(layers.lower)
    relative = (_escape(os.path.relpath(path, common)) for path in layers.lower)
    return common, "lowerdir=" + ":".join(relative) + tail


def _escape(path: str) -> str:
    return path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")


def overlays_of(rootfs: Rootfs, options: str) -> tuple[Overlay, ...]:
    """*rootfs* to be written to; *options* are what this host's overlays are mounted with."""
    return tuple(
        Overlay(each.target, each.lower, each.upper, each.work, options) for each in rootfs.overlays
    )


class Fill(NamedTuple):
    """Copy what the image has at *target* into the new volume at *destination*."""

    target: str
    destination: str

    def describe(self) -> str:
        return f"fill the volume for {self.target} from the image"

    def apply(self, root: RootDirectory) -> None:
        try:
            source = safe_open(root.fd, self.target)
        except FileNotFoundError:
            return
        with source:
            if stat.S_ISDIR(os.fstat(source.fileno()).st_mode):
                copy_tree(source.path, self.destination)


class Bind(NamedTuple):
    """A host path, or *subpath* below it, on *target*."""

    source: str
    target: str
    read_only: bool = False
    recursive: bool = True
    propagation: str = "rprivate"
    create_source: bool = False
    subpath: str = ""
    is_open_below: bool = False  # read-only, but for what is mounted below

    def describe(self) -> str:
        return f"mount {self.source} on {self.target}"

    def apply(self, root: RootDirectory) -> None:
        source = os.open(self._source_path(), os.O_PATH | os.O_CLOEXEC)
        if self.subpath:
            source = safe_open(source, self.subpath).detach()
        is_directory = stat.S_ISDIR(os.fstat(source).st_mode)
        create = Create.DIRECTORY if is_directory else Create.FILE
        with safe_open(root.fd, self.target, create=create) as target:
            self._check_kinds(target.fileno(), is_directory=is_directory)
            tree = root.shared_trees.get(self.target)
            if tree is not None:
                attach_tree(tree, target.path)
            else:
                recursive = c.MS_REC if self.recursive else 0
                mount(f"/proc/self/fd/{source}", target.path, None, c.MS_BIND | recursive)
        os.close(source)
        if self.read_only or self.propagation != "rprivate":
            with safe_open(root.fd, self.target) as mounted:
                mount(None, mounted.path, None, PROPAGATION[self.propagation])
                if self.read_only:
                    make_read_only(
                        mounted.path, recursive=self.recursive and not self.is_open_below
                    )

    def _source_path(self) -> str:
        if not os.path.lexists(self.source):
            if self.create_source:
                os.makedirs(self.source, exist_ok=True)
                return self.source
            text = f"the bind mount's source {self.source} does not exist"
            fix = f"create {self.source}, or set bind.create_host_path: true"
            failure = Failure(BEFORE_EXEC, self.describe(), errno.ENOENT, self.source, text, fix)
            raise StepFailed(failure)
        return self.source

    def _check_kinds(self, target: int, *, is_directory: bool) -> None:
        if stat.S_ISDIR(os.fstat(target).st_mode) == is_directory:
            return
        kinds = ("directory", "file") if is_directory else ("file", "directory")
        text = f"the source is a {kinds[0]}, but {self.target} in the container is a {kinds[1]}"
        fix = "mount a file on a file and a directory on a directory"
        failure = Failure(BEFORE_EXEC, self.describe(), errno.ENOTDIR, self.source, text, fix)
        raise StepFailed(failure)


class ImageTree(NamedTuple):
    """An image's *layers* put together at *place* on the host, and that, or *subpath*, bound."""

    layers: tuple[Overlay, ...]
    place: str
    target: str
    read_only: bool = False
    subpath: str = ""

    def describe(self) -> str:
        return f"mount an image on {self.target}"

    def apply(self, root: RootDirectory) -> None:
        image = RootDirectory(self.place, root.staging)
        for layer in self.layers:
            layer.apply(image)
        Bind(self.place, self.target, self.read_only, subpath=self.subpath).apply(root)
        for descriptor in image.layers:
            os.close(descriptor)


class Attach(NamedTuple):
    """A detached tree that `launch` made for *target*: a volume with a file system of its own."""

    name: str
    target: str
    read_only: bool

    def describe(self) -> str:
        return f"mount {self.name} on {self.target}"

    def apply(self, root: RootDirectory) -> None:
        with safe_open(root.fd, self.target, create=Create.DIRECTORY) as target:
            attach_tree(root.shared_trees[self.target], target.path)
        if self.read_only:
            with safe_open(root.fd, self.target) as mounted:
                make_read_only(mounted.path, recursive=True)


class FileSystem(NamedTuple):
    """A new file system instance on *target*: proc, sysfs, tmpfs, devpts, mqueue, cgroup."""

    fstype: str
    target: str
    flags: int
    data: str = ""
    optional: bool = False  # a kernel without this file system is fine
    keep_mode: bool = False  # TMPFS without a mode: that of the directory in the image

    def describe(self) -> str:
        return f"mount {self.fstype} on {self.target}"

    def apply(self, root: RootDirectory) -> None:
        try:
            directory = safe_open(root.fd, self.target)
            data = self._data(os.fstat(directory.fileno()).st_mode)
        except FileNotFoundError:
            directory = safe_open(root.fd, self.target, create=Create.DIRECTORY)
            data = self.data
        with directory:
            try:
                mount(self.fstype, directory.path, self.fstype, self.flags, data)
            except OSError as exc:
                if not (self.optional and exc.errno in (errno.ENODEV, errno.EPERM, errno.EINVAL)):
                    raise

    def _data(self, mode: int) -> str:
        if not self.keep_mode:
            return self.data
        return f"mode={stat.S_IMODE(mode):o}" + (f",{self.data}" if self.data else "")


class PrivateFile(NamedTuple):
    """A config or secret, written to a tmpfs of this mount namespace and bound read-only."""

    name: str  # in the staging directory
    target: str
    source: str
    content: str
    uid: int
    gid: int
    mode: int

    def describe(self) -> str:
        return f"write {self.target}"

    def apply(self, root: RootDirectory) -> None:
        name = os.path.join(root.staging, self.name)
        with open(name, "xb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(self._bytes())
            os.fchown(file.fileno(), self.uid, self.gid)
            os.fchmod(file.fileno(), self.mode)
        Bind(name, self.target, read_only=True).apply(root)

    def _bytes(self) -> bytes:
        if not self.source:
            return self.content.encode()
        with open(self.source, "rb") as file:
            return file.read()


class Staging(NamedTuple):
    """The private tmpfs that PrivateFile writes to: gone with the container's mount namespace."""

    def describe(self) -> str:
        return "make room for configs and secrets"

    def apply(self, root: RootDirectory) -> None:
        os.makedirs(root.staging, 0o700, exist_ok=True)
        flags = c.MS_NOSUID | c.MS_NODEV | c.MS_NOEXEC
        mount("tmpfs", root.staging, "tmpfs", flags, "mode=700")


class Mask(NamedTuple):
    """Hide *path*, if it exists: an empty read-only directory, or /dev/null over a file."""

    path: str

    def describe(self) -> str:
        return f"hide {self.path}"

    def apply(self, root: RootDirectory) -> None:
        try:
            victim = safe_open(root.fd, self.path)
        except (FileNotFoundError, NotADirectoryError):
            return
        with victim:
            if stat.S_ISDIR(os.fstat(victim.fileno()).st_mode):
                mount("tmpfs", victim.path, "tmpfs", c.MS_RDONLY, "nr_blocks=1,nr_inodes=1")
            else:
                mount(root.null, victim.path, None, c.MS_BIND)


class ReadOnly(NamedTuple):
    """Make *path* below the root read-only, if it exists."""

    path: str

    def describe(self) -> str:
        return f"make {self.path} read-only"

    def apply(self, root: RootDirectory) -> None:
        try:
            here = safe_open(root.fd, self.path)
        except (FileNotFoundError, NotADirectoryError):
            return
        with here:
            mount(here.path, here.path, None, c.MS_BIND | c.MS_REC)
        with safe_open(root.fd, self.path) as mounted:
            make_read_only(mounted.path, recursive=False)


class ReadOnlyMount(NamedTuple):
    """Make the mount at *path* read-only, now that it needs no more writing."""

    path: str

    def describe(self) -> str:
        return f"make {self.path} read-only"

    def apply(self, root: RootDirectory) -> None:
        with safe_open(root.fd, self.path) as mounted:
            make_read_only(mounted.path, recursive=False)


class SharedTree(NamedTuple):
    """Keep hold of a host mount's peer group, before this namespace becomes private."""

    source: str
    target: str  # where a Bind will put it
    recursive: bool

    def describe(self) -> str:
        return f"share the mounts below {self.source} with the host"

    def apply(self, root: RootDirectory) -> None:
        with contextlib.suppress(FileNotFoundError):  # Bind reports or creates it
            tree = clone_tree(self.source, recursive=self.recursive)
            root.shared_trees[self.target] = tree.detach()
