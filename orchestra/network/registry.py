"""What the projects of a host agree on: networks, addresses, host ports, names.

A SQLite file that every supervisor writes; each change is one IMMEDIATE transaction, so a process
may die anywhere. Rows of containers that exist no longer (the process that made the row is dead
and there is no spec.json) are dropped by `heal`. Decisions are not here: see `ipam`.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orchestra.errors import RuntimeFailure
from orchestra.linux import procfs
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_BUSY_TIMEOUT_S = 20.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS networks (
  name TEXT PRIMARY KEY, project TEXT NOT NULL, bridge TEXT NOT NULL UNIQUE,
  subnet TEXT NOT NULL, gateway TEXT NOT NULL, subnet6 TEXT NOT NULL, gateway6 TEXT NOT NULL,
  spec BLOB NOT NULL, created_ns INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS network_containers (
  id TEXT PRIMARY KEY, project TEXT NOT NULL, service TEXT NOT NULL, number INTEGER NOT NULL,
  name TEXT NOT NULL, owner_pid INTEGER NOT NULL, owner_ticks INTEGER NOT NULL,
  pid INTEGER NOT NULL DEFAULT -1, ticks INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS endpoints (
  container TEXT NOT NULL REFERENCES network_containers ON DELETE CASCADE,
  network TEXT NOT NULL, ordinal INTEGER NOT NULL, address TEXT NOT NULL, address6 TEXT NOT NULL,
  names TEXT NOT NULL, PRIMARY KEY (container, network));
CREATE INDEX IF NOT EXISTS endpoints_by_network ON endpoints (network);
CREATE TABLE IF NOT EXISTS host_ports (
  container TEXT NOT NULL REFERENCES network_containers ON DELETE CASCADE,
  protocol TEXT NOT NULL, host_ip TEXT NOT NULL, host_port INTEGER NOT NULL,
  container_port INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS host_ports_by_port ON host_ports (host_port);
"""


Row = tuple[Any, ...]  # SQLite knows no static types; NamedTuples are made of them at once


class NetworkRow(NamedTuple):
    name: str
    project: str
    bridge: str
    subnet: str
    gateway: str
    subnet6: str
    gateway6: str
    spec: bytes  # NetworkSpec as JSON
    created_ns: int = 0


class Owner(NamedTuple):
    """A container as the registry knows it."""

    id: str
    project: str
    service: str
    number: int
    name: str


class EndpointRow(NamedTuple):
    container: str
    network: str
    ordinal: int  # interface order
    address: str
    address6: str
    names: tuple[str, ...]


class PortRow(NamedTuple):
    container: str
    protocol: str
    host_ip: str
    host_port: int
    container_port: int


class Holder(NamedTuple):
    """Who has a host port."""

    port: PortRow
    owner: Owner
    in_use: bool  # it runs, or has not run yet; a stopped container loses its ports to others


class Healed(NamedTuple):
    """Containers that were forgotten, and the host ports they had."""

    containers: list[str]
    ports: list[PortRow]


class NamedEndpoint(NamedTuple):
    """A running container's place on one network, for the name server."""

    container: str
    container_name: str
    network: str
    address: str
    address6: str
    names: tuple[str, ...]


def network_names(path: str) -> tuple[str, ...]:
    """What the registry at *path* knows; nothing when it cannot be read. Makes no file."""
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quoted}?mode=ro", uri=True)) as db:
            return tuple(str(row[0]) for row in db.execute("SELECT name FROM networks ORDER BY 1"))
    except sqlite3.Error:
        return ()


