"""Git repositories as sources, by the `git` program: which commit a name means, and its files.

What was fetched is kept in a bare repository per remote; the next build fetches what is new.
A Dockerfile may name any repository: what it names is fetched without the user's configuration and
keys, unless they are given by `--ssh` or a secret. Imported by builds that need it only.
"""

from __future__ import annotations

import base64
import hashlib
import os
import posixpath
import re
import shlex
import urllib.parse
from typing import TYPE_CHECKING, NamedTuple

from orchestra.errors import NotFound, OrchestraError
from orchestra.image.filelock import locked_directory
from orchestra.linux.remove_tree import remove_tree
from orchestra.linux.tool import run_tool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.linux.tool import ToolResult

_PROTOCOLS = "http:https:git:ssh"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TIMEOUT_S = 1800.0
_QUICKLY_S = 120.0
_TAKEN = (
    "PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "GIT_SSL_CAINFO",
    "http_proxy", "https_proxy", "no_proxy", "all_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
_NAMES = {"ref", "branch", "tag", "commit", "checksum", "subdir", "keep-git-dir"}


class RepositoryError(OrchestraError):
    """A repository cannot be had."""


class Repository(NamedTuple):
    """*ref* is a branch, a tag, a commit or a whole name; "" is the default branch."""

    remote: str
    ref: str = ""
    subdir: str = ""
    checksum: str = ""
    keeps_git_dir: bool = False

    @property
    def shown(self) -> str:
        """Without a password."""
        return re.sub(r"^(\w+://)[^/@]*@", r"\1", self.remote)


class Access(NamedTuple):
    """*environ* is the user's; *is_trusted*: the user names the repository, and no Dockerfile.

    *agent* is the socket of an ssh agent, *token* goes to HTTP servers (GIT_AUTH_TOKEN).
    """

    environ: Mapping[str, str]
    is_trusted: bool = False
    agent: str = ""
    token: str = ""


def parse_repository(text: str) -> Repository:
    """`URL#ref:subdir`, or `URL?branch=…&subdir=…`. Raises RepositoryError."""
    head, _, fragment = text.partition("#")
    remote, _, query = head.partition("?")
    ref, _, subdir = fragment.partition(":")
    fields = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(set(fields) - _NAMES):
        raise RepositoryError(
            f'{remote}: unknown parameter "{unknown[0]}"',
            fix=f"there are {', '.join(sorted(_NAMES))}",
        )
    named = {
        "refs/heads/": fields.get("branch", ""),
        "refs/tags/": fields.get("tag", ""),
        "": fields.get("ref") or fields.get("commit") or ref,
    }
    wanted = next((prefix + value for prefix, value in named.items() if value), "")
    commit = fields.get("commit", "")
    checksum = fields.get("checksum") or (commit if wanted != commit else "")
    keeps = fields.get("keep-git-dir", "false").lower() in {"", "1", "true"}
    return Repository(
        remote,
        wanted,
        posixpath.normpath("/" + (fields.get("subdir") or subdir)).strip("/"),
        checksum,
        keeps,
    )


class Checkout:
    """A repository whose commit is known; *directory* keeps what is fetched from every remote."""

    def __init__(self, repository: Repository, access: Access, directory: str) -> None:
        """Raises RepositoryError, NotFound when `git` is not installed."""
        self._repository = repository
        self._access = access
        name = hashlib.sha256(repository.remote.encode()).hexdigest()[:32]
        self._bare = os.path.join(directory, name)
        self._full_name, self.commit = self._resolved()
        checksum = repository.checksum
        if checksum and not self.commit.startswith(checksum.lower()):
            raise RepositoryError(
                f"{repository.shown} is at the commit {self.commit}, and not at {checksum}"
            )

    def _resolved(self) -> tuple[str, str]:
        """The name to fetch by, and the commit."""
        ref = self._repository.ref
        if _COMMIT.fullmatch(ref):
            return ref, ref
        remote = self._repository.remote
        wanted = ref or "HEAD"
        done = self._git("ls-remote", "--", remote, wanted, f"{wanted}^{{}}", timeout_s=_QUICKLY_S)
        listed: dict[str, str] = {}
        for line in done.stdout.decode("utf-8", "replace").splitlines():
            commit, _, name = line.partition("\t")
            listed[name] = commit
        for name in (wanted, f"refs/{wanted}", f"refs/tags/{wanted}", f"refs/heads/{wanted}"):
            if name in listed:
                return name, listed.get(f"{name}^{{}}", listed[name])
        raise RepositoryError(
            f'{self._repository.shown} has no branch or tag "{wanted}"',
            fix="name a branch, a tag or a whole commit: URL#REF:DIRECTORY",
        )

    def write(self, directory: str) -> None:
        """The files of the commit in the empty *directory*. Raises RepositoryError."""
        with locked_directory(self._bare):
            self._fetch()
            self._check_out(directory)
        if not self._repository.keeps_git_dir:
            for path in list(_git_directories(directory)):
                remove_tree(path) if os.path.isdir(path) else os.unlink(path)

    def _fetch(self) -> None:
        if not os.path.exists(os.path.join(self._bare, "HEAD")):
            self._git("init", "--quiet", "--bare", self._bare)
        if self._has_commit():
            return
        remote, target = self._repository.remote, f"refs/orchestra/{self.commit}"
        spec = f"+{self._full_name}:{target}"
        common = ("--git-dir", self._bare, "fetch", "--quiet", "--force", "--no-tags")
        attempts = (
            (*common, "--depth=1", "--", remote, spec),
            (*common, "--", remote, spec),
            (*common, "--", remote, "+refs/*:refs/all/*"),
        )
        done = None
        for attempt in attempts:
            done = self._try(*attempt)
            if done.exit_code == 0 and self._has_commit():
                self._git("--git-dir", self._bare, "update-ref", target, self.commit)
                return
        if done is not None and done.exit_code:
            raise self._failure(done)
        raise RepositoryError(f"{self._repository.shown} has no commit {self.commit}")

    def _has_commit(self) -> bool:
        name = f"{self.commit}^{{commit}}"
        return self._try("--git-dir", self._bare, "cat-file", "-e", name).exit_code == 0

    def _check_out(self, directory: str) -> None:
        at = ("-C", directory)
        self._git("init", "--quiet", directory)
        source = f"file://{self._bare}"
        self._git(
            *at, "fetch", "--quiet", "--depth=1", "--", source, f"refs/orchestra/{self.commit}",
            protocols="file",
        )  # fmt: skip
        self._git(*at, "remote", "add", "origin", self._repository.shown)
        self._git(*at, "-c", "advice.detachedHead=false", "checkout", "--quiet", self.commit)
        if os.path.exists(os.path.join(directory, ".gitmodules")):
            self._git(*at, "submodule", "update", "--init", "--recursive", "--depth=1")
        with_head = os.path.join(directory, ".git", "FETCH_HEAD")
        if os.path.exists(with_head):
            os.unlink(with_head)

    # -- the program ------------------------------------------------------------------------------
    def _git(
        self, *arguments: str, timeout_s: float = _TIMEOUT_S, protocols: str = _PROTOCOLS
    ) -> ToolResult:
        done = self._try(*arguments, timeout_s=timeout_s, protocols=protocols)
        if done.exit_code:
            raise self._failure(done)
        return done

    def _try(
        self, *arguments: str, timeout_s: float = _TIMEOUT_S, protocols: str = _PROTOCOLS
    ) -> ToolResult:
        environ = _environment(self._access, self._repository.remote, protocols)
        argv = ("git", "-c", "core.hooksPath=/dev/null", *arguments)
        try:
            return run_tool(argv, timeout_s=timeout_s, environ=environ)
        except NotFound as exc:
            raise NotFound(
                f"{self._repository.shown} is a git repository, and git is not installed",
                fix="install it: apt-get install git, dnf install git, apk add git",
            ) from exc

    def _failure(self, done: ToolResult) -> RepositoryError:
        lines = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines()]
        said = "; ".join(line for line in lines if line)[-500:]
        said = said.replace(self._repository.remote, self._repository.shown)
        return RepositoryError(
            f"{self._repository.shown}: git says: {said or f'status {done.exit_code}'}",
            fix="a private repository needs --ssh default, or the secret GIT_AUTH_TOKEN",
        )


