"""The canonical tree -> Project. Nothing after this module reads a dict.

The tree has passed the schema, the rewriting passes and the checks: every value has its type.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orchestra.config.bind_service import bind_service, pairs
from orchestra.config.tree import plain
from orchestra.model.network import IpamPool, NetworkSpec, VolumeSpec
from orchestra.model.project import DeclaredFile, Model, Project

if TYPE_CHECKING:
    from orchestra.config.environment import FileValues
    from orchestra.config.files import ProjectFiles
    from orchestra.config.tree import Tree


def bind_project(
    tree: Tree, disabled: Tree, files: ProjectFiles, profiles: tuple[str, ...], values: FileValues
) -> Project:
    """The Project of *tree*; *disabled* has the services that profiles left out."""
    name = tree["name"]
    networks = _section(tree, "networks")
    return Project(
        name=name,
        working_dir=files.working_dir,
        compose_files=files.compose_files,
        env_files=files.env_files,
        profiles=profiles,
        services=_services(_section(tree, "services"), files.working_dir),
        disabled_services=_services(disabled, files.working_dir),
        networks=tuple(bind_network(name, key, networks[key]) for key in sorted(networks)),
        volumes=tuple(
            bind_volume(name, key, value)
            for key, value in sorted(_section(tree, "volumes").items())
        ),
        configs=_files(tree, "configs", values),
        secrets=_files(tree, "secrets", values),
        models=tuple(
            Model(
                key=key,
                name=value.get("name", key),
                model=value.get("model", ""),
                context_size=value.get("context_size", 0),
                runtime_flags=tuple(value.get("runtime_flags", ())),
            )
            for key, value in sorted(_section(tree, "models").items())
        ),
        environment=tuple(files.environment.items()),
        extensions=extensions(tree),
    )


def _section(tree: Tree, name: str) -> Tree:
    return {key: value or {} for key, value in (tree.get(name) or {}).items()}


def _services(services: Tree, directory: str) -> tuple[Any, ...]:
    return tuple(bind_service(name, services[name], directory) for name in sorted(services))


def bind_network(project: str, key: str, value: Tree) -> NetworkSpec:
    """One declared network."""
    ipam = value.get("ipam") or {}
    return NetworkSpec(
        name=value.get("name") or f"{project}_{key}",
        project=project,
        key=key,
        driver=value.get("driver") or "bridge",
        driver_opts=pairs(value.get("driver_opts")),
        internal=value.get("internal", False),
        attachable=value.get("attachable", False),
        enable_ipv4=value.get("enable_ipv4") is not False,
        enable_ipv6=value.get("enable_ipv6") is True,
        ipam_driver=ipam.get("driver", ""),
        ipam_options=pairs(ipam.get("options")),
        pools=tuple(
            IpamPool(
                subnet=pool.get("subnet", ""),
                gateway=pool.get("gateway", ""),
                ip_range=pool.get("ip_range", ""),
                aux_addresses=pairs(pool.get("aux_addresses")),
            )
            for pool in ipam.get("config") or ()
        ),
        labels=pairs(value.get("labels")),
        external=value.get("external", False),
    )


def bind_volume(project: str, key: str, value: Tree) -> VolumeSpec:
    """One declared volume."""
    return VolumeSpec(
        name=value.get("name") or f"{project}_{key}",
        project=project,
        key=key,
        driver=value.get("driver") or "local",
        driver_opts=pairs(value.get("driver_opts")),
        labels=pairs(value.get("labels")),
        external=value.get("external", False),
    )


def _files(tree: Tree, section: str, values: FileValues) -> tuple[DeclaredFile, ...]:
    return tuple(
        DeclaredFile(
            key=key,
            name=value.get("name") or f"{tree['name']}_{key}",
            file=value.get("file", ""),
            content=values.get((section, key), value.get("content", "")),
            environment=value.get("environment", ""),
            external=value.get("external", False),
            labels=pairs(value.get("labels")),
            driver=value.get("driver", ""),
            driver_opts=pairs(value.get("driver_opts")),
            template_driver=value.get("template_driver", ""),
        )
        for key, value in sorted(_section(tree, section).items())
    )


def extensions(tree: Tree) -> tuple[tuple[str, str], ...]:
    """The "x-…" attributes, each as JSON."""
    return tuple(
        (key, json.dumps(plain(value), sort_keys=True))
        for key, value in tree.items()
        if key.startswith("x-")
    )
