"""The loader: PASSES, in their order, from compose files to a Project.

Each pass is a function over the load's state. Those of PER_DOCUMENT run for every document of
every file, so that each finds the earlier ones merged and canonical; those of ONCE run on the
whole. docs/passes.md is generated from these tables.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestra.config import files as project_files
from orchestra.config.bind import bind_project
from orchestra.config.checks import check
from orchestra.config.cycles import check_cycles
from orchestra.config.defaults import normalize, services_of, set_defaults
from orchestra.config.environment import FileEnvironment, collect_file_values, look_up_bare
from orchestra.config.extends import apply_extends
from orchestra.config.include import apply_include
from orchestra.config.interpolate import Interpolation, interpolate_text
from orchestra.config.merge import merge_trees
from orchestra.config.problems import problem
from orchestra.config.profiles import (
    enabled_services,
    prune_resources,
    restrict,
    with_dependencies,
)
from orchestra.config.relpaths import Paths
from orchestra.config.request import Loaded, LoadRequest
from orchestra.config.rewrite import remove_duplicates, settle_values, to_long_syntax
from orchestra.config.state import Load, Scope, remove_paths
from orchestra.config.template import TemplateError
from orchestra.config.tree import TreeSources, copy_tree
from orchestra.config.wording import quote
from orchestra.errors import ConfigError, ConfigErrors
from orchestra.model.project import Project
from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple
from orchestra.units import says_yes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from orchestra.config.document import Document


class Pass(NamedTuple):
    """One step and why it stands where it does."""

    name: str
    run: Callable[[Scope], None]
    why: str


# -- per document -------------------------------------------------------------------------------
def _interpolate(scope: Scope) -> None:
    load = scope.load
    tree = scope.document.tree
    if load.request.interpolate:
        lookup = load.lookup(scope.environment)
        scope.current = Interpolation(lookup, load.problems, load.warn, load.texts).tree(tree)
    else:
        scope.current = copy_tree(tree)


def _reset(scope: Scope) -> None:
    remove_paths(scope.tree, scope.document.resets)


def _merge(scope: Scope) -> None:
    scope.tree = merge_trees(scope.tree, scope.current, scope.load.problems)


def _unique(scope: Scope) -> None:
    remove_duplicates(scope.tree)


def _schema(scope: Scope) -> None:
    """Report what the schema refuses, take it out, and go on with what is left."""
    problems = scope.load.problems
    validate = scope.load.validator.validate
    errors = validate(scope.tree, scope.sources())
    for error in errors:
        problems.add(error)
    for _ in range(_ROUNDS):
        if not errors:
            break
        scope.give_up(errors)
        errors = validate(scope.tree, scope.sources())
    if errors:
        problems.raise_any()
    where = scope.sources().key(("version",))
    if scope.tree.pop("version", None) is not None:
        scope.load.warn(
            f"{where.file if where else 'compose file'}: the attribute `version` is obsolete, "
            "it will be ignored, please remove it to avoid potential confusion"
        )


_ROUNDS = 3
"""What is taken out may be required, so that its parent has to go as well, and so on."""


def _canonical(scope: Scope) -> None:
    for section in ("networks", "volumes", "configs", "secrets"):
        for key, resource in (scope.tree.get(section) or {}).items():
            if isinstance(resource, dict) and isinstance(resource.get("external"), dict):
                scope.load.warn(
                    f"{section}.{key}: external.name is deprecated. "
                    "Please set name and external: true"
                )
    to_long_syntax(scope.tree, scope.report)
    scope.give_up()


PER_DOCUMENT: tuple[Pass, ...] = (
    Pass("interpolate", _interpolate, "before all that looks at values"),
    Pass("include", apply_include, "first, so that what is extended is complete"),
    Pass("reset", _reset, "before merging, so that what is reset is not merged into"),
    Pass("extends", apply_extends, "before merging: it means services of the same document"),
    Pass("merge", _merge, "over what the earlier files made"),
    Pass("unique", _unique, "the later item wins before the schema forbids repeated ones"),
    Pass("schema", _schema, "on the merged whole: an override alone may be incomplete"),
    Pass("canonical", _canonical, "short forms end here; only valid ones can be expanded"),
    Pass("unique again", _unique, "a range may hide a duplicate"),
)


def run_documents(scope: Scope, documents: Sequence[Document]) -> None:
    """Carry *documents* through PER_DOCUMENT, one after the other."""
    for document in documents:
        scope.document = document
        for step in PER_DOCUMENT:
            step.run(scope)


# -- once ---------------------------------------------------------------------------------------
def _values(scope: Scope) -> None:
    if scope.load.request.interpolate:
        settle_values(scope.tree, scope.report)
        scope.give_up()


def _defaults(scope: Scope) -> None:
    set_defaults(scope.tree)


def _relpaths(scope: Scope) -> None:
    if scope.load.request.resolve_paths:
        home = scope.environment.get("HOME", "")
        Paths(scope.directory, home).resolve(scope.tree)


def _environment(scope: Scope) -> None:
    collect_file_values(scope.tree, scope.environment.get, scope.load.file_values)


def _normalize(scope: Scope) -> None:
    if scope.load.request.normalize:
        normalize(scope.tree, scope.tree["name"], scope.environment.get)
        look_up_bare(scope.tree, scope.environment.get)


def _profiles(scope: Scope) -> None:
    request = scope.load.request
    profiles = active_profiles(request, scope.environment)
    scope.load.enabled = enabled_services(scope.tree, profiles, request.services)


def _checks(scope: Scope) -> None:
    if scope.load.request.check_consistency:
        problems = scope.load.problems
        check(scope.tree, scope.load.enabled, problems, scope.sources())
        services = scope.tree.get("services") or {}
        enabled = {name: services[name] for name in scope.load.enabled}
        for error in check_cycles({"services": enabled}, scope.sources()):
            problems.add(error)


def _selection(scope: Scope) -> None:
    scope.load.problems.raise_any()
    every = dict(services_of(scope.tree))
    selected = with_dependencies(scope.tree, scope.load.enabled, scope.load.request.services)
    restrict(scope.tree, selected)
    kept = dict(services_of(scope.tree))
    scope.load.disabled = {name: every[name] for name in every if name not in kept}
    if not scope.load.request.all_resources:
        prune_resources(scope.tree)


def _env_files(scope: Scope) -> None:
    if scope.load.request.resolve_environment:
        lookup = scope.environment.get
        look_up_bare(scope.tree, lookup)
        FileEnvironment(lookup, scope.load, scope.sources()).resolve(scope.tree)
        scope.load.problems.raise_any()


ONCE: tuple[Pass, ...] = (
    Pass("defaults", _defaults, "on the merged whole, or a default would beat an earlier file"),
    Pass("values", _values, "sizes, durations and commands, once nothing is merged any more"),
    Pass("relpaths", _relpaths, "against the project's directory"),
    Pass("environment", _environment, "configs and secrets that come from variables"),
    Pass("normalize", _normalize, "implied network, names and dependencies"),
)

ONCE_WITH_VALUES: tuple[Pass, ...] = (
    Pass("profiles", _profiles, "which services are meant to exist"),
    Pass("checks", _checks, "among those services only"),
    Pass("selection", _selection, "the services that the command names, and what they need"),
    Pass("env files", _env_files, "read only for services that are selected"),
)
"""Not run without interpolation: variables may stand where names or numbers must."""

PASSES = (*PER_DOCUMENT, *ONCE, *ONCE_WITH_VALUES)


def load(request: LoadRequest) -> Loaded:
    """The project that *request* describes. Raises ConfigErrors (or ConfigError, NotFound)."""
    try:
        with _collector_paused():
            return _load(request)
    except ConfigError as exc:
        raise _with_exit_code(exc) from exc


@contextmanager
def _collector_paused() -> Iterator[None]:
    """No garbage collection meanwhile.

    A load makes hundreds of thousands of objects that all stay; looking through them again and
    again takes as long as the load itself at 3,000 services.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _load(request: LoadRequest) -> Loaded:
    state = Load(request, run_documents)
    files = state.files
    scope = Scope(
        state,
        files.working_dir,
        files.working_dir,
        files.environment,
        tuple((path, "") for path in files.compose_files),
    )
    documents = _documents(state)
    name = _name(state, documents)
    scope.environment["COMPOSE_PROJECT_NAME"] = name
    run_documents(scope, documents)
    if not scope.tree:
        state.problems.raise_any()
        raise ConfigError("empty compose file", fix='write "services:" and a service below it')
    scope.tree["name"] = name
    for step in (*ONCE, *ONCE_WITH_VALUES) if request.interpolate else ONCE:
        step.run(scope)
    state.problems.raise_any()
    return Loaded(
        project=_project(state, scope),
        tree=scope.tree,
        sources=scope.sources(),
        warnings=tuple(state.warnings),
        environment=scope.environment,
        files_read=tuple(state.files_read),
        variables=tuple(sorted(state.variables)),
    )


