"""The lint rules: a new one is a function and a row here. Names are those of Docker's checks."""

from __future__ import annotations

from typing import NamedTuple

from orchestra.build.lint import casing, stages, usage, variables
from orchestra.build.lint.base import PAGE, Finding, Rule, Subject
from orchestra.build.source import Place, error_at
from orchestra.config.wording import near_miss, quote

RULES = (
    Rule(
        "ConsistentInstructionCasing",
        "Write all instructions in the same case.",
        casing.instructions,
    ),
    Rule("CopyIgnoredFile", "Do not copy what .dockerignore hides.", usage.ignored_sources),
    Rule("DuplicateStageName", "Give each stage a name of its own.", stages.duplicates),
    Rule(
        "ExposeInvalidFormat",
        "EXPOSE takes ports without address or host port.",
        usage.expose_format,
    ),
    Rule(
        "ExposeProtoCasing", "Write the protocols of EXPOSE in lowercase.", casing.expose_protocols
    ),
    Rule("FromAsCasing", "Write FROM and AS in the same case.", casing.from_as),
    Rule(
        "FromPlatformFlagConstDisallowed",
        "Do not fix the platform in FROM.",
        stages.constant_platforms,
    ),
    Rule(
        "InvalidDefaultArgInFrom",
        "FROM should name an image without build arguments, too.",
        stages.invalid_defaults,
    ),
    Rule(
        "JSONArgsRecommended",
        "Write CMD and ENTRYPOINT in JSON form, so that signals arrive.",
        usage.shell_form,
    ),
    Rule("LegacyKeyValueFormat", "Write NAME=value with an equals sign.", usage.legacy_pairs),
    Rule("MaintainerDeprecated", "Use a label in place of MAINTAINER.", usage.maintainer),
    Rule(
        "MultipleInstructionsDisallowed",
        "Write CMD, ENTRYPOINT and HEALTHCHECK once per stage.",
        usage.repeated,
    ),
    Rule(
        "NoEmptyContinuation",
        "Leave no empty lines inside of an instruction.",
        casing.empty_continuations,
    ),
    Rule(
        "RedundantTargetPlatform",
        "Leave out --platform=$TARGETPLATFORM.",
        stages.redundant_platforms,
    ),
    Rule("ReservedStageName", "Do not call a stage scratch, context or host.", stages.reserved),
    Rule("SecretsUsedInArgOrEnv", "Keep secrets out of ARG and ENV.", usage.secrets),
    Rule("StageNameCasing", "Write the names of stages in lowercase.", casing.stage_names),
    Rule(
        "UndefinedArgInFrom",
        "Declare the variables of FROM by ARG before it.",
        stages.undefined_args,
    ),
    Rule("UndefinedVar", "Define variables before they are used.", variables.undefined),
    Rule("WorkdirRelativePath", "Give WORKDIR an absolute path first.", usage.relative_workdir),
)


class Policy(NamedTuple):
    """What `# check=skip=…;error=true` asks for."""

    skip: frozenset[str] = frozenset()
    is_error: bool = False


def policy_of(subject: Subject) -> Policy:
    """Raises BuildError for a `check` directive that cannot be read."""
    text = subject.dockerfile.directives.get("check", "")
    place = Place(subject.dockerfile.stages[0].start.place.file, 1, 1)
    skip: frozenset[str] = frozenset()
    is_error = False
    for part in filter(None, (part.strip() for part in text.split(";"))):
        key, _, value = part.partition("=")
        if key == "error" and value.lower() in {"true", "false"}:
            is_error = value.lower() == "true"
        elif key == "skip":
            skip = frozenset(name.strip() for name in value.split(","))
        else:
            raise error_at(
                place,
                f"the directive check={quote(text)} cannot be read",
                "write it as # check=skip=RULE,RULE;error=true",
            )
    names = [rule.name for rule in RULES]
    for name in sorted(skip - {*names, "all"}):
        meant = near_miss(name, names)
        raise error_at(
            place,
            f"check=skip: there is no rule {quote(name)}",
            f"did you mean {meant}?" if meant else f"the rules are listed in {PAGE}",
        )
    return Policy(skip, is_error)


def check(subject: Subject) -> tuple[Finding, ...]:
    """What the rules find, by line. Raises BuildError for a bad `check` directive."""
    skip = policy_of(subject).skip
    if "all" in skip:
        return ()
    found = [
        Finding(rule.name, remark.place, remark.message)
        for rule in RULES
        if rule.name not in skip
        for remark in rule.check(subject)
    ]
    return tuple(sorted(found, key=lambda finding: (finding.place.line, finding.rule)))
