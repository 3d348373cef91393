"""Project: a compose project to bring up, look at and take down."""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING, Any

from orchestra.errors import OrchestraError
from orchestra.layout import Layout, default_layout
from orchestra.ops.target import Target
from orchestra.plan.events import Phase
from orchestra.project_api import tasks
from orchestra.project_api.errand import Errand
from orchestra.project_api.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from orchestra.config.request import Loaded, LoadRequest
    from orchestra.model.state import ContainerState
    from orchestra.plan.events import Progress

logger = logging.getLogger("orchestra.project")
"""Hears what is done: steps as INFO, warnings as WARNING. Nothing is printed."""


class Project:
    """A project as its compose files describe it now; `load` makes one.

    `project["db"]` is a service, `in` and iteration go by service names. A Project holds nothing
    open: it can be used from any thread, sent to nobody, and forgotten.
    """

    def __init__(self, request: LoadRequest, loaded: Loaded) -> None:
        self._request = request
        self._loaded = loaded
        self._for_good = False
        self._layout = default_layout(dict(request.environ), euid=os.geteuid())

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        files: Sequence[str | os.PathLike[str]] = (),
        env: Mapping[str, str] | None = None,
        env_files: Sequence[str | os.PathLike[str]] = (),
        profiles: Sequence[str] = (),
        name: str | None = None,
    ) -> Project:
        """The project of *path*: a compose file, or a directory in or above which one lies.

        Without *path* it is the working directory. More *files* are merged over it in order, as
        with `-f`. *env* adds to the environment that interpolation sees; *env_files* are read in
        place of `.env`. *name* wins over the name in the file. Raises ConfigError, with its place.
        """
        from orchestra.config.request import LoadRequest

        environ = {**os.environ, **(env or {})}
        cwd = os.getcwd()
        first: tuple[str, ...] = ()
        if path is not None:
            place = os.path.abspath(os.fspath(path))
            if os.path.isdir(place):
                cwd = place
            else:
                first = (place,)
            if "COMPOSE_FILE" not in (env or {}):
                environ.pop("COMPOSE_FILE", None)  # the shell's; *path* says it better
        request = LoadRequest(
            cwd=cwd,
            environ=environ,
            files=(*first, *(os.path.abspath(os.path.join(cwd, file)) for file in files)),
            env_files=tuple(os.path.abspath(os.path.join(cwd, file)) for file in env_files),
            profiles=tuple(profiles),
            project_name=name or "",
        )
        return cls(request, _load(request))

    def unique(self) -> Project:
        """As `renamed`, with a name that no other has; what `down` would keep of it is removed."""
        project = self.renamed(f"{self.name}-{os.urandom(4).hex()}")
        project._for_good = True
        return project

    def renamed(self, name: str) -> Project:
        """The same files under another name: with containers, networks and volumes of its own."""
        request = self._request._replace(project_name=name)
        return Project(request, _load(request))

    def __repr__(self) -> str:
        return f"<Project {self.name!r} with {', '.join(self.services) or 'no services'}>"

    # -- what it is -------------------------------------------------------------------------------
    @property
    def name(self) -> str:
        return self._loaded.project.name

    @property
    def services(self) -> tuple[str, ...]:
        """The names of the enabled services."""
        return self._loaded.project.service_names

    def __iter__(self) -> Iterator[str]:
        return iter(self.services)

    def __contains__(self, name: object) -> bool:
        return name in self._every_service()

    def __getitem__(self, name: str) -> Service:
        """The service *name*, enabled or not. Raises NotFound."""
        from orchestra.plan.unknown import unknown_service

        if name not in self._every_service():
            raise unknown_service(name, self._every_service())
        return Service(self, name)

    def ps(self, *services: str, all: bool = False) -> tuple[ContainerState, ...]:
        """The running containers; with *all* those that have ended too. Raises NotFound."""
        from orchestra.ops.ps import PsOptions, ps

        return ps(self.layout, self.target(services), PsOptions(all=all))

    def logs(self, *services: str, tail: int | None = None, since: float = 0.0) -> str:
        """What all containers have written, in the order of time, each line after "web-1 | ".

        Of each the last *tail* lines, and none from before *since*, in seconds since the epoch.
        """
        from orchestra.ops.logs import LogOptions, read_logs
        from orchestra.runtime.logread import Span

        span = Span(tail, since_ns=int(since * 1e9))
        events = read_logs(self.layout, self.target(services), LogOptions(span=span))
        lines = [
            (event.label, event.line.text.decode(errors="replace").rstrip("\n"))
            for event in events
            if event.line is not None
        ]
        width = max((len(label) for label, _line in lines), default=0)
        return "".join(f"{label:{width}} | {line}\n" for label, line in lines)

    # -- its life ---------------------------------------------------------------------------------
    def up(  # noqa: PLR0913 (the words of the command line, all with a default)
        self,
        services: Sequence[str] = (),
        *,
        build: bool | None = None,
        wait: bool = False,
        timeout: float | None = None,
        scale: Mapping[str, int] | None = None,
        recreate: bool = False,
        remove_orphans: bool = False,
    ) -> None:
        """Create and start what is missing, recreate what has changed; no *services* means all.

        *build* True builds images anew, False never builds, None builds what is missing. With
        *wait* it returns when all are healthy, or raises TimedOut after *timeout* seconds of it.
        """
        import pickle

        with self._placed():
            loaded = self._with(tuple(services))
            request = tasks.UpRequest(
                services=tuple(services),
                build=build,
                recreate=recreate,
                remove_orphans=remove_orphans,
                wait=wait,
                timeout_s=timeout,
                scale=tuple((scale or {}).items()),
            )
            self.do(tasks.up, self.name, pickle.dumps(loaded.project), request)

    def down(
        self,
        *,
        volumes: bool = False,
        remove_orphans: bool = False,
        stop_timeout: float | None = None,
    ) -> None:
        """Stop and remove its containers and networks, with *volumes* its volumes as well."""
        request = tasks.DownRequest(volumes, remove_orphans, stop_timeout, self._for_good)
        self.do(tasks.down, self.target(), request)

    @contextlib.contextmanager
    def running(  # noqa: PLR0913 (likewise)
        self,
        services: Sequence[str] = (),
        *,
        build: bool | None = None,
        wait: bool = True,
        timeout: float | None = None,
        unique: bool = False,
        volumes: bool | None = None,
        stop_timeout: float | None = None,
    ) -> Generator[Project, None, None]:
        """The project, up; taken down at the end of the block, and whatever ends this process.

        With *unique* it runs under a name of its own, so that many may run at once; then, or with
        *volumes*, its volumes go too. Host ports that the file fixes can be taken only once: leave
        the choice to the machine with `ports: ["5432"]`. The other words are those of `up`.
        """
        project = self.unique() if unique else self
        removes = unique if volumes is None else volumes
        with project.lease(volumes=removes, stop_timeout=stop_timeout):
            project.up(services, build=build, wait=wait, timeout=timeout)
            yield project

    @contextlib.contextmanager
    def lease(
        self, *, volumes: bool = False, stop_timeout: float | None = None
    ) -> Generator[None, None, None]:
        """Whatever is up of it at the end of the block, or of this process, is taken down then."""
        request = tasks.DownRequest(volumes, stop_timeout_s=stop_timeout, for_good=self._for_good)
        ending = self.errand()  # started now: it outlives this process, and need not be paid later
        ending.bequeath(tasks.down, self.target(), request)
        try:
            yield
        finally:
            ending.run(self.report, tasks.down, self.target(), request)

    # -- for services -----------------------------------------------------------------------------
    @property
    def layout(self) -> Layout:
        """Where the state of all projects lies."""
        return self._layout

    def target(self, services: tuple[str, ...] = ()) -> Target:
        """What the use cases of `ops` call *services* of this project."""
        return Target(self.name, tuple(services), tuple(sorted(self._every_service())))

    def errand(self, **streams: int) -> Errand:
        """An interpreter with this project's environment."""
        return Errand(self._request.environ, **streams)

    def do(self, task: Callable[..., Any], *args: object, **kwargs: object) -> None:
        """Have *task* done; what it says goes to the log."""
        self.errand().run(self.report, task, *args, **kwargs)

    def report(self, progress: Progress) -> None:
        """Put one step on the log."""
        level = logging.WARNING if progress.phase is Phase.WARNING else logging.INFO
        text = f"{progress.resource} {progress.text}".strip()
        if not progress.parent:  # a layer of an image, many times a second
            logger.log(level, "%s: %s", self.name, text)

    # -- files ------------------------------------------------------------------------------------
    def _every_service(self) -> tuple[str, ...]:
        project = self._loaded.project
        return tuple(s.name for s in (*project.services, *project.disabled_services))

    def _with(self, services: tuple[str, ...]) -> Loaded:
        """The project, with those of *services* enabled that only a profile enables."""
        disabled = {service.name for service in self._loaded.project.disabled_services}
        if disabled.isdisjoint(services):
            return self._loaded
        return _load(self._request._replace(services=services))

    @contextlib.contextmanager
    def _placed(self) -> Iterator[None]:
        """Errors about an attribute get the place where the compose file says it."""
        try:
            yield
        except OrchestraError as exc:
            if exc.where is None and exc.path:
                exc.where = self._loaded.sources.value(exc.path)
            raise


def _load(request: LoadRequest) -> Loaded:
    """Raises ConfigError."""
    from orchestra.config.pipeline import load

    loaded = load(request)
    for warning in loaded.warnings:
        logger.warning("%s", warning)
    return loaded
