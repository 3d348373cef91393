"""Images named by what they are, not by what a tag means today: `config --resolve-image-digests`.

Works on the canonical tree; the registries are asked by the *resolve* that is passed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.config.defaults import services_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.config.tree import Tree


def pin_images(tree: Tree, resolve: Callable[[str], str]) -> None:
    """Replace each image that *tree* names by what *resolve* makes of it, in place.

    Each name is asked for once. Images that services build and do not name stay unnamed.
    """
    known: dict[str, str] = {}
    for holder, key in _images(tree):
        image = holder[key]
        if image not in known:
            known[image] = resolve(image)
        holder[key] = known[image]


def images_only(tree: Tree) -> Tree:
    """Of *tree* no more than an override file needs to fix its images."""
    return {"services": {name: _lock(service) for name, service in services_of(tree)}}


def services_with_hook_images(tree: Tree) -> Iterator[str]:
    """The services whose `pre_start` hooks have images, which `images_only` leaves out."""
    for name, service in services_of(tree):
        if any(hook.get("image") for hook in service.get("pre_start") or ()):
            yield name


def _lock(service: Tree) -> Tree:
    mounts = [mount for mount in service.get("volumes") or () if _is_image(mount)]
    locked: Tree = {"image": service["image"]} if service.get("image") else {}
    return {**locked, "volumes": mounts} if mounts else locked


def _images(tree: Tree) -> Iterator[tuple[Tree, str]]:
    """Every mapping that holds the name of an image, and the key that it has there."""
    services = dict(services_of(tree))
    for service in services.values():
        holders: list[tuple[Any, str]] = [(service, "image")]
        holders += [(hook, "image") for hook in service.get("pre_start") or ()]
        holders += [
            (mount, "source")
            for mount in service.get("volumes") or ()
            if _is_image(mount) and mount.get("source") not in services
        ]
        for holder, key in holders:
            if holder.get(key):
                yield holder, key


def _is_image(mount: Any) -> bool:
    return isinstance(mount, dict) and mount.get("type") == "image"
