"""ADD of URLs and git repositories: what they depend on, and their files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.address import is_repository
from orchestra.build.fetch import FetchError, Wanted, fetch
from orchestra.build.ignore import NOTHING_IGNORED
from orchestra.build.repository import Access, Checkout, inside, parse_repository
from orchestra.build.source import error_at
from orchestra.build.transfer import Directory
from orchestra.errors import OrchestraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.build.instructions.add import Add
    from orchestra.build.instructions.paths import Paths
    from orchestra.build.origins import Toolbox
    from orchestra.build.request import BuildRequest
    from orchestra.model.build import Secret

_TOKEN = "GIT_AUTH_TOKEN"  # noqa: S105 (the name that BuildKit has for it)


class Remote(NamedTuple):
    """What stands for the sources of an ADD: *paths* of *origin*, which is made when asked for.

    *content* is what the step's key has in place of a digest of the files; "" for none.
    """

    paths: Paths
    origin: Callable[[], Directory]
    content: str = ""


def remote_sources(
    toolbox: Toolbox, request: BuildRequest, command: Add, sources: list[str]
) -> Remote:
    """The *sources* of *command* that lie elsewhere, which must be all. Raises BuildError."""
    toolbox.seen.is_whole = False  # what lies elsewhere is asked each time
    place = command.place
    if len(sources) < len(command.paths.sources):
        what = "ADD: sources from elsewhere and files together"
        raise error_at(place, what, "write an ADD for each kind of source")
    if command.checksum and len(sources) > 1:
        raise error_at(place, "ADD: --checksum is for a single source")
    repositories = [source for source in sources if is_repository(source)]
    if not repositories:
        if command.keep_git_dir:
            raise error_at(place, "ADD: --keep-git-dir is for git repositories")
        return _downloaded(toolbox, command, sources)
    if len(sources) > 1:
        raise error_at(place, "ADD: a git repository is added alone", "write an ADD for each")
    try:
        return _repository(toolbox, request, command, repositories[0])
    except OrchestraError as exc:
        raise error_at(place, f"ADD: {exc.what}", exc.fix) from exc


def _downloaded(toolbox: Toolbox, command: Add, sources: list[str]) -> Remote:
    """Now, since the key has the files' contents."""
    directory = toolbox.work.directory("fetched")
    kept = os.path.join(toolbox.kept, "downloads")
    names = []
    for number, source in enumerate(sources):
        place = os.path.join(directory, str(number))
        os.mkdir(place)
        try:
            name = fetch(Wanted(source, command.checksum), place, kept)
        except FetchError as exc:
            raise error_at(command.place, f"ADD: {exc}") from exc
        names.append(f"{number}/{name}")
    paths = command.paths._replace(sources=tuple(names))
    return Remote(paths, lambda: Directory(directory, NOTHING_IGNORED))


def _repository(toolbox: Toolbox, request: BuildRequest, command: Add, source: str) -> Remote:
    """Its files are fetched when the step runs: the key has the commit."""
    repository = parse_repository(source)
    repository = repository._replace(
        checksum=command.checksum or repository.checksum,
        keeps_git_dir=command.keep_git_dir or repository.keeps_git_dir,
    )
    access = Access(
        environ=os.environ,
        agent=request.ssh.get("default", ""),
        token=_secret_text(request.secrets.get(_TOKEN)),
    )
    checkout = Checkout(repository, access, os.path.join(toolbox.kept, "git"))

    def origin() -> Directory:
        directory = toolbox.work.directory("git")
        os.chmod(directory, 0o755)  # noqa: S103 (it becomes the destination's mode)
        try:
            checkout.write(directory)
            path = inside(directory, repository.subdir, repository.shown)
        except OrchestraError as exc:
            raise error_at(command.place, f"ADD: {exc.what}", exc.fix) from exc
        return Directory(path, NOTHING_IGNORED)

    content = f"git {checkout.commit} {repository.subdir}"
    if repository.keeps_git_dir:
        content += f" with its .git of {repository.shown}"
    return Remote(command.paths._replace(sources=("/",)), origin, content)


def _secret_text(secret: Secret | None) -> str:
    if secret is None or not secret.path:
        return secret.content.strip() if secret else ""
    with open(secret.path, encoding="utf-8") as file:
        return file.read().strip()
