"""`orchestra completion`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import Command, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="completion SHELL",
    summary="Print the completion script of bash, fish or zsh",
    min_args=1,
    max_args=1,
    examples=(
        ('eval "$(orchestra completion bash)"', "In ~/.bashrc"),
        ("source <(orchestra completion zsh)", "In ~/.zshrc, after compinit"),
        ("orchestra completion fish | source", "In ~/.config/fish/config.fish"),
    ),
)


def run(args: Args, context: Context) -> int:  # noqa: ARG001 (every command has this signature)
    """Print the script. Raises UsageError for another shell."""
    from orchestra.cli.shells import SCRIPTS

    script = SCRIPTS.get(args.words[0])
    if script is None:
        known = ", ".join(SCRIPTS)
        raise UsageError(f'no completion for "{args.words[0]}"', fix=f"use one of {known}")
    write(script)
    return 0
