"""Images exchanged with a Docker Engine through a registry, both ways."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.docker_engine import DockerEngine, why_no_engine
from tests.support.probe import missing_for
from tests.support.registry import PROGRAM, running_registry

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

BUSYBOX = "/bin/busybox"

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(bool(missing_for("network")), reason="needs network namespaces"),
    pytest.mark.skipif(why_no_engine() is not None, reason=str(why_no_engine())),
    pytest.mark.skipif(
        not (shutil.which(PROGRAM) and os.path.exists(BUSYBOX)),
        reason="needs docker-registry and busybox-static",
    ),
]

DOCKERFILE = """
FROM scratch
COPY busybox /bin/busybox
ENV PATH=/bin
CMD ["busybox", "echo", "built here"]
"""


def docker(engine: DockerEngine, *arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments],
        env=engine.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_image_goes_to_docker_and_back_with_its_id(orchestra: Orchestra) -> None:
    shutil.copy(BUSYBOX, os.path.join(orchestra.directory, "busybox"))
    Path(orchestra.directory, "Dockerfile").write_text(DOCKERFILE)
    with DockerEngine() as engine:
        pid = int(Path(engine.root, "pid").read_text())
        beside = ("nsenter", "-n", "-t", str(pid))
        directory = os.path.join(orchestra.directory, "registry")
        with running_registry(directory, beside=pid) as registry:
            ours, theirs = f"{registry.host}/ours:1", f"{registry.host}/theirs:1"
            orchestra("image", "build", "-t", ours, ".")
            orchestra.through(beside, "image", "push", ours, code=0)
            assert docker(engine, "run", "--rm", ours) == "built here\n"
            docker(engine, "tag", ours, theirs)
            docker(engine, "push", theirs)
            orchestra.through(beside, "image", "pull", theirs, code=0)
            ids = [
                orchestra("image", "inspect", "-f", "{{.Id}}", name).out.strip()
                for name in (ours, theirs)
            ]
            ids.append(docker(engine, "image", "inspect", "-f", "{{.Id}}", theirs).strip())
            assert len(set(ids)) == 1
