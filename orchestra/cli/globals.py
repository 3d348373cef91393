"""The flags before the command, and what they and the COMPOSE_* variables come to."""

from __future__ import annotations

import os

from orchestra.cli.flags import LIST, NUMBER, TEXT, Flag, UsageError
from orchestra.named import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.cli.flags import Args

DRY_RUN = Flag("dry-run", "Execute command in dry run mode")

PROGRESS_MODES = ("auto", "tty", "plain", "json", "quiet")
ANSI_MODES = ("never", "always", "auto")

_IN_NAMES = "abcdefghijklmnopqrstuvwxyz0123456789-_"

GLOBAL_FLAGS = (
    Flag("all-resources", "Include all resources, even those not used by services"),
    Flag(
        "ansi",
        'Control when to print ANSI control characters ("never"|"always"|"auto")',
        kind=TEXT,
        default="auto",
        choices=ANSI_MODES,
    ),
    Flag("compatibility", "Run compose in backward compatibility mode"),
    DRY_RUN,
    Flag("env-file", "Specify an alternate environment file", kind=LIST),
    Flag("file", "Compose configuration files", short="f", kind=LIST),
    Flag(
        "parallel",
        "Control max parallelism, -1 for unlimited",
        kind=NUMBER,
        default="-1",
    ),
    Flag("profile", "Specify a profile to enable", kind=LIST),
    Flag(
        "progress",
        f"Set type of progress output ({', '.join(PROGRESS_MODES)})",
        kind=TEXT,
        choices=PROGRESS_MODES,
    ),
    Flag(
        "project-directory",
        "Specify an alternate working directory (default: the path of the, first specified, "
        "Compose file)",
        kind=TEXT,
    ),
    Flag("project-name", "Project name", short="p", kind=TEXT),
    Flag("version", "Show the version information", short="v", hidden=True),
    Flag("verbose", "Show more output", hidden=True),
    Flag("no-ansi", "Do not print ANSI control characters (DEPRECATED)", hidden=True),
    Flag("workdir", "DEPRECATED! USE --project-directory INSTEAD.", kind=TEXT, hidden=True),
    Flag("insecure-registry", "Accepted and without effect", kind=LIST, hidden=True),
)


class GlobalOptions(NamedTuple):
    """What holds for every command. Paths are as the user wrote them."""

    files: tuple[str, ...] = ()
    project_name: str = ""
    env_files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    project_directory: str = ""
    compatibility: bool = False
    all_resources: bool = False
    ansi: str = "auto"
    progress: str = "auto"
    parallel: int = -1  # operations at once; -1 is no bound
    dry_run: bool = False
    verbose: bool = False


def read_globals(args: Args, environ: Mapping[str, str]) -> GlobalOptions:
    """Flags, then variables, then defaults. Raises UsageError."""
    ansi = _ansi(args, environ)
    return GlobalOptions(
        files=args.texts("file"),
        project_name=_project_name(args),
        env_files=_env_files(args, environ),
        profiles=args.texts("profile"),
        project_directory=_project_directory(args),
        compatibility=args.on("compatibility"),
        all_resources=args.on("all-resources"),
        ansi=ansi,
        progress=_progress(args, environ, ansi),
        parallel=_parallel(args, environ),
        dry_run=args.on("dry-run"),
        verbose=args.on("verbose"),
    )


def _ansi(args: Args, environ: Mapping[str, str]) -> str:
    if args.on("no-ansi"):
        if args.text("ansi") != "auto":
            raise UsageError('cannot specify DEPRECATED "--no-ansi" and "--ansi". Use "--ansi"')
        return "never"
    mode = args.text("ansi")
    if "ansi" not in args.given:
        mode = environ.get("COMPOSE_ANSI") or mode
    if mode not in ANSI_MODES:
        raise UsageError(f'unsupported --ansi value "{mode}"', fix="use never, always or auto")
    if environ.get("NO_COLOR"):
        return "never"
    return mode


def _progress(args: Args, environ: Mapping[str, str], ansi: str) -> str:
    mode = args.text("progress") or environ.get("COMPOSE_PROGRESS") or "auto"
    if mode == "none":
        mode = "quiet"
    if mode not in PROGRESS_MODES:
        raise UsageError(f'unsupported --progress value "{mode}"')
    if mode == "tty" and ansi == "never":
        raise UsageError("can't use --progress tty while ANSI support is disabled")
    if mode == "plain" and ansi == "always":
        raise UsageError("can't use --progress plain while ANSI support is forced")
    return mode


def _parallel(args: Args, environ: Mapping[str, str]) -> int:
    text = environ.get("COMPOSE_PARALLEL_LIMIT")
    if text is None or "parallel" in args.given:
        return args.number("parallel")
    try:
        return int(text)
    except ValueError:
        raise UsageError(f'COMPOSE_PARALLEL_LIMIT must be an integer (found: "{text}")') from None


def _project_name(args: Args) -> str:
    """Raises UsageError for a wrong one: no command looks for such a project."""
    name = args.text("project-name")
    if name.strip(_IN_NAMES) or name.startswith(("-", "_")):
        raise UsageError(
            f'invalid project name "{name}": it must consist only of lowercase alphanumeric '
            "characters, hyphens and underscores, and start with a letter or number"
        )
    return name


def _project_directory(args: Args) -> str:
    if not args.text("workdir"):
        return args.text("project-directory")
    if args.text("project-directory"):
        raise UsageError('cannot specify DEPRECATED "--workdir" and "--project-directory"')
    return args.text("workdir")


def _env_files(args: Args, environ: Mapping[str, str]) -> tuple[str, ...]:
    files = args.texts("env-file")
    if not files:
        files = tuple(name for name in environ.get("COMPOSE_ENV_FILES", "").split(",") if name)
    return tuple(os.path.abspath(os.path.expanduser(name)) for name in files)
