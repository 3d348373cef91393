"""Rules that span attributes: what one value demands of another. Faults are collected.

SERVICE_RULES and PROJECT_RULES hold one function per rule; each yields what it finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.config.defaults import services_of
from orchestra.config.problems import MAX_PROBLEMS, did_you_mean
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orchestra.config.problems import Problems
    from orchestra.config.tree import Tree
    from orchestra.model.source import SourceMap, TreePath


class Finding(NamedTuple):
    """A broken rule. *path* is below the service (or the tree); *key*: its last part is wrong."""

    path: TreePath
    what: str
    fix: str = ""
    key: bool = False


class Whole(NamedTuple):
    """What a service's rules see of the project."""

    tree: Tree
    services: dict[str, Tree]
    enabled: frozenset[str]
    complete: bool  # nothing that a service may refer to is missing because it was broken


def check(tree: Tree, enabled: tuple[str, ...], problems: Problems, sources: SourceMap) -> None:
    """Every rule, for the *enabled* services and what is declared beside them."""
    complete = all(len(path) > 2 for path in problems.broken)
    whole = Whole(tree, dict(services_of(tree)), frozenset(enabled), complete)
    for name in enabled:
        if len(problems) >= MAX_PROBLEMS:
            return
        for rule in SERVICE_RULES:
            for found in rule(whole.services[name], whole):
                _report(problems, sources, ("services", name), found)
    for project_rule in PROJECT_RULES:
        for found in project_rule(whole):
            _report(problems, sources, (), found)


def _report(problems: Problems, sources: SourceMap, prefix: TreePath, found: Finding) -> None:
    path = (*prefix, *found.path)
    problems.at(sources, path, found.what, found.fix, key=found.key or not found.path)


# -- what runs ----------------------------------------------------------------------------------
def _something_to_run(service: Tree, _whole: Whole) -> Iterator[Finding]:
    if not any(service.get(attribute) for attribute in ("image", "build", "provider")):
        yield Finding(
            (),
            "neither image nor build says what to run",
            'add "image: NAME", "build: DIRECTORY", or "image: host" for this machine itself',
        )


def _build(service: Tree, whole: Whole) -> Iterator[Finding]:
    build = service.get("build")
    if not isinstance(build, dict):
        return
    if build.get("dockerfile") and build.get("dockerfile_inline"):
        yield Finding(
            ("build", "dockerfile_inline"),
            "dockerfile and dockerfile_inline exclude each other",
            "remove one of them",
            key=True,
        )
    platforms = build.get("platforms") or ()
    platform = service.get("platform")
    if platform and platforms and platform not in platforms:
        yield Finding(
            ("build", "platforms"),
            f"the service's own platform {platform} is not among them",
            f"add {platform}",
        )
    for key, value in (build.get("additional_contexts") or {}).items():
        if isinstance(value, str) and value.startswith("service:"):
            yield from _buildable(value.removeprefix("service:"), key, whole)


def _buildable(name: str, key: str, whole: Whole) -> Iterator[Finding]:
    path: TreePath = ("build", "additional_contexts", key)
    if name not in whole.services:
        if whole.complete:
            yield _undefined("service", name, whole.services, path)
    elif not whole.services[name].get("build"):
        yield Finding(path, f'service "{name}" has no build', "name a service that is built")


def _healthcheck_test(service: Tree, _whole: Whole) -> Iterator[Finding]:
    test: Any = (service.get("healthcheck") or {}).get("test")
    if isinstance(test, list) and test and test[0] not in {"CMD", "CMD-SHELL", "NONE"}:
        yield Finding(
            ("healthcheck", "test"),
            f'the list begins with "{test[0]}"',
            'begin it with "CMD" (a program and its arguments), "CMD-SHELL" (a line for the '
            'shell) or "NONE"',
        )


# -- relations ----------------------------------------------------------------------------------
def _dependencies(service: Tree, whole: Whole) -> Iterator[Finding]:
    for other, edge in (service.get("depends_on") or {}).items():
        if other in whole.enabled or not whole.complete:
            continue
        path = _said_at(service, other)
        key = path[0] == "depends_on"
        if other not in whole.services:
            yield _undefined("service", other, whole.services, path, key=key)
        elif edge.get("required", True):
            profiles = ", ".join(whole.services[other].get("profiles") or ())
            instead = f'write "required: false" for "{other}"' if key else "remove this reference"
            yield Finding(
                path,
                f'service "{other}" is not enabled; its profiles are {profiles}',
                f"activate one with --profile, or {instead}",
                key=key,
            )


