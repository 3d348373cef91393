"""`orchestra docker …`, and the program called by the name `docker`: Docker's words for the nouns.

Only words are changed here: `docker ps` is `container ls`, `docker compose` is orchestra itself.
The flags before the command name a daemon, and there is none: those that would lead elsewhere are
refused, the others have no effect.
"""

from __future__ import annotations

from orchestra.cli.flags import LIST, TEXT, Flag, FlagError, HelpWanted, UsageError, parse
from orchestra.errors import Unsupported
from orchestra.named import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

DOCKER_EXIT = 125
"""Of `docker` for flags that it does not know."""

_FLAGS = (
    Flag("config", "Location of client config files", kind=TEXT),
    Flag("context", "Accepted: default", short="c", kind=TEXT),
    Flag("debug", "Accepted and without effect", short="D"),
    Flag("host", "Accepted: a Unix socket, which is not used", short="H", kind=LIST),
    Flag("log-level", "Accepted and without effect", short="l", kind=TEXT),
    Flag("tls", "Accepted and without effect"),
    Flag("tlscacert", "Accepted and without effect", kind=TEXT),
    Flag("tlscert", "Accepted and without effect", kind=TEXT),
    Flag("tlskey", "Accepted and without effect", kind=TEXT),
    Flag("tlsverify", "Accepted and without effect"),
    Flag("version", "Print version information and quit", short="v"),
)

_CONTAINER = [
    "attach",
    "commit",
    "cp",
    "create",
    "diff",
    "exec",
    "export",
    "kill",
    "logs",
    "pause",
    "port",
    "rename",
    "restart",
    "rm",
    "run",
    "start",
    "stats",
    "stop",
    "top",
    "unpause",
    "update",
    "wait",
]
_IMAGE = ["build", "history", "import", "load", "pull", "push", "save", "tag"]
_WORDS = {
    **{word: ("container", word) for word in _CONTAINER},
    **{word: ("image", word) for word in _IMAGE},
    "ps": ("container", "ls"),
    "images": ("image", "ls"),
    "rmi": ("image", "rm"),
    "inspect": ("docker", "inspect"),
    "version": ("docker", "version"),
    "events": ("system", "events"),
    "info": ("system", "info"),
    "login": ("login",),
    "logout": ("logout",),
}
_FAMILIES = ("container", "image", "volume", "network", "system", "builder")
_BUILDX = {"build": ("image", "build"), "b": ("image", "build"), "version": ("buildx", "version")}
_NOWHERE = {
    "swarm": "there is no cluster here",
    "service": "there is no cluster here: `orchestra` runs the services of compose files",
    "stack": "there is no cluster here: `orchestra up` runs the same files",
    "node": "there is no cluster here",
    "secret": "write secrets into the compose file",
    "config": "write configs into the compose file",
    "plugin": "there are no plugins",
    "context": "there is no daemon to choose",
    "search": "the registry's web page finds images",
    "trust": "images are named by digest: `NAME@sha256:…`",
    "manifest": "`orchestra image inspect` tells of images that are here",
    "checkpoint": "processes cannot be frozen to disk",
}


class Translated(NamedTuple):
    """*words* for orchestra; when *is_compose* with the flags before its commands."""

    words: tuple[str, ...]
    is_compose: bool = False


def translate(argv: Sequence[str], environ: MutableMapping[str, str]) -> Translated:
    """What `docker ARGV` is here. Raises FlagError, Unsupported."""
    try:
        args = parse(_FLAGS, argv, interspersed=False)
    except HelpWanted:
        return Translated(("docker", "--help"))
    except FlagError as exc:
        exc.exit_code = DOCKER_EXIT
        raise
    _refuse_elsewhere(args.texts("host"), args.text("context"))
    if args.text("config"):
        environ["DOCKER_CONFIG"] = args.text("config")
    if args.on("version"):
        return Translated(("docker", "version", "--short"))
    if not args.words or args.words[0] == "help":
        return Translated(("docker", "--help"))
    return _command(args.words)


def _command(words: tuple[str, ...]) -> Translated:
    head, *rest = words
    if head == "compose":
        return Translated(tuple(rest), is_compose=True)
    if head == "buildx":
        return Translated(_buildx(rest))
    if head in _FAMILIES:
        return Translated(words)
    if head in _WORDS:
        return Translated((*_WORDS[head], *rest))
    if head in _NOWHERE:
        raise Unsupported(f'orchestra has no command "docker {head}"', fix=_NOWHERE[head])
    raise UsageError(
        f"docker: '{head}' is not a docker command", fix="`orchestra docker --help` lists them"
    )


def _buildx(rest: Sequence[str]) -> tuple[str, ...]:
    """`buildx build` is the one builder that there is. Raises Unsupported for what makes others."""
    if not rest or rest[0] in ("-h", "--help"):
        return ("docker", "--help")
    if rest[0] not in _BUILDX:
        raise Unsupported(
            f'orchestra has no command "docker buildx {rest[0]}"',
            fix="there is one builder, always ready: `docker buildx build` uses it",
        )
    return (*_BUILDX[rest[0]], *rest[1:])


def _refuse_elsewhere(hosts: Sequence[str], context: str) -> None:
    for host in hosts:
        if not host.startswith(("unix://", "/")):
            raise Unsupported(
                f"--host {host}: containers are run on this machine, there is no daemon to ask",
                fix="leave --host out, or run the command there, by ssh for example",
            )
    if context not in ("", "default"):
        raise Unsupported(
            f"--context {context}: there is no daemon to choose", fix="leave --context out"
        )
