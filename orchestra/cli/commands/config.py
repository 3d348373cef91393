"""`orchestra config`."""

from __future__ import annotations

from orchestra.cli.flags import TEXT, Command, Flag

COMMAND = Command(
    usage="config [OPTIONS] [SERVICE...]",
    summary="Parse, resolve and render compose file in canonical format",
    flags=(
        Flag("environment", "Print environment used for interpolation."),
        Flag(
            "format",
            "Format the output. Values: [yaml | json]",
            kind=TEXT,
            default="yaml",
            choices=("yaml", "json"),
        ),
        Flag("hash", "Print the service config hash, one per line.", kind=TEXT),
        Flag("images", "Print the image names, one per line."),
        Flag("lock-image-digests", "Produces an override file with image digests"),
        Flag("models", "Print the model names, one per line."),
        Flag("networks", "Print the network names, one per line."),
        Flag(
            "no-consistency",
            "Don't check model consistency - warning: may produce invalid Compose output",
        ),
        Flag("no-env-resolution", "Don't resolve service env files"),
        Flag("no-interpolate", "Don't interpolate environment variables"),
        Flag("no-normalize", "Don't normalize compose model"),
        Flag("no-path-resolution", "Don't resolve file paths"),
        Flag("output", "Save to file (default to stdout)", short="o", kind=TEXT),
        Flag("profiles", "Print the profile names, one per line."),
        Flag("quiet", "Only validate the configuration, don't print anything", short="q"),
        Flag("resolve-image-digests", "Pin image tags to digests"),
        Flag("services", "Print the service names, one per line."),
        Flag("variables", "Print model variables and default values."),
        Flag("volumes", "Print the volume names, one per line."),
    ),
    examples=(
        ("orchestra config", "The project, all defaults and variables filled in"),
        ("orchestra config -q", "Check the files, print nothing"),
    ),
)
