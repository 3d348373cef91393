"""Every command: its module and its help line, so that `--help` imports none of them."""

from __future__ import annotations

from orchestra.named import NamedTuple


class Row(NamedTuple):
    """One command of the table; *module* lies in `orchestra.cli.commands`."""

    module: str
    summary: str
    group: str


RUN, LOOK, FILE = "Run a project", "Look into a project", "Compose files and orchestra itself"
IMAGE, CONTAINER, SYSTEM, BUILDER = "image", "container", "system", "builder"
VOLUME, NETWORK, BUNDLE = "volume", "network", "bundle"
DOCKER, BUILDX = "docker", "buildx"
FAMILIES = {
    IMAGE: "Manage images",
    CONTAINER: "Manage containers, of whatever project",
    SYSTEM: "Manage what orchestra keeps on this machine",
    BUILDER: "Manage what builds keep",
    NETWORK: "Manage networks",
    VOLUME: "Manage volumes",
    DOCKER: "Take the words of docker: `docker run`, `docker ps`, `docker compose up` …",
    BUILDX: "Take the words of docker buildx",
    BUNDLE: "Move projects to machines without a network",
}
"""Commands of two words, such as `image ls`: the first word, which is their group as well."""

GROUPS = (RUN, LOOK, FILE)

COMMANDS: dict[str, Row] = {
    "up": Row("up", "Create and start containers", RUN),
    "down": Row("down", "Stop and remove containers, networks", RUN),
    "start": Row("start", "Start services", RUN),
    "stop": Row("stop", "Stop services", RUN),
    "restart": Row("restart", "Restart service containers", RUN),
    "resume": Row("resume", "Start again what should run after a reboot", RUN),
    "kill": Row("kill", "Force stop service containers", RUN),
    "create": Row("create", "Creates containers for a service", RUN),
    "pull": Row("pull", "Pull service images", RUN),
    "push": Row("push", "Push service images", RUN),
    "rm": Row("rm", "Removes stopped service containers", RUN),
    "pause": Row("pause", "Pause services", RUN),
    "unpause": Row("unpause", "Unpause services", RUN),
    "scale": Row("scale", "Scale services", RUN),
    "run": Row("run", "Run a one-off command on a service", RUN),
    "exec": Row("exec", "Execute a command in a running container", RUN),
    "cp": Row("cp", "Copy files/folders between a service container and the local filesystem", RUN),
    "commit": Row("commit", "Create a new image from a service container's changes", RUN),
    "export": Row("export", "Export a service container's filesystem as a tar archive", RUN),
    "attach": Row(
        "attach",
        "Attach local standard input, output, and error streams to a service's running container",
        RUN,
    ),
    "watch": Row(
        "watch",
        "Watch build context for service and rebuild/refresh containers when files are updated",
        RUN,
    ),
    "ps": Row("ps", "List containers", LOOK),
    "logs": Row("logs", "View output from containers", LOOK),
    "top": Row("top", "Display the running processes", LOOK),
    "stats": Row("stats", "Display a live stream of container(s) resource usage statistics", LOOK),
    "ui": Row("ui", "Watch and steer a project in the terminal", LOOK),
    "port": Row("port", "Print the public port for a port binding", LOOK),
    "volumes": Row("volumes", "List volumes", LOOK),
    "images": Row("images", "List images used by the created containers", LOOK),
    "events": Row("events", "Receive real time events from containers", LOOK),
    "wait": Row("wait", "Block until containers of all (or specified) services stop.", LOOK),
    "ls": Row("ls", "List running compose projects", LOOK),
    "config": Row("config", "Parse, resolve and render compose file in canonical format", FILE),
    "graph": Row("graph", "Print the dependency graph of the services", FILE),
    "explain": Row("explain", "Tell what `up` would do, and why", FILE),
    "timeline": Row("timeline", "Show what the last `up` did, when, and what it waited for", LOOK),
    "build": Row("build", "Build or rebuild services", RUN),
    "builder du": Row("builder_du", "Show the disk usage of builds", BUILDER),
    "builder prune": Row("builder_prune", "Remove build cache", BUILDER),
    "bundle save": Row("bundle_save", "Save a project with its images in one file", BUNDLE),
    "bundle up": Row(
        "bundle_up", "Create and start the containers of a bundle, with no network", BUNDLE
    ),
    "bundle inspect": Row(
        "bundle_inspect", "Show what a bundle holds, and what it needs besides", BUNDLE
    ),
    "image build": Row("image_build", "Build an image from a Dockerfile", IMAGE),
    "image ls": Row("image_ls", "List images", IMAGE),
    "image inspect": Row(
        "image_inspect", "Display detailed information on one or more images", IMAGE
    ),
    "image history": Row("image_history", "Show the history of an image", IMAGE),
    "image save": Row(
        "image_save",
        "Save one or more images to a tar archive (streamed to STDOUT by default)",
        IMAGE,
    ),
    "image import": Row(
        "image_import", "Import the contents from a tarball to create a filesystem image", IMAGE
    ),
    "image pull": Row("image_pull", "Download an image from a registry", IMAGE),
    "image push": Row("image_push", "Upload an image to a registry", IMAGE),
    "image load": Row("image_load", "Load an image from a tar archive or STDIN", IMAGE),
    "image tag": Row("image_tag", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE", IMAGE),
    "image rm": Row("image_rm", "Remove one or more images", IMAGE),
    "image prune": Row("image_prune", "Remove unused images", IMAGE),
    "container commit": Row(
        "container_commit", "Create a new image from a container's changes", CONTAINER
    ),
    "container attach": Row(
        "container_attach",
        "Attach local standard input, output, and error streams to a running container",
        CONTAINER,
    ),
    "container cp": Row(
        "container_cp",
        "Copy files/folders between a container and the local filesystem",
        CONTAINER,
    ),
    "container create": Row("container_create", "Create a new container", CONTAINER),
    "container diff": Row(
        "container_diff",
        "Inspect changes to files or directories on a container's filesystem",
        CONTAINER,
    ),
    "container exec": Row("container_exec", "Execute a command in a running container", CONTAINER),
    "container export": Row(
        "container_export", "Export a container's filesystem as a tar archive", CONTAINER
    ),
    "container inspect": Row(
        "container_inspect", "Display detailed information on one or more containers", CONTAINER
    ),
    "container kill": Row("container_kill", "Kill one or more running containers", CONTAINER),
    "container logs": Row("container_logs", "Fetch the logs of a container", CONTAINER),
    "container ls": Row("container_ls", "List containers", CONTAINER),
    "container pause": Row(
        "container_pause", "Pause all processes within one or more containers", CONTAINER
    ),
    "container port": Row(
        "container_port",
        "List port mappings or a specific mapping for the container",
        CONTAINER,
    ),
    "container prune": Row("container_prune", "Remove all stopped containers", CONTAINER),
    "container rename": Row("container_rename", "Rename a container", CONTAINER),
    "container restart": Row("container_restart", "Restart one or more containers", CONTAINER),
    "container rm": Row("container_rm", "Remove one or more containers", CONTAINER),
    "container run": Row(
        "container_run", "Create and run a new container from an image", CONTAINER
    ),
    "container start": Row("container_start", "Start one or more stopped containers", CONTAINER),
    "container stats": Row(
        "container_stats",
        "Display a live stream of container(s) resource usage statistics",
        CONTAINER,
    ),
    "container stop": Row("container_stop", "Stop one or more running containers", CONTAINER),
    "container top": Row(
        "container_top", "Display the running processes of a container", CONTAINER
    ),
    "container unpause": Row(
        "container_unpause", "Unpause all processes within one or more containers", CONTAINER
    ),
    "container update": Row(
        "container_update", "Update configuration of one or more containers", CONTAINER
    ),
    "container wait": Row(
        "container_wait",
        "Block until one or more containers stop, then print their exit codes",
        CONTAINER,
    ),
    "docker inspect": Row(
        "docker_inspect",
        "Display detailed information on containers, images, networks and volumes",
        DOCKER,
    ),
    "docker version": Row(
        "docker_version",
        "Show the release of Docker whose commands these are, and orchestra's own version",
        DOCKER,
    ),
    "buildx version": Row(
        "buildx_version", "Show the release of buildx whose `build` this is", BUILDX
    ),
    "network connect": Row("network_connect", "Connect a container to a network", NETWORK),
    "network create": Row("network_create", "Create a network", NETWORK),
    "network disconnect": Row(
        "network_disconnect", "Disconnect a container from a network", NETWORK
    ),
    "network inspect": Row(
        "network_inspect", "Display detailed information on one or more networks", NETWORK
    ),
    "network ls": Row("network_ls", "List networks", NETWORK),
    "network prune": Row("network_prune", "Remove all unused networks", NETWORK),
    "network rm": Row("network_rm", "Remove one or more networks", NETWORK),
    "volume create": Row("volume_create", "Create a volume", VOLUME),
    "volume inspect": Row(
        "volume_inspect", "Display detailed information on one or more volumes", VOLUME
    ),
    "volume ls": Row("volume_ls", "List volumes", VOLUME),
    "volume prune": Row("volume_prune", "Remove unused local volumes", VOLUME),
    "volume rm": Row("volume_rm", "Remove one or more volumes", VOLUME),
    "completion": Row("completion", "Print the completion script of bash, fish or zsh", FILE),
    "man": Row("man", "Write the manual pages of orchestra to a directory", FILE),
    "system df": Row(
        "system_df", "Show how much disk space images, containers and volumes use", SYSTEM
    ),
    "system events": Row(
        "system_events", "Get real time events from every container of this machine", SYSTEM
    ),
    "system info": Row(
        "system_info",
        "Display information about this machine and what orchestra keeps on it",
        SYSTEM,
    ),
    "system prune": Row("system_prune", "Remove unused data", SYSTEM),
    "login": Row("login", "Authenticate to a registry", FILE),
    "logout": Row("logout", "Log out from a registry", FILE),
    "version": Row("version", "Show the version information", FILE),
}

ALIASES = {
    "convert": "config",
    "container list": "container ls",
    "container ps": "container ls",
    "container remove": "container rm",
    "image list": "image ls",
    "image remove": "image rm",
    "network list": "network ls",
    "network remove": "network rm",
    "volume list": "volume ls",
    "volume remove": "volume rm",
}
"""Old names that `docker compose` still accepts."""

_PUBLISH = (
    "`orchestra bundle save` writes the project with its images in one file, `orchestra push` "
    "uploads the images; only `docker compose publish` makes an OCI artifact of compose files"
)
_BRIDGE = (
    "orchestra runs compose files itself; `docker compose bridge` or kompose turn them into "
    "Kubernetes manifests, which `orchestra config` prepares: variables and defaults filled in"
)

INSTEAD = {
    "alpha": "orchestra has no experimental commands",
    "alpha dry-run": "use `orchestra --dry-run COMMAND`, or `orchestra explain` for the reasons",
    "alpha generate": "there is none: write the compose file by hand; `config` checks it",
    "alpha publish": _PUBLISH,
    "alpha scale": "use `orchestra scale`",
    "alpha viz": "use `orchestra graph`; `--format dot` is for Graphviz",
    "alpha watch": "use `orchestra watch`",
    "bridge": _BRIDGE,
    "bridge convert": _BRIDGE,
    "bridge transformations": _BRIDGE,
    "publish": _PUBLISH,
}
"""Commands of `docker compose` and `docker` without a counterpart here, and what to use instead."""
