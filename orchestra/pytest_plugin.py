"""The pytest plugin: the fixture `compose_project`, a project that is up while tests run.

`@pytest.mark.compose(file=…, services=…, profiles=…, env=…, scope=…)` and the `compose_*` ini
options say which. Every project gets a name of its own, so parallel runs never meet, and is taken
down when its scope ends, or when pytest does, however that comes about.

pytest loads this module in every run where orchestra is installed: it imports nothing of orchestra
until a test asks for the fixture.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from orchestra.project_api.project import Project

SCOPES: dict[str, type[pytest.Item | pytest.Collector]] = {
    "function": pytest.Item,
    "class": pytest.Class,
    "module": pytest.Module,
    "package": pytest.Package,
    "session": pytest.Session,
}
LOG_LINES = 200
"""So many lines of each container, at most, are shown when a test fails."""

STRINGS = {
    "compose_file": "the compose file, or its directory, below the directory of the ini file",
    "compose_scope": f"how long a project stays up: {', '.join(SCOPES)}",
    "compose_timeout": "seconds within which all services must be healthy (60)",
    "compose_stop_timeout": "seconds that services get to stop at the end (0)",
}
WORDS = {
    "compose_services": "the services to start; none: all",
    "compose_profiles": "the profiles to enable",
}


class Wanted(NamedTuple):
    """What the marker and the ini options ask for; equal ones of one scope share a project."""

    file: str = ""  # absolute; or a directory, in or above which the compose file lies
    services: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    scope: str = "function"
    build: bool | None = None
    wait: bool = True
    timeout: float = 60.0
    stop_timeout: float = 0.0


class Use(NamedTuple):
    """A project that a test uses, since when (seconds since the epoch)."""

    project: Project
    since: float


_RUNNING = pytest.StashKey[dict[Wanted, "Project"]]()
_USED = pytest.StashKey[Use]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini options."""
    for name, text in STRINGS.items():
        parser.addini(name, text, type="string", default="")
    for name, text in WORDS.items():
        parser.addini(name, text, type="args")
    parser.addini("compose_env", "variables for the file, as NAME=VALUE", type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """The marker, for --strict-markers and --markers."""
    config.addinivalue_line(
        "markers",
        "compose(file, services, profiles, env, scope, build, wait, timeout, stop_timeout): "
        "the project that the fixture compose_project brings up",
    )


@pytest.fixture
def compose_project(request: pytest.FixtureRequest) -> Project:
    """The project of the test's `compose` marker, up and healthy: an `orchestra.Project`.

    It stays for its scope; tests that want the same one share it then.
    """
    wanted = _wanted(request.node)
    holder = _holder(request.node, wanted.scope)
    running = holder.stash.setdefault(_RUNNING, {})
    since = time.time()
    if wanted not in running:
        running[wanted] = _bring_up(request.node, holder, wanted, running)
        since = 0.0
    request.node.stash[_USED] = Use(running[wanted], since)
    return running[wanted]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach what the services wrote to the report of a test that failed."""
    report = yield
    use = item.stash.get(_USED, None)
    if report.failed and use is not None:
        text = _logs(use)
        if text:
            report.sections.append((f"Logs of compose project {use.project.name}", text))
    return report


def _bring_up(
    item: pytest.Item,
    holder: pytest.Item | pytest.Collector,
    wanted: Wanted,
    running: dict[Wanted, Project],
) -> Project:
    from orchestra.errors import OrchestraError
    from orchestra.project_api.project import Project

    try:
        found = Project.load(wanted.file, env=dict(wanted.env), profiles=wanted.profiles)
        project = found.unique()
        with ExitStack() as undo:
            undo.enter_context(project.lease(volumes=True, stop_timeout=wanted.stop_timeout))
            try:
                project.up(
                    wanted.services, build=wanted.build, wait=wanted.wait, timeout=wanted.timeout
                )
            except OrchestraError:
                item.add_report_section("setup", "compose logs", _logs(Use(project, 0.0)))
                raise
            undo.callback(running.pop, wanted)
            holder.addfinalizer(undo.pop_all().close)
    except OrchestraError as exc:
        raise pytest.fail.Exception(str(exc), pytrace=False) from None
    return project


def _logs(use: Use) -> str:
    from orchestra.errors import OrchestraError

    try:
        return use.project.logs(tail=LOG_LINES, since=use.since)
    except OrchestraError as exc:
        return f"cannot be read: {exc}"


# -- what is wanted -----------------------------------------------------------------------------
def _wanted(item: pytest.Item) -> Wanted:
    """The ini options, and over them the markers of package, class and test. Fails the test."""
    wanted = _of_ini(item.config)
    for marker in reversed(list(item.iter_markers("compose"))):
        if marker.args:
            pytest.fail('write `@pytest.mark.compose(file="…")`, by name', pytrace=False)
        wanted = wanted._replace(**_checked(marker.kwargs, item))
    return wanted if wanted.file else wanted._replace(file=str(item.path.parent))


def _of_ini(config: pytest.Config) -> Wanted:
    base = str(config.inipath.parent if config.inipath is not None else config.rootpath)
    file = config.getini("compose_file")
    return Wanted(
        file=os.path.join(base, file) if file else "",
        services=tuple(config.getini("compose_services")),
        profiles=tuple(config.getini("compose_profiles")),
        env=tuple(_assignment(line) for line in config.getini("compose_env")),
        scope=_scope(config.getini("compose_scope") or Wanted().scope),
        timeout=_seconds(config, "compose_timeout", Wanted().timeout),
        stop_timeout=_seconds(config, "compose_stop_timeout", Wanted().stop_timeout),
    )


def _checked(given: Mapping[str, Any], item: pytest.Item) -> dict[str, Any]:
    for name in given:
        if name not in Wanted._fields:
            known = ", ".join(Wanted._fields)
            pytest.fail(f"pytest.mark.compose has no {name!r}, only {known}", pytrace=False)
    found = dict(given)
    if "file" in found:
        found["file"] = str(item.path.parent / found["file"])
    for name in ("services", "profiles"):
        if name in found:
            words = found[name]
            found[name] = (words,) if isinstance(words, str) else tuple(words)
    if "env" in found:
        found["env"] = tuple(sorted(found["env"].items()))
    if "scope" in found:
        _scope(found["scope"])
    return found


def _assignment(line: str) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    if not equals:
        raise pytest.UsageError(f"compose_env: {line!r} is not NAME=VALUE")
    return name, value


def _seconds(config: pytest.Config, option: str, default: float) -> float:
    text = config.getini(option)
    try:
        return float(text) if text else default
    except ValueError as exc:
        raise pytest.UsageError(f"{option}: {text!r} is no number of seconds") from exc


def _scope(name: str) -> str:
    if name not in SCOPES:
        pytest.fail(f"compose: no scope {name!r}, only {', '.join(SCOPES)}", pytrace=False)
    return name


def _holder(item: pytest.Item, scope: str) -> pytest.Item | pytest.Collector:
    """Whose end ends a project of *scope*: a test outside of any class is one for itself."""
    for node in item.iter_parents():
        if isinstance(node, SCOPES[scope]):
            return node
    return item if scope == "class" else item.session
