"""Which variables an instruction sees: ARG, ENV, build arguments and the predefined ones.

Dockerfile reference, "Scope" and "Predefined ARGs". An ARG is seen from its line on, and so is an
ENV: of one name the last line counts, as in BuildKit, though only ENV reaches the image. An ARG
before the first FROM is seen by FROM, and by a stage that declares it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.build.instructions.arg import Arg
from orchestra.build.instructions.env import Env
from orchestra.build.source import error_at
from orchestra.build.words import Style, expand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.build.instructions.base import Command

PROXY_ARGS = frozenset(
    variant
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for variant in (name, name.lower())
)
"""May be given without ARG; seen by RUN, and neither in the image nor in the cache's keys."""

OTHER_ARGS = frozenset({"SOURCE_DATE_EPOCH"})


def platform_args(platform: str, target: str) -> dict[str, str]:
    """TARGETPLATFORM and its kin for a build on and for *platform* ("linux/amd64")."""
    os_name, _, rest = platform.partition("/")
    architecture, _, variant = rest.partition("/")
    parts = {"PLATFORM": platform, "OS": os_name, "ARCH": architecture, "VARIANT": variant}
    found = {
        f"{side}{name}": value for side in ("BUILD", "TARGET") for name, value in parts.items()
    }
    return {**found, "TARGETSTAGE": target or "default"}


class Words:
    """An Expander over a mapping that may grow meanwhile; notes which names it needed."""

    def __init__(self, env: Callable[[], Mapping[str, str]], escape: str) -> None:
        self._env = env
        self._escape = escape
        self.missing: set[str] = set()

    def __call__(self, word: str) -> str:
        result = expand(word, self._env(), Style(escape=self._escape))
        self.missing |= result.missing
        return result.text

    def words(self, word: str) -> tuple[str, ...]:
        result = expand(word, self._env(), Style(escape=self._escape))
        self.missing |= result.missing
        return result.words

    def text(self, text: str) -> str:
        style = Style(escape=self._escape, literal_quotes=True)
        return expand(text, self._env(), style).text


class Scope:
    """The variables at one point of a stage."""

    def __init__(
        self,
        given: Mapping[str, str],
        inherited: Mapping[str, str],
        escape: str,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._given = given
        self._inherited = inherited
        self._escape = escape
        self._seen: dict[str, str] = dict(env or {})
        self.declared: set[str] = set()

    def variables(self) -> dict[str, str]:
        """ENV and ARG alike, the last of each name."""
        return dict(self._seen)

    def predefine(self, variables: Mapping[str, str]) -> None:
        """Variables that are there without any ARG: those of the platform, before FROM."""
        self._seen.update(variables)

    def for_next_stage(self, env: Mapping[str, str]) -> Scope:
        """Of a stage that begins with this one: it inherits the arguments; its *env* hides them."""
        scope = Scope(self._given, self._inherited, self._escape, {**self._seen, **env})
        scope.declared = set(self.declared)
        return scope

    def expanded(self, command: Command) -> tuple[Command, frozenset[str]]:
        """*command* with variables replaced, and the names that had no value.

        Raises BuildError with the place.
        """
        words = Words(self.variables, self._escape)
        try:
            return command.expanded(words), frozenset(words.missing)
        except ValueError as exc:
            raise error_at(command.place, f"{command.keyword}: {exc}") from exc

    def apply(self, command: Command) -> tuple[Command, frozenset[str]]:
        """`expanded`, and its ARG or ENV counts from here on. Raises BuildError with the place."""
        if isinstance(command, Arg):
            return command, self.declare(command)
        result, missing = self.expanded(command)
        if isinstance(result, Env):
            self._seen.update(result.pairs)
        return result, missing

    def declare(self, command: Arg) -> frozenset[str]:
        """Take the arguments of *command* in; the names that their defaults missed.

        Raises BuildError with the place.
        """
        words = Words(self.variables, self._escape)
        try:
            for written, default in command.declared:
                name = words(written)
                self.declared.add(name)
                value = self._given.get(name)
                if value is None and default is not None:
                    value = words(default)
                if value is None:
                    value = self._inherited.get(name)
                if value is not None:
                    self._seen[name] = value
        except ValueError as exc:
            raise error_at(command.place, f"ARG: {exc}") from exc
        return frozenset(words.missing)

    def run_variables(self) -> dict[str, str]:
        """What a RUN has in its environment: ENV, declared arguments and given proxies."""
        proxies = {name: value for name, value in self._given.items() if name in PROXY_ARGS}
        return {**proxies, **self._seen}

    def passing(self) -> frozenset[str]:
        """The names of `run_variables` that leave the cache as it is: proxies without an ARG."""
        return frozenset(PROXY_ARGS & self._given.keys()) - self._seen.keys()
