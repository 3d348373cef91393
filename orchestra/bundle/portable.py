"""The canonical tree of a project -> one that means the same on another machine.

What lies in the project's directory travels and gets a path relative to the bundle; what does not
travel is said in a sentence. Images and volumes are no concern of this module.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from orchestra.errors import NotFound, Unsupported
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.config.tree import Tree
    from orchestra.model.project import DeclaredFile, Project

FILES_DIRECTORY = "files"
_OF_THE_SOURCES = ("build", "develop", "pull_policy", "profiles")
"""Attributes of a service that mean nothing without its sources, registries or other services."""


class Copy(NamedTuple):
    """A config or secret: the host's *file*, or *content*; *path* is where it is in the bundle."""

    path: str
    file: str = ""
    content: bytes = b""


class Portable(NamedTuple):
    """*files* are paths below the project's directory, none below another; "" is all of it."""

    tree: Tree
    files: tuple[str, ...]
    copies: tuple[Copy, ...]
    needs: tuple[str, ...]


def portable(tree: Tree, project: Project, images: Mapping[str, str]) -> Portable:
    """*tree*, which is *project*'s, for another machine.

    *images* are the names that images have there, by what they are called here. *tree* itself is
    changed. Raises NotFound for files that are missing, Unsupported for what cannot travel.
    """
    carried = _Carried(project)
    for name, service in (tree.get("services") or {}).items():
        for attribute in _OF_THE_SOURCES:
            service.pop(attribute, None)
        service["image"] = images[service.get("image") or project.made_up_name(name)]
        for hook in service.get("pre_start") or ():
            if hook.get("image"):
                hook["image"] = images[hook["image"]]
        for volume in service.get("volumes") or ():
            if volume["type"] == "image":
                volume["source"] = images[volume["source"]]
        carried.service(name, service)
    copies = [
        *_declared(tree, "configs", project.configs),
        *_declared(tree, "secrets", project.secrets),
    ]
    for section in ("networks", "volumes"):
        carried.resources(section, tree.get(section) or {})
    return Portable(tree, tuple(_tops(carried.files)), tuple(copies), tuple(carried.needs))


class _Carried:
    """Collects what must come along, and what cannot."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._directory = os.path.realpath(project.working_dir)
        self.files: set[str] = set()
        self.needs: list[str] = []

    def service(self, name: str, service: Tree) -> None:
        for mount in service.get("volumes") or ():
            if mount.get("type") == "bind":
                self._bind(name, mount)
        if service.get("security_opt"):
            self._inline_profiles(name, service)
        if service["image"] == "host":
            self.needs.append(f'service "{name}" runs on the operating system of the machine')

    def _bind(self, name: str, mount: Tree) -> None:
        source = str(mount["source"])
        real = os.path.realpath(source)
        inside = os.path.relpath(real, self._directory)
        if inside == ".." or inside.startswith("../"):
            self.needs.append(f'service "{name}" mounts {source}, which is outside of the project')
            return
        path = "" if inside == "." else inside
        mount["source"] = f"./{FILES_DIRECTORY}/{path}".rstrip("/")
        if os.path.lexists(real):
            self.files.add(path)
        elif (mount.get("bind") or {}).get("create_host_path") is False:
            raise NotFound(
                f'service "{name}": {source}, which it mounts, does not exist',
                fix="make it, or leave `create_host_path: false` out",
            ).at("services", name, "volumes")

    def _inline_profiles(self, name: str, service: Tree) -> None:
        """Seccomp profiles as text, as `docker inspect` shows them."""
        options = []
        for option in service["security_opt"]:
            kind, _, value = option.partition("=" if "=" in option else ":")
            if kind == "seccomp" and value not in ("unconfined", "builtin", "") and value[0] != "{":
                path = os.path.join(self._project.working_dir, value)
                try:
                    with open(path, encoding="utf-8") as file:
                        option = f"seccomp={file.read().strip()}"
                except OSError as exc:
                    raise NotFound(f'service "{name}": seccomp profile {path}: {exc.strerror}').at(
                        "services", name, "security_opt"
                    ) from exc
            options.append(option)
        service["security_opt"] = options

    def resources(self, section: str, declared: Tree) -> None:
        """Networks or volumes; the names that only repeat the project's follow another `-p`."""
        kind = section[:-1]
        for key, resource in declared.items():
            if not resource:
                continue
            if resource.get("external"):
                self.needs.append(f'{kind} "{resource.get("name", key)}" is external')
            elif resource.get("name") == f"{self._project.name}_{key}":
                del resource["name"]
            device = str((resource.get("driver_opts") or {}).get("device", ""))
            if kind == "volume" and device.startswith("/"):
                self.needs.append(f'volume "{key}" lies on {device}')


def _declared(tree: Tree, section: str, files: tuple[DeclaredFile, ...]) -> Iterator[Copy]:
    kind = section[:-1]
    for declared in files:
        resource: dict[str, Any] = tree[section][declared.key]
        if declared.external:
            raise Unsupported(
                f'{kind} "{declared.key}" is external and cannot be in a bundle',
                fix=f"give the {kind} a `file`",
            ).at(section, declared.key)
        if resource.get("name") == f"{tree['name']}_{declared.key}":
            del resource["name"]
        if declared.file:
            if not os.path.isfile(declared.file):
                raise NotFound(
                    f'{kind} "{declared.key}": {declared.file} is not there, or no file',
                    fix="make the file, or correct its path",
                ).at(section, declared.key, "file")
            yield _carry(section, declared.key, resource, file=declared.file)
        elif declared.environment and kind == "config":
            resource.pop("environment", None)
            resource["content"] = declared.content
        elif declared.environment:
            resource.pop("environment", None)
            resource.pop("content", None)
            yield _carry(section, declared.key, resource, content=declared.content.encode())


def _carry(
    section: str, key: str, resource: dict[str, Any], *, file: str = "", content: bytes = b""
) -> Copy:
    path = f"{section}/{key}"
    resource["file"] = f"./{path}"
    return Copy(path, file, content)


def _tops(paths: set[str]) -> Iterator[str]:
    """*paths* without those that lie below another."""
    last: str | None = None
    for path in sorted(paths, key=lambda each: each.split("/") if each else []):
        if last is None or not (last == "" or path.startswith(f"{last}/")):
            yield path
            last = path
