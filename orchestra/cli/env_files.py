"""What the project's `.env` says of orchestra itself, read before anything else of the project.

Of its variables Docker Compose takes FROM_ENV_FILES from there as well; the files, the profiles and
the name of the project, which it also does, are the loader's business (`config.files`). What stands
only in the environment is COMPOSE_PROGRESS and COMPOSE_REMOVE_ORPHANS.

Cheap for `ps`: a look for the file; it is parsed only if one of the names is in it.
"""

from __future__ import annotations

import os

from orchestra.model.filenames import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.cli.globals import GlobalOptions

FROM_ENV_FILES = (
    "COMPOSE_ANSI",
    "COMPOSE_IGNORE_ORPHANS",
    "COMPOSE_MENU",
    "COMPOSE_PARALLEL_LIMIT",
)


def with_env_files(
    options: GlobalOptions, environ: Mapping[str, str], cwd: str
) -> Mapping[str, str]:
    """*environ* with what the env files add of FROM_ENV_FILES; itself if that is nothing.

    A file that cannot be read adds nothing: whoever loads the project tells of it.
    """
    paths = options.env_files or _default(options, environ, cwd)
    if not any(map(_names_one, paths)):
        return environ
    from orchestra.config.files import read_env_files
    from orchestra.errors import ConfigError

    try:
        said = read_env_files(paths, dict(environ))
    except ConfigError:
        return environ
    return {**{name: said[name] for name in FROM_ENV_FILES if name in said}, **environ}


def _default(options: GlobalOptions, environ: Mapping[str, str], cwd: str) -> tuple[str, ...]:
    disabled = environ.get("COMPOSE_DISABLE_ENV_FILE", "")
    if disabled:
        from orchestra.units import says_yes

        if says_yes(disabled):
            return ()
    return (os.path.join(cwd, _project_directory(options, environ, cwd), ".env"),)


def _project_directory(options: GlobalOptions, environ: Mapping[str, str], cwd: str) -> str:
    """Where the compose file lies; *cwd* when there is none."""
    if options.project_directory:
        return options.project_directory
    separator = environ.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
    named = options.files or environ.get("COMPOSE_FILE", "").split(separator)
    if named[0]:
        return os.path.dirname(named[0])
    directory = cwd
    while not any(os.path.isfile(os.path.join(directory, name)) for name in NAMES):
        parent = os.path.dirname(directory)
        if parent == directory:
            return cwd
        directory = parent
    return directory


def _names_one(path: str) -> bool:
    """Not of a pipe, which could be read only once."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError:
        return False
    return any(name.encode() in content for name in FROM_ENV_FILES)
