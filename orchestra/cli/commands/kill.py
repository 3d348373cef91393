"""`orchestra kill`."""

from __future__ import annotations

from orchestra.cli.flags import TEXT, Command, Flag

COMMAND = Command(
    usage="kill [OPTIONS] [SERVICE...]",
    summary="Force stop service containers",
    flags=(
        Flag("remove-orphans", "Remove containers for services not defined in the Compose file"),
        Flag("signal", "SIGNAL to send to the container", short="s", kind=TEXT, default="SIGKILL"),
    ),
    examples=(("orchestra kill -s HUP web", "Tell `web` to read its configuration again"),),
)
