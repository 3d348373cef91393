"""`image build --output`: what was built, as files, an archive or a layout on this machine."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.bases import base_state
from orchestra.build.chamber import ChamberError, Mounted, inside
from orchestra.build.filesystem import Mounter
from orchestra.build.selection import Source, Wanted, select
from orchestra.build.workplace import Workplace
from orchestra.errors import ConfigError, NotFound, OrchestraError, RuntimeFailure, Unsupported
from orchestra.image.host import HOST_IMAGE, HostImage
from orchestra.image.saving import Wanted as Saved
from orchestra.image.saving import archive
from orchestra.image.snapshot.host import HostSnapshotter
from orchestra.image.store import LocalImageStore
from orchestra.ops.image_save import write_file, write_stdout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestra.image.reference import Reference
    from orchestra.layout import Layout

STDOUT = "-"
_STORED = ("image", "registry")
_ARCHIVES = ("oci", "docker")
_TREES = ("local", "tar")
_FIELDS = {"type", "dest", "tar", "name", "push"}


class Output(NamedTuple):
    """*kind* is that of BuildKit's exporters; *dest* an absolute path, `-` for standard output.

    *name* and *push* are those of `type=image` and `type=registry`. *dest* is "" for what stays in
    the image store.
    """

    kind: str
    dest: str = ""
    name: str = ""
    push: bool = False


def parse_output(text: str, directory: str) -> Output:
    """`type=local,dest=DIR` and its kin, or a bare directory or `-`. Raises ConfigError."""
    fields = dict(part.partition("=")[::2] for part in text.split(","))
    if "=" not in text:
        fields = {"type": "tar" if text == STDOUT else "local", "dest": text}
    kind, dest = fields.get("type", ""), fields.get("dest", "")
    fix = "write type=local|tar|oci|docker,dest=PATH, or a directory"
    if kind not in (*_STORED, *_ARCHIVES, *_TREES) or set(fields) - _FIELDS:
        raise ConfigError(f'invalid --output "{text}"', fix=fix)
    if fields.get("tar", "true") != "true":
        raise Unsupported(f'--output "{text}": a layout is written as an archive only', fix=fix)
    if not dest and kind in (*_TREES, "oci"):
        raise ConfigError(f'--output "{text}" has no dest', fix=fix)
    if dest == STDOUT and kind == "local":
        raise ConfigError("--output: standard output takes an archive", fix="write type=tar,dest=-")
    if dest and dest != STDOUT:
        dest = os.path.join(directory, dest)
    push = kind == "registry" or fields.get("push") == "true"
    return Output(kind, dest, fields.get("name", ""), push)


def write_output(layout: Layout, image: str, names: tuple[Reference, ...], output: Output) -> None:
    """Write *image* where *output* says; a file appears when it is complete, a directory is added
    to. Raises ConfigError, Unsupported, NotFound, RuntimeFailure.
    """
    if not output.dest:
        return
    store = LocalImageStore(layout.images)
    with store.holding():
        files = base_state(store, image).files
        if files.base == HOST_IMAGE:
            raise Unsupported(
                "--output: what was built FROM host is this whole machine",
                fix="copy what you want into a last stage: FROM scratch, COPY --from=…",
            )
        if output.kind in _ARCHIVES:
            _write(output.dest, archive(store, [Saved(store.image(image), names)]))
            return
        with Workplace(layout, "output") as work:
            directory = work.directory("root")
            host = HostSnapshotter(HostImage(os.path.join(layout.images, "host")))
            rootfs = Mounter(store, host).rootfs(files, directory)
            mounted = Mounted(rootfs, os.path.join(directory, "mnt"))
            writes = _files_into if output.kind == "local" else _archive_into
            _inside(mounted, writes(mounted.at, output.dest), output.dest)


def _inside(mounted: Mounted, work: Callable[[], bytes], dest: str) -> None:
    try:
        inside((mounted,), work)
    except (ChamberError, OSError) as exc:
        raise RuntimeFailure(f"--output: cannot write {dest}: {exc}") from exc


def _files_into(at: str, dest: str) -> Callable[[], bytes]:
    """A COPY of everything into the directory *dest*, whose links lead nowhere out of it."""
    from orchestra.build.copying import Job, carry_out

    try:
        os.makedirs(dest, exist_ok=True)
    except OSError as exc:
        raise ConfigError(f"--output: {dest}: {exc.strerror}", fix="name a directory") from exc

    def work() -> bytes:
        root = os.open(at, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        source = Source(root)
        job = Job(source, select(source, Wanted((".",))), (), "/")
        os.chroot(dest)
        os.chdir("/")
        carry_out(job)
        return b""

    return work


def _archive_into(at: str, dest: str) -> Callable[[], bytes]:
    from orchestra.image.treetar import tree_archive

    def work() -> bytes:
        root = os.open(at, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _write(dest, tree_archive(root, "", sparse=False))
        except OrchestraError as exc:
            raise ValueError(exc.what) from exc
        return b""

    return work


def _write(dest: str, chunks: Iterable[bytes]) -> None:
    if dest != STDOUT:
        write_file(dest, chunks)
        return
    if sys.stdout.isatty():
        raise ConfigError("--output: refusing to write an archive to a terminal", fix="> FILE")
    write_stdout(chunks)


def check_output(output: Output) -> None:
    """Before the build: there is a directory for the file. Raises NotFound."""
    above = os.path.dirname(output.dest)
    if output.kind not in ("local", *_STORED) and above and not os.path.isdir(above):
        raise NotFound(f"--output: there is no directory {above}", fix="make it first")
