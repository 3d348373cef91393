"""One service of the canonical tree -> Service."""

from __future__ import annotations

import json
import posixpath
from typing import TYPE_CHECKING, Any

from orchestra.config.bind_deploy import (
    bind_build,
    bind_deploy,
    bind_device_requests,
    bind_resources,
    bind_restart,
    bind_ulimits,
    pairs,
    seconds,
)
from orchestra.config.tree import Map, plain
from orchestra.model.container import (
    Device,
    Dns,
    Hook,
    LogConfig,
    PublishedPort,
    Security,
)
from orchestra.model.develop import WatchAction, WatchRule
from orchestra.model.service import (
    CredentialSpec,
    DependencyCondition,
    DependsOn,
    EnvFile,
    FileReference,
    PreStart,
    Provider,
    PullPolicy,
    Service,
    ServiceHealthCheck,
    ServiceModel,
    ServiceNetwork,
    ServicePort,
    ServiceVolume,
    VolumeKind,
    VolumesFrom,
)
from orchestra.units import parse_duration_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.config.tree import Tree

__all__ = ["bind_service", "pairs"]

_PLAIN_TEXT = (
    "image",
    "platform",
    "working_dir",
    "user",
    "hostname",
    "domainname",
    "container_name",
    "network_mode",
    "mac_address",
    "isolation",
    "runtime",
    "uts",
    "cgroup",
    "ipc",
    "pid",
    "userns_mode",
    "stop_signal",
)
_PLAIN_BOOLEANS = ("tty", "stdin_open", "use_api_socket", "attach")


def bind_service(name: str, tree: Tree, directory: str = "/") -> Service:
    """The service *name* that *tree* describes, of the project in *directory*."""
    fields: dict[str, Any] = {"name": name}
    for attribute in _PLAIN_TEXT:
        value = tree.get(attribute)
        if value:
            fields[attribute] = value
    for attribute in _PLAIN_BOOLEANS:
        if tree.get(attribute) is not None:
            fields[attribute] = tree[attribute]
    for attribute, bind in _ATTRIBUTES.items():
        if tree.get(attribute) is not None:
            field, value = bind(tree[attribute])
            fields[field] = value
    fields["resources"] = bind_resources(tree)
    fields["restart"] = bind_restart(tree)
    fields["security"] = _security(tree, directory)
    dns = Dns(
        servers=tuple(tree.get("dns") or ()),
        search=tuple(tree.get("dns_search") or ()),
        options=tuple(tree.get("dns_opt") or ()),
    )
    requests = bind_device_requests(tree)
    replicas = tree.get("scale", (tree.get("deploy") or {}).get("replicas"))
    policy, refresh_s = _pull_policy(tree)
    return Service(
        **fields,
        dns=dns,
        gpus=requests,
        replicas=1 if replicas is None else replicas,
        pull_policy=policy,
        pull_refresh_s=refresh_s,
        extensions=tuple(
            (key, json.dumps(plain(value), sort_keys=True))
            for key, value in tree.items()
            if key.startswith("x-")
        ),
    )


def _words(field: str) -> Callable[[Any], tuple[str, Any]]:
    return lambda value: (field, tuple(value))


def _pairs(field: str) -> Callable[[Any], tuple[str, Any]]:
    return lambda value: (field, pairs(value))


def _network(key: str, value: Tree | None) -> ServiceNetwork:
    details = value or {}
    return ServiceNetwork(
        key=key,
        aliases=tuple(details.get("aliases") or ()),
        ipv4_address=details.get("ipv4_address", ""),
        ipv6_address=details.get("ipv6_address", ""),
        link_local_ips=tuple(details.get("link_local_ips") or ()),
        mac_address=details.get("mac_address", ""),
        interface_name=details.get("interface_name", ""),
        driver_opts=pairs(details.get("driver_opts")),
        priority=details.get("priority", 0),
        gw_priority=details.get("gw_priority", 0),
    )


def _networks(value: Tree) -> tuple[str, Any]:
    bound = [_network(key, value[key]) for key in value]
    return "networks", tuple(sorted(bound, key=lambda network: (-network.priority, network.key)))


def _port(value: Tree) -> ServicePort:
    first, _, last = str(value.get("published", "")).partition("-")
    host_port = int(first or 0)
    return ServicePort(
        port=PublishedPort(
            container_port=value["target"],
            protocol=value.get("protocol", "tcp"),
            host_ip=value.get("host_ip", ""),
            host_port=host_port,
            host_port_end=int(last or host_port),
        ),
        name=value.get("name", ""),
        app_protocol=value.get("app_protocol", ""),
        mode=value.get("mode", "ingress"),
    )


