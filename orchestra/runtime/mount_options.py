"""Mount options, from the words of fstab(5) to mount(2)'s flags and data. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestra.linux import constants as c

if TYPE_CHECKING:
    from orchestra.model.container import Mount

_DEFAULT = c.MS_NOSUID | c.MS_NODEV | c.MS_NOEXEC
_FLAGS: Final = {
    "ro": (c.MS_RDONLY, True),
    "rw": (c.MS_RDONLY, False),
    "suid": (c.MS_NOSUID, False),
    "nosuid": (c.MS_NOSUID, True),
    "dev": (c.MS_NODEV, False),
    "nodev": (c.MS_NODEV, True),
    "exec": (c.MS_NOEXEC, False),
    "noexec": (c.MS_NOEXEC, True),
    "sync": (c.MS_SYNCHRONOUS, True),
    "async": (c.MS_SYNCHRONOUS, False),
    "dirsync": (c.MS_DIRSYNC, True),
    "atime": (c.MS_NOATIME, False),
    "noatime": (c.MS_NOATIME, True),
    "diratime": (c.MS_NODIRATIME, False),
    "nodiratime": (c.MS_NODIRATIME, True),
    "relatime": (c.MS_RELATIME, True),
    "norelatime": (c.MS_RELATIME, False),
    "strictatime": (c.MS_STRICTATIME, True),
    "nostrictatime": (c.MS_STRICTATIME, False),
}
_NOT_FOR_THE_KERNEL: Final = frozenset(
    {"defaults", "tmpcopyup", "private", "rprivate", "slave", "rslave", "shared", "rshared"}
)


def tmpfs_options(mount: Mount) -> tuple[int, str, bool]:
    """(flags, data, whether data has a mode). nosuid, nodev and noexec unless asked otherwise."""
    words = [f"size={mount.size_bytes}"] if mount.size_bytes else []
    words += [f"mode={mount.mode:o}"] if mount.mode is not None else []
    flags = _DEFAULT | (c.MS_RDONLY if mount.read_only else 0)
    flags, data = split_options(",".join((*words, mount.options)), flags)
    return flags, data, any(word.startswith("mode=") for word in data.split(","))


def split_options(options: str, flags: int = 0) -> tuple[int, str]:
    """(flags, data) for *options* separated by commas, starting from *flags*."""
    data: list[str] = []
    for option in (word.strip() for word in options.split(",")):
        if option in _FLAGS:
            bit, on = _FLAGS[option]
            flags = flags | bit if on else flags & ~bit
        elif option and option not in _NOT_FOR_THE_KERNEL:
            data.append(option)
    return flags, ",".join(data)
