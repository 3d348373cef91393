"""Words of mount options become flags and data."""

from __future__ import annotations

from orchestra.linux import constants as c
from orchestra.model.container import Mount, MountKind
from orchestra.runtime.mount_options import split_options, tmpfs_options
from orchestra.runtime.volume_filesystem import with_address

SAFE = c.MS_NOSUID | c.MS_NODEV | c.MS_NOEXEC


def tmpfs(options: str = "", *, size: int = 0, mode: int | None = None, ro: bool = False) -> Mount:
    return Mount(
        kind=MountKind.TMPFS,
        target="/t",
        options=options,
        size_bytes=size,
        mode=mode,
        read_only=ro,
    )


def test_a_tmpfs_is_safe_unless_asked_otherwise() -> None:
    assert tmpfs_options(tmpfs()) == (SAFE, "", False)
    assert tmpfs_options(tmpfs("exec,dev")) == (c.MS_NOSUID, "", False)


def test_size_mode_and_the_rest_reach_the_kernel() -> None:
    flags, data, has_mode = tmpfs_options(tmpfs("uid=1000, gid=5", size=4096, mode=0o1770))
    assert (flags, data, has_mode) == (SAFE, "size=4096,mode=1770,uid=1000,gid=5", True)


def test_a_mode_among_the_options_counts() -> None:
    assert tmpfs_options(tmpfs("mode=700"))[2]


def test_read_only_may_be_said_in_both_ways() -> None:
    assert tmpfs_options(tmpfs(ro=True))[0] & c.MS_RDONLY
    assert tmpfs_options(tmpfs("ro"))[0] & c.MS_RDONLY


def test_words_that_are_not_the_kernels_are_left_out() -> None:
    assert split_options("defaults,rw,vers=4,rprivate") == (0, "vers=4")


def test_an_address_stays_and_a_name_is_resolved() -> None:
    assert with_address("addr=192.0.2.1,rw") == "addr=192.0.2.1,rw"
    assert with_address("vers=4,addr=localhost").split("addr=")[1] in ("127.0.0.1", "::1")
