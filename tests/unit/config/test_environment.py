from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.project import ProjectDirectory


def test_environment_wins_over_env_files_and_the_last_file_over_the_first(
    project: ProjectDirectory,
) -> None:
    project.write("a.env", "A=a\nB=a\nC=a\n")
    project.write("b.env", "B=b\nC=b\n")
    service = project.service(
        "services: {web: {image: a, env_file: [a.env, b.env], environment: {C: own}}}"
    )
    assert service["environment"] == {"A": "a", "B": "b", "C": "own"}
    assert "env_file" not in service


def test_a_variable_without_value_is_the_shells_or_stays_without(
    project: ProjectDirectory,
) -> None:
    project.environ["IN_SHELL"] = "s"
    loaded = project.load("services: {web: {image: a, environment: [IN_SHELL, NOWHERE]}}")
    assert loaded.project.services[0].environment == (("IN_SHELL", "s"), ("NOWHERE", None))


def test_env_files_are_interpolated_from_shell_then_environment_then_themselves(
    project: ProjectDirectory,
) -> None:
    project.environ["S"] = "shell"
    project.write("a.env", "X=1\nY=$S-$OWN-$X\n")
    service = project.service(
        "services: {web: {image: a, env_file: a.env, environment: {OWN: own}}}"
    )
    assert service["environment"]["Y"] == "shell-own-1"


def test_the_raw_format_is_not_interpreted(project: ProjectDirectory) -> None:
    project.write("a.env", "A='$HOME'\n")
    service = project.service("services: {web: {image: a, env_file: [{path: a.env, format: raw}]}}")
    assert service["environment"] == {"A": "'$HOME'"}


def test_a_missing_file_is_an_error_unless_it_is_not_required(project: ProjectDirectory) -> None:
    text = (
        "services:\n  web:\n    image: a\n    env_file:\n      - path: no.env\n        required: "
    )
    assert project.service(text + "false\n").get("environment") is None
    (problem,) = project.problems(text + "true\n")
    assert problem.startswith("compose.yaml:5:9: services.web.env_file[0]: no.env cannot be read")


def test_files_of_services_that_are_not_enabled_are_not_read(project: ProjectDirectory) -> None:
    text = "services: {web: {image: a}, x: {image: a, profiles: [p], env_file: no.env}}"
    assert project.load(text).project.service_names == ("web",)
    assert "no.env cannot be read" in project.problems(text, profiles=("p",))[0]


def test_label_files_give_way_to_labels(project: ProjectDirectory) -> None:
    project.write("l", "a=file\nb=file\n")
    service = project.service("services: {web: {image: a, label_file: l, labels: {b: own}}}")
    assert service["labels"] == {"a": "file", "b": "own"}


def test_files_stay_named_when_they_are_not_to_be_read(project: ProjectDirectory) -> None:
    service = project.service(
        "services: {web: {image: a, env_file: no.env}}", resolve_environment=False
    )
    assert service["env_file"] == [{"path": os.path.join(project.path, "no.env"), "required": True}]


def test_configs_and_secrets_may_come_from_variables_and_never_show(
    project: ProjectDirectory,
) -> None:
    project.environ["TOKEN"] = "s3cret"
    loaded = project.load(
        "services: {web: {image: a, secrets: [s], configs: [c]}}\n"
        "secrets: {s: {environment: TOKEN}}\nconfigs: {c: {environment: TOKEN}}\n"
    )
    assert loaded.project.secret("s").content == "s3cret"
    assert loaded.project.config("c").content == "s3cret"
    assert "s3cret" not in str(loaded.tree)


def test_build_args_without_value_are_looked_up_or_left_out(project: ProjectDirectory) -> None:
    project.environ["A"] = "1"
    service = project.service("services: {web: {build: {args: [A, B, C=2]}}}")
    assert service["build"]["args"] == {"A": "1", "C": "2"}
