"""driver_opts of the local driver: what they ask for, checked. Pure.

`type`, `device` and `o` are those of mount(8), as in Docker. A bind becomes the volume's directory;
every other file system is mounted by the runtime inside each container, so that the host never has
a mount of ours. So, unlike in Docker, two containers do not share one tmpfs volume.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, Unsupported
from orchestra.model.network import VolumeFilesystem
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from orchestra.model.network import VolumeSpec

_KNOWN = frozenset({"type", "device", "o", "size"})
_BIND_FLAGS = frozenset({"bind", "rbind"})


class VolumeSource(NamedTuple):
    """*directory* "" is the driver's own."""

    directory: str = ""
    filesystem: VolumeFilesystem | None = None
    read_only: bool = False


def source_of(spec: VolumeSpec) -> VolumeSource:
    """Where the data of *spec* lies. Raises ConfigError or Unsupported naming the volume."""
    if spec.driver not in {"", "local"}:
        raise Unsupported(
            f'volume "{spec.key or spec.name}": the driver "{spec.driver}" is not available',
            fix="use the local driver; it mounts NFS and others by driver_opts type, device and o",
        )
    options = dict(spec.driver_opts)
    _check(spec, options)
    if not options:
        return VolumeSource()
    flags = [flag for flag in options.get("o", "").split(",") if flag]
    read_only = "ro" in flags
    if _BIND_FLAGS.intersection(flags):
        return VolumeSource(directory=options["device"], read_only=read_only)
    rest = ",".join(flag for flag in flags if flag not in {"ro", "rw"})
    filesystem = VolumeFilesystem(type=options["type"], device=options["device"], options=rest)
    return VolumeSource(filesystem=filesystem, read_only=read_only)


def _check(spec: VolumeSpec, options: dict[str, str]) -> None:
    named = f'volume "{spec.key or spec.name}"'
    unknown = sorted(options.keys() - _KNOWN)
    if unknown:
        raise ConfigError(
            f'{named}: the local driver has no option "{unknown[0]}"',
            fix="it knows type, device and o",
        )
    if options.get("size"):
        raise Unsupported(
            f"{named}: the option size needs a file system with project quotas",
            fix='for a tmpfs write it into o: "o: size=64m"',
        )
    for option in ("type", "device"):
        if options and not options.get(option):
            raise ConfigError(
                f'{named}: driver_opts lack "{option}"',
                fix='for example "type: none", "o: bind", "device: /srv/data"',
            )
    if _BIND_FLAGS.intersection(options.get("o", "").split(",")) and not options[
        "device"
    ].startswith("/"):
        raise ConfigError(
            f'{named}: the device "{options["device"]}" of a bind is not absolute',
            fix="write the path from the root, for example /srv/data",
        )
