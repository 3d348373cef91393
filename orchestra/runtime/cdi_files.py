"""Reads the CDI specifications of this machine: JSON and YAML files in two directories.

Of two files with the same device the one in the later directory counts; within one directory
neither does, as the CDI specification says. A file that cannot be read spoils no other device.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from orchestra.runtime.cdi import CdiDevices, Edits, is_cdi_name

if TYPE_CHECKING:
    from collections.abc import Iterator

DIRECTORIES = ("/etc/cdi", "/var/run/cdi")
_SUFFIXES = (".json", ".yaml", ".yml")
_BIGGEST = 16 << 20


def read_devices(directories: tuple[str, ...] = DIRECTORIES) -> CdiDevices:
    """All devices that the files in *directories* describe, the later ones winning."""
    edits: dict[str, tuple[Edits, ...]] = {}
    notes: list[str] = []
    for directory in directories:
        try:
            names = sorted(os.listdir(directory))
        except OSError as exc:
            notes.append(f"{directory} ({(exc.strerror or str(exc)).lower()})")
            continue
        notes.append(directory)
        here: dict[str, tuple[Edits, ...]] = {}
        for path in (os.path.join(directory, n) for n in names if n.endswith(_SUFFIXES)):
            try:
                found = dict(_devices(path))
            except (OSError, ValueError, TypeError, AttributeError) as exc:
                notes.append(f"{path} is not used: {exc}")
                continue
            twice = here.keys() & found.keys()
            notes += [f"{name} is in two files of {directory}" for name in sorted(twice)]
            both = {**here, **found}
            here = {name: value for name, value in both.items() if name not in twice}
        edits.update(here)
    return CdiDevices(edits, tuple(notes))


def _devices(path: str) -> Iterator[tuple[str, tuple[Edits, ...]]]:
    """Raises OSError, or ValueError, TypeError and AttributeError for what is no CDI spec."""
    document = _parse(path)
    kind = document.get("kind")
    if not document.get("cdiVersion") or not isinstance(kind, str):
        raise ValueError("it has no cdiVersion or no kind")
    shared = Edits(path, dict(document.get("containerEdits") or {}))
    for device in document.get("devices") or ():
        name = f"{kind}={device['name']}" if "name" in device else kind
        if not is_cdi_name(name):
            raise ValueError(f"{name!r} is not a device's name")
        yield name, (shared, Edits(path, dict(device.get("containerEdits") or {})))


def _parse(path: str) -> dict[str, Any]:
    with open(path, "rb") as file:
        content = file.read(_BIGGEST)
    if path.endswith(".json"):
        document = json.loads(content)
    else:
        import yaml

        try:
            document = yaml.load(content, yaml.CSafeLoader)
        except yaml.YAMLError as exc:
            raise ValueError(f"it is no YAML: {exc}") from exc
    if not isinstance(document, dict):
        raise ValueError("it is no mapping")
    return document