class Registry:
    """One connection; opened at first use, after the supervisor has forked.

    Every method raises RuntimeFailure when the file cannot be read or written.
    """

    def __init__(self, path: str, container_exists: Callable[[str, str], bool]) -> None:
        self._path = path
        self._container_exists = container_exists  # (project, id): is there a spec.json?
        self._connection: sqlite3.Connection | None = None
        self._changes = 0
        self._ticks = 0

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens or nothing; other processes wait. Not to be nested."""
        self._query("BEGIN IMMEDIATE")
        try:
            yield
            self._query("COMMIT")
        except BaseException:
            if self._open().in_transaction:
                self._query("ROLLBACK")
            raise
        self._changes += 1

    def version(self) -> tuple[int, int]:
        """Changes whenever this or another process has changed something."""
        (theirs,) = self._query("PRAGMA data_version")[0]
        return self._changes, theirs

    # -- networks -----------------------------------------------------------------------------
    def add_network(self, row: NetworkRow) -> None:
        self._query("INSERT INTO networks VALUES (?,?,?,?,?,?,?,?,?)", row)

    def network(self, name: str) -> NetworkRow | None:
        rows = self._query("SELECT * FROM networks WHERE name = ?", (name,))
        return next((NetworkRow(*row) for row in rows), None)

    def networks(self, project: str | None = None) -> list[NetworkRow]:
        """Those of *project*, or all."""
        rows = self._query(
            "SELECT * FROM networks WHERE ?1 IS NULL OR project = ?1 ORDER BY name", (project,)
        )
        return [NetworkRow(*row) for row in rows]

    def remove_network(self, name: str) -> None:
        self._query("DELETE FROM networks WHERE name = ?", (name,))

    # -- containers ---------------------------------------------------------------------------
    def add_container(self, owner: Owner) -> None:
        """Raises nothing when it is there: its rows are replaced."""
        self._ticks = self._ticks or procfs.start_ticks(os.getpid())
        self._query("DELETE FROM network_containers WHERE id = ?", (owner.id,))
        self._query(
            "INSERT INTO network_containers VALUES (?,?,?,?,?,?,?,-1,0)",
            (*owner, os.getpid(), self._ticks),
        )

    def remove_container(self, container: str) -> None:
        self._query("DELETE FROM network_containers WHERE id = ?", (container,))

    def set_running(self, container: str, name: str, pid: int) -> None:
        """A running container's names are answered, and its host ports cannot be taken."""
        self._query(
            "UPDATE network_containers SET pid = ?, ticks = ?, name = ? WHERE id = ?",
            (pid, _start_ticks(pid), name, container),
        )

    def set_reserved(self, container: str) -> None:
        """It is about to run, hence keeps what it has."""
        self._query("UPDATE network_containers SET pid = -1 WHERE id = ? AND pid = 0", (container,))

    def set_stopped(self, container: str) -> None:
        self._query("UPDATE network_containers SET pid = 0 WHERE id = ?", (container,))

    def container(self, container: str) -> Owner | None:
        rows = self._query(
            "SELECT id, project, service, number, name FROM network_containers WHERE id = ?",
            (container,),
        )
        return next((Owner(*row) for row in rows), None)

    def heal(self) -> Healed:
        """Drop the rows of containers that are gone; tells what they had."""
        rows = self._query("SELECT id, project, owner_pid, owner_ticks FROM network_containers")
        healed = Healed([], [])
        for container, project, pid, ticks in rows:
            if procfs.is_running(pid, ticks) or self._container_exists(project, container):
                continue
            healed.containers.append(container)
            healed.ports.extend(self.ports(container))
            self.remove_container(container)
        return healed

    # -- addresses and names ------------------------------------------------------------------
    def add_endpoint(self, row: EndpointRow) -> None:
        self._query("INSERT INTO endpoints VALUES (?,?,?,?,?,?)", (*row[:5], json.dumps(row.names)))

    def remove_endpoint(self, container: str, network: str) -> None:
        self._query(
            "DELETE FROM endpoints WHERE container = ? AND network = ?", (container, network)
        )

    def addresses(self, network: str, *, replaced_by: Owner) -> list[str]:
        """Addresses that are taken, but for those of the container that is being replaced."""
        rows = self._query(
            "SELECT address, address6 FROM endpoints JOIN network_containers AS c ON c.id ="
            " container WHERE network = ? AND NOT (c.project = ? AND c.service = ? AND"
            " c.number = ? AND c.service != '')",
            (network, replaced_by.project, replaced_by.service, replaced_by.number),
        )
        return [address for row in rows for address in row if address]

    def all_addresses(self, network: str) -> list[str]:
        rows = self._query("SELECT address, address6 FROM endpoints WHERE network = ?", (network,))
        return [address for row in rows for address in row if address]

    def endpoints(self, container: str) -> list[EndpointRow]:
        rows = self._query(
            "SELECT * FROM endpoints WHERE container = ? ORDER BY ordinal", (container,)
        )
        return [EndpointRow._make((*row[:-1], tuple(json.loads(row[-1])))) for row in rows]

    def members(self, network: str) -> list[str]:
        """Ids of the containers on a network."""
        rows = self._query("SELECT container FROM endpoints WHERE network = ?", (network,))
        return [container for (container,) in rows]

    def running_endpoints(self) -> list[NamedEndpoint]:
        rows = self._query(
            "SELECT c.id, c.name, network, address, address6, names FROM endpoints"
            " JOIN network_containers AS c ON c.id = container WHERE pid > 0"
            " ORDER BY c.service, c.number, c.id, ordinal"
        )
        return [NamedEndpoint._make((*row[:-1], tuple(json.loads(row[-1])))) for row in rows]

    # -- host ports ---------------------------------------------------------------------------
    def add_port(self, row: PortRow) -> None:
        self._query("INSERT INTO host_ports VALUES (?,?,?,?,?)", row)

    def ports(self, container: str) -> list[PortRow]:
        rows = self._query("SELECT * FROM host_ports WHERE container = ?", (container,))
        return [PortRow(*row) for row in rows]

    def remove_port(self, row: PortRow) -> None:
        self._query(
            "DELETE FROM host_ports WHERE container = ? AND protocol = ? AND host_ip = ?"
            " AND host_port = ? AND container_port = ?",
            row,
        )

    def port_holders(self, protocol: str, host_port: int) -> list[Holder]:
        """Who has a host port, on whatever address."""
        rows = self._query(
            "SELECT p.*, c.id, c.project, c.service, c.number, c.name, c.pid, c.ticks"
            " FROM host_ports AS p JOIN network_containers AS c ON c.id = p.container"
            " WHERE protocol = ? AND host_port = ?",
            (protocol, host_port),
        )
        return [
            Holder(PortRow(*row[:5]), Owner(*row[5:10]), _in_use(row[10], row[11])) for row in rows
        ]

    def _query(self, statement: str, values: Sequence[str | int | bytes | None] = ()) -> list[Row]:
        """The rows that *statement* gives. Raises RuntimeFailure, as all methods do by it."""
        try:
            return self._open().execute(statement, values).fetchall()
        except sqlite3.Error as exc:
            raise RuntimeFailure(
                f"cannot use the registry of networks, {self._path}: {exc}",
                fix="make sure that the disk is not full; if the file is damaged, take all"
                " projects down and remove it",
            ) from exc

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            # owner-only whatever the directory is; SQLite gives its -wal and -shm the same mode
            with contextlib.suppress(OSError):  # which SQLite will tell
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("PRAGMA foreign_keys = ON")
                connection.executescript(_SCHEMA)
                _upgrade(connection)
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection


def _upgrade(connection: sqlite3.Connection) -> None:
    """Add what a file of an earlier version has not got."""
    columns = {name for _, name, *_ in connection.execute("PRAGMA table_info(networks)")}
    if "created_ns" not in columns:
        connection.execute("ALTER TABLE networks ADD COLUMN created_ns INTEGER NOT NULL DEFAULT 0")


def _start_ticks(pid: int) -> int:
    """0 for a process that is gone already: then it is not running for anybody."""
    try:
        return procfs.start_ticks(pid)
    except OSError:
        return 0


def _in_use(pid: int, ticks: int) -> bool:
    return pid < 0 or procfs.is_running(pid, ticks)
