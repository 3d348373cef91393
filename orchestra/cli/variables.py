"""`--env`, `--env-file` and `--label-file` in the grammar of `docker run`, which is not dotenv's.

A line is NAME=VALUE, taken as it stands, or NAME alone for the caller's value; a line that begins
with # is a comment. https://docs.docker.com/reference/cli/docker/container/run/#env
"""

from __future__ import annotations

from orchestra.cli.flags import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchestra.model.container import Pairs


def variables(files: Iterable[str], texts: Iterable[str], environ: Mapping[str, str]) -> Pairs:
    """Those of *files*, then *texts* over them. Raises UsageError with file and line."""
    found: dict[str, str] = {}
    for path in files:
        for line in _lines(path):
            _take(line, environ, found)
    for text in texts:
        if not text or text.startswith("="):
            raise UsageError(f'invalid environment variable: "{text}"', fix="write NAME=VALUE")
        _take(text, environ, found)
    return tuple(found.items())


def labels(files: Iterable[str], texts: Iterable[str]) -> Pairs:
    """Those of *files*, then *texts*; a label without "=" is empty. Raises UsageError."""
    found: dict[str, str] = {}
    for path in files:
        for line in _lines(path):
            key, _, value = line.partition("=")
            found[key] = value
    for text in texts:
        key, _, value = text.partition("=")
        if not key:
            raise UsageError(f'invalid label "{text}"', fix="write KEY=VALUE")
        found[key] = value
    return tuple(found.items())


def _take(text: str, environ: Mapping[str, str], found: dict[str, str]) -> None:
    """A name without a value that the caller has not either takes nothing over."""
    name, equals, value = text.partition("=")
    if equals:
        found[name] = value
    elif name in environ:
        found[name] = environ[name]


def _lines(path: str) -> Iterator[str]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "is not UTF-8 text"
        raise UsageError(f"open {path}: {reason}", fix="name a file of NAME=VALUE lines") from exc
    for number, line in enumerate(lines, 1):
        line = line.lstrip()
        if not line or line.startswith("#"):
            continue
        name = line.partition("=")[0]
        if not name or any(char.isspace() for char in name):
            raise UsageError(
                f'{path}:{number}: variable "{name}" contains whitespaces', fix="write NAME=VALUE"
            )
        yield line
