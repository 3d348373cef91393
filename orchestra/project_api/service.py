"""Service: one service of a project as a test or script uses it."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

from orchestra.errors import NotFound, OrchestraError, RuntimeFailure
from orchestra.named import NamedTuple
from orchestra.project_api import tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from orchestra.model.state import ContainerState
    from orchestra.ops.target import Target
    from orchestra.project_api.project import Project

ANY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 (compared, not bound)
DEFAULT_WAIT_S = 60.0


class HostPort(NamedTuple):
    """Where a published port is reached from this machine; str() is "HOST:PORT"."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class ExecResult(NamedTuple):
    """What a command in a container has come to; *stdout* and *stderr* are decoded as UTF-8."""

    exit_code: int
    stdout_bytes: bytes
    stderr_bytes: bytes

    @property
    def stdout(self) -> str:
        return self.stdout_bytes.decode(errors="replace")

    @property
    def stderr(self) -> str:
        return self.stderr_bytes.decode(errors="replace")


class Service:
    """A service by name; `project["db"]` makes one. It remembers nothing: each call looks anew.

    Of several replicas *index* names one, counted from 1; 0 is the first that runs. Every method
    raises NotFound when there is no such container.
    """

    def __init__(self, project: Project, name: str) -> None:
        self._project = project
        self._name = name

    def __repr__(self) -> str:
        return f"<Service {self._name!r} of project {self._project.name!r}>"

    @property
    def name(self) -> str:
        return self._name

    # -- where and how it is ----------------------------------------------------------------------
    @property
    def containers(self) -> tuple[ContainerState, ...]:
        """Its containers, ended ones too, by number."""
        from orchestra.ops.target import find_containers

        return find_containers(self._project.layout, self._target())

    def container(self, index: int = 0) -> ContainerState:
        """A running container: its id, status, health, networks, ports and times."""
        from orchestra.ops.target import one_container

        return one_container(self._project.layout, self._target(), index=index)

    def port(self, container_port: int, protocol: str = "tcp", *, index: int = 0) -> HostPort:
        """Where *container_port* is published on this machine.

        Raises NotFound, which says what is published, when it is not.
        """
        from orchestra.ops.port import port

        found = port(
            self._project.layout, self._target(), container_port, protocol=protocol, index=index
        )
        if found.host_ip in ANY_ADDRESS:
            return HostPort("::1" if found.host_ip == "::" else "127.0.0.1", found.host_port)
        return HostPort(found.host_ip, found.host_port)

    @property
    def address(self) -> str:
        """The IP address of its first running container; any port of it can be reached there."""
        container = self.container()
        for endpoint in container.endpoints:
            if endpoint.address or endpoint.address6:
                return endpoint.address or endpoint.address6
        raise NotFound(
            f"container {container.name} has no address of its own",
            fix="take `network_mode` out of the service",
        )

    # -- what it writes ---------------------------------------------------------------------------
    def logs(self, *, tail: int | None = None) -> str:
        """What its containers have written to stdout and stderr; the last *tail* lines of each."""
        return "".join(self._lines(tail, follow=False))

    def follow(self, *, tail: int | None = None) -> Iterator[str]:
        """The same line by line, as it comes, until its containers have ended."""
        return self._lines(tail, follow=True)

    def _lines(self, tail: int | None, *, follow: bool) -> Iterator[str]:
        from orchestra.ops.logs import LogOptions, read_logs
        from orchestra.runtime.logread import Span

        options = LogOptions(follow, Span(tail))
        for event in read_logs(self._project.layout, self._target(), options):
            if event.line is not None:
                yield event.line.text.decode(errors="replace")

    # -- commands in it ---------------------------------------------------------------------------
    def exec(  # noqa: PLR0913 (all but the command have a default)
        self,
        command: str | Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        user: str = "",
        workdir: str = "",
        stdin: bytes | str | None = None,
        timeout: float | None = None,
        check: bool = False,
        privileged: bool = False,
        index: int = 0,
    ) -> ExecResult:
        """Run *command* in the running container; a string is split at blanks as a shell does it.

        No shell interprets it: for that use ["sh", "-c", "…"]. After *timeout* seconds it gets
        SIGTERM, and TimedOut is raised. Raises RuntimeFailure with *check* when the command fails.
        """
        argv = tuple(shlex.split(command)) if isinstance(command, str) else tuple(command)
        if not argv:
            raise OrchestraError("no command to execute", fix='pass one, as exec(["ls", "/"])')
        asked = tasks.Command(
            argv=argv,
            env=tuple((env or {}).items()),
            user=user,
            workdir=workdir,
            privileged=privileged,
            number=index,
            has_input=stdin is not None,
        )
        given = stdin.encode() if isinstance(stdin, str) else stdin
        result = self._execute(asked, given, timeout)
        if check and result.exit_code:
            raise RuntimeFailure(
                f"`{shlex.join(argv)}` in {self._name} exited with {result.exit_code}: "
                f"{result.stderr.strip() or result.stdout.strip()}"
            )
        return result

    def _execute(
        self, command: tasks.Command, given: bytes | None, timeout_s: float | None
    ) -> ExecResult:
        from orchestra.plan.execute import TimedOut

        self.container(command.number)  # so that what is not there costs no process
        errand = self._project.errand(
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        errand.begin(tasks.run_command, self._target(), command)
        try:
            written, complained = errand.streams.communicate(given, timeout_s)
        except subprocess.TimeoutExpired as exc:
            errand.abandon()
            raise TimedOut(
                f"{shlex.join(command.argv)} in {self._name} took more than {timeout_s:g} s"
            ) from exc
        except BaseException:
            errand.abandon()
            raise
        code = errand.finish(self._project.report)
        return ExecResult(code, written, complained)

    # -- its life ---------------------------------------------------------------------------------
    def wait_healthy(self, timeout: float = DEFAULT_WAIT_S) -> None:
        """Wait until it is healthy, or runs if it has no healthcheck.

        Raises RuntimeFailure when it becomes unhealthy or ends, and TimedOut.
        """
        self.container()
        self._do(tasks.await_healthy, timeout_s=timeout)

    def start(self) -> None:
        """Start its containers that do not run, once what they depend on is ready."""
        self._do(tasks.start)

    def stop(self, timeout: float | None = None) -> None:
        """Stop it; what still runs after *timeout* seconds (None: as it says) is killed."""
        self._do(tasks.stop, timeout_s=timeout)

    def restart(self, timeout: float | None = None) -> None:
        """Stop and start it, and what depends on it with `restart: true`."""
        self._do(tasks.restart, timeout_s=timeout)

    def kill(self, signal: str = "SIGKILL") -> None:
        """Send it *signal*, a name or a number."""
        self._do(tasks.kill, signal=signal)

    def _do(self, task: Callable[..., None], **arguments: object) -> None:
        self._project.do(task, self._target(), **arguments)

    def _target(self) -> Target:
        return self._project.target((self._name,))
