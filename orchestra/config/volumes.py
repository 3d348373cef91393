"""The short syntax of a volume: [SOURCE:]TARGET[:OPTIONS]."""

from __future__ import annotations

import posixpath
from typing import Any

from orchestra.config.problems import Fault

_PROPAGATIONS = frozenset({"rprivate", "private", "rshared", "shared", "rslave", "slave"})


def split_volume(text: str) -> list[str]:
    """The parts between colons; those of ${…} and of a drive letter do not count."""
    parts: list[str] = []
    start = depth = 0
    for index, char in enumerate(text):
        if char == "{" and index and text[index - 1] == "$":
            depth += 1
        elif char == "}" and depth:
            depth -= 1
        elif char == ":" and not depth:
            if index - start == 1 and text[start].isalpha() and _is_drive(text[index + 1 :]):
                continue
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return parts


def _is_drive(rest: str) -> bool:
    r"""Is a letter and a colon before *rest* a drive? "C:\x", "C:/x:/app", but not "v:/app"."""
    return rest.startswith("\\") or (rest.startswith("/") and ":/" in rest)


def is_path(source: str) -> bool:
    """Does *source* name a place on the host, and no volume?"""
    if source[:1] in {".", "/", "~"} or source.startswith("\\\\"):
        return True
    return len(source) > 1 and source[0].isalpha() and source[1] == ":"


def long_volume(text: str) -> dict[str, Any]:
    """The long syntax of *text*. Raises Fault."""
    if not text:
        raise Fault("a volume must not be empty", 'write "SOURCE:TARGET"')
    parts = split_volume(text)
    if len(parts) > 3:
        raise Fault(f'"{text}" has too many colons', 'write "SOURCE:TARGET[:ro]"')
    if "" in parts:
        raise Fault(f'"{text}" has an empty part between colons', 'write "SOURCE:TARGET[:ro]"')
    if len(parts) == 1:
        return {"type": "volume", "target": posixpath.normpath(text), "volume": {}}
    bind = is_path(parts[0])
    volume: dict[str, Any] = {
        "type": "bind" if bind else "volume",
        "source": parts[0],
        "target": posixpath.normpath(parts[1]),
    }
    details: dict[str, Any] = {"create_host_path": True} if bind else {}
    for option in parts[2].split(",") if len(parts) == 3 else ():
        _apply_option(volume, details, option, bind=bind)
    volume["bind" if bind else "volume"] = details
    return volume


def _apply_option(
    volume: dict[str, Any], details: dict[str, Any], option: str, *, bind: bool
) -> None:
    """One of ro, rw, nocopy, z, Z or a propagation; others have no meaning and are ignored."""
    if option == "ro":
        volume["read_only"] = True
    elif option == "rw":
        volume.pop("read_only", None)
    elif option == "nocopy" and not bind:
        details["nocopy"] = True
    elif option in _PROPAGATIONS and bind:
        details["propagation"] = option
    elif option in {"z", "Z"} and bind:
        details["selinux"] = option
