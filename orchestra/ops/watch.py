"""`watch`: sync, rebuild and restart services when files change, as `develop.watch` says."""

from __future__ import annotations

import os
import select
import time
from functools import partial
from typing import TYPE_CHECKING

from orchestra.build.ignore import NOTHING_IGNORED, parse_ignore
from orchestra.errors import NotFound, OrchestraError, Unsupported
from orchestra.model.develop import WatchAction
from orchestra.model.service import VolumeKind
from orchestra.named import NamedTuple
from orchestra.ops.buildrequest import ignore_rules
from orchestra.ops.watch_rules import SYNCS, Copy, Rule, actions_for, as_dockerignore, below
from orchestra.ops.watch_sync import running_containers, sync
from orchestra.plan.desired import Dependencies, select_services
from orchestra.plan.events import Phase
from orchestra.watch.batch import Batch
from orchestra.watch.tree import WatchedTree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestra.build.ignore import IgnoreRules
    from orchestra.model.project import Project
    from orchestra.model.service import Service
    from orchestra.ops.host import Host
    from orchestra.ops.watch_rules import Actions
    from orchestra.plan.events import Progress

    Say = Callable[[str], None]

ENABLED, DISABLED = "Watch enabled", "Watch disabled"
LARGE = 1000
_NOTHING = "none of the selected services is configured for watch"


class WatchOptions(NamedTuple):
    """No *services*: all. *prune* removes the images that rebuilding leaves without a name."""

    services: tuple[str, ...] = ()
    prune: bool = True
    quiet: bool = False  # no output of builds


def _nothing() -> None:
    """Nobody wants to know."""


class Listener(NamedTuple):
    """Who is told: lines for people, warnings, and when containers begin and cease to change."""

    say: Say
    warn: Say
    begin: Callable[[], None] = _nothing
    end: Callable[[], None] = _nothing


def watch(host: Host, project: Project, options: WatchOptions, listener: Listener) -> None:
    """Watch until KeyboardInterrupt. Raises NotFound when no service asks for it."""
    rules = watch_rules(project, options.services, listener.warn)
    session = _Session(host, project, options, listener, rules)
    try:
        session.run()
    finally:
        session.close()
        listener.say(DISABLED)


def is_watchable(project: Project, services: tuple[str, ...]) -> bool:
    """Has any of *services*, or of all, a `develop.watch`?"""
    return any(service.watch for service in _chosen(project, services))


def watch_rules(project: Project, services: tuple[str, ...], warn: Say) -> tuple[Rule, ...]:
    """The rules of *services*, read for use. Raises NotFound, Unsupported, BuildError."""
    rules = []
    for service in _chosen(project, services):
        for index, trigger in enumerate(service.watch):
            if trigger.action is WatchAction.REBUILD and service.build is None:
                raise Unsupported(
                    f'can\'t watch service "{service.name}" with action rebuild without a build '
                    "context",
                    fix="add `build`, or choose another action",
                ).at("services", service.name, "develop", "watch", index, "action")
            if trigger.action in SYNCS and _is_mounted(service, trigger.path):
                warn(
                    f"path '{trigger.path}' also declared by a bind mount volume, "
                    "this path won't be monitored!"
                )
                continue
            rules.append(
                Rule(
                    service.name,
                    trigger,
                    include=parse_ignore("\n".join(trigger.include), "include"),
                    ignore=parse_ignore("\n".join(trigger.ignore), "ignore"),
                    context=os.path.realpath(service.build.context) if service.build else "",
                    dockerignore=_dockerignore(project, service),
                )
            )
    if not rules:
        raise NotFound(_NOTHING, fix="give one of them a `develop.watch` section")
    return tuple(rules)


def _chosen(project: Project, services: tuple[str, ...]) -> tuple[Service, ...]:
    return select_services(project, services, Dependencies.LEFT_OUT).services


def _dockerignore(project: Project, service: Service) -> IgnoreRules:
    if service.build is None:
        return NOTHING_IGNORED
    return as_dockerignore(ignore_rules(service.build, project.working_dir))


def _is_mounted(service: Service, path: str) -> bool:
    sources = [m.source for m in service.volumes if m.kind is VolumeKind.BIND]
    return any(below(path, os.path.realpath(source)) is not None for source in sources)


