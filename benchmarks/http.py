"""Counts HTTP requests per second: by a published port, and from container to container.

    python -m benchmarks.http [--runs N] [--only WORD] [--json FILE] [--no-docker]

The server is the host's nginx, the client wrk with 32 connections; both sides mount the host's
/usr, so that the same programs run. Needs Debian's packages nginx and wrk.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks import arena
from benchmarks.results import Result
from benchmarks.works import DOWN, UP

if TYPE_CHECKING:
    from benchmarks.arena import Arena
    from benchmarks.peers import Peer

PORT = 18321
_SETTLED_S = 1.0
_WRK = ("/usr/bin/wrk", "-t1", "-c32", "-d3s")
_PUBLISHED = "HTTP by a published port, from 127.0.0.1"
_BETWEEN = "HTTP from container to container"
_TARGETS = {_PUBLISHED: 2.5, _BETWEEN: 1.0}

_NGINX = """\
daemon off; master_process off; pid /tmp/nginx.pid; error_log stderr;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 10000000;
  client_body_temp_path /tmp/a; proxy_temp_path /tmp/b; fastcgi_temp_path /tmp/c;
  uwsgi_temp_path /tmp/d; scgi_temp_path /tmp/e;
  server { listen 8080; location / { return 200 "hello\\n"; } }
}
"""

_PASSWD = "root:x:0:0::/:\nnobody:x:65534:65534::/:\nnogroup:x:65534:65534::/:\n"
"""nginx looks for the user nobody and its group, which an image of busybox alone does not have."""

_COMPOSE = """\
x-common: &common
  image: %(image)s
  volumes:
    - /usr:/usr:ro
    - /lib:/lib:ro
    - /lib64:/lib64:ro
    - ./nginx.conf:/tmp/nginx.conf:ro
    - ./passwd:/etc/passwd:ro
    - ./passwd:/etc/group:ro
services:
  web:
    <<: *common
    command: [/usr/sbin/nginx, -e, stderr, -c, /tmp/nginx.conf]
    ports: ["%(port)d:8080"]
  client:
    <<: *common
    command: [/usr/bin/sleep, "600"]
"""


def measure(where: Arena) -> list[Result]:
    """Requests per second by each way."""
    rates: dict[tuple[str, str], list[float]] = {}
    for peer in where.turns():
        for work, rate in _rates(where, peer).items():
            rates.setdefault((work, peer.name), []).append(rate)
    print("... http", file=sys.stderr)
    medians = {key: statistics.median(found) for key, found in rates.items()}
    return [
        Result(
            work, target, medians[work, "orchestra"], medians.get((work, "docker")), "req/s",
            more=True,
        )
        for work, target in _TARGETS.items()
        if where.only in work
    ]  # fmt: skip


def _rates(where: Arena, peer: Peer) -> dict[str, float]:
    directory = where.directory(peer, "http")
    (directory / "nginx.conf").write_text(_NGINX)
    (directory / "passwd").write_text(_PASSWD)
    (directory / "compose.yaml").write_text(_COMPOSE % {"image": peer.image, "port": PORT})
    try:
        peer.run(directory, UP)
        time.sleep(_SETTLED_S)
        outside = subprocess.run(
            [*peer.inside, *_WRK, f"http://127.0.0.1:{PORT}/"],
            check=True,
            capture_output=True,
        ).stdout
        peer.run(directory, ("exec", "-T", "client", *_WRK, "http://web:8080/"))
        between = peer.output(directory)
    finally:
        peer.run(directory, DOWN)
        shutil.rmtree(directory)
    return {_PUBLISHED: _requests_per_second(outside), _BETWEEN: _requests_per_second(between)}


def _requests_per_second(said: bytes) -> float:
    found = re.search(rb"Requests/sec:\s+([0-9.]+)", said)
    if found is None:
        raise RuntimeError(f"wrk says: {said.decode(errors='replace')}")
    return float(found[1])


if __name__ == "__main__":
    sys.exit(arena.main("benchmarks.http", __doc__, measure))