def _project(state: Load, scope: Scope) -> Project:
    files = state.files
    profiles = active_profiles(state.request, scope.environment)
    if not state.request.interpolate:
        return Project(
            name=scope.tree["name"],
            working_dir=files.working_dir,
            compose_files=files.compose_files,
            env_files=files.env_files,
            profiles=profiles,
        )
    project = bind_project(scope.tree, state.disabled, files, profiles, state.file_values)
    if state.request.compatibility or says_yes(scope.environment.get("COMPOSE_COMPATIBILITY", "")):
        project = msgspec.structs.replace(project, separator="_")
    if state.request.all_resources:
        project = msgspec.structs.replace(project, all_resources=True)
    return project


def active_profiles(request: LoadRequest, environment: dict[str, str]) -> tuple[str, ...]:
    """Those of the command line, or else COMPOSE_PROFILES."""
    if request.profiles:
        return request.profiles
    text = environment.get("COMPOSE_PROFILES", "")
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def _with_exit_code(error: ConfigError) -> ConfigError:
    if error.exit_code == ConfigError.exit_code:
        error.exit_code = project_files.EXIT_INVALID
        if isinstance(error, ConfigErrors):
            codes = {part.exit_code for part in error.problems}
            if codes == {project_files.EXIT_NOT_FOUND}:
                error.exit_code = project_files.EXIT_NOT_FOUND
    return error


