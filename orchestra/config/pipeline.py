"""The loader: PASSES, in their order, from compose files to a Project.

Each pass is a function over the load's state. Those of PER_DOCUMENT run for every document of
every file, so that each finds the earlier ones merged and canonical; those of ONCE run on the
whole. docs/passes.md is generated from these tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orchestra.config import files as project_files
from orchestra.config.bind import bind_project
from orchestra.config.checks import Checks
from orchestra.config.defaults import normalize, services_of, set_defaults
from orchestra.config.document import read_documents
from orchestra.config.environment import FileEnvironment, collect_file_values, look_up_bare
from orchestra.config.interpolate import Interpolation, interpolate_text
from orchestra.config.merge import merge_trees
from orchestra.config.problems import Problems, problem
from orchestra.config.profiles import (
    enabled_services,
    prune_resources,
    restrict,
    with_dependencies,
)
from orchestra.config.relpaths import Paths
from orchestra.config.request import Loaded, LoadRequest
from orchestra.config.rewrite import remove_duplicates, settle_values, to_long_syntax
from orchestra.config.template import TemplateError
from orchestra.config.tree import Map, TreeSources, copy_tree
from orchestra.errors import ConfigError, ConfigErrors

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.config.document import Document
    from orchestra.config.environment import FileValues
    from orchestra.config.files import ProjectFiles
    from orchestra.config.problems import Fault
    from orchestra.model.source import TreePath


class Load:
    """The state of one load."""

    def __init__(self, request: LoadRequest) -> None:
        self.request = request
        self.problems = Problems()
        self.warnings: list[str] = []
        self.texts: dict[str, str] = {}
        self.file_values: FileValues = {}
        self.files: ProjectFiles = project_files.find_files(request, self.warn)
        self.environment = self.files.environment
        self.tree = Map()
        self.document: Document | None = None
        self.current = Map()
        self.enabled: tuple[str, ...] = ()
        self.disabled: dict[str, Any] = {}

    def warn(self, text: str) -> None:
        """Say *text* once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def sources(self) -> TreeSources:
        return TreeSources(self.tree, self.texts)

    def report(self, path: TreePath, fault: Fault) -> None:
        """A rewriting rule's fault; ignored where variables were left in the values."""
        if self.request.interpolate:
            self.problems.at(self.sources(), path, fault.what, fault.fix)


class Pass(NamedTuple):
    """One step and why it stands where it does."""

    name: str
    run: Callable[[Load], None]
    why: str


# -- per document -------------------------------------------------------------------------------
def _interpolate(load: Load) -> None:
    assert load.document is not None
    tree = load.document.tree
    if load.request.interpolate:
        lookup = load.environment.get
        load.current = Interpolation(lookup, load.problems, load.warn, load.texts).tree(tree)
    else:
        load.current = copy_tree(tree)


def _reset(load: Load) -> None:
    assert load.document is not None
    for path in load.document.resets:
        remove(load.tree, path)


def _merge(load: Load) -> None:
    load.tree = merge_trees(load.tree, load.current, load.problems)


def _unique(load: Load) -> None:
    remove_duplicates(load.tree)


def _schema(load: Load) -> None:
    from orchestra.config.schema import validate

    for error in validate(load.tree, load.sources()):
        load.problems.add(error)
    load.problems.raise_any()
    if load.tree.pop("version", None) is not None:
        where = load.sources().key(("version",))
        load.warn(
            f"{where.file if where else 'compose file'}: the attribute `version` is obsolete, "
            "it will be ignored, please remove it to avoid potential confusion"
        )


def _canonical(load: Load) -> None:
    to_long_syntax(load.tree, load.report)


def remove(tree: Any, path: TreePath) -> None:
    """Take the entry at *path* out of *tree*, if it is there."""
    *parents, last = path
    for part in parents:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(tree, dict) and isinstance(last, str):
        tree.pop(last, None)


PER_DOCUMENT = (
    Pass("interpolate", _interpolate, "before all that looks at values"),
    Pass("reset", _reset, "before merging, so that what is reset is not merged into"),
    Pass("merge", _merge, "over what the earlier files made"),
    Pass("unique", _unique, "the later item wins before the schema forbids repeated ones"),
    Pass("schema", _schema, "on the merged whole: an override alone may be incomplete"),
    Pass("canonical", _canonical, "short forms end here; only valid ones can be expanded"),
    Pass("unique again", _unique, "a range may hide a duplicate"),
)


