"""`orchestra down`."""

from __future__ import annotations

from orchestra.cli.flags import NUMBER, TEXT, Command, Flag

COMMAND = Command(
    usage="down [OPTIONS] [SERVICES]",
    summary="Stop and remove containers, networks",
    flags=(
        Flag(
            "remove-orphans",
            "Remove containers for services not defined in the Compose file",
        ),
        Flag(
            "rmi",
            'Remove images used by services. "local" remove only images that don\'t have a custom '
            'tag ("local"|"all")',
            kind=TEXT,
            choices=("local", "all"),
        ),
        Flag("timeout", "Specify a shutdown timeout in seconds", short="t", kind=NUMBER),
        Flag(
            "volumes",
            'Remove named volumes declared in the "volumes" section of the Compose file and '
            "anonymous volumes attached to containers",
            short="v",
        ),
    ),
    examples=(
        ("orchestra down", "Remove containers and networks, keep named volumes"),
        ("orchestra down -v", "Remove the volumes too"),
    ),
)
