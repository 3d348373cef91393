"""The variables that orchestra itself reads, for the manual; a compose file has others."""

from __future__ import annotations

VARIABLES = {
    "COMPOSE_ANSI": "The default of --ansi",
    "COMPOSE_COMPATIBILITY": "With a true value as --compatibility",
    "COMPOSE_DISABLE_ENV_FILE": "With a true value the file .env is not read",
    "COMPOSE_ENV_FILES": "The default of --env-file; several are separated by commas",
    "COMPOSE_FILE": "The default of --file; several are separated by colons, "
    "or by COMPOSE_PATH_SEPARATOR",
    "COMPOSE_IGNORE_ORPHANS": "With a true value containers of other services are not told of",
    "COMPOSE_MENU": "With a false value `up` at a terminal shows no menu of keys",
    "COMPOSE_PARALLEL_LIMIT": "The default of --parallel",
    "COMPOSE_PATH_SEPARATOR": "What separates the files in COMPOSE_FILE",
    "COMPOSE_PROFILES": "The default of --profile; several are separated by commas",
    "COMPOSE_PROGRESS": "The default of --progress",
    "COMPOSE_PROJECT_NAME": "The default of --project-name",
    "COMPOSE_REMOVE_ORPHANS": "With a true value `up` and `down` remove containers of services "
    "that the file does not have",
    "DOCKER_CONFIG": "The directory of config.json, which keeps logins; default ~/.docker",
    "DOCKER_DEFAULT_PLATFORM": "The platform of services and images that name none",
    "NO_COLOR": "With any value nothing is coloured",
    "ORCHESTRA_DATA_ROOT": "Where projects, images and volumes lie; default /var/lib/orchestra",
    "ORCHESTRA_INSECURE_REGISTRIES": "Registries that are spoken to without TLS, "
    "separated by commas",
    "ORCHESTRA_REGISTRY_MIRROR": "A registry that is asked before Docker Hub",
    "ORCHESTRA_RUN_ROOT": "Where sockets and locks lie; default /run/orchestra",
}