# -- once ---------------------------------------------------------------------------------------
def _defaults(load: Load) -> None:
    settle_values(load.tree, load.report)
    load.problems.raise_any()
    set_defaults(load.tree)


def _relpaths(load: Load) -> None:
    if load.request.resolve_paths:
        home = load.environment.get("HOME", "")
        Paths(load.files.working_dir, home).resolve(load.tree)


def _environment(load: Load) -> None:
    collect_file_values(load.tree, load.environment.get, load.file_values)


def _normalize(load: Load) -> None:
    if load.request.normalize:
        normalize(load.tree, load.tree["name"], load.environment.get)


def _profiles(load: Load) -> None:
    request = load.request
    profiles = active_profiles(request, load.environment)
    load.enabled = enabled_services(load.tree, profiles, request.services)


def _checks(load: Load) -> None:
    if load.request.check_consistency and load.request.interpolate:
        Checks(load.tree, load.enabled, load.problems, load.sources()).run()
    load.problems.raise_any()


def _selection(load: Load) -> None:
    every = dict(services_of(load.tree))
    load.disabled = {name: every[name] for name in every if name not in load.enabled}
    selected = with_dependencies(load.tree, load.enabled, load.request.services)
    restrict(load.tree, selected)
    if not load.request.all_resources:
        prune_resources(load.tree)


def _env_files(load: Load) -> None:
    if load.request.resolve_environment:
        lookup = load.environment.get
        look_up_bare(load.tree, lookup)
        FileEnvironment(lookup, load.problems, load.sources()).resolve(load.tree)
        load.problems.raise_any()


ONCE = (
    Pass("defaults", _defaults, "on the merged whole, or a default would beat an earlier file"),
    Pass("relpaths", _relpaths, "against the project's directory"),
    Pass("environment", _environment, "configs and secrets that come from variables"),
    Pass("normalize", _normalize, "implied network, names and dependencies"),
    Pass("profiles", _profiles, "which services are meant to exist"),
    Pass("checks", _checks, "among those services only"),
    Pass("selection", _selection, "the services that the command names, and what they need"),
    Pass("env files", _env_files, "read only for services that are selected"),
)

PASSES = (*PER_DOCUMENT, *ONCE)


def load(request: LoadRequest) -> Loaded:
    """The project that *request* describes. Raises ConfigErrors (or ConfigError, NotFound)."""
    try:
        state = Load(request)
        documents = _documents(state)
        name = _name(state, documents)
        state.environment["COMPOSE_PROJECT_NAME"] = name
        for document in documents:
            state.document = document
            for step in PER_DOCUMENT:
                step.run(state)
        state.problems.raise_any()
        if not state.tree:
            raise ConfigError("empty compose file", fix='write "services:" and a service below it')
        state.tree["name"] = name
        for step in ONCE:
            step.run(state)
    except ConfigError as exc:
        raise _with_exit_code(exc) from exc
    profiles = active_profiles(request, state.environment)
    project = bind_project(state.tree, state.disabled, state.files, profiles, state.file_values)
    return Loaded(project, state.tree, state.sources(), tuple(state.warnings), state.environment)


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
        if path == project_files.STDIN:
            text, name = state.request.stdin.encode(), "<stdin>"
        else:
            text, name = project_files.read_bytes(path, "compose file"), path
        state.texts[name] = text.decode("utf-8", "replace")
        try:
            documents += read_documents(text, name)
        except ConfigError as exc:
            state.problems.add(exc)
    state.problems.raise_any()
    return documents


def _name(state: Load, documents: list[Document]) -> str:
    """-p, COMPOSE_PROJECT_NAME, the last file's `name`, or the directory's name."""
    name = project_files.explicit_name(state.request, state.environment)
    if name:
        return name
    for document in reversed(documents):
        text = document.tree.get("name")
        if isinstance(text, str) and text:
            try:
                if state.request.interpolate:
                    text = interpolate_text(text, state.environment.get, state.warn)
            except TemplateError as exc:
                where = TreeSources(document.tree).value(("name",))
                state.problems.add(problem(("name",), exc.what, where, exc.fix))
                state.problems.raise_any()
            name = project_files.normalize_name(text)
            break
    name = name or project_files.name_from_directory(state.files.working_dir)
    if not name:
        raise ConfigError(
            "the project has no name: that of its directory holds no letter or digit",
            fix='write "name: myproject" at the top of the file, or use -p',
        )
    return name
