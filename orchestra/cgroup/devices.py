"""Which devices a container may use: Docker's default list plus what was asked for.

A device cgroup starts closed here and these rules open it. The rules are data; v1 writes them to
`devices.allow`, v2 compiles them (`linux.bpf`).
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, NotFound
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestra.model.container import Device

ANY = -1


class DeviceRule(NamedTuple):
    """Allows *access* (of "rwm") to devices of *kind* "c", "b" or "a"; ANY number matches all."""

    kind: str
    major: int
    minor: int
    access: str

    def __str__(self) -> str:
        major, minor = ("*" if number == ANY else str(number) for number in self[1:3])
        return f"{self.kind} {major}:{minor} {self.access}"


DEFAULT_RULES = (
    DeviceRule("c", ANY, ANY, "m"),  # a node may be made, not opened
    DeviceRule("b", ANY, ANY, "m"),
    DeviceRule("c", 1, 3, "rwm"),  # null
    DeviceRule("c", 1, 5, "rwm"),  # zero
    DeviceRule("c", 1, 7, "rwm"),  # full
    DeviceRule("c", 1, 8, "rwm"),  # random
    DeviceRule("c", 1, 9, "rwm"),  # urandom
    DeviceRule("c", 5, 0, "rwm"),  # tty
    DeviceRule("c", 5, 1, "rwm"),  # console
    DeviceRule("c", 5, 2, "rwm"),  # ptmx
    DeviceRule("c", 136, ANY, "rwm"),  # pts
    DeviceRule("c", 10, 200, "rwm"),  # net/tun, of use only with NET_ADMIN
)

_RULE = re.compile(r"([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})")


def parse_rule(text: str) -> DeviceRule:
    """A `device_cgroup_rules` entry, "c 1:3 mr". Raises ConfigError."""
    match = _RULE.fullmatch(text.strip())
    if match is None:
        raise ConfigError(
            f'device_cgroup_rules: "{text}" is not a device rule',
            fix='write a type (a, b or c), numbers and access, for example "c 1:3 mr"',
        )
    kind, major, minor, access = match.groups()
    return DeviceRule(kind, _number(major), _number(minor), access)


def _number(text: str) -> int:
    return ANY if text == "*" else int(text)


def allowed_rules(devices: Iterable[Device], extra: Iterable[str]) -> tuple[DeviceRule, ...]:
    """The defaults, then *devices* and the `device_cgroup_rules` *extra*.

    Raises NotFound for a device that is missing, ConfigError for a file that is none.
    """
    asked = [rule for device in devices for rule in _rules_of(device)]
    return (*DEFAULT_RULES, *asked, *(parse_rule(text) for text in extra))


def _rules_of(device: Device) -> Iterator[DeviceRule]:
    """A directory stands for the devices below it, as in Docker (/dev/snd, /dev/dri)."""
    if os.path.isdir(device.source):
        for directory, _, names in os.walk(device.source):
            for name in names:
                status = os.stat(os.path.join(directory, name))
                if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
                    yield _rule(status, device.permissions)
    else:
        yield _rule(_status(device.source), device.permissions)


def _rule(status: os.stat_result, access: str) -> DeviceRule:
    kind = "b" if stat.S_ISBLK(status.st_mode) else "c"
    return DeviceRule(kind, os.major(status.st_rdev), os.minor(status.st_rdev), access)


def device_number(path: str) -> tuple[int, int]:
    """Major and minor of the device *path*. Raises NotFound, or ConfigError for no device."""
    status = _status(path)
    return os.major(status.st_rdev), os.minor(status.st_rdev)


def _status(path: str) -> os.stat_result:
    try:
        status = os.stat(path)
    except FileNotFoundError as exc:
        raise NotFound(
            f'device "{path}" does not exist on this host', fix="correct the path, or remove it"
        ) from exc
    if not stat.S_ISCHR(status.st_mode) and not stat.S_ISBLK(status.st_mode):
        raise ConfigError(
            f'"{path}" is not a device', fix="name a character or block device below /dev"
        )
    return status
