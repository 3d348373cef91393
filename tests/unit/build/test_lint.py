"""The lint rules as a set, and their page; what each finds is in the golden cases, too."""

from __future__ import annotations

import glob
import os.path
import re
from typing import NamedTuple

import pytest

from orchestra.build.dockerfile import parse_dockerfile
from orchestra.build.ignore import NOTHING_IGNORED, parse_ignore
from orchestra.build.lint.base import PAGE, Subject
from orchestra.build.lint.table import RULES, check
from tests.support.markdown import ROOT


class Section(NamedTuple):
    """Of one rule on its page: the *sentence* below the heading, and the examples."""

    sentence: str
    ignore: str
    bad: str
    good: str


def sections() -> dict[str, Section]:
    with open(f"{ROOT}/{PAGE}", encoding="utf-8") as file:
        parts = re.split(r"^## (\w+)\n", file.read(), flags=re.MULTILINE)[1:]
    return {name: section(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}


def section(text: str) -> Section:
    def example(start: str) -> str:
        found = re.search(rf"{start}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        return found.group(1) if found else ""

    sentence = text.strip().partition("\n")[0]
    ignore = example("```dockerignore")
    return Section(sentence, ignore, *(example(f"{kind}:\n\n```dockerfile") for kind in KINDS))


KINDS = ("Bad", "Good")


def found_in(dockerfile: str, ignore: str) -> list[str]:
    rules = parse_ignore(ignore, ".dockerignore") if ignore else NOTHING_IGNORED
    parsed = parse_dockerfile(dockerfile.encode(), "Dockerfile")
    subject = Subject(parsed, {}, "linux/amd64", rules, lambda _: None)
    return [finding.rule for finding in check(subject)]


def test_the_page_has_every_rule_with_its_sentence() -> None:
    found = {name: section.sentence for name, section in sections().items()}
    assert found == {rule.name: rule.sentence for rule in RULES}


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_the_examples_of_the_page_are_what_they_are_called(rule: str) -> None:
    section = sections()[rule]
    assert set(found_in(section.bad, section.ignore)) == {rule}
    assert section.good
    assert found_in(section.good, section.ignore) == []


def test_a_finding_says_where_its_rule_is_explained() -> None:
    dockerfile = parse_dockerfile(b"FROM scratch\nEXPOSE 53/UDP\n", "Dockerfile")
    subject = Subject(dockerfile, {}, "linux/amd64", NOTHING_IGNORED, lambda _: None)
    (finding,) = check(subject)
    assert finding.page == "docs/checks.md#exposeprotocasing"


def test_every_rule_finds_something_in_a_golden_case() -> None:
    cases = os.path.join(os.path.dirname(__file__), "cases", "*", "expected.json")
    texts = []
    for path in glob.glob(cases):
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    found = "\n".join(texts)
    assert not [rule.name for rule in RULES if f": {rule.name}: " not in found]
