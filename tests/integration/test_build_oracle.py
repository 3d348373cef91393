"""The same context through a Docker Engine and through orchestra: equal trees, equal settings.

Docker's classic builder is what the machine has. Left out of the comparison: times, the file type
that it repeats in the mode of tar headers, and set-user-id bits, which its client drops (BuildKit
keeps them, and so do we); with BuildKit, what it leaves of mount points.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.support.docker_engine import DockerEngine, find_compose, why_no_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.scenario import Orchestra

_REASON = why_no_engine() or (None if shutil.which("busybox") else "needs busybox-static")
pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.skipif(bool(_REASON), reason=_REASON or ""),
]

BASE = "oracle:busybox"
COMPOSE = find_compose()
DOCKERFILE = """\
FROM oracle:busybox AS first
RUN echo made > /made && chmod 640 /made && chown 5:6 /made
FROM oracle:busybox
ARG WHO=world
ENV A=1 B="two words" C=$WHO
WORKDIR /srv/app
COPY src .
COPY src /dir/
COPY src/a src/sub/b /files/
COPY --chown=3:4 src/a /one
COPY src/*.txt /texts/
COPY src/sub /link-to-be/sub
COPY --from=first /made /made
ADD archive.tar.gz /archive/
RUN echo hi > made && rm sub/b && mkdir -p deep/er && chmod 711 deep && ln -s made lnk
RUN rm -rf /dir/sub && mkdir /dir/sub && touch /dir/sub/new
EXPOSE 80 53/udp 7000-7001
VOLUME /data /logs
USER 1000:1000
LABEL x=y "with space"="a b"
SHELL ["/bin/sh", "-ec"]
HEALTHCHECK --interval=5s --retries=2 CMD true
STOPSIGNAL SIGINT
ENTRYPOINT exec top
ENTRYPOINT ["/bin/sh"]
CMD ["-c", "id $A"]
ONBUILD RUN true
"""
SETTINGS = (
    "Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "OnBuild", "Shell",
    "StopSignal", "User", "Volumes", "WorkingDir",
)  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerEngine]:
    with DockerEngine() as running:
        running.import_busybox(BASE)
        yield running


def make_context(directory: str) -> None:
    os.makedirs(f"{directory}/src/sub")
    for name, mode in {"a": 0o755, "sub/b": 0o600, "c.txt": 0o644, "d.txt": 0o444}.items():
        with open(f"{directory}/src/{name}", "w", encoding="utf-8") as file:
            file.write(name)
        os.chmod(f"{directory}/src/{name}", mode)
    os.symlink("a", f"{directory}/src/link")
    os.symlink("/nowhere", f"{directory}/src/dangling")
    with tarfile.open(f"{directory}/archive.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("in/file")
        entry.size, entry.mode, entry.uid, entry.gid = 3, 0o604, 11, 12
        archive.addfile(entry, io.BytesIO(b"abc"))
    with open(f"{directory}/Dockerfile", "w", encoding="utf-8") as file:
        file.write(DOCKERFILE)


def tree_of(archive: str, *, mode_bits: int = 0o1777) -> dict[str, tuple[object, ...]]:
    """The files of the image that `docker save` wrote, its layers laid over each other."""
    tree: dict[str, tuple[object, ...]] = {}
    with tarfile.open(archive) as whole:
        manifest = json.loads(_content(whole, "manifest.json"))
        for layer in manifest[0]["Layers"]:
            with tarfile.open(fileobj=io.BytesIO(_content(whole, layer))) as files:
                _lay_over(tree, files, mode_bits)
    return tree


def _content(archive: tarfile.TarFile, name: str | tarfile.TarInfo) -> bytes:
    file = archive.extractfile(name)
    assert file is not None
    return file.read()


def _lay_over(tree: dict[str, tuple[object, ...]], files: tarfile.TarFile, mode_bits: int) -> None:
    below = set(tree)
    for entry in files:
        directory, _, name = entry.name.strip("/").rpartition("/")
        if name == ".wh..wh..opq":
            gone = {path for path in below if path.startswith(f"{directory}/")}
        elif name.startswith(".wh."):
            hidden = f"{directory}/{name[4:]}".strip("/")
            gone = {path for path in tree if path == hidden or path.startswith(f"{hidden}/")}
        else:
            content = _content(files, entry) if entry.isreg() else entry.linkname
            mode = 0 if entry.issym() else entry.mode & mode_bits
            path = f"{directory}/{name}".strip("/")
            xattrs = {k: v for k, v in entry.pax_headers.items() if k.startswith("SCHILY.xattr.")}
            tree[path] = (entry.type, mode, entry.uid, entry.gid, content, xattrs)
            continue
        for path in gone:
            tree.pop(path, None)


def test_both_make_the_same_image(
    engine: DockerEngine, orchestra: Orchestra, tmp_path: Path
) -> None:
    context = str(tmp_path / "context")
    make_context(context)
    base, theirs, ours = (str(tmp_path / name) for name in ("base", "theirs", "ours"))
    engine.run(["docker", "save", BASE, "-o", base])
    engine.run(["docker", "build", "-q", "--network", "none", "-t", "same:1", context])
    engine.run(["docker", "save", "same:1", "-o", theirs])
    orchestra("image", "load", "-q", "-i", base)
    orchestra("image", "build", "-q", "-t", "same:1", context)
    orchestra("image", "save", "same:1", "-o", ours)
    assert tree_of(ours) == tree_of(theirs)
    expected = json.loads(engine.run(["docker", "inspect", "same:1"]))[0]["Config"]
    found = json.loads(orchestra("image", "inspect", "same:1").out)[0]["Config"]
    for name in SETTINGS:
        assert (found.get(name) or None) == (expected.get(name) or None), name


MOUNT_POINTS = ("dev", "proc", "sys", "etc/hosts", "etc/resolv.conf", "m", "t")
"""What BuildKit leaves of the mounts of a RUN; we remove that."""
BUILDKIT = """\
FROM oracle:busybox AS first
RUN echo made > /made && chmod 640 /made && chown 5:6 /made && ln /made /hard
FROM oracle:busybox
ARG WHO=world
ENV A=1 B="two ${WHO:+words}" C=${NONE:-default}
WORKDIR /srv/app
COPY src .
COPY --chmod=4711 src/a /set-uid
COPY --chown=3:4 src/a src/c.txt /owned/
COPY --from=first /made /hard /from/
COPY --from=first / /all/
ADD archive.tar.gz /archive/
RUN --mount=type=bind,source=src,target=/m cp /m/a /bound && rm -rf sub && mkdir sub
RUN --mount=type=tmpfs,target=/t touch /t/gone && echo $WHO > /who
USER 7
LABEL x="$B"
ENTRYPOINT ["/bin/sh"]
"""


def test_buildkit_makes_the_same_image(
    engine: DockerEngine, orchestra: Orchestra, tmp_path: Path
) -> None:
    """The engine's BuildKit, to which Docker Compose speaks: set-user-id bits and xattrs, too."""
    if COMPOSE is None:
        pytest.skip("needs Docker Compose, which speaks to the engine's BuildKit")
    context = str(tmp_path / "context")
    make_context(context)
    with open(f"{context}/Dockerfile", "w", encoding="utf-8") as file:
        file.write(BUILDKIT)
    os.chmod(f"{context}/src/a", 0o4755)
    with open(f"{context}/compose.yaml", "w", encoding="utf-8") as file:
        file.write("services: {same: {image: 'same:2', build: {context: ., network: none}}}\n")
    base, theirs, ours = (str(tmp_path / name) for name in ("base", "theirs", "ours"))
    engine.run(["docker", "save", BASE, "-o", base])
    engine.run([COMPOSE, "-f", f"{context}/compose.yaml", "build"])
    engine.run(["docker", "save", "same:2", "-o", theirs])
    orchestra("image", "load", "-q", "-i", base)
    orchestra("image", "build", "-q", "-t", "same:2", "--network", "none", context)
    orchestra("image", "save", "same:2", "-o", ours)
    ours_tree, theirs_tree = tree_of(ours, mode_bits=0o7777), tree_of(theirs, mode_bits=0o7777)
    for stub in MOUNT_POINTS:
        theirs_tree.pop(stub, None)
        theirs_tree.pop(f"all/{stub}", None)
    both = {path: (ours_tree.get(path), theirs_tree.get(path)) for path in ours_tree | theirs_tree}
    assert {path: pair for path, pair in both.items() if pair[0] != pair[1]} == {}
    expected = json.loads(engine.run(["docker", "inspect", "same:2"]))[0]["Config"]
    found = json.loads(orchestra("image", "inspect", "same:2").out)[0]["Config"]
    for name in SETTINGS:
        theirs_has, ours_has = expected.get(name) or None, found.get(name) or None
        if name == "Labels":  # Compose adds its own
            theirs_has = {
                k: v for k, v in (theirs_has or {}).items() if not k.startswith("com.docker.")
            }
        assert ours_has == theirs_has, name
