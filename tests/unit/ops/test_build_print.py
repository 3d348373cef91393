"""`build --print`: the bake file of a project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orchestra.ops.build import BuildOptions
from orchestra.ops.build_print import bake_file
from orchestra.ops.recipe import Extras
from tests.support.project import ProjectDirectory

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE = """\
name: p
secrets: {token: {file: ./token}, word: {environment: WORD}}
services:
  base.one:
    build:
      context: ./sub
      args: {A: 1, B: "${x:-$${y}}"}
      labels: {l: v}
      tags: ["t:2"]
      target: t
      cache_from: [a/b]
      no_cache: true
      platforms: [linux/amd64]
      secrets: [token, word]
      ssh: [default]
      network: host
      extra_hosts: ["h:1.2.3.4"]
      shm_size: 1m
      ulimits: {nofile: {soft: 5, hard: 6}}
  web:
    image: w:1
    build:
      dockerfile_inline: FROM base
      additional_contexts: {base: "service:base.one"}
  other: {image: o}
"""


def test_the_bake_file_says_all_and_no_secret(tmp_path: Path) -> None:
    directory = ProjectDirectory(str(tmp_path))
    directory.write("token", "content of the token")
    project = directory.load(COMPOSE).project
    options = BuildOptions(("web",), extras=Extras(args=(("A", "2"),), pull=True))
    bake = bake_file(project, options)
    assert bake == {
        "group": {"default": {"targets": ["web"]}},
        "target": {
            "base_one": {
                "context": str(tmp_path / "sub"),
                "dockerfile": "Dockerfile",
                "args": {"A": "2", "B": "$${y}"},
                "labels": {
                    "l": "v",
                    "com.docker.compose.project": "p",
                    "com.docker.compose.service": "base.one",
                },
                "tags": ["t:2", "p-base.one"],
                "cache-from": ["a/b"],
                "target": "t",
                "secret": [
                    f"id=token,type=file,src={tmp_path}/token",
                    "id=word,type=env,env=WORD",
                ],
                "ssh": ["default"],
                "platforms": ["linux/amd64"],
                "pull": True,
                "no-cache": True,
                "network": "host",
                "shm-size": "1048576",
                "ulimits": ["nofile=5:6"],
                "extra-hosts": {"h": "1.2.3.4"},
                "output": ["type=docker"],
            },
            "web": {
                "context": str(tmp_path),
                "contexts": {"base": "target:base_one"},
                "dockerfile-inline": "FROM base",
                "args": {"A": "2"},
                "labels": {
                    "com.docker.compose.project": "p",
                    "com.docker.compose.service": "web",
                },
                "tags": ["w:1"],
                "pull": True,
                "output": ["type=docker"],
            },
        },
    }
    assert "content of the token" not in json.dumps(bake)
