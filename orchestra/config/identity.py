"""What makes two items of a list the same one, so that the later replaces the earlier.

Each function returns the identity of an item, in short or long syntax; None is never the same as
another.
"""

from __future__ import annotations

from typing import Any

from orchestra.config.volumes import split_volume


def key(item: Any) -> object:
    """What stands before "="."""
    return item.partition("=")[0] if isinstance(item, str) else str(item)


def port(item: Any) -> object:
    if not isinstance(item, dict):
        return str(item)
    return (
        item.get("host_ip") or "0.0.0.0",  # noqa: S104 (Docker's default, compared only)
        str(item.get("published", "")),
        str(item.get("target", "")),
        item.get("protocol") or "tcp",
    )


def mount(item: Any) -> object:
    """A volume's target."""
    if isinstance(item, dict):
        return item.get("target")
    if not isinstance(item, str):
        return None
    parts = split_volume(item)
    return parts[1] if len(parts) > 1 else parts[0]


def device(item: Any) -> object:
    if isinstance(item, dict):
        return item.get("target")
    parts = str(item).split(":")
    return parts[1] if len(parts) > 1 else parts[0]


def secret(item: Any) -> object:
    return _file(item, "/run/secrets/")


def config(item: Any) -> object:
    return _file(item, "/")


def _file(item: Any, folder: str) -> object:
    if isinstance(item, dict):
        return item.get("target") or f"{folder}{item.get('source')}"
    return f"{folder}{item}"


def env_file(item: Any) -> object:
    return item.get("path") if isinstance(item, dict) else item
