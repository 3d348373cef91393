"""Container Device Interface: what a device by name, `vendor.com/class=name`, adds to a container.

CDI specification 1.0 (cncf-tags/container-device-interface SPEC.md). Pure: `cdi_files` reads the
specifications. Environment, device nodes, mounts, groups and `createContainer` hooks are obeyed;
what cannot be is refused, since a device that is half there is worse than none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orchestra.errors import ConfigError, NotFound, Unsupported
from orchestra.model.container import Device, Mount, MountKind
from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestra.model.container import ContainerSpec

_NAME = re.compile(r"[A-Za-z][\w.-]*/[A-Za-z][\w.-]*=[A-Za-z0-9]([\w.:-]*[A-Za-z0-9])?", re.ASCII)
_OBEYED = frozenset({"env", "deviceNodes", "mounts", "hooks", "additionalGids"})
_PROPAGATIONS = frozenset({"private", "rprivate", "slave", "rslave", "shared", "rshared"})
_OWN_FILESYSTEM = "tmpfs"


class Edits(NamedTuple):
    """What one device, or one file for all of its devices, changes; *origin* is that file."""

    origin: str
    content: Mapping[str, Any]


class CdiDevices(NamedTuple):
    """Every device of this machine by its full name, and what is to be told when one lacks."""

    edits: Mapping[str, tuple[Edits, ...]]  # the file's own, then the device's
    looked_at: tuple[str, ...] = ()  # directories, and what was wrong with files


class CdiHook(NamedTuple):
    """A program of the host, run before the container's root becomes its root."""

    path: str
    args: tuple[str, ...]
    env: tuple[str, ...]
    timeout_s: float | None


def is_cdi_name(text: str) -> bool:
    """Is *text* the full name of a device, such as "nvidia.com/gpu=0"?"""
    return _NAME.fullmatch(text) is not None


def with_devices(spec: ContainerSpec, known: CdiDevices) -> ContainerSpec:
    """*spec* with what its CDI devices add. Raises NotFound, Unsupported and ConfigError."""
    env = dict(spec.process.env)
    devices, mounts, groups = list(spec.devices), list(spec.mounts), list(spec.process.groups)
    for edits in _chosen(spec, known):
        content = _checked(edits)
        env.update(_pairs(edits, _entries(edits, content, "env")))
        devices += [_device(edits, node) for node in _entries(edits, content, "deviceNodes")]
        mounts += [_mount(edits, mount) for mount in _entries(edits, content, "mounts")]
        groups += [str(gid) for gid in _entries(edits, content, "additionalGids")]
    process = msgspec.structs.replace(
        spec.process, env=tuple(env.items()), groups=tuple(dict.fromkeys(groups))
    )
    return msgspec.structs.replace(
        spec, process=process, devices=tuple(devices), mounts=tuple(mounts)
    )


def hooks_of(spec: ContainerSpec, known: CdiDevices) -> tuple[CdiHook, ...]:
    """The `createContainer` hooks of the devices of *spec*. Raises as `with_devices`."""
    return tuple(
        _hook(edits, hook)
        for edits in _chosen(spec, known)
        for hook in _entries(edits, _checked(edits), "hooks")
    )


def _chosen(spec: ContainerSpec, known: CdiDevices) -> tuple[Edits, ...]:
    """The edits to be made, each once: devices of one file share the file's."""
    found: list[Edits] = []
    for name in dict.fromkeys(spec.cdi_devices):
        edits = known.edits.get(name)
        if edits is None:
            raise _missing(spec, name, known)
        found += [each for each in edits if not any(each is other for other in found)]
    return tuple(found)


def _missing(spec: ContainerSpec, name: str, known: CdiDevices) -> NotFound:
    there = ", ".join(sorted(known.edits)) or "none"
    fix = f"there is: {there}; looked at {'; '.join(known.looked_at)}"
    if name.startswith("nvidia.com/"):
        fix += "; for NVIDIA: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"
    return NotFound(f'service "{spec.service}": this machine has no device {name}', fix=fix).at(
        "services", spec.service, "devices"
    )


def _checked(edits: Edits) -> Mapping[str, Any]:
    for key, value in edits.content.items():
        if value and key not in _OBEYED:
            raise Unsupported(
                f"{edits.origin}: containerEdits.{key} cannot be obeyed",
                fix="make a CDI specification without it",
            )
    return edits.content


def _pairs(edits: Edits, entries: Iterable[Any]) -> Iterable[tuple[str, str]]:
    for entry in entries:
        name, equals, value = str(entry).partition("=")
        if not equals or not name:
            raise _wrong(edits, f"env: {entry!r} is not NAME=VALUE")
        yield name, value


def _device(edits: Edits, node: Any) -> Device:
    path = _text(edits, node, "path")
    return Device(
        source=str(node.get("hostPath") or path),
        target=path,
        permissions=str(node.get("permissions") or "rwm"),
        mode=node.get("fileMode"),
        uid=node.get("uid"),
        gid=node.get("gid"),
    )


def _mount(edits: Edits, mount: Any) -> Mount:
    source, target = _text(edits, mount, "hostPath"), _text(edits, mount, "containerPath")
    options = [str(each) for each in _entries(edits, mount, "options")]
    if mount.get("type") == _OWN_FILESYSTEM:
        return Mount(kind=MountKind.TMPFS, target=target, options=",".join(options))
    if mount.get("type") not in (None, "", "none", "bind"):
        raise Unsupported(f"{edits.origin}: a mount of type {mount['type']} cannot be made")
    return Mount(
        kind=MountKind.BIND,
        source=source,
        target=target,
        read_only="ro" in options,
        recursive="rbind" in options or "bind" not in options,
        propagation=next((each for each in options if each in _PROPAGATIONS), ""),
    )


def _hook(edits: Edits, hook: Any) -> CdiHook:
    name, path = _text(edits, hook, "hookName"), _text(edits, hook, "path")
    if name != "createContainer":
        raise Unsupported(
            f"{edits.origin}: a hook at {name} cannot be run",
            fix="only createContainer hooks are; make a CDI specification without it",
        )
    args = tuple(str(each) for each in _entries(edits, hook, "args") or (path,))
    env = tuple(str(each) for each in _entries(edits, hook, "env"))
    return CdiHook(path, args, env, hook.get("timeout"))


def _entries(edits: Edits, fields: Mapping[str, Any], key: str) -> list[Any]:
    value = fields.get(key) or []
    if not isinstance(value, list):
        raise _wrong(edits, f"{key} is no list: {value!r}")
    return value


def _text(edits: Edits, fields: Any, key: str) -> str:
    value = fields.get(key) if isinstance(fields, dict) else None
    if not isinstance(value, str) or not value:
        raise _wrong(edits, f"an entry without {key}: {fields!r}")
    return value


def _wrong(edits: Edits, what: str) -> ConfigError:
    return ConfigError(f"{edits.origin}: {what}", fix="generate the CDI specification again")
