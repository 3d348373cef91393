"""What a caller asks of the loader, and what it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.config.tree import Tree
    from orchestra.model.project import Project
    from orchestra.model.source import SourceMap


class LoadRequest(NamedTuple):
    """The command line and its surroundings; the loader looks at nothing else of the process.

    *cwd* is absolute; *environ* is the process's environment; *stdin* is what `-f -` reads.
    The flags are those of `orchestra config`.
    """

    cwd: str
    environ: Mapping[str, str]
    files: tuple[str, ...] = ()
    project_directory: str = ""
    env_files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    project_name: str = ""
    services: tuple[str, ...] = ()
    stdin: str = ""
    all_resources: bool = False
    compatibility: bool = False  # names with "_"; COMPOSE_COMPATIBILITY says so too
    interpolate: bool = True
    normalize: bool = True
    resolve_paths: bool = True
    resolve_environment: bool = True
    check_consistency: bool = True


class Loaded(NamedTuple):
    """A project, the canonical tree that it was made from, and where everything was written.

    `config` renders *tree* (see docs/design/004); *environment* is what interpolation saw. Without
    interpolation or normalisation a tree need not make a project: then *project* holds no more
    than its name and files. *files_read* are all files that were read or looked for in the course
    of it (compose, included, extended, env and label files), *variables* all names that
    interpolation asked for: while both are as they were, so is the project.
    """

    project: Project
    tree: Tree
    sources: SourceMap
    warnings: tuple[str, ...]
    environment: dict[str, str]
    files_read: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
