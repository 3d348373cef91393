from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.project import ProjectDirectory


def test_faults_point_at_the_variable_itself(project: ProjectDirectory) -> None:
    text = "services:\n  web:\n    image: a\n    command: 'x ${MUST:?set it}'\n"
    assert project.problems(text) == [
        "compose.yaml:4:17: services.web.command: required variable MUST is missing a value: set it"
        "\n  fix: set MUST in the environment or in the .env file"
    ]


def test_faults_point_into_block_text(project: ProjectDirectory) -> None:
    text = "services:\n  web:\n    image: a\n    command: |\n      one\n      two ${X\n"
    (problem,) = project.problems(text)
    assert problem.startswith('compose.yaml:6:11: services.web.command: "${X" has no closing brace')


def test_all_faults_of_a_file_come_together(project: ProjectDirectory) -> None:
    text = "services:\n  web:\n    image: ${A?}\n    user: ${B?}\n"
    assert [problem.split(": ")[0] for problem in project.problems(text)] == [
        "compose.yaml:3:12",
        "compose.yaml:4:11",
    ]


def test_values_are_cast_to_the_attributes_type(project: ProjectDirectory) -> None:
    project.environ |= {"T": "true", "N": "3", "F": "0.5"}
    service = project.service(
        "services: {web: {image: a, tty: $T, init: 'no', scale: $N, cpus: $F, "
        "healthcheck: {retries: $N}, ports: [{target: '80'}], ulimits: {nofile: $N}}}"
    )
    assert service["tty"] is True
    assert service["init"] is False
    assert service["scale"] == 3
    assert service["cpus"] == 0.5
    assert service["healthcheck"] == {"retries": 3}
    assert service["ports"][0]["target"] == 80
    assert service["ulimits"] == {"nofile": 3}


def test_a_cast_that_fails_tells_value_and_variable(project: ProjectDirectory) -> None:
    project.environ["T"] = "maybe"
    text = "services:\n  web:\n    image: a\n    tty: ${T}\n"
    assert project.problems(text) == [
        'compose.yaml:4:10: services.web.tty: expected true or false, found "maybe" (from "${T}")'
    ]


def test_an_unset_variable_is_warned_of_once(project: ProjectDirectory) -> None:
    loaded = project.load("services: {web: {image: 'a$X', user: '$X'}}")
    assert loaded.warnings == ('The "X" variable is not set. Defaulting to a blank string.',)


def test_keys_are_not_interpolated(project: ProjectDirectory) -> None:
    service = project.service("services: {web: {image: a, labels: {$KEY: $$v}}}")
    assert service["labels"] == {"$KEY": "$v"}


def test_without_interpolation_variables_stay(project: ProjectDirectory) -> None:
    text = "services: {web: {image: 'a:${T}', ports: ['${P}:80'], mem_limit: '${M}'}}"
    service = project.service(text, interpolate=False)
    assert service["image"] == "a:${T}"
    assert service["ports"] == ["${P}:80"]
    assert service["mem_limit"] == "${M}"


def test_all_names_that_were_asked_for_are_known(project: ProjectDirectory) -> None:
    loaded = project.load("services: {web: {image: 'a${X:-$Y}', user: $HOME}}")
    assert {"HOME", "X", "Y"} <= set(loaded.variables)


def test_booleans_of_yaml_1_1_are_taken_with_a_warning(project: ProjectDirectory) -> None:
    loaded = project.load("services: {web: {image: a, tty: yes}}")
    assert loaded.project.services[0].tty
    assert loaded.warnings == ('"yes" for boolean is not supported by YAML 1.2, please use `true`',)