def _volume(value: Tree) -> ServiceVolume:
    kind = VolumeKind(value.get("type", "volume"))
    bind = value.get("bind") or {}
    volume = value.get("volume") or {}
    tmpfs = value.get("tmpfs") or {}
    image = value.get("image") or {}
    return ServiceVolume(
        kind=kind,
        target=value.get("target", ""),
        source=value.get("source", ""),
        read_only=value.get("read_only", False),
        consistency=value.get("consistency", ""),
        create_host_path=bool(bind) and bind.get("create_host_path", True),
        propagation=bind.get("propagation", ""),
        recursive=bind.get("recursive", ""),
        selinux=bind.get("selinux", ""),
        no_copy=volume.get("nocopy", False),
        subpath=volume.get("subpath", "") or image.get("subpath", ""),
        labels=pairs(volume.get("labels")),
        tmpfs_bytes=int(tmpfs.get("size", 0)),
        tmpfs_mode=tmpfs.get("mode"),
    )


def _file_reference(folder: str) -> Callable[[Tree], FileReference]:
    def bind(value: Tree) -> FileReference:
        target = value.get("target") or value["source"]
        return FileReference(
            source=value["source"],
            target=target if target.startswith("/") else folder + target,
            uid=_owner(value.get("uid")),
            gid=_owner(value.get("gid")),
            mode=int(value.get("mode", "0444"), 8),
        )

    return bind


