"""What a service's `build` says, word by word, and what it comes to in steps and image."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import write_compose

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]


def test_words_of_build(orchestra: Orchestra) -> None:
    write_compose(
        orchestra,
        """
        name: words
        services:
          app:
            network_mode: none
            command: [cat, /told]
            build:
              context: .
              dockerfile_inline: |
                FROM host AS first
                ARG WORD=none
                RUN { echo word $$WORD; ls /sys/class/net | tr '\\n' ' '; echo; \\
                      df -k /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2; \\
                      ulimit -Sn; ulimit -Hn; grep elsewhere /etc/hosts | tr '\\t' ' '; } > /told
                FROM first AS second
                RUN echo second >> /told
              target: first
              args: {WORD: given}
              network: none
              shm_size: 3m
              ulimits: {nofile: {soft: 111, hard: 222}}
              extra_hosts: ["elsewhere=10.9.8.7"]
              labels: {of.build: "1"}
              tags: ["words/other:2"]
        """,
    )
    orchestra("build")
    assert orchestra("run", "--rm", "-T", "app").out.splitlines() == [
        "word given",
        "lo ",
        "3072",
        "111",
        "222",
        "10.9.8.7 elsewhere",
    ]
    told = orchestra("image", "inspect", "words-app", "words/other:2").out
    first, second = json.loads(told)
    assert first["Id"] == second["Id"]
    assert first["Config"]["Labels"]["of.build"] == "1"


def test_steps_that_are_to_run_again_run_again(orchestra: Orchestra) -> None:
    inline = (
        "FROM host AS kept\\nRUN cat /proc/sys/kernel/random/uuid > /kept\\n"
        "FROM kept AS fresh\\nRUN cat /proc/sys/kernel/random/uuid > /fresh\\n"
    )

    def built(words: str) -> list[str]:
        write_compose(
            orchestra,
            f"""
            name: again
            services:
              app:
                network_mode: none
                command: [cat, /kept, /fresh]
                build: {{dockerfile_inline: "{inline}"{words}}}
            """,
        )
        orchestra("build")
        return orchestra("run", "--rm", "-T", "app").out.split()

    first = built("")
    assert built("") == first
    filtered = built(", no_cache_filter: [fresh]")
    assert filtered[0] == first[0]
    assert filtered[1] != first[1]
    without = built(", no_cache: true")
    assert without[0] != first[0]
    assert without[1] != filtered[1]
