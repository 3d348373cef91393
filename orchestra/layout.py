"""Every directory and file name that orchestra keeps: what lies where, and nothing else.

The *data root* outlives a reboot: `/var/lib/orchestra` for root, `$XDG_DATA_HOME/orchestra` for
others. The *run root* does not: `/run/orchestra`, or `$XDG_RUNTIME_DIR/orchestra`. Both can be
moved with `ORCHESTRA_DATA_ROOT` and `ORCHESTRA_RUN_ROOT`. Paths are strings, since `pathlib` is
slower than the system calls that use them.

This is the only module that joins these names; nobody else spells "state.json".
"""

from __future__ import annotations

from os.path import join
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os


NO_PROJECT = "_none"
"""The reserved project of containers that belong to none: no compose file can have this name."""


class Layout:
    """The two roots, and every path below them."""

    __slots__ = ("data_root", "run_root")

    def __init__(self, data_root: str, run_root: str) -> None:
        self.data_root = data_root
        self.run_root = run_root

    # -- machine-wide -------------------------------------------------------------------------
    @property
    def registry_db(self) -> str:
        """SQLite: what projects must agree on (networks, addresses, host ports, volumes)."""
        return join(self.data_root, "registry.db")

    @property
    def images(self) -> str:
        return join(self.data_root, "images")

    @property
    def builds(self) -> str:
        """Records of build steps, cache mounts, and the work of builds under way."""
        return join(self.data_root, "build")

    @property
    def volumes(self) -> str:
        return join(self.data_root, "volumes")

    @property
    def projects(self) -> str:
        return join(self.data_root, "projects")

    @property
    def bundles(self) -> str:
        return join(self.data_root, "bundles")

    def bundle(self, project: str, identity: str) -> str:
        """The model and files of a project that came as a bundle."""
        return join(self.bundles, project, identity)

    def container_name(self, name: str) -> str:
        """A symbolic link to the container of that name: names are unique on a machine."""
        return join(self.data_root, "names", name)

    @property
    def located(self) -> str:
        """What `cli.remembered` knows of directories: which project's files lie there."""
        return join(self.data_root, "cache", "located")

    def volume_data(self, volume: str) -> str:
        return join(self.volumes, volume, "_data")

    # -- one project, durable -----------------------------------------------------------------
    def project(self, project: str) -> str:
        return join(self.projects, project)

    def project_json(self, project: str) -> str:
        """Where the project came from: compose files, working directory, environment files."""
        return join(self.project(project), "project.json")

    def timeline(self, project: str) -> str:
        """What the last `up` did, and when."""
        return join(self.project(project), "timeline.json")

    def providers_json(self, project: str) -> str:
        """What external programs have made for services with a `provider`, and told of it."""
        return join(self.project(project), "providers.json")

    def containers(self, project: str) -> str:
        return join(self.project(project), "containers")

    def container(self, project: str, container_id: str) -> str:
        return join(self.containers(project), container_id)

    def trash(self, project: str) -> str:
        """Directories of removed containers that are still to be deleted."""
        return join(self.project(project), "trash")

    def spec_json(self, project: str, container_id: str) -> str:
        """The ContainerSpec, written once when the container is created."""
        return join(self.container(project, container_id), "spec.json")

    def state_json(self, project: str, container_id: str) -> str:
        """The ContainerState, replaced whole by the supervisor at each change."""
        return join(self.container(project, container_id), "state.json")

    def log_dir(self, project: str, container_id: str) -> str:
        return join(self.container(project, container_id), "log")

    def snapshot(self, project: str, container_id: str) -> str:
        """The container's writable layer: overlay upper and work directories."""
        return join(self.container(project, container_id), "snapshot")

    def image_mount(self, project: str, container_id: str, number: int) -> str:
        """The writable layer above the image that is the container's mount *number*."""
        return join(self.container(project, container_id), "images", str(number))

    def view(self, project: str, container_id: str) -> str:
        """An empty directory, where `cp` mounts the files of a container that does not run."""
        return join(self.container(project, container_id), "view")

    # -- one project, until the next reboot ---------------------------------------------------
    def run(self, project: str) -> str:
        return join(self.run_root, "projects", project)

    def events(self, project: str) -> str:
        """What has happened to its containers; stays when the project is gone."""
        return join(self.all_events, project)

    @property
    def all_events(self) -> str:
        return join(self.run_root, "events")

    def lock(self, project: str) -> str:
        """flock(2)ed by the command that is changing the project."""
        return join(self.run(project), "lock")

    def socket(self, project: str) -> str:
        return join(self.run(project), "socket")

    def supervisor_pid(self, project: str) -> str:
        """Holds "PID STARTTIME" of the supervisor."""
        return join(self.run(project), "supervisor.pid")

    def supervisor_lock(self, project: str) -> str:
        """fcntl(2)-locked by the supervisor as long as it lives: there is never a second one."""
        return join(self.run(project), "supervisor.lock")

    def supervisor_log(self, project: str) -> str:
        return join(self.project(project), "supervisor.log")

    def exits(self, project: str) -> str:
        """Appended to by the reaper: "PID STARTTIME WAITSTATUS" per line, before it reaps."""
        return join(self.run(project), "exits")

    def boot(self, project: str) -> str:
        """The boot that the other files here are of: the run root may outlive a reboot."""
        return join(self.run(project), "boot")

    def container_run(self, project: str, container_id: str) -> str:
        """FIFOs, mount point of the root file system, generated /etc files."""
        return join(self.run(project), "containers", container_id)


def default_layout(environ: dict[str, str] | os._Environ[str], *, euid: int) -> Layout:
    """The layout for this user, moved by ORCHESTRA_DATA_ROOT and ORCHESTRA_RUN_ROOT."""
    if euid == 0:
        data, run = "/var/lib/orchestra", "/run/orchestra"
    else:
        home = environ.get("HOME", "/")
        data = join(environ.get("XDG_DATA_HOME") or join(home, ".local", "share"), "orchestra")
        run = join(environ.get("XDG_RUNTIME_DIR") or f"/tmp/orchestra-{euid}", "orchestra")  # noqa: S108 (owner checked on creation)
    return Layout(
        environ.get("ORCHESTRA_DATA_ROOT") or data, environ.get("ORCHESTRA_RUN_ROOT") or run
    )
