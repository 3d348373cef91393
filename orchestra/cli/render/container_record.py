"""A container as `docker inspect` shows it: the keys of the Engine API, as far as they are true.

What of it describes the host side of things (HostConfig) is in `container_host_config`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.cli.render.container_host_config import host_config
from orchestra.cli.render.duration import rfc3339_nano
from orchestra.cli.render.networks import endpoint_id
from orchestra.model.container import MountKind
from orchestra.model.hashing import network_id
from orchestra.model.state import ALIVE, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.layout import Layout
    from orchestra.model.container import ContainerSpec, Endpoint, HealthCheck, Mount
    from orchestra.model.network import NetworkState
    from orchestra.model.state import ContainerState, EndpointState
    from orchestra.ops.container_inspect import Inspected

NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time."""


def container_record(found: Inspected, layout: Layout) -> dict[str, object]:
    """The container as one JSON object."""
    state, spec = found.state, found.spec
    run = layout.container_run(state.project, state.id)
    record: dict[str, object] = {
        "Id": state.id,
        "Created": rfc3339_nano(state.created_ns),
        "Path": state.command[0] if state.command else "",
        "Args": list(state.command[1:]),
        "State": _state(state, spec),
        "Image": state.image_id,
        "ResolvConfPath": os.path.join(run, "resolv.conf"),
        "HostnamePath": os.path.join(run, "hostname"),
        "HostsPath": os.path.join(run, "hosts"),
        "LogPath": layout.log_dir(state.project, state.id),
        "Name": f"/{state.name}",
        "RestartCount": state.restart_count,
        "Driver": "overlay",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": None,
        "HostConfig": host_config(spec),
        "GraphDriver": {"Name": "overlay", "Data": {}},
        "Mounts": [_mount(mount, layout) for mount in spec.mounts],
        "Config": _config(state, spec),
        "NetworkSettings": _network_settings(state, spec, found.networks),
    }
    if found.sizes is not None:
        record["SizeRw"], record["SizeRootFs"] = found.sizes
    return record


def _moment(then_ns: int) -> str:
    return rfc3339_nano(then_ns) if then_ns else NEVER


def _state(state: ContainerState, spec: ContainerSpec) -> dict[str, object]:
    alive = state.status in ALIVE
    found: dict[str, object] = {
        "Status": state.status,
        "Running": alive,
        "Paused": state.status == Status.PAUSED,
        "Restarting": state.status == Status.RESTARTING,
        "OOMKilled": state.oom_killed,
        "Dead": state.status == Status.DEAD,
        "Pid": state.pid,
        "ExitCode": state.exit_code,
        "Error": state.error,
        "StartedAt": _moment(state.started_ns),
        "FinishedAt": _moment(state.finished_ns),
    }
    if spec.healthcheck is not None:
        found["Health"] = {
            "Status": state.health or "none",
            "FailingStreak": state.failing_streak,
            "Log": [],
        }
    return found


def _config(state: ContainerState, spec: ContainerSpec) -> dict[str, object]:
    process = spec.process
    words = process.entrypoint_words
    anonymous = {mount.target: {} for mount in spec.mounts if mount.anonymous}  # type: dict[str, object]
    return {
        "Hostname": spec.hostname or spec.id[:12],
        "Domainname": spec.domainname,
        "User": process.user,
        "AttachStdin": process.stdin_once,
        "AttachStdout": True,
        "AttachStderr": True,
        "ExposedPorts": {port: {} for port in spec.exposed_ports},
        "Tty": process.tty,
        "OpenStdin": process.stdin_open,
        "StdinOnce": process.stdin_once,
        "Env": [f"{name}={value}" for name, value in process.env],
        "Cmd": list(process.argv[words:]) or None,
        **({"Healthcheck": _healthcheck(spec.healthcheck)} if spec.healthcheck else {}),
        "Image": state.image,
        "Volumes": anonymous or None,
        "WorkingDir": "" if process.cwd == "/" else process.cwd,
        "Entrypoint": list(process.argv[:words]) or None,
        "OnBuild": None,
        "Labels": dict(state.labels),
        "StopSignal": spec.stop_signal,
        "StopTimeout": int(spec.stop_grace_s),
    }


