from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.project import ProjectDirectory

SMALL = "services:\n  web: {image: a}\n"


# -- extends ------------------------------------------------------------------------------------
def test_a_service_extends_another_of_the_same_file(project: ProjectDirectory) -> None:
    service = project.service(
        "services:\n"
        "  base: {image: a, command: x, environment: {A: 1, B: 1}, ports: ['1:1']}\n"
        "  web: {extends: base, environment: [B=2], ports: ['2:2']}\n"
    )
    assert service["image"] == "a"
    assert service["environment"] == {"A": "1", "B": "2"}
    assert [port["published"] for port in service["ports"]] == ["1", "2"]
    assert "extends" not in service


def test_chains_are_followed_and_the_base_stays_as_it_is(project: ProjectDirectory) -> None:
    tree = project.tree(
        "services:\n"
        "  a: {image: a, labels: {x: a}}\n"
        "  b: {extends: {service: a}, labels: {y: b}}\n"
        "  web: {extends: b, labels: {x: c}}\n"
    )
    assert tree["services"]["web"]["labels"] == {"x": "c", "y": "b"}
    assert tree["services"]["a"]["labels"] == {"x": "a"}


def test_paths_of_another_file_are_relative_to_it(project: ProjectDirectory) -> None:
    project.write("sub/b.yaml", "services:\n  base: {image: a, volumes: [./x:/x], build: ./c}\n")
    service = project.service("services: {web: {extends: {file: sub/b.yaml, service: base}}}")
    assert service["volumes"][0]["source"] == os.path.join(project.path, "sub/x")
    assert service["build"]["context"] == os.path.join(project.path, "sub/c")
    service = project.service(resolve_paths=False)
    assert service["volumes"][0]["source"] == "sub/x"


def test_another_file_may_extend_further_from_its_own_directory(project: ProjectDirectory) -> None:
    project.write("sub/b.yaml", "services: {b: {extends: {file: deep/c.yaml, service: c}}}\n")
    project.write("sub/deep/c.yaml", "services: {c: {image: c, env_file: e.env}}\n")
    project.write("sub/deep/e.env", "E=1\n")
    service = project.service("services: {web: {extends: {file: sub/b.yaml, service: b}}}")
    assert (service["image"], service["environment"]) == ("c", {"E": "1"})


def test_a_reset_takes_away_what_is_inherited(project: ProjectDirectory) -> None:
    service = project.service(
        "services:\n"
        "  base: {image: a, ports: ['1:1'], user: x}\n"
        "  web: {extends: base, ports: !override ['2:2'], user: !reset null}\n"
    )
    assert [port["published"] for port in service["ports"]] == ["2"]
    assert "user" not in service


def test_a_circle_is_told_with_the_place_of_every_step(project: ProjectDirectory) -> None:
    problems = project.problems(
        "services:\n"
        "  a:\n    extends: b\n"
        "  b:\n    extends: {service: a}\n"
    )  # fmt: skip
    assert problems[0] == (
        "compose.yaml:3:14: services.a.extends: circular reference:\n"
        "  a (compose.yaml:3:14) extends b\n"
        "  b (compose.yaml:5:14) extends a\n"
        "  fix: remove one of these extends"
    )


def test_a_circle_through_another_file_is_found(project: ProjectDirectory) -> None:
    project.write("b.yaml", "services: {b: {extends: {file: compose.yaml, service: web}}}\n")
    problems = project.problems("services: {web: {extends: {file: b.yaml, service: b}}}")
    assert "circular reference" in problems[0]


def test_an_unknown_base_has_a_suggestion(project: ProjectDirectory) -> None:
    problems = project.problems(
        "services:\n  base: {image: a}\n  web:\n    image: a\n    extends: bas\n"
    )
    assert problems == [
        'compose.yaml:5:14: services.web.extends: extends undefined service "bas"\n'
        '  fix: did you mean "base"?'
    ]


def test_a_missing_file_is_told_at_extends(project: ProjectDirectory) -> None:
    (problem,) = project.problems(
        "services:\n  web:\n    image: a\n    extends: {file: no.yaml, service: x}\n"
    )
    assert problem.startswith("compose.yaml:4:14: extended file no.yaml: not found")


def test_a_fault_in_an_inherited_value_is_told_where_it_is_written(
    project: ProjectDirectory,
) -> None:
    project.write("b.yaml", "services:\n  base:\n    image: a\n    imge: b\n")
    (problem,) = project.problems("services: {web: {extends: {file: b.yaml, service: base}}}")
    assert problem.startswith("b.yaml:4:5: ")


