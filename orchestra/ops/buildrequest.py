"""From a BuildSpec to a BuildRequest: Dockerfile, ignore file and ssh agents are looked up."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from orchestra.build.dockerfile import parse_dockerfile
from orchestra.build.emulation import is_emulated
from orchestra.build.exchange.spec import parse_source, parse_target
from orchestra.build.ignore import NOTHING_IGNORED, parse_ignore
from orchestra.build.request import BuildRequest
from orchestra.build.running import Limits
from orchestra.build.seen import Seen
from orchestra.build.solver import source_date_epoch
from orchestra.errors import BuildError, NotFound, Unsupported
from orchestra.image.platform import machine_platform, parse_platform
from orchestra.image.reference import parse_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.build.ignore import IgnoreRules
    from orchestra.image.platform import Platform
    from orchestra.model.build import BuildSpec
    from orchestra.ops.contexts import Contexts
    from orchestra.ops.recipe import Recipe, Surroundings

_HARMLESS = {"network.host"}
"""Entitlements for what every build may do here."""
_OFF = {"false", "0", "none", "disabled=true"}
_IGNORE_FILE = ".dockerignore"
_NETWORKS = {"": "default", "default": "default", "host": "host", "none": "none"}


def request_for(recipe: Recipe, contexts: Contexts) -> BuildRequest:
    """What *recipe* asks for; *contexts* brings what is no directory of this machine.

    Raises BuildError for the Dockerfile's mistakes, NotFound, Unsupported.
    """
    extras, around = recipe.extras, recipe.around
    spec = contexts.localised(recipe.spec)
    _refuse_unsupported(spec)
    platform = _platform(spec)
    args = {**dict(spec.args), **dict(extras.args)}
    seen = Seen()
    for path in _files_read(spec):
        seen.read(path)
    file, data = _dockerfile(spec, around.cwd)
    return BuildRequest(
        dockerfile=parse_dockerfile(data, file),
        context=spec.context,
        ignore=ignore_rules(spec, around.cwd),
        platform=platform,
        notes=tuple(_notes(spec, platform)),
        args=args,
        target=spec.target,
        names=tuple(parse_reference(name) for name in (*recipe.names, *spec.tags)),
        labels=spec.labels,
        contexts=spec.additional_contexts,
        secrets=recipe.secrets,
        ssh=_ssh((*spec.ssh, *extras.ssh), around, contexts),
        network=_NETWORKS[spec.network],
        no_cache=frozenset(("*",) if spec.no_cache or extras.no_cache else spec.no_cache_filter),
        epoch_s=source_date_epoch(args),
        limits=Limits(spec.extra_hosts, spec.shm_bytes, spec.ulimits, extras.memory_bytes),
        cache_from=tuple(parse_source(t, around.base or around.cwd) for t in spec.cache_from),
        cache_to=tuple(parse_target(t, around.base or around.cwd) for t in spec.cache_to),
        asked=recipe.asked,
        seen=seen,
    )


def _refuse_unsupported(spec: BuildSpec) -> None:
    if not os.path.isdir(spec.context):
        raise NotFound(
            f"the build context {spec.context} is no directory", fix="correct the path, or make it"
        )
    if spec.privileged or set(spec.entitlements) - _HARMLESS:
        raise Unsupported(
            "builds with more rights than a container has are not to be had",
            fix="leave out `privileged` and `entitlements`",
        )
    if spec.network not in _NETWORKS:
        raise Unsupported(
            f'a build cannot join the network "{spec.network}"',
            fix="`network` of a build is default, none or host",
        )
    for name, value in spec.additional_contexts:
        if "://" not in value and not os.path.isdir(value):
            raise NotFound(f'the additional context "{name}": {value} is no directory')


def _dockerfile(spec: BuildSpec, cwd: str) -> tuple[str, bytes]:
    """Its name as people should see it, and its content."""
    if spec.dockerfile_inline:
        return "Dockerfile", spec.dockerfile_inline.encode()
    path = os.path.join(spec.context, spec.dockerfile or "Dockerfile")
    try:
        with open(path, "rb") as file:
            return _shown(path, cwd), file.read()
    except OSError as exc:
        raise BuildError(
            f"{_shown(path, cwd)}: {exc.strerror}",
            fix="write a Dockerfile, or name it by `dockerfile` or --file",
        ) from exc


def _files_read(spec: BuildSpec) -> tuple[str, ...]:
    """The Dockerfile and what may say what is ignored; not all need be there."""
    if spec.dockerfile_inline:
        return (os.path.join(spec.context, _IGNORE_FILE),)
    path = os.path.join(spec.context, spec.dockerfile or "Dockerfile")
    return path, f"{path}{_IGNORE_FILE}", os.path.join(spec.context, _IGNORE_FILE)


def _shown(path: str, cwd: str) -> str:
    relative = os.path.relpath(path, cwd)
    return os.path.normpath(path) if relative.startswith("..") else relative


def ignore_rules(spec: BuildSpec, cwd: str) -> IgnoreRules:
    """Of `Dockerfile.dockerignore` beside the Dockerfile, or else of the context."""
    candidates = _files_read(spec) if spec.dockerfile_inline else _files_read(spec)[1:]
    for path in candidates:
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                return parse_ignore(file.read(), _shown(path, cwd))
        except (FileNotFoundError, NotADirectoryError):
            continue
    return NOTHING_IGNORED


def _platform(spec: BuildSpec) -> Platform:
    """This machine's where it is wanted, or else one whose programs the kernel hands to qemu.

    Raises Unsupported.
    """
    own = machine_platform(os.uname().machine)
    wanted = [parse_platform(text) for text in spec.platforms]
    if not wanted or any((p.os, p.architecture) == (own.os, own.architecture) for p in wanted):
        return own
    for platform in wanted:
        if is_emulated(platform):
            return platform
    raise Unsupported(
        f"this machine is {own} and cannot build for {', '.join(spec.platforms)}",
        fix="leave out `platforms`, build on such a machine, or install qemu-user-static and "
        "binfmt-support",
    )


def _notes(spec: BuildSpec, platform: Platform) -> Iterator[str]:
    """What is asked for and is not to be had, and does not hinder the build."""
    for name, value in (("provenance", spec.provenance), ("sbom", spec.sbom)):
        if value and value.lower() not in _OFF:
            yield f"{name} is not made: the image comes without attestations"
    others = [text for text in spec.platforms if parse_platform(text) != platform]
    if others:
        yield f"the image is for {platform} alone, and not for {', '.join(others)}"


def _ssh(
    given: tuple[tuple[str, str], ...], around: Surroundings, contexts: Contexts
) -> dict[str, str]:
    """The sockets of agents by id; keys get an agent of their own."""
    found = {}
    for name, path in given:
        socket = path or around.environ.get("SSH_AUTH_SOCK", "")
        if not socket:
            raise NotFound(
                f'there is no ssh agent for "{name}"',
                fix="start one (ssh-agent), or give its socket",
            )
        paths = tuple(os.path.join(around.cwd, each) for each in socket.split(","))
        for each in paths:
            if not os.path.exists(each):
                what = f'{each}, the ssh agent or key for "{name or "default"}", is not there'
                raise NotFound(what, fix="correct the path")
        is_socket = len(paths) == 1 and stat.S_ISSOCK(os.stat(paths[0]).st_mode)
        found[name or "default"] = paths[0] if is_socket else contexts.agent(paths)
    return found
