"""The lint rules as a set; what each finds is in the golden cases."""

from __future__ import annotations

import glob
import os.path

from orchestra.build.lint.table import RULES
from tests.support.markdown import ROOT


def test_the_documentation_lists_every_rule_with_its_sentence() -> None:
    with open(f"{ROOT}/docs/building.md", encoding="utf-8") as file:
        text = file.read()
    rows = [line for line in text.splitlines() if line.startswith("| `") and line.count("|") == 3]
    assert [f"| `{rule.name}` | {rule.sentence} |" for rule in RULES] == rows[-len(RULES) :]


def test_every_rule_finds_something_in_a_golden_case() -> None:
    cases = os.path.join(os.path.dirname(__file__), "cases", "*", "expected.json")
    texts = []
    for path in glob.glob(cases):
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    found = "\n".join(texts)
    assert not [rule.name for rule in RULES if f": {rule.name}: " not in found]
