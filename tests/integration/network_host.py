"""A network driver with real containers' worth of network namespaces, for test_network_*.py.

Each container is a process in a network namespace that the driver's own setup has configured; its
mount and pid namespaces are the test's. The event loop runs while a client command is awaited.
"""

from __future__ import annotations

import array
import os
import socket
import subprocess
import sys
import time
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from orchestra.layout import Layout
from orchestra.linux.constants import CLONE_NEWNET
from orchestra.linux.namespaces import unshare
from orchestra.model.container import (
    ContainerId,
    ContainerSpec,
    Endpoint,
    ImageId,
    Process,
    PublishedPort,
)
from orchestra.model.network import NetworkSpec, NetworkState
from orchestra.network.bridge import BridgeDriver
from orchestra.supervisor.loop import Loop

if TYPE_CHECKING:
    from orchestra.network.base import Allocation

ECHO = """
import socket, sys
kind, host, port, name = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4].encode()
family = socket.AF_INET6 if ":" in host else socket.AF_INET
if kind == "udp":
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind((host, port))
    while True:
        data, peer = s.recvfrom(2000)
        s.sendto(name + b" " + peer[0].encode() + b" " + data, peer)
s = socket.create_server((host, port), family=family, dualstack_ipv6=":" in host)
while True:
    c, peer = s.accept()
    with c:
        data = c.recv(65536)
        c.sendall(name + b" " + peer[0].encode() + b" " + data)
"""
"""A server that says its name and who asks, before what was sent."""

ASK = """
import socket, sys
kind = socket.SOCK_DGRAM if sys.argv[1] == "udp" else socket.SOCK_STREAM
family = socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET
s = socket.socket(family, kind)
s.settimeout(float(sys.argv[4]))
s.connect((sys.argv[2], int(sys.argv[3])))
s.send(b"hello")
print(s.recv(65536).decode())
"""

LOOKUP = """
import socket, struct, sys
name, kind = sys.argv[1], int(sys.argv[2])
labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split("."))
query = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + b"\\0" + struct.pack(">HH", kind, 1)
if sys.argv[3] == "tcp":
    s = socket.create_connection(("127.0.0.11", 53), timeout=4)
    s.send(struct.pack(">H", len(query)) + query)
    r = s.recv(65536)[2:]
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(4)
    s.connect(("127.0.0.11", 53))
    s.send(query)
    r = s.recv(65536)
found = [".".join(str(b) for b in r[i + 12:i + 16]) for i in range(len(query), len(r) - 15, 16)]
print(r[3] & 15, *sorted(found))
"""


class Running(NamedTuple):
    spec: ContainerSpec
    allocation: Allocation
    pid: int

    @property
    def address(self) -> str:
        return self.allocation.endpoints[0].address


class NetworkHost:
    """The driver, its loop, and the processes that were started."""

    def __init__(self, directory: str) -> None:
        self.layout = Layout(os.path.join(directory, "data"), os.path.join(directory, "run"))
        self.loop = Loop()
        self.driver = BridgeDriver(self.layout, self.loop)
        self.running: dict[str, Running] = {}
        self._networks: list[str] = []
        self._stopped: set[str] = set()

    def network(self, name: str, **fields: object) -> NetworkState:
        self._networks.append(name)
        spec = NetworkSpec(name=name, project="p", key=name, **fields)  # type: ignore[arg-type]
        return self.driver.create_network(spec)

    def spec(
        self, service: str, *networks: str, number: int = 1, ports: tuple[PublishedPort, ...] = ()
    ) -> ContainerSpec:
        name = f"p-{service}-{number}"
        return ContainerSpec(
            id=ContainerId(sha256(name.encode()).hexdigest()),
            name=name,
            project="p",
            service=service,
            number=number,
            image="host",
            image_id=ImageId("host"),
            process=Process(argv=("true",)),
            endpoints=tuple(Endpoint(network=network) for network in networks),
            ports=ports,
        )

    def start(self, spec: ContainerSpec, *server: str) -> Running:
        """Run the echo server in a container: kind, address, port. Without: only sleep."""
        allocation = self.driver.allocate(spec)
        setup = self.driver.setup(spec, allocation)
        assert setup is not None
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            try:
                setup.open_host()
                unshare(CLONE_NEWNET)
                fds = array.array("i", setup.configure())
                theirs.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
                program = ["-c", ECHO, *server, spec.name] if server else ["-c", _SLEEP]
                os.execv(sys.executable, [sys.executable, "-SIE", *program])
            finally:
                os._exit(1)
        theirs.close()
        with ours:
            ours.settimeout(10)
            message, received, _flags, _address = socket.recv_fds(ours, 1, 4)
        assert message == b"x", "the container's network could not be set up"
        self.driver.connected(spec, allocation, pid, tuple(received))
        found = self.running[spec.id] = Running(spec, allocation, pid)
        if server:
            self._await_server(found, server[0], server[2])
        return found

    def stop(self, container: Running) -> None:
        os.kill(container.pid, 9)
        os.waitpid(container.pid, 0)
        del self.running[container.spec.id]
        self._stopped.add(container.spec.id)
        self.driver.disconnected(container.spec.id)

    def remove(self, container: Running) -> None:
        if container.spec.id in self.running:
            self.stop(container)
        self._stopped.discard(container.spec.id)
        self.driver.release(container.spec.id)

    def close(self) -> None:
        for container in tuple(self.running.values()):
            self.remove(container)
        for container_id in self._stopped:
            self.driver.release(container_id)
        for name in self._networks:
            self.driver.remove_network(name)
        self.driver.close()
        self.loop.close()

    def run(self, *argv: str, inside: Running | None = None) -> subprocess.CompletedProcess[str]:
        """The finished command; the event loop turns meanwhile."""
        prefix = ["nsenter", "-t", str(inside.pid), "-n"] if inside else []
        with subprocess.Popen(
            [*prefix, *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            deadline = time.monotonic() + 20
            while process.poll() is None and time.monotonic() < deadline:
                self.loop.run_once(0.01)
            if process.poll() is None:
                process.kill()
            assert process.stdout is not None
            return subprocess.CompletedProcess(argv, process.wait(), process.stdout.read())

    def ask(
        self,
        address: str,
        port: int | str,
        *,
        kind: str = "tcp",
        inside: Running | None = None,
        outside: bool = False,
        timeout_s: float = 3,
    ) -> str:
        """What the echo server answers; "" when it cannot be reached."""
        prefix = ["ip", "netns", "exec", "outside"] if outside else []
        arguments = [kind, address, str(port), str(timeout_s)]
        done = self.run(*prefix, sys.executable, "-SIE", "-c", ASK, *arguments, inside=inside)
        return done.stdout.strip() if done.returncode == 0 else ""

    def lookup(self, name: str, inside: Running, kind: int = 1, by: str = "udp") -> str:
        """Response code and addresses."""
        argv = [sys.executable, "-SIE", "-c", LOOKUP, name, str(kind), by]
        return self.run(*argv, inside=inside).stdout.strip()

    def _await_server(self, container: Running, kind: str, port: str) -> None:
        deadline = time.monotonic() + 10
        address = container.address if container.allocation.endpoints else "127.0.0.1"
        while time.monotonic() < deadline:
            if self.ask(address, port, kind=kind, inside=container, timeout_s=0.5):
                return
        raise AssertionError("the server in the container does not answer")


_SLEEP = "import time; time.sleep(600)"