def _environment(access: Access, remote: str, protocols: str) -> dict[str, str]:
    taken = access.environ if access.is_trusted else _only(access.environ, _TAKEN)
    environ = {
        **taken,
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": protocols,
    }
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):  # set inside of a git hook
        environ.pop(name, None)
    if not access.is_trusted:
        environ["GIT_CONFIG_NOSYSTEM"] = "1"
        environ["GIT_CONFIG_GLOBAL"] = "/dev/null"
        environ["GIT_SSH_COMMAND"] = (
            "ssh -F /dev/null -o BatchMode=yes -o IdentityFile=none "
            f"-o IdentityAgent={shlex.quote(access.agent) if access.agent else 'none'}"
        )
    scheme, _, rest = remote.partition("://")
    if access.token and scheme in {"http", "https"}:
        host = rest.partition("/")[0].rpartition("@")[2]
        login = base64.b64encode(f"x-access-token:{access.token}".encode()).decode()
        environ |= {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{scheme}://{host}/.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {login}",
        }
    return environ


def _only(environ: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: environ[name] for name in names if name in environ}


def _git_directories(directory: str) -> Iterator[str]:
    """Every `.git` below *directory*: of the repository itself and of its submodules."""
    for top, directories, files in os.walk(directory):
        if ".git" in directories:
            directories.remove(".git")
            yield os.path.join(top, ".git")
        elif ".git" in files:
            yield os.path.join(top, ".git")


def inside(directory: str, subdir: str, shown: str) -> str:
    """The directory *subdir* of a checkout; no link leads out of it. Raises RepositoryError."""
    path = os.path.realpath(os.path.join(directory, subdir))
    top = os.path.realpath(directory)
    if (path != top and not path.startswith(top + "/")) or not os.path.isdir(path):
        raise RepositoryError(f'{shown} has no directory "{subdir}"')
    return path
