"""The `orchestra` command: finds the command's module, runs it, prints errors and exits.

Only here are errors printed and exit codes chosen. A command's module is imported when it is
called, and no other; `cli.table` has what the help needs.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import sys

from orchestra.cli.context import Context, is_terminal, terminal_width
from orchestra.cli.flags import (
    Args,
    Command,
    FlagError,
    HelpWanted,
    InvalidValue,
    UnknownFlag,
    UsageError,
    check_words,
    parse,
)
from orchestra.cli.globals import DRY_RUN, GLOBAL_FLAGS, GlobalOptions, read_globals
from orchestra.cli.table import ALIASES, COMMANDS, FAMILIES, INSTEAD, LOOK, RUN
from orchestra.errors import CommandExited, Interrupted, LaunchFailed, OrchestraError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn, Protocol

    class CommandModule(Protocol):
        """A module in `cli.commands`."""

        COMMAND: Command

        def run(self, args: Args, context: Context) -> int: ...


DOCKER = "docker"
COMPLETE = "__complete"  # what the shells' completion calls; see `cli.complete`
HOST_FAILURES = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
BROKEN_PIPE = 141  # what a shell reports of a program that SIGPIPE ended

RARELY = 100_000
"""Objects made between two garbage collections, instead of 700: while a command imports, loads and
plans there is no garbage to be found, and looking for it took 5 of 70 ms of an `up`.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `orchestra` with *argv* and return the exit code.

    Without *argv* this is the whole process and ends it, and spares it the 5 ms in which the
    interpreter would take apart, object by object, what is given back at once anyway.
    """
    gc.set_threshold(RARELY, *gc.get_threshold()[1:])
    code = _run(_arguments() if argv is None else argv)
    if argv is None:
        _leave(code)
    return code


def _arguments() -> list[str]:
    """Called by a link named `docker` this is `orchestra docker`."""
    program, *arguments = sys.argv
    return ["docker", *arguments] if os.path.basename(program) == DOCKER else arguments


def _leave(code: int) -> NoReturn:
    with contextlib.suppress(OSError):  # `_run` has flushed stdout and reported what failed
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _run(argv: Sequence[str]) -> int:
    options = GlobalOptions()
    _prepare_streams()
    try:
        parsed = _parse_globals(argv)
        if parsed is None:
            code = _print_root_help()
        else:
            options, environ = _settings(parsed)
            code = _dispatch(parsed, options, environ)
        sys.stdout.flush()
    except CommandExited as exc:
        code = exc.exit_code
    except (KeyboardInterrupt, Interrupted):
        code = Interrupted.exit_code
    except OrchestraError as exc:
        code = _print_failure(exc, options)
    except BrokenPipeError:
        _silence_stdout()
        code = BROKEN_PIPE
    except OSError as exc:
        code = _print_host_failure(exc) if exc.errno in HOST_FAILURES else _print_bug()
    except Exception:  # noqa: BLE001 (the root of the process: whatever it is, say so and save it)
        code = _print_bug()
    return code


def _parse_globals(argv: Sequence[str]) -> Args | None:
    """The flags before the command, and the rest as words; None when help is wanted."""
    try:
        return parse(GLOBAL_FLAGS, argv, interspersed=False)
    except HelpWanted:
        return None
    except UnknownFlag as exc:
        from orchestra.cli.suggest import unknown_flag

        exc.fix = unknown_flag(exc, GLOBAL_FLAGS)
        raise
    except InvalidValue as exc:
        exc.exit_code = OrchestraError.exit_code  # before the command Docker Compose has another
        raise


def _settings(parsed: Args) -> tuple[GlobalOptions, Mapping[str, str]]:
    """The global options and the variables; for a project's commands its `.env` has a say."""
    options = read_globals(parsed, os.environ)
    row = COMMANDS.get(parsed.words[0]) if parsed.words else None
    if row is None or row.group not in (RUN, LOOK):
        return options, os.environ
    from orchestra.cli.env_files import with_env_files

    environ = with_env_files(options, os.environ, _working_directory(os.environ))
    return (options if environ is os.environ else read_globals(parsed, environ)), environ


def _prepare_streams() -> None:
    """Let output never fail for want of a stream, or of a character in the locale's encoding."""
    if sys.stdin is None:  # closed by the caller, as with `<&-`: the next file would be it
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 (until the end)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller, as with `>&-`
            stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (until the end)
            setattr(sys, name, stream)
        stream.reconfigure(errors="backslashreplace")


def _dispatch(parsed: Args, options: GlobalOptions, environ: Mapping[str, str]) -> int:
    """Run the command that *parsed* names."""
    words = parsed.words
    if parsed.on("version"):
        words = ("version", *words)
    if words and words[0] == DOCKER:
        return _as_docker(words[1:], options)
    return _dispatch_words(words, options, environ)


def _as_docker(words: Sequence[str], options: GlobalOptions) -> int:
    """`docker WORDS`, with what Docker itself exits with for flags that it does not know."""
    from orchestra.cli.docker import DOCKER_EXIT, translate

    translated = translate(words, os.environ)
    if translated.is_compose:
        return _run(translated.words)
    try:
        return _dispatch_words(translated.words, options, os.environ)
    except FlagError as exc:
        exc.exit_code = DOCKER_EXIT
        raise


