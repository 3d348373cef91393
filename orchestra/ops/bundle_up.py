"""`bundle up`, as far as it differs from `up`: a bundle becomes images, files, volumes, a project.

Nothing is registered before everything has been read and compared: images and volumes appear at the
end. The model and the project's files lie below the data root, in a directory named by their
digests, where an earlier version, which containers may still use, is in nobody's way.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from typing import TYPE_CHECKING

from orchestra.bundle.contents import FILES, MAX_MODEL_BYTES, MODEL, malformed
from orchestra.bundle.portable import FILES_DIRECTORY
from orchestra.bundle.reading import BundleReader
from orchestra.config.files import normalize_name
from orchestra.config.pipeline import load
from orchestra.config.request import LoadRequest
from orchestra.errors import ConfigError, NotFound
from orchestra.image.catalog import NameRow
from orchestra.image.filelock import locked_directory
from orchestra.image.host import HOST_IMAGE
from orchestra.image.loading import arrivals, expected_members
from orchestra.image.receive import Receiver
from orchestra.image.reference import parse_reference
from orchestra.image.store import LocalImageStore
from orchestra.linux.remove_tree import remove_tree
from orchestra.named import NamedTuple
from orchestra.ops.projectfile import read_record
from orchestra.plan.events import Phase, Progress
from orchestra.runtime.statefile import container_ids
from orchestra.volume.local import LocalVolumes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from orchestra.bundle.contents import BundledImage, Contents, Part
    from orchestra.config.request import Loaded
    from orchestra.image.catalog import ImageRow
    from orchestra.image.loading import Arrived
    from orchestra.layout import Layout
    from orchestra.model.project import Project
    from orchestra.plan.events import Report
    from orchestra.volume.local import VolumeDraft

_DRAFT = ".draft-"
_NEW_S = 60.0
"""A directory this young may belong to a project that is just being started."""


class Unpacked(NamedTuple):
    """A bundle's project, loaded from *directory*."""

    loaded: Loaded
    directory: str


@contextlib.contextmanager
def opened_bundle(path: str) -> Iterator[BinaryIO]:
    """The file *path*, "-" being standard input. Raises NotFound, ConfigError."""
    if path == "-":
        with os.fdopen(os.dup(0), "rb", buffering=0) as file:
            yield file
        return
    try:
        file = open(path, "rb", buffering=0)  # noqa: SIM115 (closed below)
    except FileNotFoundError as exc:
        raise NotFound(f"there is no file {path}", fix="look at the path") from exc
    except IsADirectoryError as exc:
        raise ConfigError(f"{path} is a directory", fix="name a file") from exc
    with file:
        yield file


def bundle_contents(path: str) -> Contents:
    """What the bundle *path* says of itself; only its beginning is read. Raises RegistryError."""
    with opened_bundle(path) as file:
        return BundleReader(file).contents


def unpack_bundle(layout: Layout, path: str, project_name: str, report: Report) -> Unpacked:
    """Take images, files and missing volumes of the bundle *path*; its project.

    *project_name* overrides the bundle's. Raises RegistryError for what is no good bundle,
    ConfigErrors for its model, OSError.
    """
    resource = f"Bundle {os.path.basename(path)}"
    report(Progress(resource, Phase.WORKING, "Unpacking"))
    with contextlib.ExitStack() as stack:
        reader = BundleReader(stack.enter_context(opened_bundle(path)))
        stack.enter_context(locked_directory(layout.bundles))
        name = project_name or reader.contents.project
        if not name or name != normalize_name(name):
            raise malformed(f"{name[:200]!r} cannot be the name of a project")
        store = LocalImageStore(layout.images)
        receiver = stack.enter_context(Receiver(store))
        new_directory = stack.enter_context(contextlib.ExitStack())
        directory = _place_files(layout, name, reader, new_directory)
        loaded = _load(directory, name)
        drafts = _fill_volumes(layout, loaded.project, reader, stack, report)
        members = expected_members(receiver)
        reader.images(members, store.blobs)
        arrived = arrivals(receiver, members, store) if reader.contents.images else ()
        store.catalog.register_all(_registrations(reader.contents, loaded.project, arrived))
        for draft in drafts:
            draft.publish()
        new_directory.pop_all()
    report(Progress(resource, Phase.DONE, "Unpacked"))
    return Unpacked(loaded, directory)


