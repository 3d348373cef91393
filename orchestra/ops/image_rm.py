"""`image rm`: take a name away, and the image with its last name. moby daemon/images."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from orchestra.errors import Conflict, Unsupported
from orchestra.image.host import HOST_IMAGE
from orchestra.image.store import LocalImageStore
from orchestra.image.sweep import remove_image, sweep
from orchestra.named import NamedTuple
from orchestra.ops.image_use import running_images, used_images, uses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestra.image.catalog import NameRow
    from orchestra.layout import Layout
    from orchestra.ops.image_use import Use


class Removed(NamedTuple):
    """One line of the result: a name that was taken away, or an image or layer that is gone."""

    untagged: str = ""
    deleted: str = ""


def image_rm(layout: Layout, reference: str, *, force: bool) -> tuple[Removed, ...]:
    """Remove the name, id or digest *reference*.

    Raises NotFound, and Conflict for an image that a container was made from. With *force* it goes
    unless the container runs, to which then the last name is only lost; a stopped container keeps
    what it needs to start again.
    """
    if reference == HOST_IMAGE:
        raise Unsupported(
            "the image host is this machine itself and cannot be removed",
            fix="`image: host` costs no space beyond what its containers write",
        )
    store = LocalImageStore(layout.images)
    name = store.find_name(reference)
    image_id = name.image if name is not None else store.find_id(reference)
    users = [use for use in uses(layout) if use.image_id == image_id]
    names = store.catalog.names(image_id)
    if name is None:
        _check_id(image_id, names, users, force=force)
        doomed = names
    else:
        doomed = _names_to_take(name, names)
        if len(doomed) == len(names) and users and not force:
            use = users[0]
            raise Conflict(
                f'conflict: unable to remove repository reference "{reference}" (must force) - '
                f"container {use.container_id[:12]} is using its referenced image {image_id[7:19]}",
                fix=f"remove the container {use.name} first, or use --force: what it needs stays",
            )
    lines = [Removed(untagged=each.reference.familiar) for each in _by_kind(doomed)]
    for each in doomed:
        store.catalog.untag(each)
    if len(doomed) < len(names) or any(use.is_running for use in users):
        return tuple(lines)
    return (*lines, *_delete(layout, store, image_id, force=force))


def _delete(
    layout: Layout, store: LocalImageStore, image_id: str, *, force: bool
) -> Iterator[Removed]:
    if not remove_image(store, image_id, partial(running_images if force else used_images, layout)):
        return  # a container has been made of it this very moment
    yield Removed(deleted=image_id)
    for chain in sweep(store, partial(used_images, layout)).layers:
        yield Removed(deleted=chain)


def _check_id(image_id: str, names: tuple[NameRow, ...], users: list[Use], *, force: bool) -> None:
    """May the image itself go, with all its names? Raises Conflict."""
    repositories = {name.repository for name in names}
    tags = [name for name in names if name.tag]
    if not force and (len(repositories) > 1 or len(tags) > 1):
        raise Conflict(
            f"conflict: unable to delete {image_id[7:19]} (must be forced) - image is referenced "
            "in multiple repositories",
            fix="remove it by its names, or with --force",
        )
    for use in users:
        state = "running" if use.is_running else "stopped"
        must = "cannot be forced" if use.is_running else "must be forced"
        if use.is_running or not force:
            raise Conflict(
                f"conflict: unable to delete {image_id[7:19]} ({must}) - image is being used by "
                f"{state} container {use.container_id[:12]}",
                fix=f"remove the container {use.name} first",
            )


def _names_to_take(name: NameRow, names: tuple[NameRow, ...]) -> tuple[NameRow, ...]:
    """*name*, and the digests of its repository when no tag of it is left there."""
    rest = [each for each in names if each != name and each.repository == name.repository]
    if any(each.tag for each in rest) or not name.tag:
        return (name,)
    return (name, *rest)


def _by_kind(names: Iterable[NameRow]) -> list[NameRow]:
    return sorted(names, key=lambda name: not name.tag)
