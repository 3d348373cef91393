"""The flags that `up` and `create` share, and the options that they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.flags import LIST, TEXT, Flag, UsageError

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.ops.up import UpOptions

PULL_POLICIES = ("always", "missing", "never", "build")

BUILD = Flag("build", "Build images before starting containers")
NO_BUILD = Flag("no-build", "Don't build an image, even if it's policy")
FORCE_RECREATE = Flag(
    "force-recreate", "Recreate containers even if their configuration and image haven't changed"
)
NO_RECREATE = Flag(
    "no-recreate",
    "If containers already exist, don't recreate them. Incompatible with --force-recreate.",
)
PULL = Flag(
    "pull",
    f"Pull image before running ({'|'.join(PULL_POLICIES)})",
    kind=TEXT,
    default="policy",
    choices=PULL_POLICIES,
)
QUIET_PULL = Flag("quiet-pull", "Pull without printing progress information")
REMOVE_ORPHANS = Flag(
    "remove-orphans", "Remove containers for services not defined in the Compose file"
)
SCALE = Flag(
    "scale",
    "Scale SERVICE to NUM instances. Overrides the `scale` setting in the Compose file if present.",
    kind=LIST,
)
YES = Flag("yes", 'Assume "yes" as answer to all prompts and run non-interactively', short="y")

CREATION_FLAGS = (
    BUILD,
    NO_BUILD,
    FORCE_RECREATE,
    NO_RECREATE,
    PULL,
    QUIET_PULL,
    REMOVE_ORPHANS,
    SCALE,
    YES,
)


def creation_options(args: Args, context: Context) -> UpOptions:
    """What both commands understand of *args*. Raises UsageError for contradictions."""
    from orchestra.ops.up import UpOptions
    from orchestra.plan.decide import Recreate

    refuse_together(args, "build", "no-build")
    refuse_together(args, "force-recreate", "no-recreate")
    if args.text("pull") not in ("policy", *PULL_POLICIES):
        raise UsageError(f'invalid --pull option "{args.text("pull")}"')
    recreate = Recreate.DIVERGED
    if args.on("force-recreate"):
        recreate = Recreate.FORCE
    elif args.on("no-recreate"):
        recreate = Recreate.NEVER
    return UpOptions(
        services=args.words,
        recreate=recreate,
        recreate_dependencies=Recreate.NEVER if args.on("no-recreate") else Recreate.DIVERGED,
        remove_orphans=removes_orphans(args, context),
        scale=tuple(_scale(text) for text in args.texts("scale")),
    )


def removes_orphans(args: Args, context: Context) -> bool:
    """The flag, or else COMPOSE_REMOVE_ORPHANS."""
    if "remove-orphans" in args.given:
        return args.on("remove-orphans")
    return context.environ.get("COMPOSE_REMOVE_ORPHANS", "").lower() in ("1", "true", "yes", "y")


def refuse_together(args: Args, one: str, other: str) -> None:
    if args.on(one) and args.on(other):
        raise UsageError(f"--{one} and --{other} are incompatible")


def _scale(text: str) -> tuple[str, int]:
    service, _equals, number = text.partition("=")
    if not service or not number.isdigit():
        raise UsageError(f'invalid --scale option "{text}". Should be SERVICE=NUM')
    return service, int(number)