# -- the directory --------------------------------------------------------------------------------
def _place_files(
    layout: Layout, project: str, reader: BundleReader, undo: contextlib.ExitStack
) -> str:
    """The directory of the model and files; *undo* removes it again if it was made here."""
    contents = reader.contents
    final = layout.bundle(project, contents.identity)
    parts = [part for part in contents.parts if not part.volume]
    if contents.parts[: len(parts)] != tuple(parts):
        raise malformed("its volumes come before its files")
    os.makedirs(os.path.dirname(final), mode=0o700, exist_ok=True)
    draft = tempfile.mkdtemp(prefix=_DRAFT, dir=layout.bundles)
    with contextlib.ExitStack() as stack:
        stack.callback(remove_tree, draft)
        for part in parts:
            _place(part, draft, reader)
        if os.path.isdir(final):
            os.utime(final)
            return final
        os.rename(draft, final)
    undo.callback(remove_tree, final)
    return final


def _place(part: Part, directory: str, reader: BundleReader) -> None:
    if part.path == MODEL and part.size_bytes > MAX_MODEL_BYTES:
        raise malformed(f"its model has {part.size_bytes} bytes")
    if part.path == FILES:
        files = os.path.join(directory, FILES_DIRECTORY)
        os.mkdir(files, 0o755)
        reader.unpack(part, files)
        return
    target = os.path.join(directory, part.path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    reader.copy(part, target)


def _load(directory: str, name: str) -> Loaded:
    """The project as the bundle means it, whatever this machine's environment says."""
    return load(
        LoadRequest(
            cwd=directory,
            environ={},
            files=(os.path.join(directory, MODEL),),
            project_directory=directory,
            project_name=name,
        )
    )


# -- volumes --------------------------------------------------------------------------------------
def _fill_volumes(
    layout: Layout,
    project: Project,
    reader: BundleReader,
    stack: contextlib.ExitStack,
    report: Report,
) -> list[VolumeDraft]:
    """The volumes that are not here yet, filled; those that are here stay as they are."""
    driver = LocalVolumes(layout)
    specs = {spec.key: spec for spec in project.volumes}
    drafts = []
    for part in reader.contents.parts:
        if not part.volume:
            continue
        spec = specs.get(part.volume)
        if spec is None or spec.external:
            raise malformed(f"its model has no volume {part.volume!r} to be filled")
        resource = f"Volume {spec.key}"
        if driver.find(spec.name) is not None:
            reader.skip(part)
            report(Progress(resource, Phase.DONE, "Exists, and stays as it is"))
            continue
        draft = stack.enter_context(driver.draft(spec))
        reader.unpack(part, draft.data)
        drafts.append(draft)
        report(Progress(resource, Phase.DONE, "Unpacked"))
    return drafts


# -- images ---------------------------------------------------------------------------------------
def _registrations(
    contents: Contents, project: Project, arrived: Sequence[Arrived]
) -> list[tuple[ImageRow, tuple[NameRow, ...]]]:
    """The images with the names that the model calls them by. Raises RegistryError."""
    rows = {image.row.id: image.row for image in arrived}
    names: dict[str, list[NameRow]] = {image_id: [] for image_id in rows}
    for image in contents.images:
        if image.id not in rows:
            raise malformed(f"the image {image.name[:200]!r} is not in it")
        names[image.id] += _names(image, rows[image.id])
    known = {HOST_IMAGE, *(image.name for image in contents.images)}
    for service in project.services:
        if service.image not in known:
            raise malformed(f'the image of service "{service.name}" is not in it')
    return [(row, tuple(names[image_id])) for image_id, row in rows.items()]


def _names(image: BundledImage, row: ImageRow) -> list[NameRow]:
    if image.name == image.id:
        return []
    reference = parse_reference(image.name)
    if not reference.digest:
        return [NameRow(reference.name, reference.tag, "", image.id)]
    if reference.digest != row.manifest:
        raise malformed(f"{image.name!r} is another image than it says")
    return [NameRow(reference.name, "", reference.digest, image.id)]


# -- what no project needs any more ---------------------------------------------------------------
def forget_bundles(layout: Layout) -> None:
    """Remove the directories that no project and no container lives in."""
    if not os.path.isdir(layout.bundles):
        return
    with locked_directory(layout.bundles):
        for project in os.listdir(layout.bundles):
            place = os.path.join(layout.bundles, project)
            if project.startswith(_DRAFT):
                remove_tree(place)
                continue
            for identity in os.listdir(place):
                directory = layout.bundle(project, identity)
                if not _is_needed(layout, project, directory):
                    remove_tree(directory)
            with contextlib.suppress(OSError):
                os.rmdir(place)


def _is_needed(layout: Layout, project: str, directory: str) -> bool:
    if time.time() - os.stat(directory).st_mtime < _NEW_S:
        return True
    record = read_record(layout, project)
    if record is not None and record.working_dir == directory:
        return True
    return any(_mentions(layout.spec_json(project, each), directory)
               for each in container_ids(layout, project))  # fmt: skip


def _mentions(path: str, text: str) -> bool:
    try:
        with open(path, "rb") as file:
            return text.encode() in file.read()
    except OSError:
        return False