# -- include ------------------------------------------------------------------------------------
def test_included_services_come_with_their_own_directory_and_variables(
    project: ProjectDirectory,
) -> None:
    project.write(".env", "A=main\n")
    project.write("sub/.env", "A=sub\nB=sub\n")
    project.write(
        "sub/compose.yaml",
        "services: {web: {image: '$A-$B', volumes: [./x:/x, data:/d]}}\nvolumes: {data: }\n",
    )
    tree = project.tree("include: [sub/compose.yaml]\n")
    web = tree["services"]["web"]
    assert web["image"] == "main-sub"
    assert web["volumes"][0]["source"] == os.path.join(project.path, "sub/x")
    assert tree["volumes"] == {"data": {"name": "demo_data"}}
    assert "include" not in tree


def test_the_long_form_has_overrides_env_file_and_directory(project: ProjectDirectory) -> None:
    project.write("sub/a.yaml", "services: {web: {image: 'a:$T', build: .}}\n")
    project.write("sub/b.yaml", "services: {web: {user: b}}\n")
    project.write("my.env", "T=t\n")
    web = project.service(
        "include:\n"
        "  - path: [sub/a.yaml, sub/b.yaml]\n"
        "    env_file: my.env\n"
        "    project_directory: other\n"
    )
    assert (web["image"], web["user"]) == ("a:t", "b")
    assert web["build"]["context"] == os.path.join(project.path, "other")


def test_this_files_own_declaration_is_merged_over_the_included(project: ProjectDirectory) -> None:
    project.write("sub/a.yaml", "services: {web: {image: a, labels: {x: '1', y: '1'}}}\n")
    web = project.service("include: [sub/a.yaml]\nservices: {web: {labels: {x: '2'}}}\n")
    assert (web["image"], web["labels"]) == ("a", {"x": "2", "y": "1"})


def test_includes_nest(project: ProjectDirectory) -> None:
    project.write("one/compose.yaml", "include: [two/compose.yaml]\n")
    project.write("one/two/compose.yaml", "services: {web: {image: a, volumes: [./x:/x]}}\n")
    web = project.service("include: [one/compose.yaml]\n")
    assert web["volumes"][0]["source"] == os.path.join(project.path, "one/two/x")
    web = project.service(resolve_paths=False)
    assert web["volumes"][0]["source"] == "one/two/x"


def test_a_circle_of_includes_is_told_step_by_step(project: ProjectDirectory) -> None:
    project.write("sub/compose.yaml", "include:\n  - ../compose.yaml\n")
    (problem,) = project.problems("include:\n  - sub/compose.yaml\n")
    assert problem == (
        "sub/compose.yaml:2:5: include cycle:\n"
        "  compose.yaml:2:5 includes sub/compose.yaml\n"
        "  sub/compose.yaml:2:5 includes compose.yaml\n"
        "  fix: remove one of these includes"
    )


def test_a_missing_include_is_told_at_its_entry(project: ProjectDirectory) -> None:
    (problem,) = project.problems("include:\n  - nope.yaml\n" + SMALL)
    assert problem.startswith("compose.yaml:2:5: included file nope.yaml: not found")


def test_an_unknown_key_of_an_include_is_told(project: ProjectDirectory) -> None:
    (problem,) = project.problems("include:\n  - {path: a.yaml, paht: b}\n" + SMALL)
    assert problem.startswith('compose.yaml:2:20: include[0].paht: unknown attribute "paht"')


def test_all_files_that_were_read_or_looked_for_are_known(project: ProjectDirectory) -> None:
    project.write("i.yaml", "services: {i: {image: a, env_file: [e.env]}}\n")
    project.write("x.yaml", "services: {x: {image: a}}\n")
    project.write("e.env", "A=1\n")
    loaded = project.load(
        "include: [i.yaml]\nservices: {web: {extends: {file: x.yaml, service: x}}}\n"
    )
    names = {os.path.relpath(path, project.path) for path in loaded.files_read}
    assert names == {"compose.yaml", "i.yaml", "x.yaml", "e.env", ".env"}  # the last is not there


def test_files_on_other_machines_are_refused_plainly(project: ProjectDirectory) -> None:
    (problem,) = project.problems("include:\n  - oci://registry/x\n" + SMALL)
    assert problem.startswith("compose.yaml:2:5: oci://registry/x: compose files on other machines")
    (problem,) = project.problems(
        "services:\n  web: {image: a, extends: {file: 'git@host:x', service: y}}\n"
    )
    assert problem.startswith("compose.yaml:2:28: git@host:x: compose files on other machines")


def test_a_chain_of_extends_ends_somewhere(project: ProjectDirectory) -> None:
    services = {f"s{number}": {"extends": f"s{number + 1}"} for number in range(400)}
    project.write("compose.yaml", json.dumps({"services": {**services, "s400": {"image": "x"}}}))
    (problem,) = project.problems()
    assert "services.s200.extends: the chain is longer than 200 services" in problem