def _dispatch_words(
    words: Sequence[str], options: GlobalOptions, environ: Mapping[str, str]
) -> int:
    """Run the command that the first of *words* name."""
    if words and words[0] == COMPLETE:
        from orchestra.cli.complete import complete

        return complete(words[1:], environ, _working_directory(environ))
    if not words or words[0] == "help":
        return _print_help_of(words[1:])
    if words[0] in FAMILIES and (len(words) == 1 or words[1] in ("-h", "--help")):
        return _print_help_of(words[:1])
    name, rest = _split_name(words)
    module = load(name)
    command = module.COMMAND._replace(flags=(*module.COMMAND.flags, DRY_RUN))
    try:
        args = _read(command, rest)
    except HelpWanted:
        return _print_command_help(command)
    if args.on("dry-run"):
        options = options._replace(dry_run=True)
    if options.verbose:
        from orchestra.log import log_to_stderr

        log_to_stderr()
    return _run_command(module, args, Context(options, environ, _working_directory(environ)))


def _run_command(module: CommandModule, args: Args, context: Context) -> int:
    """Raises what the command raises, with the exit code that this command gives it."""
    command = module.COMMAND
    try:
        return module.run(args, context)
    except OrchestraError as exc:
        if isinstance(exc, LaunchFailed):
            if not command.attends:
                exc.exit_code = OrchestraError.exit_code
        elif command.failure_code and not isinstance(exc, Interrupted | CommandExited):
            exc.exit_code = command.failure_code
        if exc.where is None and exc.path:
            exc.where = context.place_of(exc.path)
        raise


def _read(command: Command, words: Sequence[str]) -> Args:
    """What is written after the command's name. Raises UsageError, which shows the usage."""
    try:
        args = parse(command.flags, words, interspersed=command.interspersed)
        check_words(command, args)
    except UsageError as exc:
        if isinstance(exc, UnknownFlag):
            from orchestra.cli.suggest import unknown_flag

            exc.fix = unknown_flag(exc, command.flags, command=command.name)
        exc.what += f"\n\n{_usage_hint(command)}"
        if isinstance(exc, FlagError) and command.failure_code:
            exc.exit_code = command.failure_code
        raise
    return args


def _split_name(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The command's name, of two words in a family, and what comes after it."""
    count = 2 if words[0] in FAMILIES or words[0] in INSTEAD else 1
    return " ".join(words[:count]), words[count:]


def load(name: str) -> CommandModule:
    """The module of the command *name*. Raises FlagError for an unknown one."""
    row = COMMANDS.get(ALIASES.get(name, name))
    if row is None:
        from orchestra.cli.suggest import unknown_command

        raise unknown_command(name.split(" "))
    from importlib import import_module

    module: CommandModule = import_module(f"orchestra.cli.commands.{row.module}")
    return module


def _usage_hint(command: Command) -> str:
    return (
        f"Usage:  orchestra {command.usage}\n\n"
        f"Run 'orchestra {command.name} --help' for more information"
    )


def _print_root_help() -> int:
    from orchestra.cli.render.help import root_help

    sys.stdout.write(root_help(GLOBAL_FLAGS, width=terminal_width(1)))
    return 0


def _print_help_of(words: Sequence[str]) -> int:
    if not words:
        return _print_root_help()
    if words[0] in FAMILIES and len(words) == 1:
        from orchestra.cli.render.help import family_help

        sys.stdout.write(family_help(words[0]))
        return 0
    return _print_command_help(load(_split_name(words)[0]).COMMAND)


def _print_command_help(command: Command) -> int:
    from orchestra.cli.render.help import command_help

    sys.stdout.write(command_help(command, width=terminal_width(1)))
    return 0


def _print_failure(error: OrchestraError, options: GlobalOptions) -> int:
    from orchestra.cli.render.failure import failure_text

    if options.progress == "json":
        import json

        sys.stderr.write(json.dumps({"error": True, "message": str(error)}) + "\n")
        return error.exit_code
    context = Context(options, os.environ, "")
    text = failure_text(error, colour=context.colour_stderr, excerpt=is_terminal(2))
    sys.stderr.write(text + "\n")
    return error.exit_code


def _print_host_failure(error: OSError) -> int:
    """The machine has run out of something: no bug of ours, and no traceback."""
    fix = "make room, then run the command again"
    if error.errno == errno.EROFS:
        fix = "mount it writable, or set ORCHESTRA_DATA_ROOT and ORCHESTRA_RUN_ROOT"
    place = f": {error.filename}" if error.filename else ""
    sys.stderr.write(f"{error.strerror}{place}\n  fix: {fix}\n")
    return 1


def _print_bug() -> int:
    """Save the traceback of the exception under way where only its owner can read it."""
    import tempfile
    import traceback

    from orchestra import __version__

    error = sys.exc_info()[1]
    try:
        descriptor, path = tempfile.mkstemp(prefix="orchestra-bug-", suffix=".txt")
    except OSError:  # no directory to write to
        traceback.print_exc()
        return 1
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(f"orchestra {__version__}, Python {sys.version}\n{sys.argv}\n")
        file.write(traceback.format_exc())
    sys.stderr.write(
        f"this is a bug in orchestra: {type(error).__name__}: {error}\n"
        f"  the traceback is in {path}; please report it\n"
    )
    return 1


def _silence_stdout() -> None:
    """The reader has gone: keep the interpreter's last flush from failing aloud."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def _working_directory(environ: Mapping[str, str]) -> str:
    """The shell's idea of it, which keeps symbolic links, when that is the same directory."""
    pwd = environ.get("PWD", "")
    try:
        actual = os.getcwd()
        if pwd and os.path.isabs(pwd) and os.path.samefile(pwd, actual):
            return pwd
    except FileNotFoundError as exc:
        if pwd and os.path.isdir(pwd):
            return pwd
        raise OrchestraError("the working directory does not exist any more") from exc
    return actual
