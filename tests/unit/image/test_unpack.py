"""Layers unpacked into a directory, benevolent and hostile ones."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestra.errors import RegistryError
from orchestra.image.bytestream import ByteStream
from orchestra.image.unpack import clean_path, unpack
from orchestra.image.whiteouts import OPAQUE, Deletions
from tests.unit.image.layer_tar import directory, entry, hard_link, layer, symlink

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty layer; beside it lies a file that nobody must touch."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_bytes(b"untouched")
    made = tmp_path / "layer"
    made.mkdir()
    return made


def unpack_into(root: Path, *members: tarfile.TarInfo | tuple[tarfile.TarInfo | str, bytes]) -> int:
    return unpack(ByteStream(iter([layer(*members)])), str(root))


def is_whiteout(path: Path) -> bool:
    status = path.lstat()
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def test_files_links_modes_and_times(root: Path) -> None:
    old_umask = os.umask(0o077)
    try:
        size = unpack_into(
            root,
            directory("bin", mode=0o1777, mtime=1000),
            (entry("bin/tool", mode=0o4755, mtime=2000), b"#!"),
            hard_link("bin/same", "bin/tool"),
            symlink("bin/link", "/etc/anything"),
            ("made/on/the/way", b"x"),
        )
    finally:
        os.umask(old_umask)

    tool = (root / "bin/tool").stat()
    assert (stat.S_IMODE(tool.st_mode), tool.st_mtime, tool.st_nlink) == (0o4755, 2000, 2)
    assert os.readlink(root / "bin/link") == "/etc/anything"
    assert stat.S_IMODE((root / "bin").stat().st_mode) == 0o1777
    assert (root / "bin").stat().st_mtime == 1000
    assert stat.S_IMODE((root / "made/on/the").stat().st_mode) == 0o755
    assert size == 3


def test_a_later_entry_replaces_an_earlier_one(root: Path) -> None:
    unpack_into(
        root,
        ("a", b"first"),
        ("a", b"second"),
        directory("d"),
        ("d/inside", b""),
        ("d", b"now a file"),
        symlink("s", "d"),
        directory("s"),
        ("s/inside", b"!"),
        directory("kept"),
        ("kept/file", b"1"),
        directory("kept", mode=0o700),
    )

    assert (root / "a").read_bytes() == b"second"
    assert (root / "d").read_bytes() == b"now a file"
    assert not (root / "s").is_symlink()
    assert (root / "s/inside").read_bytes() == b"!"
    assert (root / "kept/file").read_bytes() == b"1"
    assert stat.S_IMODE((root / "kept").stat().st_mode) == 0o700


def test_a_directory_whose_parent_became_a_link_to_itself_is_forgotten(root: Path) -> None:
    unpack_into(root, directory("a/b"), symlink("a", "a"), directory("c/d"), ("c", b""))

    assert os.readlink(root / "a") == "a"
    assert sorted(os.listdir(root)) == ["a", "c"]


def test_an_absolute_link_leads_to_the_layers_own_root(root: Path) -> None:
    unpack_into(root, directory("run"), symlink("var", "/run"), ("var/file", b"x"))

    assert (root / "run/file").read_bytes() == b"x"


def test_absolute_names_lie_in_the_layer(root: Path) -> None:
    unpack_into(root, ("/etc/passwd", b"x"), ("//etc/./group", b"y"))

    assert (root / "etc/passwd").read_bytes() == b"x"
    assert (root / "etc/group").read_bytes() == b"y"


def test_a_whiteout_is_what_overlayfs_takes_for_one(root: Path) -> None:
    unpack_into(root, directory("d"), ("d/.wh.gone", b""), (".wh.top", b""))

    assert is_whiteout(root / "d/gone")
    assert is_whiteout(root / "top")


def test_a_whiteout_hides_lower_layers_and_nothing_of_its_own(root: Path) -> None:
    unpack_into(root, ("a", b"mine"), (".wh.a", b""), (".wh.b", b""), ("b", b"mine too"))

    assert (root / "a").read_bytes() == b"mine"
    assert (root / "b").read_bytes() == b"mine too"


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="trusted attributes need root")
def test_opaque_directories_have_overlayfs_attribute(root: Path) -> None:
    unpack_into(
        root,
        directory("marked"),
        ("marked/.wh..wh..opq", b""),
        (".wh.replaced", b""),
        directory("replaced"),
        directory("later"),
        (".wh.later", b""),
        directory("plain"),
    )

    for name in ("marked", "replaced", "later"):
        assert os.getxattr(root / name, OPAQUE) == b"y", name
    assert OPAQUE not in os.listxattr(root / "plain")
    assert os.listdir(root / "marked") == []


def test_onto_a_copy_of_the_lower_layers_whiteouts_delete(root: Path) -> None:
    unpack_into(root, directory("d"), ("d/a", b""), ("d/b", b""), directory("e"), ("e/a", b""))
    unpack_into(root, directory("gone"), ("gone/deep/a", b""), ("file", b""))
    upper = layer(
        (".wh.gone", b""),
        ("d/.wh.a", b""),
        directory("e"),
        ("e/.wh..wh..opq", b""),
        ("e/new", b"!"),
        (".wh.never-there", b""),
    )

    unpack(ByteStream(iter([upper])), str(root), Deletions())

    found = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    assert found == ["d", "d/b", "e", "e/new", "file"]


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="devices and owners need root")
def test_devices_owners_and_capabilities(root: Path) -> None:
    capability = bytes.fromhex("0100000200040000000000000000000000000000")
    tool = entry("ping", uid=12, gid=34, mode=0o755)
    tool.pax_headers = {
        "SCHILY.xattr.security.capability": capability.decode("latin-1"),
        "SCHILY.xattr.user.note": "x",
        "SCHILY.xattr.trusted.overlay.redirect": "/etc",
    }
    # tarfile encodes as UTF-8: this capability has only ASCII bytes
    unpack_into(
        root,
        (tool, b"elf"),
        entry("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666),
        entry("pipe", type=tarfile.FIFOTYPE, mode=0o600, uid=7),
    )

    assert ((root / "ping").stat().st_uid, (root / "ping").stat().st_gid) == (12, 34)
    assert os.getxattr(root / "ping", "security.capability") == capability
    assert "trusted.overlay.redirect" not in os.listxattr(root / "ping")
    null = (root / "null").stat()
    assert (stat.S_ISCHR(null.st_mode), null.st_rdev) == (True, os.makedev(1, 3))
    assert stat.S_IMODE(null.st_mode) == 0o666
    assert stat.S_ISFIFO((root / "pipe").stat().st_mode)
    assert (root / "pipe").stat().st_uid == 7


HOSTILE = {
    "name above the root": [("../outside/file", b"evil")],
    "name through a directory": [directory("d"), ("d/../../outside/file", b"evil")],
    "hard link to above": [hard_link("x", "../outside/file"), ("x", b"evil")],
    "whiteout of above": [("../outside/.wh.file", b"")],
    "whiteout of dotdot": [directory("d"), ("d/.wh...", b"")],
    "hard link to nothing": [hard_link("x", "missing")],
    "file in a file": [("a", b""), ("a/b", b"")],
    "link to itself": [symlink("a", "a"), ("a/b", b"")],
}


@pytest.mark.parametrize("members", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_layer_is_refused(
    root: Path, members: list[tarfile.TarInfo | tuple[str, bytes]]
) -> None:
    with pytest.raises(RegistryError) as caught:
        unpack_into(root, *members)

    assert caught.value.what
    assert (root.parent / "outside/file").read_bytes() == b"untouched"


CONTAINED = {
    "symlink parent": [symlink("up", "../outside"), ("up/file", b"evil")],
    "absolute symlink parent": [symlink("up", "{outside}"), ("up/file", b"evil")],
    "symlink, then the file itself": [symlink("f", "../outside/file"), ("f", b"evil")],
    "hard link to a symlink": [symlink("s", "../outside/file"), hard_link("h", "s"), ("h", b"x")],
    "hard link through a symlink": [symlink("d", "../outside"), hard_link("h", "d/file")],
    "whiteout through a symlink": [symlink("d", "../outside"), ("d/.wh.file", b"")],
    "opaque through a symlink": [symlink("d", "../outside"), ("d/.wh..wh..opq", b"")],
    "directory through a symlink": [symlink("d", "../outside"), directory("d/new")],
    "a directory that becomes a link": [
        directory("d"), ("d/x", b""), symlink("d", "../outside"), ("d/file", b"evil"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("members", CONTAINED.values(), ids=CONTAINED.keys())
def test_links_lead_nowhere_but_into_the_layer(
    root: Path, members: list[tarfile.TarInfo | tuple[str, bytes]]
) -> None:
    outside = root.parent / "outside"
    for member in members:
        if isinstance(member, tarfile.TarInfo):
            member.linkname = member.linkname.replace("{outside}", str(outside))
    before = sorted(os.listdir(outside))
    try:
        unpack_into(root, *members)
    except RegistryError as exc:
        assert exc.what  # noqa: PT017 (either is right: refused, or kept inside)

    assert (outside / "file").read_bytes() == b"untouched"
    assert (outside / "file").stat().st_nlink == 1
    assert sorted(os.listdir(outside)) == before


_NAMES = st.sampled_from(
    [
        "a",
        "b",
        "a/b",
        "b/a",
        "a/b/c",
        "../x",
        "a/../../x",
        "/a",
        ".wh.a",
        "a/.wh..wh..opq",
        "./",
        "..",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.one_of(
            st.builds(directory, _NAMES),
            st.builds(
                symlink, _NAMES, st.sampled_from(["a", "..", "../outside", "/", "b/a", "/b"])
            ),
            st.builds(hard_link, _NAMES, _NAMES),
            st.tuples(_NAMES, st.binary(max_size=3)),
        ),
        max_size=12,
    )
)
def test_no_archive_leaves_its_root(
    tmp_path: Path, members: list[tarfile.TarInfo | tuple[str, bytes]]
) -> None:
    base = tmp_path / os.urandom(8).hex()
    (base / "outside").mkdir(parents=True)
    (base / "layer").mkdir()
    with contextlib.suppress(RegistryError):
        unpack_into(base / "layer", *members)
    assert sorted(os.listdir(base)) == ["layer", "outside"]
    assert os.listdir(base / "outside") == []


def test_the_same_tree_as_tar_makes(tmp_path: Path, root: Path) -> None:
    source = (
        os.path.dirname(os.path.dirname(os.__file__))
        + "/"
        + os.path.basename(os.path.dirname(os.__file__))
    )
    package = os.path.join(source, "json")
    packed = subprocess.run(
        ["tar", "-c", "-C", source, f"--owner={os.geteuid()}", f"--group={os.getegid()}", "json"],
        capture_output=True, check=True, timeout=30,
    ).stdout  # fmt: skip

    unpack(ByteStream(packed[at : at + 1000] for at in range(0, len(packed), 1000)), str(root))

    compared = subprocess.run(
        ["diff", "-r", package, str(root / "json")], capture_output=True, text=True, check=False
    )
    assert compared.stdout == ""
    assert tmp_path.exists()


@pytest.mark.parametrize(
    ("name", "path"),
    [(b"./", b""), (b"a/./b//c/", b"a/b/c"), (b"/a", b"a"), (b"a/../b", b"b"), (b"", b"")],
)
def test_names_are_taken_relative_to_the_root(name: bytes, path: bytes) -> None:
    assert clean_path(name) == path
