"""Dockerfiles through the command: files, layers, the cache, failures, what must not be left."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import signal
import subprocess
import tarfile
import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.eventually import eventually
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.harness.terminal import Terminal
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


def write(orchestra: Orchestra, name: str, text: str) -> None:
    path = os.path.join(orchestra.directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def steps(orchestra: Orchestra, *flags: str) -> list[tuple[str, str]]:
    """Build and list (instruction, "cached" | "done") of the steps that change files."""
    done = orchestra("image", "build", "--progress", "rawjson", *flags, ".")
    events = [json.loads(line) for line in done.err.splitlines()]
    ended = [event for event in events if event["status"] in ("Cached", "Done")]
    return [
        (event["id"].partition("] ")[2].split()[0], event["status"].lower())
        for event in ended
        if "] " in event["id"] and "] FROM" not in event["id"]
    ]


def is_gone(command: str) -> bool:
    found = subprocess.run(["pgrep", "-f", command], capture_output=True, check=False)
    return found.returncode == 1


def run(orchestra: Orchestra, image: str, command: str) -> str:
    write(
        orchestra,
        "run/compose.yaml",
        f"services:\n  it:\n    image: {image}\n    network_mode: none\n",
    )
    at = orchestra.at(os.path.join(orchestra.directory, "run"))
    return at("run", "--rm", "-T", "it", "sh", "-c", command).out


def test_files_owners_modes_and_links_arrive_as_written(orchestra: Orchestra) -> None:
    write(orchestra, "src/a", "a")
    write(orchestra, "src/sub/b", "b")
    write(orchestra, "hidden", "no")
    write(orchestra, ".dockerignore", "hidden\n")
    os.symlink("a", os.path.join(orchestra.directory, "src/link"))
    os.chmod(os.path.join(orchestra.directory, "src/a"), 0o4750)
    write(
        orchestra,
        "Dockerfile",
        "FROM host\nWORKDIR /srv/app\nCOPY --chown=7:8 src .\nCOPY --chmod=u=r,go= src/a /one\n"
        "COPY src/a src/sub/b /two/\nCOPY <<EOF /text\n$PATH\nEOF\n"
        "RUN rm sub/b && chmod 700 sub\n",
    )
    orchestra("image", "build", "-t", "files", ".")
    listing = run(
        orchestra,
        "files",
        "cd /; stat -c '%n %a %u:%g %F' srv/app/* one two/*; readlink srv/app/link; cat text; pwd; "
        "ls -a /srv/app/sub",
    )
    assert listing.splitlines() == [
        "srv/app/a 4750 7:8 regular file",
        "srv/app/link 777 7:8 symbolic link",
        "srv/app/sub 700 7:8 directory",
        "one 400 0:0 regular file",
        "two/a 4750 0:0 regular file",
        "two/b 644 0:0 regular file",
        "a",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "/",
        ".",
        "..",
    ]


def test_only_the_steps_after_a_change_run_again(orchestra: Orchestra) -> None:
    text = "FROM host\nCOPY one /one\nRUN cat /one > /copy\nCOPY two /two\nRUN true > /end\n"
    write(orchestra, "one", "1")
    write(orchestra, "two", "2")
    write(orchestra, "Dockerfile", text)
    names = ["COPY", "RUN", "COPY", "RUN"]
    assert steps(orchestra) == [(name, "done") for name in names]
    assert steps(orchestra) == [(name, "cached") for name in names]
    os.utime(os.path.join(orchestra.directory, "one"), (1, 1))
    write(orchestra, "not-copied", "x")
    write(orchestra, "Dockerfile", text.replace("COPY one", "LABEL a=b\nCOPY one"))
    assert steps(orchestra) == [(name, "cached") for name in names], "times and labels do not count"
    write(orchestra, "two", "changed")
    assert steps(orchestra) == list(zip(names, ["cached", "cached", "done", "done"], strict=True))
    assert steps(orchestra, "--no-cache") == [(name, "done") for name in names]


def test_variables_that_a_step_sees_are_in_its_key(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nRUN true\nARG V=1\nRUN echo $V > /v\n")
    steps(orchestra)
    again = steps(orchestra, "--build-arg", "V=2", "-t", "v")
    assert again == [("RUN", "cached"), ("RUN", "done")]
    assert run(orchestra, "v", "cat /v") == "2\n"


def test_stages_that_nobody_needs_are_not_built(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "Dockerfile",
        "FROM host AS one\nRUN echo 1 > /file\nFROM host AS broken\nRUN false\n"
        "FROM scratch\nCOPY --from=one /file /file\n",
    )
    assert steps(orchestra) == [("RUN", "done"), ("COPY", "done")]
    assert orchestra("image", "build", "--target", "broken", ".", code=17).err


def test_the_same_input_gives_the_same_image(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nWORKDIR /w\nRUN mkdir a b && echo x > a/x\n")
    orchestra("image", "build", "-q", ".")  # a layer with today's times is another one
    orchestra.env["SOURCE_DATE_EPOCH"] = "1700000000"
    first = orchestra("image", "build", "-q", ".").out
    second = orchestra("image", "build", "-q", "--no-cache", ".").out
    assert first == second != ""


def test_a_failing_step_is_shown_in_the_file_with_its_output(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nRUN echo first\nRUN echo why; exit 3\n")
    failed = orchestra("image", "build", "-q", "-t", "broken", ".", code=17)
    assert failed.err.splitlines() == [
        'Dockerfile:3: the command "/bin/sh -c echo why; exit 3" has ended with exit code 3',
        "Dockerfile:3",
        "--------------------",
        " 1 |     FROM host",
        " 2 |     RUN echo first",
        " 3 | >>> RUN echo why; exit 3",
        "--------------------",
        "why",
    ]
    assert "broken" not in orchestra("image", "ls").out


def test_a_missing_file_is_told_with_what_hides_it(orchestra: Orchestra) -> None:
    write(orchestra, "app.py", "")
    write(orchestra, ".dockerignore", "# what\n*.py\n")
    write(orchestra, "Dockerfile", "FROM host\nCOPY app.py /\n")
    failed = orchestra("image", "build", "-q", ".", code=17)
    assert 'app.py is hidden by "*.py" in .dockerignore:2' in failed.err
    os.unlink(os.path.join(orchestra.directory, ".dockerignore"))
    write(orchestra, "Dockerfile", "FROM host\nCOPY ap.py /\n")
    failed = orchestra("image", "build", "-q", ".", code=17)
    assert 'ap.py does not exist in the build context; did you mean "app.py"?' in failed.err


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("../outside", "lies outside of the build context"),
        ("link", "link is a link to ../outside, which is not among the files to copy"),
    ],
)
def test_nothing_outside_of_the_context_is_copied(
    orchestra: Orchestra, source: str, what: str
) -> None:
    write(orchestra, "context/Dockerfile", f"FROM host\nCOPY {source} /stolen\n")
    write(orchestra, "outside", "secret")
    os.symlink("../outside", os.path.join(orchestra.directory, "context/link"))
    failed = orchestra("image", "build", "-q", "context", code=17)
    assert what in failed.err


def test_links_of_the_image_do_not_lead_out_of_it(orchestra: Orchestra) -> None:
    target = os.path.join(orchestra.directory, "victim")
    os.mkdir(target)
    write(orchestra, "file", "x")
    write(
        orchestra,
        "Dockerfile",
        f"FROM host\nRUN ln -s {target} /away && ln -s ../../../..{target} /up\n"
        "COPY file /away/one\nCOPY file /up/two\n",
    )
    orchestra("image", "build", "-q", ".")
    assert os.listdir(target) == []


def test_secrets_are_seen_by_their_step_and_stay_nowhere(orchestra: Orchestra) -> None:
    secret = "swordfish-4711"
    write(orchestra, "token", secret)
    write(
        orchestra,
        "context/Dockerfile",
        "FROM host\nRUN --mount=type=secret,id=token,required wc -c < /run/secrets/token > /size\n"
        'RUN --mount=type=secret,id=token,env=TOKEN test -n "$TOKEN"\nRUN test ! -e /run/secrets\n',
    )
    orchestra("image", "build", "-q", "-t", "s", "--secret", "id=token,src=token", "context")
    assert run(orchestra, "s", "cat /size") == f"{len(secret)}\n"
    found = subprocess.run(
        ["grep", "-rl", secret, orchestra.env["ORCHESTRA_DATA_ROOT"]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""


def test_cache_mounts_persist_and_are_in_no_layer(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "Dockerfile",
        "FROM host\nARG N\nRUN --mount=type=cache,target=/var/cache/x "
        "echo $N >> /var/cache/x/log; cp /var/cache/x/log /log\n",
    )
    for number in ("1", "2"):
        orchestra("image", "build", "-q", "-t", "c", "--build-arg", f"N={number}", ".")
    assert run(orchestra, "c", "cat /log; ls /var/cache") == "1\n2\n"


def test_bind_mounts_show_the_context_without_what_is_hidden(orchestra: Orchestra) -> None:
    write(orchestra, "seen", "s")
    write(orchestra, "unseen", "u")
    write(orchestra, ".dockerignore", "unseen\n")
    write(
        orchestra,
        "Dockerfile",
        "FROM host\nRUN --mount=target=/ctx ls /ctx > /list; ! touch /ctx/x 2>/dev/null\n"
        "RUN --mount=target=/ctx,rw touch /ctx/written\n",
    )
    orchestra("image", "build", "-q", "-t", "b", ".")
    assert run(orchestra, "b", "cat /list; ls -d /ctx 2>&1 | tail -c 10").startswith(
        "Dockerfile\nseen\n"
    )
    assert not os.path.exists(os.path.join(orchestra.directory, "written"))


def test_scripts_in_heredocs_run_by_shell_or_interpreter(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "Dockerfile",
        "FROM host\nRUN <<EOF\nset -e\necho one > /one\nEOF\n"
        "RUN <<EOF\n#!/bin/cat\nthe script itself\nEOF\n",
    )
    done = orchestra("image", "build", "--progress", "plain", "-t", "h", ".")
    assert "the script itself" in done.err
    assert run(orchestra, "h", "cat /one") == "one\n"


def test_up_builds_what_has_no_image_and_rebuilds_when_asked(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "compose.yaml",
        "services:\n  web:\n    build:\n      context: .\n      dockerfile_inline: |\n"
        "        FROM host\n        COPY page /page\n    command: [sleep, infinity]\n"
        "    network_mode: none\n",
    )
    write(orchestra, "page", "one")
    assert "Built" in orchestra("up", "-d").err
    assert orchestra("exec", "-T", "web", "cat", "/page").out == "one"
    write(orchestra, "page", "two")
    assert "Built" not in orchestra("up", "-d").err
    assert "Built" in orchestra("up", "-d", "--build", "-t", "0").err
    assert orchestra("exec", "-T", "web", "cat", "/page").out == "two"


def test_a_service_may_begin_with_the_image_of_another(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "compose.yaml",
        "services:\n  app:\n    build:\n      context: .\n      dockerfile_inline: |\n"
        "        FROM base\n        RUN cat /base > /app\n"
        "      additional_contexts:\n        base: service:base\n"
        "  base:\n    build:\n      context: .\n      dockerfile_inline: |\n"
        "        FROM host\n        RUN echo base > /base\n",
    )
    done = orchestra("--progress", "plain", "build")
    assert done.err.index("[base 1/2]") < done.err.index("[app 1/2]")


def test_a_killed_build_leaves_no_process_and_no_image(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nRUN echo started; exec sleep 4242\n")
    build = subprocess.Popen(
        [PROGRAM, "image", "build", "--progress", "plain", "-t", "killed", "."],
        cwd=orchestra.directory,
        env=orchestra.env,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert build.stderr is not None
    for line in build.stderr:
        if "started" in line and "RUN" not in line:
            break
    build.send_signal(signal.SIGKILL)
    build.wait(timeout=10)
    build.stderr.close()

    eventually(lambda: is_gone("^sleep 4242"), within_s=5)
    assert "killed" not in orchestra("image", "ls").out
    write(orchestra, "Dockerfile", "FROM host\nRUN true\n")
    orchestra("image", "build", "-q", "-t", "next", ".")
    work = os.path.join(orchestra.env["ORCHESTRA_DATA_ROOT"], "build", "work")
    assert os.listdir(work) == []


def test_a_kill_in_the_middle_of_parallel_stages_leaves_nothing(orchestra: Orchestra) -> None:
    """No image, no process, no mount; what was finished before it need not run again."""
    write(
        orchestra,
        "Dockerfile",
        "FROM host AS one\nRUN echo finished > /f\nRUN echo started-1; exec sleep 4245\n"
        "FROM host AS two\nRUN echo started-2; exec sleep 4245\n"
        "FROM host\nCOPY --from=one / /1\nCOPY --from=two / /2\n",
    )
    build = subprocess.Popen(
        [PROGRAM, "image", "build", "--progress", "plain", "-t", "killed", "."],
        cwd=orchestra.directory,
        env=orchestra.env,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert build.stderr is not None
    started = set()
    for line in build.stderr:
        started |= {line.split()[-1]} & {"started-1", "started-2"} if line.strip() else set()
        if len(started) == 2:
            break
    build.send_signal(signal.SIGKILL)
    build.wait(timeout=10)
    build.stderr.close()
    eventually(lambda: is_gone("^sleep 4245"), within_s=5)
    eventually(lambda: is_gone("image build --progress plain -t killed"), within_s=5)
    data = orchestra.env["ORCHESTRA_DATA_ROOT"]
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        assert f"{data}/build" not in mounts.read()
    assert "killed" not in orchestra("image", "ls").out
    write(orchestra, "Dockerfile", "FROM host\nRUN echo finished > /f\n")
    assert steps(orchestra) == [("RUN", "cached")]
    assert os.listdir(os.path.join(data, "build", "work")) == []


def test_a_terminal_shows_the_running_steps_and_what_failed(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write(
        orchestra,
        "Dockerfile",
        "FROM host AS one\nRUN echo line-of-one; sleep 1; echo 1 > /1\n"
        "FROM host AS two\nRUN echo line-of-two; sleep 2; echo why; exit 9\n"
        "FROM host\nCOPY --from=one /1 /1\nCOPY --from=two / /2\n",
    )
    shown = terminal("image", "build", ".", cwd=orchestra.directory)
    shown.expect("line-of-one\r\n")
    shown.expect("line-of-two\r\n")
    assert shown.wait() == 17
    output = shown.output
    for text in ("✔", "✘", "[one 2/2]", "[two 2/2]", ">>> RUN echo line-of-two", "why", "code 9"):
        assert text in output, text


def test_the_cache_outlives_removed_images_until_it_is_pruned(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "Dockerfile",
        "FROM host AS one\nRUN --mount=type=cache,target=/c dd if=/dev/zero of=/big bs=1M count=2\n"
        "FROM scratch\nCOPY --from=one /big /other\n",
    )
    assert steps(orchestra, "-t", "pruned") == [("RUN", "done"), ("COPY", "done")]
    orchestra("image", "rm", "pruned")
    orchestra("image", "prune", "-af")
    assert steps(orchestra) == [("RUN", "cached"), ("COPY", "cached")]
    listed = orchestra("builder", "du").out
    assert "dd if=/dev/zero" in listed
    assert "cache mount" in listed
    assert "MB" in orchestra("builder", "prune", "-f").out
    assert "dd if" not in orchestra("builder", "du").out
    assert steps(orchestra) == [("RUN", "done"), ("COPY", "done")]


def test_add_unpacks_archives_and_downloads_urls(orchestra: Orchestra) -> None:
    write(orchestra, "tree/sub/file", "packed")
    os.symlink("/etc/passwd", os.path.join(orchestra.directory, "tree/link"))
    subprocess.run(
        ["tar", "-czf", "a.tar.gz", "-C", "tree", "--owner=7", "--group=8", "."],
        cwd=orchestra.directory,
        check=True,
    )
    handler = functools.partial(QuietFiles, directory=orchestra.directory)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        write(
            orchestra,
            "context/Dockerfile",
            f"FROM host\nADD a.tar.gz /un/\nADD {url}/a.tar.gz /kept/\n"
            f"ADD --chown=5 --chmod=640 {url}/tree/sub/file /one\n",
        )
        shutil.copy(f"{orchestra.directory}/a.tar.gz", f"{orchestra.directory}/context")
        orchestra("image", "build", "-q", "-t", "add", "context")
        server.shutdown()
        thread.join()
    listing = run(
        orchestra, "add", "cd /; stat -c '%n %a %u:%g' un/sub/file kept/* one; cat un/sub/file one"
    )
    assert listing.splitlines() == [
        "un/sub/file 644 7:8",
        "kept/a.tar.gz 600 0:0",
        "one 640 5:5",
        "packedpacked",
    ]


def test_a_hostile_archive_stays_in_the_image(orchestra: Orchestra) -> None:
    victim = os.path.join(orchestra.directory, "victim")
    with tarfile.open(os.path.join(orchestra.directory, "evil.tar"), "w") as archive:
        for name, link in (("away", victim), ("up", f"../../../..{victim}")):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, link
            archive.addfile(entry)
        for name in ("away/one", "up/two", "../../../../three", f"{victim}/four"):
            archive.addfile(tarfile.TarInfo(name))
    os.mkdir(victim)
    write(orchestra, "Dockerfile", "FROM host\nADD evil.tar /x/\n")
    orchestra("image", "build", "-q", "-t", "evil", ".")
    assert os.listdir(victim) == []
    assert run(orchestra, "evil", "ls /x/three").strip() == "/x/three"


def test_platforms_of_other_machines_are_refused_and_ones_own_is_not(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "ARG P\nFROM --platform=$P host\nRUN true\n")
    orchestra("image", "build", "-q", "--build-arg", f"P=linux/{os.uname().machine}", ".")
    failed = orchestra("image", "build", "-q", "--build-arg", "P=linux/s390x", ".", code=17)
    assert "Dockerfile:2:1: FROM: linux/s390x is not this machine's" in failed.err


def test_what_builds_keep_is_the_owners_only(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nRUN true\n")
    orchestra("image", "build", "-q", ".")
    assert os.stat(orchestra.env["ORCHESTRA_DATA_ROOT"]).st_mode & 0o777 == 0o700


def test_stages_that_do_not_need_each_other_run_at_the_same_time(orchestra: Orchestra) -> None:
    """Each waits, in a cache that both share, for what the other one writes."""
    wait = "for i in $(seq 300); do test -e /c/{0} && break; sleep 0.1; done; test -e /c/{0}"
    mount = "--mount=type=cache,target=/c"
    write(
        orchestra,
        "Dockerfile",
        f"FROM host AS one\nRUN {mount} touch /c/one; {wait.format('two')} && echo 1 > /1\n"
        f"FROM host AS two\nRUN {mount} touch /c/two; {wait.format('one')} && echo 2 > /2\n"
        "FROM host\nCOPY --from=one /1 /both/\nCOPY --from=two /2 /both/\n",
    )
    assert steps(orchestra, "-t", "both")[2:] == [("COPY", "done"), ("COPY", "done")]
    assert run(orchestra, "both", "cat /both/1 /both/2") == "1\n2\n"
    assert {status for _, status in steps(orchestra)} == {"cached"}


def test_a_failing_stage_cancels_the_others(orchestra: Orchestra) -> None:
    mount = "RUN --mount=type=cache,target=/c"
    write(
        orchestra,
        "Dockerfile",
        f"FROM host AS one\n{mount} touch /c/one; exec sleep 4243\n"
        f"FROM host AS two\n{mount} until test -e /c/one; do sleep 0.1; done; echo why; exit 7\n"
        "FROM host\nCOPY --from=one / /1\nCOPY --from=two / /2\n",
    )
    failed = orchestra("image", "build", "--progress", "plain", "-t", "broken", ".", code=17)
    assert "[one 2/2]" in failed.err
    assert "CANCELED" in failed.err
    assert "exit code 7" in failed.err
    assert is_gone("^sleep 4243")
    assert "broken" not in orchestra("image", "ls").out
    assert os.listdir(os.path.join(orchestra.env["ORCHESTRA_DATA_ROOT"], "build", "work")) == []


def test_ctrl_c_ends_every_stage_and_leaves_nothing(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "Dockerfile",
        "FROM host AS one\nRUN echo started-1; exec sleep 4244\n"
        "FROM host AS two\nRUN echo started-2; exec sleep 4244\n"
        "FROM host\nCOPY --from=one / /1\nCOPY --from=two / /2\n",
    )
    build = subprocess.Popen(
        [PROGRAM, "image", "build", "--progress", "plain", "-t", "ended", "."],
        cwd=orchestra.directory,
        env=orchestra.env,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert build.stderr is not None
    started = set()
    for line in build.stderr:
        started |= {line.split()[-1]} & {"started-1", "started-2"} if line.strip() else set()
        if len(started) == 2:
            break
    os.killpg(build.pid, signal.SIGINT)  # as a terminal does
    rest = build.stderr.read()
    assert build.wait(timeout=20) == 130
    build.stderr.close()
    assert "Traceback" not in rest
    assert is_gone("^sleep 4244")
    assert "ended" not in orchestra("image", "ls").out
    assert os.listdir(os.path.join(orchestra.env["ORCHESTRA_DATA_ROOT"], "build", "work")) == []


def test_services_are_built_at_the_same_time_and_share_their_steps(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nRUN echo same > /same\nARG N\nRUN echo $N > /n\n")
    write(
        orchestra,
        "compose.yaml",
        "services:\n"
        + "".join(f"  s{n}: {{build: {{context: ., args: {{N: {n}}}}}}}\n" for n in range(3)),
    )
    done = orchestra("--progress", "json", "build")
    events = [json.loads(line) for line in done.err.splitlines()]
    same = [
        event["status"]
        for event in events
        if "echo same" in event["id"] and event["status"] in ("Done", "Cached")
    ]
    assert sorted(same) == ["Cached", "Cached", "Done"], "one has done it for all"
    assert orchestra("run", "--rm", "-T", "s2", "cat", "/n").out == "2\n"


def test_up_and_run_show_their_builds_as_build_does(orchestra: Orchestra) -> None:
    write(
        orchestra,
        "compose.yaml",
        "services:\n  web:\n    build: .\n    command: sleep 1000\n    network_mode: none\n",
    )
    write(orchestra, "Dockerfile", "FROM host\nRUN echo from the step\n")
    first = orchestra("up", "-d").err
    assert "#2 [web 2/2] RUN echo from the step\n" in first
    assert " from the step\n" in first
    assert "#2 DONE" in first
    again = orchestra("up", "-d", "--build").err
    assert "#2 CACHED" in again
    assert "#2 CACHED" in orchestra("create", "--build").err
    assert "#2 CACHED" in orchestra("run", "--build", "--rm", "-T", "web", "true").err
    assert "RUN echo" not in orchestra("up", "-d").err, "nothing to build"


def test_up_on_a_terminal_shows_the_running_step_of_its_build(
    orchestra: Orchestra, terminal: Callable[..., Terminal]
) -> None:
    write(orchestra, "compose.yaml", "services: {web: {build: ., network_mode: none}}\n")
    write(orchestra, "Dockerfile", "FROM host\nRUN echo the tail; sleep 600\n")
    shown = terminal("create", "--build", cwd=orchestra.directory)
    shown.expect("the tail\r\n")
    shown.type("\x03")
    assert shown.wait() == 130
    assert "CANCELED" in shown.output


def test_sigterm_ends_a_build_as_ctrl_c_does(orchestra: Orchestra) -> None:
    write(orchestra, "Dockerfile", "FROM host\nRUN echo begun; sleep 98766\n")
    argv = [PROGRAM, "image", "build", "--progress", "plain", "-t", "never", "."]
    with subprocess.Popen(
        argv, cwd=orchestra.directory, env=orchestra.env, stderr=subprocess.PIPE, text=True
    ) as build:
        assert build.stderr is not None
        for line in build.stderr:
            if line.endswith("begun\n"):
                break
        build.send_signal(signal.SIGTERM)
        rest = build.stderr.read()
        assert build.wait(30) == 130, rest
    eventually(lambda: is_gone("sleep 98766"), within_s=10)
    assert "#2 CANCELED" in rest
    assert orchestra("image", "ls", "-q").out == ""