def _said_at(service: Tree, other: str) -> TreePath:
    """The attribute that names *other*: links and the like imply a dependency."""
    for attribute in ("links", "volumes_from"):
        for index, item in enumerate(service.get(attribute) or ()):
            if str(item).partition(":")[0] == other:
                return (attribute, index)
    for attribute in ("network_mode", "ipc", "pid", "uts", "cgroup"):
        if service.get(attribute) == f"service:{other}":
            return (attribute,)
    return ("depends_on", other)


def _undefined(
    kind: str, name: str, known: Iterable[str], path: TreePath, *, key: bool = False
) -> Finding:
    hint = did_you_mean(name, known)
    what = f'undefined {kind} "{name}"'
    if hint:
        return Finding(path, f"{what}; {hint}", "", key)
    declare = "" if kind == "service" else f'declare it at the top level, below "{kind}s:"'
    return Finding(path, what, declare, key)


def _references(service: Tree, whole: Whole) -> Iterator[Finding]:
    for section, name, path in _used(service):
        declared = whole.tree.get(section) or {}
        if name not in declared and whole.complete:
            yield _undefined(section[:-1], name, declared, path, key=path[-1] == name)


def _used(service: Tree) -> Iterator[tuple[str, str, TreePath]]:
    """(section, name, path) of everything declared elsewhere that *service* uses."""
    for section in ("networks", "models"):
        for name in service.get(section) or ():
            yield section, name, (section, name)
    for index, volume in enumerate(service.get("volumes") or ()):
        if volume.get("type") == "volume" and volume.get("source"):
            yield "volumes", volume["source"], ("volumes", index)
    for section in ("configs", "secrets"):
        for index, item in enumerate(service.get(section) or ()):
            yield section, item["source"], (section, index)
    for index, item in enumerate((service.get("build") or {}).get("secrets") or ()):
        yield "secrets", item["source"], ("build", "secrets", index)


def _network_mode(service: Tree, _whole: Whole) -> Iterator[Finding]:
    if service.get("network_mode") and service.get("networks"):
        yield Finding(
            ("network_mode",),
            "network_mode and networks exclude each other",
            "remove one of them",
            key=True,
        )


# -- numbers that are said twice ----------------------------------------------------------------
_SAME = (
    ("cpus", "limits", "cpus"),
    ("mem_limit", "limits", "memory"),
    ("pids_limit", "limits", "pids"),
    ("mem_reservation", "reservations", "memory"),
)


def _limits_agree(service: Tree, _whole: Whole) -> Iterator[Finding]:
    resources = (service.get("deploy") or {}).get("resources") or {}
    for attribute, kind, name in _SAME:
        own, deployed = service.get(attribute), (resources.get(kind) or {}).get(name)
        if own and deployed is not None and float(own) != float(deployed):
            yield Finding(
                (attribute,),
                f"differs from deploy.resources.{kind}.{name}",
                "remove one of them, or give them the same value",
                key=True,
            )


def _scale(service: Tree, _whole: Whole) -> Iterator[Finding]:
    scale = service.get("scale")
    replicas = (service.get("deploy") or {}).get("replicas")
    if scale is not None and replicas is not None and scale != replicas:
        yield Finding(
            ("scale",),
            f"{scale} differs from deploy.replicas, which is {replicas}",
            "remove one of them",
        )
    wanted = replicas if scale is None else scale
    if wanted is not None and wanted > 1 and service.get("container_name"):
        yield Finding(
            ("container_name",),
            f"{wanted} containers cannot share one name",
            "remove container_name, or scale to 1",
            key=True,
        )


# -- files --------------------------------------------------------------------------------------
def _mount_targets(service: Tree, _whole: Whole) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for index, item in enumerate(service.get("tmpfs") or ()):
        target = str(item).partition(":")[0]
        if target in seen:
            yield _twice(("tmpfs", index), target, seen[target])
        seen[target] = f"tmpfs[{index}]"
    for index, volume in enumerate(service.get("volumes") or ()):
        target = volume.get("target", "")
        if target in seen:
            yield _twice(("volumes", index), target, seen[target])
        seen[target] = f"volumes[{index}]"


def _twice(path: TreePath, target: str, earlier: str) -> Finding:
    return Finding(path, f"{target} is already the target of {earlier}", "remove one of them")


def _watch(service: Tree, _whole: Whole) -> Iterator[Finding]:
    rules = (service.get("develop") or {}).get("watch") or ()
    for index, rule in enumerate(rules):
        path: TreePath = ("develop", "watch", index)
        if not rule.get("path"):
            yield Finding((*path, "path"), "must not be empty", "name a file or directory")
        if not rule.get("target") and rule.get("action") not in {"rebuild", "restart"}:
            yield Finding(
                path,
                f"action {rule.get('action')} needs a target",
                'add "target: PATH", a path in the container',
            )


