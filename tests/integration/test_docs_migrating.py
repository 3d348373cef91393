"""The commands that carry a project over from Docker Compose, as docs/migrating.md has them."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests.support.compose import write_compose
from tests.support.docker_engine import DockerEngine
from tests.support.markdown import blocks
from tests.support.oracle import BESIDE_DOCKER_COMPOSE, COMPOSE_PROGRAM, IMAGE
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = BESIDE_DOCKER_COMPOSE

COMPOSE = f"""
name: shop
services:
  db:
    image: {IMAGE}
    init: true
    command: [sleep, "600"]
    volumes: ["data:/var/lib/data"]
volumes: {{data: {{}}}}
"""


def test_a_project_and_its_data_come_over(orchestra: Orchestra) -> None:
    (block,) = (b for b in blocks("docs/migrating.md") if "docker image save" in b.text)
    write_compose(orchestra, COMPOSE)
    with DockerEngine() as engine:
        engine.import_busybox(IMAGE)
        env = {
            **engine.environ,
            **orchestra.env,
            "PATH": f"{os.path.dirname(PROGRAM)}:{os.environ['PATH']}",
        }

        def typed(command: str) -> None:
            line = command.replace("docker compose", COMPOSE_PROGRAM)
            done = subprocess.run(
                ["sh", "-euc", line],
                cwd=orchestra.directory,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"

        typed("docker compose up -d")
        typed("docker compose exec -T db sh -c 'echo kept > /var/lib/data/file'")
        try:
            for command in block.text.splitlines():
                typed(command)
            assert orchestra("exec", "-T", "db", "cat", "/var/lib/data/file").out == "kept\n"
        finally:
            typed("docker compose down -v -t 0")
