"""The rules of the Compose specification, each with the golden case that shows it is obeyed.

The cases themselves run in `test_cases`; here it is made sure that no rule has lost its case.
"""

from __future__ import annotations

import os.path

import pytest

from tests.unit.config.test_cases import CASES

RULES = {
    "03-compose-file": {
        "files-compose-yaml-wins-over-docker-compose-yml": "compose.yaml comes first",
        "files-docker-compose-yml-is-found": "docker-compose.yml is still found",
        "files-two-on-the-command-line": "several files are merged in their order",
    },
    "04-version-and-name#version": {
        "version-is-ignored": "version only makes a warning",
    },
    "04-version-and-name#name": {
        "name-at-the-top": "name is used unless another one is given",
        "name-from-the-command-line-wins-over-all": "another name wins over it",
        "name-is-a-variable-of-its-own": "the name is a variable for interpolation",
    },
    "05-services#attach": {
        "attach-false": "attach may be false",
    },
    "05-services#blkio_config": {
        "blkio": "weights and rates, for each device",
    },
    "05-services#command": {
        "command-null": "null means the image's command",
        "command-empty": "an empty one clears the image's command",
        "command-list": "a list is taken as it is",
    },
    "05-services#configs": {
        "configs-and-secrets-short": "the short form names a config",
        "configs-and-secrets-long": "the long form has target, uid, gid and mode",
        "configs-undeclared": "one that is not declared is an error",
    },
    "05-services#container_name": {
        "container-name-forbids-replicas": "such a service cannot be scaled",
    },
    "05-services#depends_on": {
        "depends-on-list": "the short form waits for the start",
        "depends-on-map": "the long form has a condition, restart and required",
        "depends-on-undefined-but-optional": "what is not required may be missing",
    },
    "05-services#env_file": {
        "env-file-order-and-environment": "later files win, environment wins over all",
        "env-file-may-be-missing": "required: false allows a missing file",
        "env-file-raw": "format: raw takes values as they are",
        "dotenv-comments": "lines that begin with # are comments",
        "dotenv-empty-values": "values may be empty",
        "dotenv-quotes": "single quotes take all literally, double quotes know escapes",
        "dotenv-multi-line": "quoted values may span lines",
        "dotenv-references": "variables refer to earlier ones",
    },
    "05-services#environment": {
        "environment-list": "a list of NAME=value",
        "environment-map-with-null-and-numbers": "a name alone takes the value of the machine",
    },
    "05-services#expose": {
        "expose": "ports and ranges, with a protocol",
    },
    "05-services#extends": {
        "extends-same-file": "a service of the same file",
        "extends-other-file": "a service of another file, with that file's paths",
        "extends-chain": "a service that extends may be extended",
        "extends-circle-is-refused": "a circle is an error",
        "extends-unknown-service": "an unknown service is an error",
        "extends-missing-file": "a missing file is an error",
        "extends-joins-lists": "lists are joined",
    },
    "05-services#extra_hosts": {
        "extra-hosts-list": "a list of NAME=ADDRESS",
        "extra-hosts-map": "a mapping",
    },
    "05-services#healthcheck": {
        "healthcheck-shell": "a text is run by the shell",
        "healthcheck-exec": "a list begins with NONE, CMD or CMD-SHELL",
        "healthcheck-disable": "disable: true",
    },
    "05-services#image": {
        "no-image-and-no-build-is-refused": "image or build must say what to run",
    },
    "05-services#label_file": {
        "label-file": "labels from files, labels win",
    },
    "05-services#mem_limit": {
        "limits-contradict-mem-limit": "must agree with deploy.resources.limits.memory",
    },
    "05-services#network_mode": {
        "network-mode-with-networks-is-refused": "excludes networks",
        "depends-on-implied-by-network-mode": "service:NAME shares another's network",
    },
    "05-services#networks": {
        "networks-default-can-be-set": "without them the service joins default",
    },
    "05-services#ports": {
        "ports-container-only": "a container port alone",
        "ports-host-and-container": "host and container port",
        "ports-range-of-other-length": "ranges must have the same length",
        "ports-address": "an address of the host",
        "ports-protocol": "a protocol",
        "ports-long": "the long form",
    },
    "05-services#pull_policy": {
        "pull-policy-time": "every_DURATION",
    },
    "05-services#scale": {
        "scale-contradicts-replicas": "must agree with deploy.replicas",
    },
    "05-services#secrets": {
        "secrets-target-default-and-uid": "the default target is below /run/secrets",
    },
    "05-services#ulimits": {
        "ulimits": "one number, or soft and hard",
    },
    "05-services#volumes": {
        "volumes-undeclared": "a named volume must be declared",
        "volumes-bind-relative": "a relative path begins with . or ..",
        "volumes-options": "ro and other options behind the target",
        "volumes-long-bind": "the long form of a bind mount",
    },
    "06-networks": {
        "networks-external": "an external network",
        "networks-custom-name": "a name of its own",
    },
    "07-volumes": {
        "volumes-external-with-driver-is-refused": "nothing but name goes with external",
    },
    "08-configs": {
        "configs-file-and-content-is-refused": "one of file, environment, content, external",
    },
    "10-fragments": {
        "yaml-anchor-and-merge-key": "anchors, aliases and merge keys",
    },
    "11-extension": {
        "top-level-extension-is-kept": "x- at the top",
        "extension-in-a-service": "x- in a service",
    },
    "12-interpolation": {
        "interpolate-without-braces": "$VAR without braces",
        "interpolate-default-if-unset-or-empty": "${VAR:-default}",
        "interpolate-default-if-unset": "${VAR-default}",
        "interpolate-required-but-empty": "${VAR:?error}",
        "interpolate-required-may-be-empty": "${VAR?error}",
        "interpolate-alternative-if-not-empty": "${VAR:+replacement}",
        "interpolate-alternative-if-set": "${VAR+replacement}",
        "interpolate-nested-default": "defaults are templates too",
        "interpolate-double-dollar-is-a-dollar": "$$ is a dollar",
        "interpolate-unset-is-empty": "an unset variable is empty",
        "interpolate-not-in-keys": "keys are not interpolated",
    },
    "13-merge#mapping": {
        "merge-deploy-deep": "mappings are merged",
    },
    "13-merge#sequence": {
        "merge-expose-and-dns-are-joined": "sequences are joined",
    },
    "13-merge#shell-commands": {
        "merge-command-is-replaced": "command is replaced",
        "merge-healthcheck-test-is-replaced": "healthcheck.test is replaced",
    },
    "13-merge#unique-resources": {
        "merge-volumes-by-target": "volumes by target",
        "merge-ports-are-joined-without-repeats": "ports by all that they say",
        "merge-secrets-by-target": "secrets by target",
    },
    "13-merge#reset-value": {
        "merge-reset-takes-an-attribute-away": "!reset takes an attribute away",
        "merge-reset-of-one-key": "!reset of one key",
    },
    "13-merge#replace-value": {
        "merge-override-replaces-a-list": "!override replaces",
    },
    "14-include": {
        "include-short": "the short form, paths relative to the included file",
        "include-long": "the long form",
    },
    "14-include#env_file": {
        "include-uses-its-own-dotenv": "the included project's own .env",
    },
    "14-include#path": {
        "include-with-override": "several files are merged",
    },
    "15-profiles": {
        "profiles-none": "without active profiles only services without any",
        "profiles-one": "an active profile",
        "profiles-naming-a-service-enables-it": "a service that is named is enabled",
        "profiles-dependency-not-enabled-is-refused": "a dependency that is not is an error",
    },
}
"""Chapter and heading of the specification: the case, and what the rule says."""

CASE_OF_RULE = {
    f"{section}: {says}": case for section, cases in RULES.items() for case, says in cases.items()
}


@pytest.mark.parametrize("rule", CASE_OF_RULE)
def test_each_rule_of_the_specification_has_a_case(rule: str) -> None:
    assert os.path.exists(os.path.join(CASES, CASE_OF_RULE[rule]))


def test_no_two_rules_share_a_case() -> None:
    assert len(set(CASE_OF_RULE.values())) == len(CASE_OF_RULE) > 60
