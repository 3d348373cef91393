"""What stands where on a command line: the kinds of name that a place or a flag's value asks for.

Tables only; `cli.complete` reads them and `cli.known_names` finds the names. A place is a word of
a usage line without brackets and dots; a new command whose places stand here completes by itself.
"""

from __future__ import annotations

FILES, DIRECTORIES = ":files", ":directories"
"""Not names of ours: a word to the shell, which knows them."""

SERVICES, SCALES, PROFILES, PROJECTS = "services", "scales", "profiles", "projects"
IMAGES, CONTAINERS, VOLUMES, NETWORKS = "images", "containers", "volumes", "networks"
SERVICE_PATHS, CONTAINER_PATHS, MOUNTS = "service paths", "container paths", "mounts"
VARIABLES, SIGNALS, COMMANDS = "variables", "signals", "commands"
NOTHING = ""
"""Free text, or what only the container knows."""

PLACES = {
    "SERVICE": SERVICES,
    "SERVICES": SERVICES,
    "SERVICE=REPLICAS": SCALES,
    "SERVICE:SRC_PATH": SERVICE_PATHS,
    "DEST_PATH|-": SERVICE_PATHS,
    "CONTAINER": CONTAINERS,
    "CONTAINER:SRC_PATH": CONTAINER_PATHS,
    "OBJECT": CONTAINERS,  # of whatever kind; those are the ones that are asked for
    "PROJECT": PROJECTS,
    "IMAGE": IMAGES,
    "REPOSITORY[:TAG]": IMAGES,
    "NAME[:TAG]": IMAGES,
    "NAME[:TAG|@DIGEST]": IMAGES,
    "SOURCE_IMAGE[:TAG]": IMAGES,
    "TARGET_IMAGE[:TAG]": IMAGES,
    "VOLUME": VOLUMES,
    "NETWORK": NETWORKS,
    "BUNDLE": FILES,
    "FILE|-": FILES,
    "PATH": DIRECTORIES,
    "DIRECTORY": DIRECTORIES,
    "COMMAND": NOTHING,
    "ARG": NOTHING,
    "ARGS": NOTHING,
    "PRIVATE_PORT": NOTHING,
    "PRIVATE_PORT[/PROTO]": NOTHING,
    "NEW_NAME": NOTHING,
    "SERVER": NOTHING,
    "SHELL": NOTHING,  # `complete` knows the scripts
}
"""A place and the kind of name that stands there."""

OF_COMMAND = {
    ("container cp", "DEST_PATH|-"): CONTAINER_PATHS,
    ("network create", "NETWORK"): NOTHING,
    ("volume create", "VOLUME"): NOTHING,
    ("run", "--workdir"): NOTHING,
    ("exec", "--workdir"): NOTHING,
    ("container run", "--workdir"): NOTHING,
    ("container create", "--workdir"): NOTHING,
    ("container exec", "--workdir"): NOTHING,
}
"""Where the same word means something else."""

VALUES = {
    "attach": SERVICES,
    "no-attach": SERVICES,
    "exit-code-from": SERVICES,
    "hash": SERVICES,
    "scale": SCALES,
    "profile": PROFILES,
    "project-name": PROJECTS,
    "project-directory": DIRECTORIES,
    "workdir": DIRECTORIES,
    "file": FILES,
    "env-file": FILES,
    "env-from-file": FILES,
    "label-file": FILES,
    "cidfile": FILES,
    "iidfile": FILES,
    "output": FILES,
    "input": FILES,
    "env": VARIABLES,
    "signal": SIGNALS,
    "stop-signal": SIGNALS,
    "tag": IMAGES,
    "network": NETWORKS,
    "config-from": NETWORKS,
    "link": CONTAINERS,
    "volumes-from": CONTAINERS,
    "with-volume": VOLUMES,
    "volume": MOUNTS,
}
"""What the value of a flag without `choices` is the name of."""

FORMATS = ("table", "json")
"""For a `--format` without choices: the words besides a template."""

PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386", "linux/riscv64")

WORDS = {
    ("*", "format"): FORMATS,
    ("*", "platform"): PLATFORMS,
    ("*", "progress"): ("auto", "plain", "quiet"),
    ("*", "restart"): ("no", "always", "on-failure", "unless-stopped"),
    ("network create", "driver"): ("bridge", "macvlan", "ipvlan"),
    ("volume create", "driver"): ("local",),
    ("builder prune", "filter"): ("until=",),
    ("image ls", "filter"): ("before=", "dangling=", "label=", "reference=", "since=", "until="),
    ("image prune", "filter"): ("label=", "until="),
    ("ls", "filter"): ("name=",),
    ("network ls", "filter"): ("dangling=", "driver=", "id=", "label=", "name=", "scope=", "type="),
    ("network prune", "filter"): ("label=", "label!=", "until="),
    ("ps", "filter"): ("status=",),
    ("system prune", "filter"): ("label=", "until="),
    ("volume ls", "filter"): ("dangling=", "driver=", "label=", "name="),
    ("volume prune", "filter"): ("all=", "label=", "label!="),
}
"""Values of a command's flag, or (`*`) of whatever command's, that no declaration lists."""


def kind_of_place(command: str, place: str) -> str:
    """The kind of name at *place* of *command*'s usage; NOTHING when it is not known."""
    word = bare(place)
    return OF_COMMAND.get((command, word), PLACES.get(word, NOTHING))


def kind_of_value(command: str, flag: str) -> str:
    """The kind of name that the *flag* of *command* takes."""
    return OF_COMMAND.get((command, f"--{flag}"), VALUES.get(flag, NOTHING))


def words_of_value(command: str, flag: str) -> tuple[str, ...]:
    """The fixed words that the *flag* of *command* takes."""
    return WORDS.get((command, flag), WORDS.get(("*", flag), ()))


def bare(place: str) -> str:
    """*place* without the dots, and without the brackets around the whole."""
    word = place.replace("...", "")
    while word.startswith("[") and word.endswith("]"):
        word = word[1:-1]
    return word