def _healthcheck(check: HealthCheck) -> dict[str, object]:
    return {
        "Test": list(check.test),
        "Interval": int(check.interval_s * 1e9),
        "Timeout": int(check.timeout_s * 1e9),
        "StartPeriod": int(check.start_period_s * 1e9),
        "StartInterval": int(check.start_interval_s * 1e9),
        "Retries": check.retries,
    }


def _mount(mount: Mount, layout: Layout) -> dict[str, object]:
    found: dict[str, object] = {"Type": mount.kind.value}
    source = mount.source
    if mount.kind is MountKind.VOLUME:
        found["Name"], source = source, layout.volume_data(source)
    found |= {"Source": source, "Destination": mount.target}
    if mount.kind is MountKind.VOLUME:
        found["Driver"] = "local"
    return found | {
        "Mode": mount.selinux or ("ro" if mount.read_only else ""),
        "RW": not mount.read_only,
        "Propagation": (mount.propagation or "rprivate") if mount.kind is MountKind.BIND else "",
    }


# -- networks -------------------------------------------------------------------------------------
def _network_settings(
    state: ContainerState, spec: ContainerSpec, networks: Iterable[NetworkState]
) -> dict[str, object]:
    by_name = {network.spec.name: network for network in networks}
    wanted = {endpoint.network: endpoint for endpoint in spec.endpoints}
    running = bool(state.pid)
    places = {
        place.network: _endpoint(
            state, place if running else None, by_name.get(place.network), wanted.get(place.network)
        )
        for place in state.endpoints
    }
    first = next(iter(places.values()), {}) if "bridge" in places or len(places) == 1 else {}
    return {
        "Bridge": "",
        "SandboxID": state.id if running else "",
        "SandboxKey": f"/proc/{state.pid}/ns/net" if running else "",
        "Ports": _ports(state) if running else {},
        "Gateway": first.get("Gateway", ""),
        "IPAddress": first.get("IPAddress", ""),
        "IPPrefixLen": first.get("IPPrefixLen", 0),
        "MacAddress": first.get("MacAddress", ""),
        "EndpointID": first.get("EndpointID", ""),
        "Networks": places,
    }


def _endpoint(
    state: ContainerState,
    place: EndpointState | None,
    network: NetworkState | None,
    wanted: Endpoint | None,
) -> dict[str, object]:
    asked = {}
    if wanted is not None and (wanted.ipv4_address or wanted.ipv6_address):
        asked = {"IPv4Address": wanted.ipv4_address, "IPv6Address": wanted.ipv6_address}
    known = network is not None and place is not None
    return {
        "IPAMConfig": asked or None,
        "Links": [f"{name}:{alias}" for name, alias in wanted.links] or None if wanted else None,
        "Aliases": list(wanted.aliases) if wanted and wanted.aliases else None,
        "MacAddress": place.mac if place else "",
        "DriverOpts": dict(wanted.driver_opts) if wanted and wanted.driver_opts else None,
        "NetworkID": network_id(network) if network is not None else "",
        "EndpointID": endpoint_id(network, state.id) if known and network is not None else "",
        "Gateway": place.gateway if place else "",
        "IPAddress": place.address if place else "",
        "IPPrefixLen": place.prefix_length if place else 0,
        "IPv6Gateway": place.gateway6 if place else "",
        "GlobalIPv6Address": place.address6 if place else "",
        "GlobalIPv6PrefixLen": place.prefix6_length if place else 0,
        "DNSNames": list(wanted.aliases) if wanted and wanted.aliases else None,
    }


def _ports(state: ContainerState) -> dict[str, object]:
    found: dict[str, list[dict[str, str]] | None] = {}
    for port in state.ports:
        key = f"{port.container_port}/{port.protocol}"
        bound = found.setdefault(key, None)
        if port.host_port:
            entry = {"HostIp": port.host_ip or "0.0.0.0", "HostPort": str(port.host_port)}  # noqa: S104 (shown)
            found[key] = [*(bound or ()), entry]
    return dict(found)
