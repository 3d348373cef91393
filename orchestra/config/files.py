"""Which files make up the project, what it is called and which variables interpolation sees.

The order is Docker Compose's: the shell's environment always wins; `.env` beside the working
directory may say COMPOSE_FILE; once the files are found, the `.env` beside the first of them (or
in --project-directory) is read too.
"""

from __future__ import annotations

import os
import re
from os.path import abspath, basename, dirname, isfile, join
from typing import TYPE_CHECKING

from orchestra.config.dotenv import parse_dotenv
from orchestra.config.wording import quote
from orchestra.errors import ConfigError
from orchestra.model.filenames import NAMES, OVERRIDES
from orchestra.named import NamedTuple
from orchestra.units import says_yes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestra.config.request import LoadRequest

STDIN = "-"

EXIT_NOT_FOUND = 14
"""Docker Compose 2's exit code when a compose or environment file cannot be read."""

EXIT_INVALID = 15
"""Docker Compose 2's exit code for a compose file that is wrong."""


class ProjectFiles(NamedTuple):
    """Absolute paths, but "-" for standard input."""

    working_dir: str
    compose_files: tuple[str, ...]
    env_files: tuple[str, ...]
    environment: dict[str, str]


def find_files(request: LoadRequest, warn: Callable[[str], None]) -> ProjectFiles:
    """Everything that is read before the first compose file is. Raises ConfigError."""
    environment = {name: _text(value) for name, value in request.environ.items()}
    environment.setdefault("PWD", request.cwd)
    given = tuple(_absolute(request.cwd, path) for path in request.files)
    first = _working_dir(request, given)
    env_files = _env_files(request, first, environment)
    _add_env_files(env_files, environment)
    found = given or _from_environment(request.cwd, environment)
    if not found:
        found = _discover(first, warn)
    working_dir = _working_dir(request, found)
    if working_dir != first:
        env_files = _env_files(request, working_dir, environment)
        _add_env_files(env_files, environment)
    _require_text((working_dir, *found))
    return ProjectFiles(working_dir, found, env_files, environment)


def _text(value: str) -> str:
    """*value* with U+FFFD for bytes that are no UTF-8, as they reach containers with Docker."""
    if value.isascii():
        return value
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _require_text(paths: Iterable[str]) -> None:
    for path in paths:
        if _text(path) != path:
            raise ConfigError(
                f"{quote(path)} is not UTF-8 text", fix="rename the directory or file"
            )


def _absolute(folder: str, path: str) -> str:
    return path if path == STDIN else local_path(folder, path)


_REMOTE = ("https://", "http://", "ssh://", "git://", "git@", "oci://", "github.com/")


def local_path(folder: str, name: str) -> str:
    """*name* below *folder*, absolute. Raises ConfigError for what lies on another machine."""
    if name.startswith(_REMOTE):
        raise ConfigError(
            f"{name}: compose files on other machines cannot be read",
            fix="fetch it first, and name the local file",
        )
    return abspath(join(folder, name))


def _working_dir(request: LoadRequest, files: tuple[str, ...]) -> str:
    if request.project_directory:
        return abspath(join(request.cwd, request.project_directory))
    for path in files:
        if path != STDIN:
            return dirname(path)
    return request.cwd


def _env_files(request: LoadRequest, folder: str, environment: dict[str, str]) -> tuple[str, ...]:
    named = request.env_files or tuple(
        filter(None, environment.get("COMPOSE_ENV_FILES", "").split(","))
    )
    if named:
        return tuple(abspath(join(request.cwd, path)) for path in named)
    if says_yes(environment.get("COMPOSE_DISABLE_ENV_FILE", "")):
        return ()
    default = join(folder, ".env")
    return (default,) if isfile(default) else ()


def _add_env_files(paths: Iterable[str], environment: dict[str, str]) -> None:
    """What the files say and the environment does not have yet."""
    for name, value in read_env_files(paths, environment).items():
        environment.setdefault(name, value)


def read_env_files(paths: Iterable[str], environment: dict[str, str]) -> dict[str, str]:
    """The variables of *paths*; later files win. Raises ConfigError."""
    known: dict[str, str] = {}
    for path in paths:
        parse_dotenv(read_text(path, "environment file"), path, environment.get, known)
    return known


def read_text(path: str, what: str) -> str:
    """The content of *path*. Raises ConfigError that names *what* it should have been."""
    return decode(read_bytes(path, what), path)


def read_bytes(path: str, what: str) -> bytes:
    """The content of *path*. Raises ConfigError with Docker Compose's exit code."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as exc:
        reason = "not found" if isinstance(exc, FileNotFoundError) else exc.strerror
        raise not_found(f"{what} {path}: {reason}", "check the path, or create the file") from exc
    except ValueError as exc:  # a NUL, which no path can have
        raise ConfigError(f"{what} {quote(path)}: not a path") from exc


def decode(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path} is not UTF-8 text: byte {exc.start}: {exc.reason}") from exc


def not_found(what: str, fix: str) -> ConfigError:
    error = ConfigError(what, fix=fix)
    error.exit_code = EXIT_NOT_FOUND
    return error


def _from_environment(cwd: str, environment: dict[str, str]) -> tuple[str, ...]:
    text = environment.get("COMPOSE_FILE", "")
    separator = environment.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
    return tuple(_absolute(cwd, path) for path in text.split(separator)) if text else ()


def _discover(folder: str, warn: Callable[[str], None]) -> tuple[str, ...]:
    """The compose file in *folder* or its nearest parent that has one, and its override."""
    looked: list[str] = []
    current = folder
    while True:
        found = [join(current, name) for name in NAMES if isfile(join(current, name))]
        if found:
            overrides = [join(current, name) for name in OVERRIDES if isfile(join(current, name))]
            for kind, paths in (("config", found), ("override", overrides)):
                if len(paths) > 1:
                    warn(f"Found multiple {kind} files with supported names: {', '.join(paths)}")
                    warn(f"Using {paths[0]}")
            return tuple(found[:1] + overrides[:1])
        looked.append(current)
        parent = dirname(current)
        if parent == current:
            break
        current = parent
    names = ", ".join(NAMES)
    raise not_found(
        f"no configuration file provided: not found\n  looked for {names}\n"
        f"  in {', '.join(looked)}",
        "change to the project's directory, or name the file with -f",
    )


# -- the project's name -------------------------------------------------------------------------
_ALLOWED = re.compile(r"[a-z0-9_-]")


def normalize_name(text: str) -> str:
    """*text* in lower case, without what a project name may not hold."""
    return "".join(_ALLOWED.findall(text.lower())).lstrip("_-")


def explicit_name(request: LoadRequest, environment: dict[str, str]) -> str:
    """The name from -p or COMPOSE_PROJECT_NAME, "" when there is none. Raises ConfigError."""
    name = request.project_name or environment.get("COMPOSE_PROJECT_NAME", "")
    if name != normalize_name(name):
        suggestion = normalize_name(name)
        raise ConfigError(
            f'invalid project name "{name}": it must consist only of lowercase alphanumeric '
            "characters, hyphens and underscores, and start with a letter or number",
            fix=f'use "{suggestion}"' if suggestion else "choose another name",
        )
    return name


def name_from_directory(working_dir: str) -> str:
    """The directory's own name, normalised; "" when nothing of it is left."""
    return normalize_name(basename(working_dir))
