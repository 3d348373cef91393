"""RUN --mount: what one step sees besides its file system."""

from __future__ import annotations

import csv
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

import msgspec

from orchestra.config.wording import near_miss, quote
from orchestra.model.container import Frozen
from orchestra.units import parse_bytes

if TYPE_CHECKING:
    from orchestra.build.instructions.base import Expander

_Kind = TypeVar("_Kind", bound=Enum)


class MountType(Enum):
    BIND = "bind"
    CACHE = "cache"
    TMPFS = "tmpfs"
    SECRET = "secret"  # noqa: S105 (a word of the language)
    SSH = "ssh"


class Sharing(Enum):
    SHARED = "shared"
    PRIVATE = "private"
    LOCKED = "locked"


class RunMount(Frozen, frozen=True, kw_only=True):
    """One mount; which fields count depends on its type. Dockerfile reference, "RUN --mount"."""

    type: MountType
    target: str = ""
    source: str = ""
    from_: str = ""
    id: str = ""
    read_only: bool = False
    required: bool = False
    sharing: Sharing = Sharing.SHARED
    size_bytes: int = 0
    env: str | None = None  # SECRET: as a variable; "" has the secret's own name
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


_ALIASES = {
    "src": "source",
    "dst": "target",
    "destination": "target",
    "ro": "readonly",
    "rw": "readwrite",
}
_BARE = ("readonly", "readwrite", "required")
_KEYS = (
    "type", "from", "source", "target", "readonly", "readwrite", "id", "sharing", "required",
    "size", "mode", "uid", "gid", "env",
)  # fmt: skip
_ONLY_FOR = {
    "required": (MountType.SECRET, MountType.SSH),
    "env": (MountType.SECRET,),
    "size": (MountType.TMPFS,),
    "sharing": (MountType.CACHE,),
    "mode": (MountType.SECRET, MountType.SSH, MountType.CACHE),
    "uid": (MountType.SECRET, MountType.SSH, MountType.CACHE),
    "gid": (MountType.SECRET, MountType.SSH, MountType.CACHE),
}


def parse_mount(text: str) -> RunMount:
    """Raises ValueError with a sentence."""
    fields = _fields(text)
    kind = _choice(MountType, "mount type", fields.get("type", "bind"))
    for key in fields:
        if key in _ONLY_FOR and kind not in _ONLY_FOR[key]:
            raise ValueError(f'"{key}" means nothing for a mount of type {kind.value}')
    mount = RunMount(
        type=kind,
        target=fields.get("target", ""),
        source=fields.get("source", ""),
        from_=fields.get("from", ""),
        id=fields.get("id", ""),
        read_only=_read_only(fields, kind),
        required=_flag(fields, "required"),
        sharing=_choice(Sharing, "sharing", fields.get("sharing", "shared")),
        size_bytes=_size(fields),
        env=fields.get("env"),
        mode=_number(fields, "mode", 8),
        uid=_number(fields, "uid", 10),
        gid=_number(fields, "gid", 10),
    )
    _check(mount)
    return mount


def _check(mount: RunMount) -> None:
    if mount.type is MountType.SECRET:
        if mount.from_:
            raise ValueError('a secret has no "from"')
        if not (mount.source or mount.target or mount.id or mount.env):
            raise ValueError('a secret needs an "id" or a "target"')
        if mount.source and mount.id:
            raise ValueError('"source" and "id" of a secret are the same: give one of them')
    elif mount.type is not MountType.SSH and not mount.target:
        raise ValueError(f'a mount of type {mount.type.value} needs a "target"')
    if "$" in mount.from_[:-1]:
        raise ValueError('"from" takes no variables; give a stage that name by FROM … AS')


def _fields(text: str) -> dict[str, str]:
    try:
        (parts,) = csv.reader([text], strict=True)
    except (csv.Error, ValueError) as exc:
        raise ValueError(f"{quote(text)} is not a list of key=value with commas") from exc
    fields: dict[str, str] = {}
    for part in parts:
        written, equals, value = part.partition("=")
        key = _ALIASES.get(written.lower(), written.lower())
        if key not in _KEYS:
            meant = near_miss(written, _KEYS)
            hint = f"; did you mean {quote(meant)}?" if meant else ""
            raise ValueError(f"unknown key {quote(written)}{hint}")
        if not equals and key not in _BARE:
            raise ValueError(f"{quote(written)} needs a value: write {written}=VALUE")
        fields[key] = value if equals else "true"
    return fields


def _flag(fields: dict[str, str], key: str) -> bool:
    value = fields.get(key, "false").lower()
    if value not in {"true", "false", "1", "0", "t", "f"}:
        raise ValueError(f"{key} is true or false, not {quote(value)}")
    return value in {"true", "1", "t"}


def _read_only(fields: dict[str, str], kind: MountType) -> bool:
    """Binds are read-only unless somebody says otherwise; what they write is thrown away."""
    if "readonly" in fields:
        return _flag(fields, "readonly")
    if "readwrite" in fields:
        return not _flag(fields, "readwrite")
    return kind not in {MountType.CACHE, MountType.TMPFS}


def _choice(kinds: type[_Kind], what: str, value: str) -> _Kind:
    try:
        return kinds(value.lower())
    except ValueError:
        names = [str(kind.value) for kind in kinds]
        meant = near_miss(value, names)
        hint = f"; did you mean {quote(meant)}?" if meant else f"; it is one of {', '.join(names)}"
        raise ValueError(f"unknown {what} {quote(value)}{hint}") from None


def _size(fields: dict[str, str]) -> int:
    return parse_bytes(fields["size"]) if "size" in fields else 0


def _number(fields: dict[str, str], key: str, base: int) -> int | None:
    if key not in fields:
        return None
    try:
        number = int(fields[key], base)
    except ValueError:
        number = -1
    if not 0 <= number < 2**32:
        kind = "an octal number" if base == 8 else "a number"
        raise ValueError(f"{key} is {kind}, not {quote(fields[key])}")
    return number


def expand_mount(mount: RunMount, expand: Expander) -> RunMount:
    """Its paths and ids with variables replaced. Raises ValueError."""
    return msgspec.structs.replace(
        mount,
        target=expand(mount.target),
        source=expand(mount.source),
        id=expand(mount.id),
    )
