"""`bundle save`: a project, its images and maybe its volumes as one file."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from orchestra.bundle.contents import (
    FILES,
    FORMAT,
    MODEL,
    BundledImage,
    Contents,
    encode_contents,
)
from orchestra.bundle.portable import portable
from orchestra.bundle.writing import (
    bundle_bytes,
    pack_bytes,
    pack_file,
    pack_tree,
    refuse_whiteouts,
)
from orchestra.config.render import to_yaml
from orchestra.errors import NotFound, Unsupported
from orchestra.image.difftar import archive_of_paths
from orchestra.image.host import HOST_IMAGE
from orchestra.image.saving import Wanted, archive
from orchestra.image.store import LocalImageStore
from orchestra.model.container import ImageId
from orchestra.model.state import ALIVE
from orchestra.named import NamedTuple
from orchestra.ops.container_find import all_states
from orchestra.ops.image_save import write_file
from orchestra.plan.events import Phase, Progress
from orchestra.plan.mounts import mounted_images
from orchestra.volume.local import LocalVolumes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from orchestra.bundle.portable import Portable
    from orchestra.bundle.writing import Packed
    from orchestra.config.request import Loaded
    from orchestra.image.reference import Reference
    from orchestra.layout import Layout
    from orchestra.model.network import VolumeSpec, VolumeState
    from orchestra.model.project import Project
    from orchestra.model.service import Service
    from orchestra.plan.events import Report

_STEP_BYTES = 16 << 20
"""How often progress is told."""


class SaveOptions(NamedTuple):
    """*volumes* are names as written; *all_volumes* takes those that exist."""

    path: str
    all_volumes: bool = False
    volumes: tuple[str, ...] = ()


class _Image(NamedTuple):
    name: str
    wanted: Wanted


def bundle_save(layout: Layout, loaded: Loaded, options: SaveOptions, report: Report) -> Contents:
    """Write the bundle of *loaded*; what is in it. The file appears when it is complete.

    Raises NotFound for images, volumes and files that are not here, Unsupported for what cannot
    travel.
    """
    project = loaded.project
    directory = os.path.dirname(os.path.abspath(options.path))
    if not os.path.isdir(directory):
        raise NotFound(f"there is no directory {directory}", fix="look at the path after --output")
    store = LocalImageStore(layout.images)
    volumes = _chosen_volumes(layout, project, options)
    with contextlib.ExitStack() as stack:
        stack.enter_context(store.holding())
        images = _images(store, project)
        names = {reference: image.name for reference, image in images.items()}
        carried = portable(loaded.tree, project, {**names, HOST_IMAGE: HOST_IMAGE})
        packed: list[Packed] = []
        for each in _parts(layout, project, carried, volumes, options.path, report):
            stack.callback(each.file.close)
            packed.append(each)
        contents = Contents(
            format=FORMAT,
            project=project.name,
            services=project.service_names,
            parts=tuple(each.part for each in packed),
            images=_bundled(project, images),
            needs=carried.needs,
        )
        wanted = _merged([image.wanted for image in images.values()])
        chunks = bundle_bytes(encode_contents(contents), packed, archive(store, wanted))
        total = sum(part.size_bytes for part in contents.parts) + _image_bytes(store, wanted)
        resource = f"Bundle {os.path.basename(options.path)}"
        tell = _teller(resource, "Saving", report, total)
        write_file(options.path, _telling(chunks, tell), mode=0o600)
        report(Progress(resource, Phase.DONE, "Saved"))
    for need in carried.needs:
        report(Progress("", Phase.WARNING, f"not in the bundle: {need}"))
    return contents


# -- images ---------------------------------------------------------------------------------------
def _references(project: Project) -> Iterator[tuple[str, Service]]:
    """What services call their images, those of hooks and of mounts, with the service."""
    for service in project.services:
        yield project.image_of(service), service
        for step in service.pre_start:
            if step.image:
                yield step.image, service
        for reference in mounted_images(service):
            yield reference, service


def _images(store: LocalImageStore, project: Project) -> dict[str, _Image]:
    """The images by what services call them. Raises NotFound, Unsupported."""
    found: dict[str, _Image] = {}
    missing: dict[str, str] = {}
    for reference, service in _references(project):
        if reference == HOST_IMAGE or reference in found:
            continue
        try:
            found[reference] = _image(store, reference)
        except NotFound:
            verb = "build" if service.build is not None else "pull"
            missing.setdefault(reference, f"`orchestra {verb} {service.name}`")
        else:
            if store.lies_on_host(ImageId(found[reference].wanted.image.id)):
                raise Unsupported(
                    f'service "{service.name}": its image {reference} was built FROM host and '
                    "runs on this machine only",
                    fix="build it on an image that was pulled",
                ).at("services", service.name)
    if missing:
        raise NotFound(
            f"not on this machine, and so not for a bundle: {', '.join(missing)}",
            fix=f"first {', '.join(dict.fromkeys(missing.values()))}",
        )
    return found


def _image(store: LocalImageStore, reference: str) -> _Image:
    row = store.find_name(reference)
    image = store.find(reference)
    if not store.is_complete(image.id):
        raise NotFound(f"image {reference} is damaged")
    if row is None:
        return _Image(image.id, Wanted(image, ()))
    if row.tag:
        return _Image(reference, Wanted(image, (row.reference,)))
    name = row.reference._replace(digest=image.manifest_digest)  # the registry's may be an index's
    return _Image(name.familiar, Wanted(image, ()))


def _bundled(project: Project, images: dict[str, _Image]) -> tuple[BundledImage, ...]:
    users: dict[str, dict[str, None]] = {}
    for reference, service in _references(project):
        users.setdefault(reference, {})[service.name] = None
    return tuple(
        BundledImage(
            name=image.name,
            id=image.wanted.image.id,
            manifest=image.wanted.image.manifest_digest,
            services=tuple(users[reference]),
        )
        for reference, image in images.items()
    )


def _merged(wanted: Sequence[Wanted]) -> list[Wanted]:
    """Each image once, with all its names."""
    names: dict[str, dict[Reference, None]] = {}
    images = {}
    for image, own in wanted:
        images[image.id] = image
        names.setdefault(image.id, {}).update(dict.fromkeys(own))
    return [Wanted(image, tuple(names[image.id])) for image in images.values()]


def _image_bytes(store: LocalImageStore, wanted: Sequence[Wanted]) -> int:
    layers = {layer.digest for image, _ in wanted for layer in image.manifest.layers}
    return sum(store.blobs.size(digest) for digest in layers)


# -- volumes --------------------------------------------------------------------------------------
def _chosen_volumes(layout: Layout, project: Project, options: SaveOptions) -> list[VolumeState]:
    """The volumes to save. Raises NotFound, Unsupported for those that were named."""
    driver = LocalVolumes(layout)
    named = {name: _named_volume(project, name).key for name in options.volumes}
    chosen = []
    for spec in project.volumes:
        if not options.all_volumes and spec.key not in named.values():
            continue
        state = driver.find(spec.name)
        why_not = _why_not(layout, spec, state)
        if not why_not and state is not None:
            chosen.append(state)
        elif spec.key in named.values():
            raise Unsupported(
                f'volume "{spec.key}" cannot be saved: {why_not}', fix="leave --with-volume out"
            ).at("volumes", spec.key)
    return chosen


def _named_volume(project: Project, name: str) -> VolumeSpec:
    for spec in project.volumes:
        if name in (spec.key, spec.name):
            return spec
    known = ", ".join(spec.key for spec in project.volumes) or "none"
    raise NotFound(
        f'no service of the bundle has a named volume "{name}"', fix=f"there are: {known}"
    )


def _why_not(layout: Layout, spec: VolumeSpec, state: VolumeState | None) -> str:
    if spec.external:
        return "it is external"
    if state is None:
        return "it does not exist yet"
    if state.mountpoint != layout.volume_data(spec.name) or state.filesystem is not None:
        return "its content lies elsewhere (driver_opts)"
    return ""


# -- parts ----------------------------------------------------------------------------------------
def _parts(
    layout: Layout,
    project: Project,
    carried: Portable,
    volumes: Sequence[VolumeState],
    path: str,
    report: Report,
) -> Iterator[Packed]:
    """The parts in their order, packed one after the other beside *path*."""
    beside = os.path.dirname(os.path.abspath(path))
    yield pack_bytes(MODEL, to_yaml(carried.tree).encode(), beside)
    for copy in carried.copies:
        if copy.file:
            yield pack_file(copy.path, copy.file, beside)
        else:
            yield pack_bytes(copy.path, copy.content, beside, mode=0o444)
    if carried.files:
        directory = os.path.realpath(project.working_dir)
        for each in carried.files:
            refuse_whiteouts(os.path.join(directory, each), "the project's directory")
        tell = _teller("Files of the project", "Packing", report)
        yield pack_tree(
            FILES, archive_of_paths(directory, carried.files, _inode(path)), beside, tell
        )
        report(Progress("Files of the project", Phase.DONE, "Packed"))
    for state in volumes:
        _warn_of_writers(layout, state, report)
        resource = f"Volume {state.spec.key}"
        refuse_whiteouts(state.mountpoint, f'volume "{state.spec.key}"')
        yield pack_tree(
            f"volumes/{state.spec.key}.tar.gz",
            archive_of_paths(state.mountpoint, ("",)),
            beside,
            _teller(resource, "Packing", report),
        )
        report(Progress(resource, Phase.DONE, "Packed"))


def _inode(path: str) -> tuple[tuple[int, int], ...]:
    """An older bundle in the project's directory is none of its files."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return ()
    return ((status.st_dev, status.st_ino),)


def _warn_of_writers(layout: Layout, state: VolumeState, report: Report) -> None:
    writers = [
        each.name
        for each in all_states(layout)
        if each.status in ALIVE and state.spec.name in each.mounts
    ]
    if writers:
        report(
            Progress(
                "",
                Phase.WARNING,
                f'volume "{state.spec.key}" is saved while {", ".join(writers)} may write to it; '
                "`orchestra stop` first, if its content must agree",
            )
        )


# -- progress -------------------------------------------------------------------------------------
def _teller(resource: str, doing: str, report: Report, total: int = 0) -> Callable[[int], None]:
    """Tells how many bytes of *resource* are done, of *total* if that is known."""
    report(Progress(resource, Phase.WORKING, doing))
    done = told = 0

    def tell(count: int) -> None:
        nonlocal done, told
        done += count
        if done - told >= _STEP_BYTES:
            told = done
            shown = min(done, total) if total else done
            report(Progress(resource, Phase.WORKING, doing, done_bytes=shown, total_bytes=total))

    return tell


def _telling(chunks: Iterator[bytes], tell: Callable[[int], None]) -> Iterator[bytes]:
    """*chunks*, each told of once it has been taken."""
    for chunk in chunks:
        yield chunk
        tell(len(chunk))
