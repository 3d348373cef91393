"""`--change` of commit and import: Dockerfile instructions that alter an image's settings. Pure."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError
from orchestra.units import parse_duration_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Settings = dict[str, object]
"""The `config` object of an image config, as JSON has it."""

_PORT = re.compile(r"\d+(-\d+)?(/(tcp|udp|sctp))?")


def with_changes(settings: Settings, changes: Iterable[str]) -> Settings:
    """*settings* after the instructions *changes*, such as `USER app`.

    Raises ConfigError for an instruction that is unknown, malformed or has no place here.
    """
    changed = dict(settings)
    for change in changes:
        word, _, rest = change.strip().partition(" ")
        instruction = _INSTRUCTIONS.get(word.upper())
        if instruction is None:
            raise ConfigError(
                f'"{word}" is not a valid change', fix="there are " + ", ".join(_INSTRUCTIONS)
            )
        if not rest.strip():
            raise _malformed(word.upper(), change)
        instruction(changed, rest.strip())
    return changed


def _command(settings: Settings, text: str) -> None:
    settings["Cmd"] = _argv(settings, text)


def _entrypoint(settings: Settings, text: str) -> None:
    settings["Entrypoint"] = _argv(settings, text)
    settings.pop("Cmd", None)  # it was made for the old one, as in a Dockerfile


def _argv(settings: Settings, text: str) -> list[str]:
    """JSON as it is; anything else is for the shell."""
    if text.startswith("["):
        words = _json_words(text)
        if words is not None:
            return words
    shell = settings.get("Shell")
    prefix = [str(word) for word in shell] if isinstance(shell, list) else ["/bin/sh", "-c"]
    return [*prefix, text]


def _json_words(text: str) -> list[str] | None:
    try:
        words = json.loads(text)
    except ValueError:
        return None
    good = isinstance(words, list) and all(isinstance(word, str) for word in words)
    return words if good else None


def _environment(settings: Settings, text: str) -> None:
    before = settings.get("Env")
    pairs = dict(
        str(entry).partition("=")[::2] for entry in (before if isinstance(before, list) else ())
    )
    pairs.update(_pairs("ENV", text))
    settings["Env"] = [f"{name}={value}" for name, value in pairs.items()]


def _labels(settings: Settings, text: str) -> None:
    before = settings.get("Labels")
    settings["Labels"] = {**(before if isinstance(before, dict) else {}), **_pairs("LABEL", text)}


def _pairs(instruction: str, text: str) -> dict[str, str]:
    """`NAME=VALUE …`, or the old `NAME VALUE`."""
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise _malformed(instruction, text) from exc
    if "=" not in words[0]:
        name, _, value = text.partition(" ")
        if not value.strip():
            raise _malformed(instruction, text)
        return {name: value.strip()}
    if not all("=" in word.lstrip("=") for word in words):
        raise _malformed(instruction, text)
    return dict(word.partition("=")[::2] for word in words)


def _expose(settings: Settings, text: str) -> None:
    for port in text.split():
        if not _PORT.fullmatch(port):
            raise _malformed("EXPOSE", text)
        first, _, last = port.partition("/")[0].partition("-")
        protocol = port.partition("/")[2] or "tcp"
        for number in range(int(first), int(last or first) + 1):
            if not 0 < number < 1 << 16:
                raise _malformed("EXPOSE", text)
            _add_key(settings, "ExposedPorts", f"{number}/{protocol}")


def _volume(settings: Settings, text: str) -> None:
    paths = _json_words(text) if text.startswith("[") else text.split()
    if not paths:
        raise _malformed("VOLUME", text)
    for path in paths:
        _add_key(settings, "Volumes", path)


def _add_key(settings: Settings, name: str, key: str) -> None:
    before = settings.get(name)
    settings[name] = {**(before if isinstance(before, dict) else {}), key: {}}


def _working_directory(settings: Settings, text: str) -> None:
    base = str(settings.get("WorkingDir") or "/")
    settings["WorkingDir"] = text if text.startswith("/") else f"{base.rstrip('/')}/{text}"


def _on_build(settings: Settings, text: str) -> None:
    before = settings.get("OnBuild")
    settings["OnBuild"] = [*(before if isinstance(before, list) else ()), text]


def _healthcheck(settings: Settings, text: str) -> None:
    """`NONE`, or options and `CMD …`. Dockerfile reference, HEALTHCHECK."""
    found: dict[str, object] = {}
    while text.startswith("--"):
        option, _, text = text.partition(" ")
        name, _, value = option[2:].partition("=")
        text = text.strip()
        try:
            if name == "retries":
                found["Retries"] = int(value)
            else:
                found[_HEALTH_TIMES[name]] = parse_duration_ns(value)
        except (KeyError, ValueError) as exc:
            raise _malformed("HEALTHCHECK", option) from exc
    if text.upper() == "NONE":
        settings["Healthcheck"] = {"Test": ["NONE"]}
        return
    word, _, command = text.partition(" ")
    if word.upper() != "CMD" or not command.strip():
        raise _malformed("HEALTHCHECK", text)
    words = _json_words(command.strip())
    found["Test"] = ["CMD", *words] if words else ["CMD-SHELL", command.strip()]
    settings["Healthcheck"] = found


_HEALTH_TIMES = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
}


def _set(name: str) -> Callable[[Settings, str], None]:
    def instruction(settings: Settings, text: str) -> None:
        settings[name] = text

    return instruction


_INSTRUCTIONS: dict[str, Callable[[Settings, str], None]] = {
    "CMD": _command,
    "ENTRYPOINT": _entrypoint,
    "ENV": _environment,
    "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _labels,
    "ONBUILD": _on_build,
    "STOPSIGNAL": _set("StopSignal"),
    "USER": _set("User"),
    "VOLUME": _volume,
    "WORKDIR": _working_directory,
}


def _malformed(instruction: str, text: str) -> ConfigError:
    return ConfigError(
        f"{instruction}: cannot make sense of {text!r}",
        fix="write it as in a Dockerfile, for example --change 'ENV NAME=value'",
    )
