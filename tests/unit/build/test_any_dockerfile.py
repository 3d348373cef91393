"""Whatever the text: it is understood, or refused with a place; nothing crashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from orchestra.build.dockerfile import parse_dockerfile
from orchestra.build.graph import Options, plan_stages
from orchestra.build.ignore import parse_ignore
from orchestra.build.scope import Scope
from orchestra.build.words import expand
from orchestra.errors import BuildError, BuildErrors

if TYPE_CHECKING:
    from collections.abc import Callable

_WORDS = [
    "FROM",
    "RUN",
    "COPY",
    "ADD",
    "ENV",
    "ARG",
    "LABEL",
    "HEALTHCHECK",
    "ONBUILD",
    "SHELL",
    "CMD",
    "AS",
    "debian",
    "a",
    "b=c",
    "b",
    "--from=a",
    "--mount=type=cache,target=/x",
    "<<EOF",
    "EOF",
    "<<-'X'",
    "X",
    '["a"]',
    "[1]",
    "[",
    "]",
    '"',
    "'",
    "\\",
    "${",
    "${a:-b}",
    "${a%%*}",
    "$a",
    "#",
    "escape=`",
    "`",
    "**",
    "!",
    "NONE",
    "--interval=1s",
]
_PIECES = st.sampled_from([*_WORDS, "\\\n", "\n", "\t", " "])
_DOCUMENTS = st.lists(_PIECES, max_size=40).map(" ".join) | st.text(max_size=60)


def refusal(attempt: Callable[[], object]) -> BuildError | None:
    try:
        attempt()
    except BuildError as error:
        return error
    return None


def has_places(error: BuildError | None) -> bool:
    found = error.problems if isinstance(error, BuildErrors) else (error,)
    return error is None or all(each is not None and each.where for each in found)


@given(_DOCUMENTS)
def test_a_dockerfile_is_understood_or_refused_with_a_place(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")

    def attempt() -> None:
        plan_stages(parse_dockerfile(data, "Dockerfile"), Options({}, "linux/amd64"))

    assert has_places(refusal(attempt))


@given(st.binary(max_size=80))
def test_bytes_are_understood_or_refused(data: bytes) -> None:
    assert has_places(refusal(lambda: parse_dockerfile(b"FROM x\n" + data, "Dockerfile")))


@given(st.lists(_PIECES, max_size=12).map("".join) | st.text(max_size=40))
def test_a_word_is_expanded_or_refused(text: str) -> None:
    try:
        message = ""
        expand(text, {"a": "v"})
    except ValueError as error:
        message = str(error)
    assert "Traceback" not in message


@given(st.text(alphabet="abc /._-", max_size=30))
def test_words_without_anything_special_stay_as_they_are(text: str) -> None:
    assert expand(text, {}).text == text
    assert expand(text, {}).words == tuple(text.split())


@given(st.text(max_size=20))
def test_a_single_quoted_word_is_taken_literally(text: str) -> None:
    body = text.replace("'", "")
    assert expand(f"'{body}'", {"a": "1"}).text == body


@given(st.lists(st.text(alphabet="ab*?[]!\\/.^-", max_size=8), max_size=5).map("\n".join))
def test_an_ignore_file_is_understood_or_refused(text: str) -> None:
    def attempt() -> None:
        rules = parse_ignore(text, ".dockerignore")
        for path in ("a", "a/b", "b/a/b.a"):
            rules.hides(path)

    assert has_places(refusal(attempt))


def test_deeply_nested_substitutions_are_refused() -> None:
    text = "FROM x\nENV A=" + "${a:-" * 5000 + "}" * 5000
    planned = parse_dockerfile(text.encode(), "Dockerfile")
    (command,) = planned.stages[0].commands
    error = refusal(lambda: Scope({}, {}, "\\").apply(command))
    assert error is not None
    assert "nested" in str(error)