def _documents(state: Load) -> list[Document]:
    documents: list[Document] = []
    for path in state.files.compose_files:
        try:
            documents += state.documents(path, "compose file")
        except ConfigError as exc:
            state.problems.add(exc)
    state.problems.raise_any()
    return documents


def _name(state: Load, documents: list[Document]) -> str:
    """-p, COMPOSE_PROJECT_NAME, the last file's `name`, or the directory's name."""
    name = project_files.explicit_name(state.request, state.files.environment)
    if name:
        return name
    for document in reversed(documents):
        text = document.tree.get("name")
        if isinstance(text, str) and text:
            try:
                if state.request.interpolate:
                    text = interpolate_text(text, state.files.environment.get, state.warn)
            except TemplateError as exc:
                where = TreeSources(document.tree).value(("name",))
                state.problems.add(problem(("name",), exc.what, where, exc.fix))
                state.problems.raise_any()
            name = project_files.normalize_name(text)
            if text.strip() and not name:
                where = TreeSources(document.tree).value(("name",))
                what = f"{quote(text)} holds no letter or digit"
                state.problems.add(problem(("name",), what, where, 'write "name: myproject"'))
            break
    name = name or project_files.name_from_directory(state.files.working_dir)
    if not name:
        raise ConfigError(
            "the project has no name: that of its directory holds no letter or digit",
            fix='write "name: myproject" at the top of the file, or use -p',
        )
    return name
