"""What the passes share: one Load per call, one Scope per set of files merged together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.config import files as project_files
from orchestra.config.document import Document, read_documents
from orchestra.config.problems import Problems
from orchestra.config.schema import Validator
from orchestra.config.tree import Map, TreeSources, position_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestra.config.environment import FileValues
    from orchestra.config.files import ProjectFiles
    from orchestra.config.problems import Fault
    from orchestra.config.request import LoadRequest
    from orchestra.config.tree import Tree
    from orchestra.errors import ConfigError
    from orchestra.model.source import TreePath


class Load:
    """What all files of one load have in common.

    *run_documents* carries the documents of a Scope through the per-document passes; it is here
    for `include`, which begins anew with other files.
    """

    def __init__(
        self,
        request: LoadRequest,
        run_documents: Callable[[Scope, Sequence[Document]], None],
    ) -> None:
        self.request = request
        self.run_documents = run_documents
        self.problems = Problems()
        self.validator = Validator()
        self.warnings: list[str] = []
        self.texts: dict[str, str] = {}
        self.files_read: list[str] = []
        self.variables: set[str] = set()
        self.file_values: FileValues = {}
        self.extended_files: dict[tuple[str, int], tuple[Tree, tuple[TreePath, ...]]] = {}
        self.files: ProjectFiles = project_files.find_files(request, self.warn)
        self.enabled: tuple[str, ...] = ()
        self.disabled: dict[str, Any] = {}  # not enabled, or not selected

    def warn(self, text: str) -> None:
        """Say *text* once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def _read(self, path: str, what: str) -> bytes:
        """The bytes of a compose file, remembered for error messages."""
        if path == project_files.STDIN:
            data = self.request.stdin.encode()
        else:
            self.files_read.append(path)
            data = project_files.read_bytes(path, what)
        self.texts[_shown(path)] = data.decode("utf-8", "replace")
        return data

    def documents(self, path: str, what: str) -> list[Document]:
        """The documents of a compose file. Raises ConfigError."""
        return list(read_documents(self._read(path, what), _shown(path)))

    def lookup(self, environment: dict[str, str]) -> Callable[[str], str | None]:
        """`environment.get`, which notes every name that is asked for."""

        def find(name: str) -> str | None:
            self.variables.add(name)
            return environment.get(name)

        return find


def _shown(path: str) -> str:
    return "<stdin>" if path == project_files.STDIN else path


class Scope:
    """Files that are merged into one tree: the project's own, or those of one include.

    *directory* is where relative file names are looked up. *base* is put before relative paths in
    the tree; it leads from the including project's directory here, so that `config` can show the
    paths unresolved. *trail* has the files that led here, each with the place of its `include`.
    """

    def __init__(
        self,
        load: Load,
        directory: str,
        base: str,
        environment: dict[str, str],
        trail: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.load = load
        self.directory = directory
        self.base = base
        self.environment = environment
        self.trail = trail
        self.tree = Map()
        self.document = Document(Map(), ())
        self.current = Map()
        self._faulty: list[TreePath] = []

    def sources(self) -> TreeSources:
        """The places of the tree as merged so far."""
        return TreeSources(self.tree, self.load.texts)

    def current_sources(self) -> TreeSources:
        """The places of the document that is being loaded."""
        return TreeSources(self.current, self.load.texts)

    def report(self, path: TreePath, fault: Fault) -> None:
        """A rewriting rule's fault; ignored where variables were left in the values."""
        if self.load.request.interpolate:
            self.load.problems.at(self.sources(), path, fault.what, fault.fix)
            self._faulty.append(path)

    def give_up(self, errors: Sequence[ConfigError] = ()) -> None:
        """Take what was reported, and what *errors* are about, out of the tree and go on."""
        paths = [*self._faulty, *(culprit(self.tree, error) for error in errors)]
        self._faulty.clear()
        attributes = [_attribute(path) for path in paths]
        remove_paths(self.tree, attributes)
        self.load.problems.broken.update(attributes)


def culprit(tree: Tree, error: ConfigError) -> TreePath:
    """The entry that *error* points at: the value at its path, or one of the keys in there."""
    node: Any = tree
    for part in error.path:
        node = node[part]
    if isinstance(node, Map):
        for key, (mark, _) in node.marks.items():
            if key in node and position_of(mark) == error.where:
                return (*error.path, key)
    return error.path


def _attribute(path: TreePath) -> TreePath:
    """*path* up to its last key: list items go with their list, so that none is renumbered."""
    while path and not isinstance(path[-1], str):
        path = path[:-1]
    return path


def remove_paths(tree: Any, paths: Sequence[TreePath]) -> None:
    """Take the entries at *paths* out of *tree*, those that are there."""
    for path in paths:
        node = tree
        for part in path[:-1]:
            try:
                node = node[part]
            except (KeyError, IndexError, TypeError):
                break
        else:
            last = path[-1] if path else None
            if isinstance(node, dict) and isinstance(last, str):
                node.pop(last, None)
