"""`--mount type=bind,source=…,target=…` as a volume in the long syntax of compose files.

https://docs.docker.com/reference/cli/docker/container/run/#mount
"""

from __future__ import annotations

from typing import Any

from orchestra.cli.flags import UsageError
from orchestra.cli.pairs import csv_parts
from orchestra.units import parse_bytes

_KINDS = ("bind", "volume", "tmpfs")
_NAMES = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly"}
_TRUE = ("", "true", "1")
_ACCEPTED = ("consistency",)
"""Accepted for other operating systems, and without effect on Linux, as with Docker."""


def mount_of(text: str) -> dict[str, Any]:
    """The long syntax of *text*. Raises UsageError."""
    fields = _fields(text)
    kind = fields.pop("type", "volume")
    if kind not in _KINDS:
        raise UsageError(
            f"--mount: mounts of type {kind!r} cannot be made", fix="use bind, volume or tmpfs"
        )
    volume: dict[str, Any] = {"type": kind, "target": fields.pop("target", "")}
    if not volume["target"].startswith("/"):
        raise UsageError(
            f"--mount: {text}: target must be an absolute path", fix="add target=/PATH"
        )
    source = fields.pop("source", "")
    if source:
        volume["source"] = source
    if kind == "bind" and not source:
        raise UsageError(f"--mount: {text}: a bind mount needs a source", fix="add source=PATH")
    if fields.pop("readonly", "false").lower() in _TRUE:
        volume["read_only"] = True
    details: dict[str, Any] = {"create_host_path": False} if kind == "bind" else {}
    for name, value in fields.items():
        if name in _ACCEPTED:
            continue
        try:
            _detail(kind, details, name, value, text)
        except ValueError as exc:
            raise UsageError(f"--mount: {text}: {name}: {exc}") from exc
    volume[kind] = details
    return volume


def _fields(text: str) -> dict[str, str]:
    """KEY=VALUE separated by commas, as a line of CSV; a key alone is true."""
    fields: dict[str, str] = {}
    for part in csv_parts("mount", text):
        name, _, value = part.partition("=")
        name = name.strip().lower()
        fields[_NAMES.get(name, name)] = value
    return fields


def _detail(kind: str, details: dict[str, Any], name: str, value: str, text: str) -> None:
    if kind == "bind" and name == "bind-propagation":
        details["propagation"] = value
    elif kind == "bind" and name == "bind-create-src":
        details["create_host_path"] = value.lower() in _TRUE
    elif kind == "bind" and name in ("bind-nonrecursive", "bind-recursive"):
        off = value.lower() in (_TRUE if name == "bind-nonrecursive" else ("disabled",))
        details["recursive"] = "disabled" if off else "enabled"
    elif kind == "volume" and name == "volume-nocopy":
        details["nocopy"] = value.lower() in _TRUE
    elif kind == "volume" and name == "volume-subpath":
        details["subpath"] = value
    elif kind == "volume" and name == "volume-label":
        key, _, label = value.partition("=")
        details.setdefault("labels", {})[key] = label
    elif kind == "volume" and name == "volume-driver" and value in ("", "local"):
        pass
    elif kind == "tmpfs" and name == "tmpfs-size":
        details["size"] = parse_bytes(value)
    elif kind == "tmpfs" and name == "tmpfs-mode":
        details["mode"] = int(value, 8)
    else:
        raise UsageError(
            f"--mount: unexpected key '{name}' in '{text}'",
            fix="make the volume with `orchestra volume create` first, to give it options",
        )