def _owner(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0


def _depends_on(value: Tree) -> tuple[str, Any]:
    written = value.marks if isinstance(value, Map) else {}
    return "depends_on", tuple(
        DependsOn(
            service=name,
            condition=DependencyCondition(edge.get("condition", "service_started")),
            restart=edge.get("restart", False),
            required=edge.get("required", True),
            implied=name not in written,
        )
        for name, edge in sorted(value.items())
    )


def _links(field: str) -> Callable[[Any], tuple[str, Any]]:
    def bind(value: list[str]) -> tuple[str, Any]:
        split = [link.partition(":") for link in value]
        return field, tuple((target, alias or target) for target, _, alias in split)

    return bind


def _volumes_from(value: list[str]) -> tuple[str, Any]:
    bound = []
    for item in value:
        if item.startswith("container:"):
            name, _, access = item.removeprefix("container:").partition(":")
            bound.append(VolumesFrom(container=name, read_only=access == "ro"))
        else:
            name, _, access = item.partition(":")
            bound.append(VolumesFrom(service=name, read_only=access == "ro"))
    return "volumes_from", tuple(bound)


def _healthcheck(value: Tree) -> tuple[str, Any]:
    test: list[str] = value.get("test") or []
    disabled = value.get("disable", False) or test[:1] == ["NONE"]
    return "healthcheck", ServiceHealthCheck(
        disable=disabled,
        test=None if disabled or not test else tuple(test),
        interval_s=seconds(value, "interval"),
        timeout_s=seconds(value, "timeout"),
        start_period_s=seconds(value, "start_period"),
        start_interval_s=seconds(value, "start_interval"),
        retries=value.get("retries"),
    )


def bind_hook(value: Tree) -> Hook:
    """A hook's command; variables without a value have been looked up or are left out."""
    environment = value.get("environment") or {}
    return Hook(
        argv=tuple(value.get("command") or ()),
        user=value.get("user", ""),
        privileged=value.get("privileged", False),
        cwd=value.get("working_dir", ""),
        env=tuple((key, item) for key, item in environment.items() if item is not None),
    )


def _pre_start(value: list[Tree]) -> tuple[str, Any]:
    return "pre_start", tuple(
        PreStart(
            hook=bind_hook(item),
            image=item.get("image", ""),
            per_replica=item.get("per_replica", False),
        )
        for item in value
    )


def _watch(value: Tree) -> tuple[str, Any]:
    return "watch", tuple(
        WatchRule(
            path=rule["path"],
            action=WatchAction(rule["action"]),
            target=rule.get("target", ""),
            ignore=tuple(rule.get("ignore") or ()),
            include=tuple(rule.get("include") or ()),
            initial_sync=rule.get("initial_sync", False),
            exec=bind_hook(rule["exec"]) if rule.get("exec") else None,
        )
        for rule in value.get("watch") or ()
    )


def _pull_policy(tree: Tree) -> tuple[PullPolicy | None, float]:
    text = tree.get("pull_policy")
    if not text:
        return None, 0.0
    if text in {"always", "never", "build", "missing", "refresh"}:
        after = tree.get("pull_refresh_after")
        return PullPolicy(text), parse_duration_ns(after) / 1e9 if after else 0.0
    if text == "if_not_present":
        return PullPolicy.MISSING, 0.0
    every = {"daily": "1d", "weekly": "1w"}.get(text, text.removeprefix("every_"))
    return PullPolicy.REFRESH, parse_duration_ns(every) / 1e9


def _security(tree: Tree, directory: str) -> Security:
    return Security(
        privileged=tree.get("privileged") or False,
        cap_add=tuple(tree.get("cap_add") or ()),
        cap_drop=tuple(tree.get("cap_drop") or ()),
        read_only_root=tree.get("read_only") or False,
        options=tuple(_security_option(item, directory) for item in tree.get("security_opt") or ()),
        sysctls=pairs(tree.get("sysctls")),
    )


def _security_option(text: str, directory: str) -> str:
    """*text* with the path of a seccomp profile made absolute; `config` shows it as written."""
    name, separator, value = text.partition("=" if "=" in text else ":")
    if name != "seccomp" or value in {"", "unconfined", "builtin"}:
        return text
    return f"{name}{separator}{posixpath.normpath(posixpath.join(directory, value))}"


_ATTRIBUTES: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "command": _words("command"),
    "entrypoint": _words("entrypoint"),
    "environment": lambda value: ("environment", tuple(value.items())),
    "env_file": lambda value: (
        "env_files",
        tuple(
            EnvFile(
                path=item["path"],
                required=item.get("required", True),
                format=item.get("format", ""),
            )
            for item in value
        ),
    ),
    "build": lambda value: ("build", bind_build(value)),
    "deploy": lambda value: ("deploy", bind_deploy(value)),
    "develop": _watch,
    "provider": lambda value: (
        "provider",
        Provider(
            type=value["type"],
            options=tuple((key, tuple(item)) for key, item in (value.get("options") or {}).items()),
        ),
    ),
    "group_add": _words("group_add"),
    "init": lambda value: ("init", value),
    "labels": _pairs("labels"),
    "label_file": _words("label_files"),
    "annotations": _pairs("annotations"),
    "profiles": _words("profiles"),
    "depends_on": _depends_on,
    "links": _links("links"),
    "external_links": _links("external_links"),
    "volumes_from": _volumes_from,
    "networks": _networks,
    "ports": lambda value: ("ports", tuple(map(_port, value))),
    "expose": lambda value: ("expose", tuple(_exposed(item) for item in value)),
    "extra_hosts": lambda value: (
        "extra_hosts",
        tuple(tuple(item.split("=", 1)) for item in value),
    ),
    "volumes": lambda value: ("volumes", tuple(map(_volume, value))),
    "tmpfs": _words("tmpfs"),
    "configs": lambda value: ("configs", tuple(map(_file_reference("/"), value))),
    "secrets": lambda value: ("secrets", tuple(map(_file_reference("/run/secrets/"), value))),
    "devices": lambda value: (
        "devices",
        tuple(
            Device(
                source=item["source"],
                target=item.get("target") or item["source"],
                permissions=item.get("permissions") or "rwm",
            )
            for item in value
        ),
    ),
    "shm_size": lambda value: ("shm_bytes", int(value)),
    "storage_opt": _pairs("storage_opts"),
    "ulimits": lambda value: ("ulimits", bind_ulimits(value)),
    "oom_score_adj": lambda value: ("oom_score_adj", value),
    "credential_spec": lambda value: (
        "credential_spec",
        CredentialSpec(
            config=value.get("config", ""),
            file=value.get("file", ""),
            registry=value.get("registry", ""),
        ),
    ),
    "cpu_count": lambda value: ("cpu_count", value),
    "cpu_percent": lambda value: ("cpu_percent", float(value)),
    "healthcheck": _healthcheck,
    "stop_grace_period": lambda value: ("stop_grace_s", parse_duration_ns(value) / 1e9),
    "logging": lambda value: (
        "logging",
        LogConfig(driver=value.get("driver") or "json-file", options=pairs(value.get("options"))),
    ),
    "pre_start": _pre_start,
    "post_start": lambda value: ("post_start", tuple(map(bind_hook, value))),
    "pre_stop": lambda value: ("pre_stop", tuple(map(bind_hook, value))),
    "models": lambda value: (
        "models",
        tuple(
            ServiceModel(
                key=key,
                endpoint_variable=(item or {}).get("endpoint_var", ""),
                model_variable=(item or {}).get("model_var", ""),
            )
            for key, item in sorted(value.items())
        ),
    ),
}


def _exposed(item: str) -> str:
    return item if "/" in item else f"{item}/tcp"
