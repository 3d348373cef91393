"""Platforms: what an image was built for, what this machine runs, which of several to take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import ConfigError
from orchestra.model.container import Frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

_MACHINES = {
    "x86_64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armv8l": ("arm", "v7"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "i686": ("386", ""),
    "i386": ("386", ""),
    "loongarch64": ("loong64", ""),
}
"""uname(2) machine -> GOARCH and variant; what is missing here is called the same in both."""

_ALIASES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm", "i386": "386"}
_IMPLIED_VARIANTS = {"arm64": "v8", "arm": "v7", "amd64": "v1"}
_RUNNABLE = {
    ("arm64", "v8"): (("arm", "v8"), ("arm", "v7"), ("arm", "v6"), ("arm", "v5")),
    ("arm", "v8"): (("arm", "v7"), ("arm", "v6"), ("arm", "v5")),
    ("arm", "v7"): (("arm", "v6"), ("arm", "v5")),
    ("arm", "v6"): (("arm", "v5"),),
    ("amd64", "v4"): (("amd64", "v3"), ("amd64", "v2"), ("amd64", "v1"), ("386", "")),
    ("amd64", "v3"): (("amd64", "v2"), ("amd64", "v1"), ("386", "")),
    ("amd64", "v2"): (("amd64", "v1"), ("386", "")),
    ("amd64", "v1"): (("386", ""),),
}
"""What else a processor runs, best first."""


class Platform(Frozen, frozen=True, kw_only=True):
    """OCI image-spec image-index.md: architectures and systems as Go names them."""

    architecture: str
    os: str
    variant: str = ""

    def __str__(self) -> str:
        variant = f"/{self.variant}" if self.variant else ""
        return f"{self.os}/{self.architecture}{variant}"


def machine_platform(machine: str) -> Platform:
    """The platform of a Linux whose uname(2) says *machine*."""
    architecture, variant = _MACHINES.get(machine, (machine, ""))
    return Platform(os="linux", architecture=architecture, variant=variant)


def parse_platform(text: str) -> Platform:
    """*text* is "linux/arm64/v8", "linux/amd64" or "arm64". Raises ConfigError."""
    parts = text.lower().split("/")
    if len(parts) == 1:
        parts.insert(0, "linux")
    if len(parts) > 3 or not all(parts):
        raise ConfigError(
            f'"{text}" is not a platform', fix="write OS/ARCHITECTURE, for example linux/arm64"
        )
    architecture = _ALIASES.get(parts[1], parts[1])
    return Platform(os=parts[0], architecture=architecture, variant="".join(parts[2:]))


def best_match(wanted: Platform, offered: Sequence[Platform | None]) -> int | None:
    """The index of what suits *wanted* best in *offered*; None when nothing does.

    The same architecture and variant come first, then what such a processor runs besides. An
    entry without a platform is taken if it is the only one.
    """
    if len(offered) == 1 and offered[0] is None:
        return 0
    key = _key(wanted)
    for candidate in (key, *_RUNNABLE.get(key, ())):
        for position, platform in enumerate(offered):
            if platform is not None and (platform.os, _key(platform)) == (wanted.os, candidate):
                return position
    return None


def _key(platform: Platform) -> tuple[str, str]:
    architecture = platform.architecture
    return architecture, platform.variant or _IMPLIED_VARIANTS.get(architecture, "")
