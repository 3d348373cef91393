"""samples/visits builds and runs, on base images that are made of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.request
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.integration.conftest import SAMPLES
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

PYTHON_LIKE = """\
FROM host
RUN ln -s /usr/bin/python3 /usr/local/bin/python
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels PIP_BREAK_SYSTEM_PACKAGES=1
ENV PIP_CONFIG_FILE=/dev/null PIP_NO_DEPS=1
COPY --chmod=755 <<"EOF" /usr/local/bin/pip
#!/bin/sh
exec python -m pip "$@"
EOF
COPY *.whl /wheels/
"""
CLIENT = """\
import socket

class Redis:
    def __init__(self, host):
        self.host = host

    def incr(self, key):
        with socket.create_connection((self.host, 6379), timeout=10) as server:
            server.sendall(f"INCR {key}\\r\\n".encode())
            return int(server.recv(64).decode().lstrip(":"))
"""
REDIS_LIKE = """\
FROM host
VOLUME /data
WORKDIR /data
EXPOSE 6379
CMD ["redis-server", "--protected-mode", "no", "--save", ""]
"""


def make_wheel(path: str) -> None:
    """A package "redis" with as much of a client as the sample uses; nothing is downloaded."""
    info = "redis-5.0.0.dist-info"
    files = {
        "redis.py": CLIENT,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: redis\nVersion: 5.0.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)


def make_base(orchestra: Orchestra, tag: str, dockerfile: str, context: str) -> None:
    with open(os.path.join(context, "Dockerfile"), "w", encoding="utf-8") as file:
        file.write(dockerfile)
    orchestra("image", "build", "-q", "-t", tag, context)


@pytest.fixture
def visits(orchestra: Orchestra) -> Orchestra:
    """The sample, with images under the names that its files have."""
    if not os.path.exists("/usr/bin/redis-server"):
        pytest.skip("there is no redis-server on this machine")
    pip = subprocess.run(
        ["/usr/bin/python3", "-m", "pip", "--version"], capture_output=True, check=False
    )
    if pip.returncode:
        pytest.skip("the machine's own Python has no pip")
    context = os.path.join(orchestra.directory, "base")
    os.mkdir(context)
    make_wheel(os.path.join(context, "redis-5.0.0-py3-none-any.whl"))
    make_base(orchestra, "python:3.12-alpine", PYTHON_LIKE, context)
    make_base(orchestra, "redis:7-alpine", REDIS_LIKE, context)
    directory = os.path.join(orchestra.directory, "visits")
    shutil.copytree(os.path.join(SAMPLES, "visits"), directory)
    return orchestra.at(directory)


def test_the_sample_builds_and_counts_visits(visits: Orchestra) -> None:
    up = visits("up", "-d")
    assert " Image visits-web  Built" in up.err
    pages = []

    def answers() -> bool:
        try:
            with urllib.request.urlopen("http://127.0.0.1:8000/", timeout=5) as page:
                pages.append(page.read().decode())
        except OSError:
            return False
        return True

    eventually(answers, within_s=15)
    assert pages == ["visit number 1\n"]
    assert "Built" not in visits("up", "-d").err
