"""The compose schema is refused and accepted in our own words, at the right place."""

from __future__ import annotations

import os.path
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from orchestra.config.document import read_documents
from orchestra.config.schema import Validator, load_schema, schema_file
from orchestra.config.tree import TreeSources

if TYPE_CHECKING:
    from pathlib import Path


def service(**attributes: object) -> dict[str, object]:
    return {"services": {"web": attributes}}


def complaints(tree: dict[str, object]) -> list[str]:
    return [str(error) for error in Validator().validate(tree, TreeSources(tree))]


def test_a_good_document_has_no_complaints() -> None:
    good = service(image="x", ports=["80:80", {"target": 80}], environment={"A": 1, "B": None})
    assert complaints(good) == []


def test_the_schema_file_is_found() -> None:
    assert os.path.isfile(schema_file("compose"))
    assert load_schema("compose")["title"] == "Compose file"


def test_a_good_project_is_loaded_and_printed_without_slow_libraries(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services: {a: {image: x, depends_on: [b]}, b: {image: x, ports: [80, {target: 81}]}}"
    )
    script = f"""
import sys
from orchestra.config.pipeline import load
from orchestra.config.render import to_yaml
from orchestra.config.request import LoadRequest
to_yaml(load(LoadRequest(cwd={str(tmp_path)!r}, environ={{}})).tree)
slow = {{"jsonschema", "networkx", "dataclasses", "asyncio", "subprocess", "difflib"}}
sys.exit(" ".join(slow & sys.modules.keys()) or 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stderr.strip(), done.returncode) == ("", 0)


def test_an_unknown_attribute_names_its_near_miss() -> None:
    assert complaints(service(imge="x")) == [
        'services.web: unknown attribute "imge"; did you mean "image"?\n'
        '  fix: write "image", or "x-imge" to keep a note'
    ]


def test_every_problem_is_reported_at_its_own_position_in_the_order_of_the_file() -> None:
    text = b"""services:
  web:
    ports:
      - "80"
      - true
    imge: x
    user:   3
"""
    (document,) = read_documents(text, "compose.yaml")
    errors = Validator().validate(document.tree, TreeSources(document.tree))
    assert [(str(error.where), error.what.split(":")[0]) for error in errors] == [
        ("compose.yaml:5:9", "services.web.ports[1]"),
        ("compose.yaml:6:5", "services.web"),
        ("compose.yaml:7:13", "services.web.user"),
    ]


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        (
            {"dns": 5},
            "services.web.dns: expected a string or a list of strings, found a number (5)\n"
            '  fix: put it in quotes: "5"',
        ),
        (
            {"ports": "80:80"},
            'services.web.ports: expected a list, found a string ("80:80")\n'
            '  fix: make it a list: ["80:80"]',
        ),
        (
            {"deploy": {"replicas": []}},
            "services.web.deploy.replicas: expected a whole number or a string, found a list\n"
            "  fix: for example replicas: 3",
        ),
        (
            {"cgroup": "hst"},
            'services.web.cgroup: "hst" is not one of the choices; did you mean "host"?\n'
            "  fix: use host or private",
        ),
        (
            {"oom_score_adj": 2000},
            "services.web.oom_score_adj: 2000 is more than 1000\n"
            "  fix: use a number from -1000 to 1000",
        ),
        (
            {"cpu_count": -1},
            "services.web.cpu_count: -1 is less than 0\n  fix: use 0 or more",
        ),
        (
            {"cap_add": ["A", "B", "A"]},
            'services.web.cap_add[2]: "A" is there already, as item 1\n  fix: remove one of them',
        ),
        (
            {"depends_on": {"db": {}}},
            'services.web.depends_on.db: "condition" is missing\n'
            '  fix: add it, for example condition: "service_healthy"',
        ),
        (
            {"pull_policy": "sometimes"},
            'services.web.pull_policy: "sometimes" is not understood here\n'
            "  fix: use always, never, missing, if_not_present, build, refresh, daily, weekly "
            'or a time such as "every_12h"',
        ),
        (
            {"networks": {"a b": None}},
            'services.web.networks: "a b" cannot be a name here\n'
            '  fix: use letters, digits, ".", "_" and "-" only',
        ),
        (
            {"environment": {"": "x"}},
            'services.web.environment: the key "" is empty\n  fix: give it a name',
        ),
        (
            {"replicas": 3},
            'services.web: unknown attribute "replicas"\n  fix: write it under deploy:',
        ),
        (
            {"healthcheck": {"zzz": 1}},
            'services.web.healthcheck: unknown attribute "zzz"\n'
            "  fix: known here: disable, interval, retries, start_interval, start_period, test,"
            " timeout",
        ),
        (
            {"labels": {1: "x"}},
            "services.web.labels: the key 1 is a number (1), not a string\n"
            '  fix: write "1":',
        ),
    ],
)  # fmt: skip
def test_a_wrong_attribute_says_what_was_expected_and_how_to_mend_it(
    attributes: dict[str, object], complaint: str
) -> None:
    assert complaints(service(**attributes)) == [complaint]


@pytest.mark.parametrize(
    ("tree", "complaint"),
    [
        (
            {"web": {"image": "x"}},
            'unknown attribute "web"\n  fix: put the service "web" under services:',
        ),
        (
            {"image": "x"},
            'unknown attribute "image"\n'
            "  fix: image belongs to a service: put it under services.NAME",
        ),
        (
            {"sevices": {}},
            'unknown attribute "sevices"; did you mean "services"?\n'
            '  fix: write "services", or "x-sevices" to keep a note',
        ),
        (
            {"services": {"a.b": None}},
            'services."a.b": expected a mapping, found nothing\n'
            '  fix: for example "a.b": {image: "redis:7"}',
        ),
    ],
)
def test_a_wrong_top_level_says_where_things_belong(
    tree: dict[str, object], complaint: str
) -> None:
    assert complaints(tree) == [complaint]


def test_equal_numbers_are_repeated_however_they_are_written() -> None:
    (text,) = complaints(service(ports=[80, 80.0]))
    assert text.startswith("services.web.ports[1]: 80.0 is there already, as item 1")


def test_long_lists_of_a_wrong_document_are_compared_in_linear_time() -> None:
    tree = service(imge="x", ports=[{"target": number} for number in range(20_000)])
    begin = time.process_time()
    assert len(complaints(tree)) == 1
    assert time.process_time() - begin < 5  # it took minutes


def test_two_missing_attributes_are_two_complaints() -> None:
    tree = service(develop={"watch": [{}]})
    assert [text.split("\n")[0] for text in complaints(tree)] == [
        'services.web.develop.watch[0]: "path" is missing',
        'services.web.develop.watch[0]: "action" is missing',
    ]


def test_no_control_character_of_a_file_reaches_the_terminal() -> None:
    (text,) = complaints(service(**{"im\x1b[31mage\x9b": "x"}))
    assert "\x1b" not in text
    assert "\x9b" not in text


def test_extensions_are_allowed_anywhere_the_specification_allows_them() -> None:
    tree = {"x-top": 1, **service(image="x", **{"x-mine": {"a": []}}, build={"x-b": None})}
    assert complaints(tree) == []
