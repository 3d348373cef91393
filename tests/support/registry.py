"""Debian's docker-registry, on loopback: plain HTTP, with a password, or with TLS of our own CA."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = "docker-registry"
USER, PASSWORD = "ada", "correct horse"
_HTPASSWD = "ada:$2b$05$suI6n2xYSjmWrP53/9fYLuACZcTVNdRYHYHwCtSfDPIeXdiJ8ikq2\n"
"""PASSWORD by bcrypt, the only hash that the registry takes."""


class Registry(NamedTuple):
    """A running one; *ca* is the file of the CA to trust, where it speaks TLS."""

    host: str  # "127.0.0.1:40001"
    directory: str
    ca: str = ""

    def requests(self) -> list[str]:
        """What has been asked for, "GET /v2/…", oldest first."""
        lines = []
        with open(os.path.join(self.directory, "log"), encoding="utf-8") as file:
            for line in file:
                if '"http.request.method"' in line and '"response completed' in line:
                    entry = json.loads(line)
                    lines.append(f"{entry['http.request.method']} {entry['http.request.uri']}")
        return lines


@contextmanager
def running_registry(
    directory: str,
    *,
    password: bool = False,
    tls: bool = False,
    known_clients: bool = False,
    beside: int = 0,
) -> Iterator[Registry]:
    """Serve from *directory*, which keeps the images; with *known_clients* only to those.

    They have a certificate of the same CA as the registry, such as its own `tls.crt`. On the
    loopback of this process, or of the process *beside* with another network namespace.
    """
    os.makedirs(directory, exist_ok=True)
    port = _free_port()
    host = f"127.0.0.1:{port}"
    config: dict[str, object] = {
        "version": 0.1,
        "log": {"level": "info", "formatter": "json"},
        "storage": {"filesystem": {"rootdirectory": os.path.join(directory, "storage")}},
        "http": {"addr": host},
    }
    if password:
        path = os.path.join(directory, "htpasswd")
        with open(path, "w", encoding="ascii") as file:
            file.write(_HTPASSWD)
        config["auth"] = {"htpasswd": {"realm": "tests", "path": path}}
    ca = ""
    if tls:
        ca, certificate, key = make_certificates(directory)
        speaking: dict[str, object] = {"certificate": certificate, "key": key}
        if known_clients:
            speaking["clientcas"] = [ca]
        config["http"] = {"addr": host, "tls": speaking}
    config_file = os.path.join(directory, "config.yml")
    with open(config_file, "w", encoding="utf-8") as file:
        json.dump(config, file)  # JSON is YAML
    argv = [
        *(["nsenter", "-n", "-t", str(beside)] if beside else []),
        PROGRAM,
        "serve",
        config_file,
    ]
    log_file = os.path.join(directory, "log")
    with open(log_file, "wb") as log:
        server = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        eventually(lambda: _listens(log_file), within_s=10)
        yield Registry(host, directory, ca)
    finally:
        server.terminate()
        server.wait(10)


def make_certificates(directory: str) -> tuple[str, str, str]:
    """A CA, and a certificate and key for 127.0.0.1 and localhost that it has signed: files."""

    def path(name: str) -> str:
        return os.path.join(directory, name)

    def openssl(*arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments], check=True, capture_output=True, timeout=30, cwd=directory
        )

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(
        "req", "-x509", *new, "-subj", "/CN=test CA", "-days", "2",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        "-keyout", path("ca.key"), "-out", path("ca.crt"),
    )  # fmt: skip
    openssl("req", *new, "-subj", "/CN=registry", "-keyout", path("tls.key"), "-out", path("csr"))
    with open(path("san"), "w", encoding="ascii") as file:
        file.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl(
        "x509", "-req", "-in", path("csr"), "-CA", path("ca.crt"), "-CAkey", path("ca.key"),
        "-CAcreateserial", "-days", "2", "-extfile", path("san"), "-out", path("tls.crt"),
    )  # fmt: skip
    return path("ca.crt"), path("tls.crt"), path("tls.key")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(log_file: str) -> bool:
    with open(log_file, "rb") as file:
        return b"listening on" in file.read()
