"""The flags that `up` and `create` share, and the options that they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.flags import LIST, TEXT, Flag, UsageError
from orchestra.units import says_yes

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.model.service import PullPolicy
    from orchestra.ops.building import Building
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
    removes = removes_orphans(args, context)
    return UpOptions(
        services=args.words,
        recreate=recreate,
        recreate_dependencies=Recreate.NEVER if args.on("no-recreate") else Recreate.DIVERGED,
        remove_orphans=removes,
        ignore_orphans=_ignores_orphans(context, removes=removes),
        scale=tuple(scale_of(text) for text in args.texts("scale")),
        pull=pull_policy(args),
        quiet_pull=args.on("quiet-pull"),
        building=building_of(args),
    )


def building_of(args: Args) -> Building:
    """What --build and --no-build say."""
    from orchestra.ops.building import Building

    if args.on("no-build"):
        return Building.NEVER
    builds = args.on("build") or args.text("pull") == "build"
    return Building.ALWAYS if builds else Building.MISSING


def pull_policy(args: Args) -> PullPolicy | None:
    """What --pull overrides the services' policies with; None for its default."""
    from orchestra.model.service import PullPolicy

    text = args.text("pull")
    return None if text == "policy" else PullPolicy(text)


def removes_orphans(args: Args, context: Context) -> bool:
    """The flag, or else COMPOSE_REMOVE_ORPHANS."""
    if "remove-orphans" in args.given:
        return args.on("remove-orphans")
    return _says_yes(context, "COMPOSE_REMOVE_ORPHANS")


def _ignores_orphans(context: Context, *, removes: bool) -> bool:
    ignores = _says_yes(context, "COMPOSE_IGNORE_ORPHANS")
    if ignores and removes:
        raise UsageError("cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans")
    return ignores


def _says_yes(context: Context, variable: str) -> bool:
    return says_yes(context.environ.get(variable, ""))


def refuse_together(args: Args, one: str, other: str) -> None:
    if args.on(one) and args.on(other):
        raise UsageError(f"--{one} and --{other} are incompatible")


def scale_of(text: str) -> tuple[str, int]:
    """As "web=3". Raises UsageError."""
    service, _equals, number = text.partition("=")
    if not service or not number.isdecimal():
        raise UsageError(f'invalid scale "{text}"', fix="write SERVICE=NUM, as web=3")
    return service, int(number)