def _device_requests(service: Tree, _whole: Whole) -> Iterator[Finding]:
    resources = (service.get("deploy") or {}).get("resources") or {}
    reserved = (resources.get("reservations") or {}).get("devices") or ()
    places: tuple[tuple[TreePath, Any], ...] = (
        (("gpus",), service.get("gpus") or ()),
        (("deploy", "resources", "reservations", "devices"), reserved),
    )
    for path, requests in places:
        for index, request in enumerate(requests):
            if "count" in request and "device_ids" in request:
                yield Finding(
                    (*path, index), "count and device_ids exclude each other", "remove one of them"
                )


# -- addresses ----------------------------------------------------------------------------------
def _addresses(service: Tree, _whole: Whole) -> Iterator[Finding]:
    for index, port in enumerate(service.get("ports") or ()):
        yield from _address(port.get("host_ip"), ("ports", index))
    for name, network in (service.get("networks") or {}).items():
        for attribute in ("ipv4_address", "ipv6_address"):
            text = (network or {}).get(attribute)
            yield from _address(text, ("networks", name, attribute))


def _address(text: str | None, path: TreePath) -> Iterator[Finding]:
    if not text:
        return
    from ipaddress import ip_address  # few projects have one, and the import costs milliseconds

    try:
        ip_address(text)
    except ValueError:
        yield Finding(path, f'"{text}" is no IP address', 'for example "127.0.0.1" or "::1"')


SERVICE_RULES: tuple[Callable[[Tree, Whole], Iterator[Finding]], ...] = (
    _something_to_run,
    _build,
    _healthcheck_test,
    _dependencies,
    _references,
    _network_mode,
    _limits_agree,
    _scale,
    _mount_targets,
    _watch,
    _device_requests,
    _addresses,
)


# -- what is declared beside the services -------------------------------------------------------
_EXTERNAL_MAY = frozenset({"name", "external"})


def _external(whole: Whole) -> Iterator[Finding]:
    """An external volume is made by somebody else: nothing but its name can be said of it."""
    for key, value in (whole.tree.get("volumes") or {}).items():
        if value and value.get("external") is True:
            for attribute in value:
                if attribute not in _EXTERNAL_MAY and not attribute.startswith("x-"):
                    yield Finding(
                        ("volumes", key, attribute),
                        f"{attribute} and external exclude each other",
                        "remove one of them",
                        key=True,
                    )


def _file_sources(whole: Whole) -> Iterator[Finding]:
    """A config or secret comes from exactly one place."""
    for section, kinds in (
        ("configs", ("file", "environment", "content")),
        ("secrets", ("file", "environment")),
    ):
        for key, value in (whole.tree.get(section) or {}).items():
            given = [kind for kind in kinds if kind in (value or {})]
            choices = ", ".join(kinds)
            if len(given) > 1:
                yield Finding(
                    (section, key, given[1]),
                    f"{given[0]} and {given[1]} exclude each other",
                    "remove one of them",
                    key=True,
                )
            elif not given and not (value or {}).keys() & {"driver", "external"}:
                yield Finding(
                    (section, key),
                    f"one of {choices} must be set",
                    'add one of them, or "external: true" if it exists already',
                    key=True,
                )


def _pools(whole: Whole) -> Iterator[Finding]:
    for key, value in (whole.tree.get("networks") or {}).items():
        pools = ((value or {}).get("ipam") or {}).get("config") or ()
        for index, pool in enumerate(pools):
            subnet = pool.get("subnet")
            if subnet:
                from ipaddress import ip_network  # as in _address

                try:
                    ip_network(subnet, strict=False)
                except ValueError:
                    yield Finding(
                        ("networks", key, "ipam", "config", index, "subnet"),
                        f'"{subnet}" is no subnet',
                        'for example "172.28.0.0/16"',
                    )


def _container_names(whole: Whole) -> Iterator[Finding]:
    taken: dict[str, str] = {}
    for name, service in whole.services.items():
        wanted = service.get("container_name")
        if not wanted or name not in whole.enabled:
            continue
        if wanted in taken:
            yield Finding(
                ("services", name, "container_name"),
                f'service "{taken[wanted]}" has this container name too',
                "give each a name of its own, or leave it out",
            )
        taken.setdefault(wanted, name)


PROJECT_RULES: tuple[Callable[[Whole], Iterator[Finding]], ...] = (
    _container_names,
    _external,
    _file_sources,
    _pools,
)
