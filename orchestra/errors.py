"""Every error that orchestra raises on purpose, and the exit code of each.

OrchestraError            base; what happened, where, and how to mend it
  ConfigError             a compose file, environment file or option is wrong
    ConfigErrors          several ConfigErrors of one load, reported together
  NotFound                a project, service, container, image, volume … does not exist
  Conflict                a name, address or port is taken, or a command is already running
  Unsupported             asked for something this host, engine or version cannot do
  PermissionDenied        the caller lacks the rights
  RegistryError           a registry answered with an error
    AuthRequired          it wants a login, or refused the one it got
    DigestMismatch        it sent something else than what was asked for
  BuildError              a Dockerfile is wrong or one of its steps failed (exit code 17)
    BuildErrors           several BuildErrors of one Dockerfile, reported together
  RuntimeFailure          the kernel refused a step of running a container
    LaunchFailed          the container's command could not be started (exit code 125, 126 or 127)
  EngineUnavailable       the supervisor or a remote engine does not answer
  Interrupted             the user pressed Ctrl-C (exit code 130)
  CommandExited           a command run for the user ended with a non-zero status; nothing to print

Only `orchestra.cli.main` prints them and exits. Nothing decides by reading a message.
This module imports nothing at run time, so that every other may import it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from orchestra.model.source import Position, TreePath


class OrchestraError(Exception):
    """What happened (*what*), in which file and place (*where*), and how to mend it (*fix*).

    *path* is the attribute's place in the compose tree, when there is one: who has loaded the file
    can tell *where* from it.
    """

    exit_code = 1
    path: TreePath = ()

    def __init__(self, what: str, *, where: Position | None = None, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def at(self, *path: str | int) -> Self:
        """This error, about the attribute at *path* of the compose tree."""
        self.path = path
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled as it is, whatever the class's own constructor asks for."""
        return _revived, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where is not None else ""
        mend = f"\n  fix: {self.fix}" if self.fix else ""
        return f"{place}{self.what}{mend}"


def _revived(
    kind: type[OrchestraError], args: tuple[object, ...], attributes: dict[str, object]
) -> OrchestraError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class ConfigError(OrchestraError):
    """A compose file, environment file, name or option is wrong."""


class ConfigErrors(ConfigError):
    """All the problems found in one load; never empty."""

    def __init__(self, problems: Sequence[ConfigError]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class NotFound(OrchestraError):
    """Something that was named does not exist."""


class Conflict(OrchestraError):
    """Something that was asked for is taken by somebody else."""


class Unsupported(OrchestraError):
    """This host, engine or version cannot do what was asked."""


class PermissionDenied(OrchestraError):
    """The caller lacks the rights for it."""


class RegistryError(OrchestraError):
    """A registry refused or broke off."""


class AuthRequired(RegistryError):
    """A registry wants a login, or refused the one it got."""


class DigestMismatch(RegistryError):
    """A blob's bytes are not those that its digest or size names."""


class BuildError(OrchestraError):
    """A Dockerfile is wrong, or one of its steps failed."""

    exit_code = 17


class BuildErrors(BuildError):
    """All the problems found in one Dockerfile; never empty."""

    def __init__(self, problems: Sequence[BuildError]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class RuntimeFailure(OrchestraError):
    """The kernel refused a step of running a container."""


class LaunchFailed(RuntimeFailure):
    """The container's command could not be started.

    *exit_code* is 127 when the command does not exist, 126 when it cannot be executed and 125 for
    every failure before that, as with `docker run`.
    """

    def __init__(self, what: str, *, exit_code: int = 125, fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.exit_code = exit_code


class EngineUnavailable(OrchestraError):
    """The supervisor or a remote engine does not answer."""


class Interrupted(OrchestraError):
    """The user pressed Ctrl-C."""

    exit_code = 130


class CommandExited(OrchestraError):
    """A command run on the user's behalf ended with *exit_code*; it has said itself why."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"exit status {exit_code}")
        self.exit_code = exit_code