class _Session:
    """The loop: changes are collected, and acted upon once it is quiet."""

    def __init__(
        self,
        host: Host,
        project: Project,
        options: WatchOptions,
        listener: Listener,
        rules: tuple[Rule, ...],
    ) -> None:
        self._host = host
        self._project = project
        self._options = options
        self._listener = listener
        self._rules = rules
        self._tree = WatchedTree((rule.trigger.path for rule in rules), self._is_skipped)

    def run(self) -> None:
        self._initial_sync()
        self._listener.say(ENABLED)
        batch = Batch()
        while True:
            select.select([self._tree], [], [], batch.wait_s(time.monotonic()))
            batch.add(self._tree.changes(), time.monotonic())
            paths = batch.take(time.monotonic())
            if len(paths) > LARGE:
                self._listener.say(
                    "Large batch of file changes detected. If you just switched branches, this is "
                    "expected."
                )
            if paths:
                self._act(actions_for(paths, self._rules))

    def close(self) -> None:
        self._tree.close()

    def _is_skipped(self, directory: str) -> bool:
        return all(rule.ignores_all_below(directory) for rule in self._rules)

    def _initial_sync(self) -> None:
        for rule in self._rules:
            if not rule.trigger.initial_sync or rule.trigger.action not in SYNCS:
                continue
            copies = [
                Copy(path, rule.target_of(path))
                for path in self._tree.files(rule.trigger.path)
                if path != rule.trigger.path or os.path.isfile(path)
                if rule.is_about(path)
            ]
            self._attempt(partial(self._sync, rule.service, copies))

    # -- actions ----------------------------------------------------------------------------------
    def _act(self, actions: Actions) -> None:
        """Each on its own: what fails is told, and the rest goes on."""
        changes_containers = bool(actions.rebuild or actions.restart)
        if changes_containers:
            self._listener.begin()
        try:
            if actions.rebuild:
                self._attempt(partial(self._rebuild, actions.rebuild))
            for service, copies in actions.sync:
                self._listener.say(
                    f'Syncing service "{service}" after {len(copies)} changes were detected'
                )
                self._attempt(partial(self._sync, service, copies))
            if actions.restart:
                self._attempt(partial(self._restart, actions.restart))
            for rule in actions.execute:
                self._attempt(partial(self._execute, rule))
        finally:
            if changes_containers:
                self._listener.end()

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (OrchestraError, OSError) as exc:
            self._listener.warn(f"Error handling changed files: {exc}")

    def _sync(self, service: str, copies: Sequence[Copy]) -> None:
        if copies and not sync(self._host.layout, self._project.name, service, copies):
            raise NotFound(
                f'service "{service}" is not running', fix=f"`orchestra up -d {service}`"
            )

    def _restart(self, services: tuple[str, ...]) -> None:
        from orchestra.ops.restart import restart
        from orchestra.ops.target import Target

        restart(self._host, Target(self._project.name, services), self._report)
        self._listener.say(f"service(s) {quoted(services)} restarted")

    def _execute(self, rule: Rule) -> None:
        from orchestra.ops.exec import ExecOptions, exec_in_container

        hook = rule.trigger.exec
        if hook is None:
            return
        options = ExecOptions(
            argv=hook.argv,
            env=hook.env,
            user=hook.user,
            cwd=hook.cwd,
            privileged=hook.privileged,
            interactive=False,
            breaks_off=True,
        )
        for container in running_containers(self._host.layout, self._project.name, rule.service):
            code = exec_in_container(self._host.layout, container, options)
            if code:
                self._listener.warn(
                    f'"{" ".join(hook.argv)}" in {container.name} exited with code {code}'
                )

    def _rebuild(self, services: tuple[str, ...]) -> None:
        from orchestra.ops.watch_rebuild import prune, rebuild, recreate

        say = self._listener.say
        say(f"Rebuilding service(s) {quoted(services)} after changes were detected...")
        lines = _no_line if self._options.quiet else say
        try:
            rebuild(self._host, self._project, services, lines)
        except OrchestraError as exc:
            say(f"Build failed. Error: {exc}")
            return
        say(f"service(s) {quoted(services)} successfully built")
        try:
            recreate(self._host, self._project, services, self._report)
        except OrchestraError as exc:
            say(f"Failed to recreate services after update. Error: {exc}")
        if self._options.prune:
            prune(self._host.layout, self._project.name)

    def _report(self, progress: Progress) -> None:
        """Steps are not told one by one; failures are raised, and told then."""
        if progress.phase is Phase.WARNING and not progress.resource:
            self._listener.warn(progress.text)


def _no_line(_text: str) -> None:
    """For builds that are not shown."""


def quoted(names: tuple[str, ...]) -> str:
    """As Docker Compose writes a list: `["web" "db"]`."""
    return "[" + " ".join(f'"{name}"' for name in names) + "]"
