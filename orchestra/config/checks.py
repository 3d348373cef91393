"""Rules that span attributes: what one value demands of another. Pure; faults are collected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.config.defaults import services_of
from orchestra.config.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.config.problems import Problems
    from orchestra.config.tree import Tree
    from orchestra.model.source import SourceMap, TreePath


class Checks:
    """The rules for one project; *services* are those that are enabled."""

    def __init__(
        self, tree: Tree, services: tuple[str, ...], problems: Problems, sources: SourceMap
    ) -> None:
        self._tree = tree
        self._enabled = services
        self._problems = problems
        self._sources = sources

    def run(self) -> None:
        """Every rule."""
        all_services = dict(services_of(self._tree))
        for name in self._enabled:
            service = all_services[name]
            self._image_or_build(name, service)
            self._network_mode(name, service)
            self._references(name, service)
            self._dependencies(name, service, all_services)
            self._healthcheck(name, service)

    def _fault(self, path: TreePath, what: str, fix: str = "", *, key: bool = False) -> None:
        self._problems.at(self._sources, path, what, fix, key=key)

    def _image_or_build(self, name: str, service: Tree) -> None:
        if not any(service.get(attribute) for attribute in ("image", "build", "provider")):
            self._fault(
                ("services", name),
                "neither image nor build says what to run",
                'add "image: NAME", "build: DIRECTORY", or "image: host" for this machine itself',
                key=True,
            )

    def _network_mode(self, name: str, service: Tree) -> None:
        if service.get("network_mode") and service.get("networks"):
            self._fault(
                ("services", name, "network_mode"),
                "network_mode and networks exclude each other",
                "remove one of them",
                key=True,
            )

    def _references(self, name: str, service: Tree) -> None:
        for network in service.get("networks") or ():
            self._declared("networks", network, ("services", name, "networks", network), key=True)
        for index, volume in enumerate(service.get("volumes") or ()):
            source = volume.get("source")
            if volume.get("type") == "volume" and source:
                self._declared("volumes", source, ("services", name, "volumes", index))
        for section in ("configs", "secrets"):
            for index, item in enumerate(service.get(section) or ()):
                self._declared(section, item["source"], ("services", name, section, index))
        build = service.get("build") or {}
        for index, item in enumerate(build.get("secrets") or ()):
            self._declared("secrets", item["source"], ("services", name, "build", "secrets", index))
        for model in service.get("models") or ():
            self._declared("models", model, ("services", name, "models", model), key=True)

    def _declared(self, section: str, name: str, path: TreePath, *, key: bool = False) -> None:
        """The fault when *name* is not in the project's *section*."""
        resources = self._tree.get(section) or {}
        if name in resources:
            return
        hint = did_you_mean(name, resources)
        what = f'undefined {section[:-1]} "{name}"'
        self._fault(
            path,
            f"{what}; {hint}" if hint else what,
            "" if hint else f'declare it at the top level: "{section}: {{{name}: …}}"',
            key=key,
        )

    def _dependencies(self, name: str, service: Tree, services: dict[str, Tree]) -> None:
        for other, edge in (service.get("depends_on") or {}).items():
            if other in self._enabled:
                continue
            path: TreePath = ("services", name, "depends_on", other)
            if other not in services:
                self._undefined("service", other, services, path)
            elif edge.get("required", True):
                profiles = ", ".join(services[other].get("profiles") or ())
                self._fault(
                    path,
                    f'service "{other}" is disabled by its profiles ({profiles})',
                    f'activate one with --profile, or write "required: false" for "{other}"',
                    key=True,
                )

    def _undefined(self, kind: str, name: str, known: Iterable[str], path: TreePath) -> None:
        hint = did_you_mean(name, known)
        what = f'undefined {kind} "{name}"'
        self._fault(path, f"{what}; {hint}" if hint else what, key=True)

    def _healthcheck(self, name: str, service: Tree) -> None:
        test: Any = (service.get("healthcheck") or {}).get("test")
        if test and test[0] not in {"CMD", "CMD-SHELL", "NONE"}:
            self._fault(
                ("services", name, "healthcheck", "test"),
                f'the list begins with "{test[0]}"',
                'begin it with "CMD" (a program and its arguments), "CMD-SHELL" (a line for the '
                'shell) or "NONE"',
            )
