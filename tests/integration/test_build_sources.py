"""Where a build's files come from: repositories, web servers, stdin, layouts, other services."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.building import BASE, build, file_in, load_base, write
from tests.support.git import git, git_server
from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.git import GitServer
    from tests.support.scenario import Orchestra

pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.skipif(not shutil.which("git"), reason="needs git"),
]


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def web_server(directory: str) -> Iterator[str]:
    handler = functools.partial(QuietFiles, directory=directory)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server(orchestra: Orchestra, tmp_path: Path) -> Iterator[GitServer]:
    del orchestra  # after its namespaces
    with git_server(str(tmp_path / "git")) as running:
        yield running


# -- ADD ------------------------------------------------------------------------------------------
def test_add_of_a_repository_takes_the_commit_of_a_branch(
    orchestra: Orchestra, server: GitServer
) -> None:
    server.make("app.git")
    server.commit("app.git", {"one": "1", "sub/two": "2"})
    tree = os.path.join(server.directory, "app.git")
    git(tree, "tag", "-a", "v1", "-m", "first")
    server.commit("app.git", {"one": "newer"})
    write(
        orchestra,
        "Dockerfile",
        f"FROM host\nADD {server.url}/app.git /main\nADD {server.url}/app.git#v1 /v1\n"
        f"ADD {server.url}/app.git#v1:sub /sub\n"
        f"ADD --keep-git-dir {server.url}/app.git#main /kept\n"
        f"ADD --chown=7 {server.url}/app.git?tag=v1&subdir=sub /query\n",
    )
    assert build(orchestra, "-t", "git") == [("ADD", "done")] * 5
    listing = file_in(
        orchestra,
        "git",
        "cat /main/one /v1/one; echo; ls -A /main /v1 /sub; stat -c '%a %u' /main/one /query/two; "
        "test -e /kept/.git/HEAD && echo git",
    )
    assert listing.splitlines() == [
        "newer1", "/main:", "one", "sub", "", "/sub:", "two", "", "/v1:", "one", "sub",
        "644 0", "644 7", "git",
    ]  # fmt: skip
    assert build(orchestra) == [("ADD", "cached")] * 5
    server.commit("app.git", {"other": "x"})
    assert build(orchestra) == [("ADD", name) for name in ("done", *["done"] * 4)]


def test_a_commit_that_is_written_out_needs_no_server_the_second_time(
    orchestra: Orchestra, server: GitServer
) -> None:
    server.make("app.git")
    old = server.commit("app.git", {"one": "1"})
    server.commit("app.git", {"one": "2"})
    write(orchestra, "Dockerfile", f"FROM host\nADD {server.url}/app.git#{old} /src\n")
    assert build(orchestra, "-t", "old") == [("ADD", "done")]
    assert file_in(orchestra, "old", "cat /src/one") == "1"
    os.rename(f"{server.directory}/app.git", f"{server.directory}/gone")
    assert build(orchestra) == [("ADD", "cached")]


def test_a_checksum_is_compared_with_the_commit(orchestra: Orchestra, server: GitServer) -> None:
    server.make("app.git")
    commit = server.commit("app.git", {"one": "1"})
    url = f"{server.url}/app.git#main"
    write(orchestra, "Dockerfile", f"FROM host\nADD --checksum={commit} {url} /src\n")
    build(orchestra)
    write(orchestra, "Dockerfile", f"FROM host\nADD --checksum={'0' * 40} {url} /src\n")
    failed = orchestra("image", "build", "-q", ".", code=17)
    assert f"is at the commit {commit}, and not at {'0' * 40}" in failed.err
    assert "Dockerfile:2:1: ADD" in failed.err


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("app.git#nothing", 'has no branch or tag "nothing"'),
        ("app.git#main:../..", "has no directory"),
        ("app.git#main:link", "has no directory"),
        ("missing.git", "git says"),
        ("app.git?lunch=x", 'unknown parameter "lunch"'),
    ],
)
def test_what_a_repository_has_not_is_told(
    orchestra: Orchestra, server: GitServer, source: str, what: str
) -> None:
    tree = server.make("app.git")
    os.symlink("/etc", os.path.join(tree, "link"))
    server.commit("app.git", {"one": "1"})
    write(orchestra, "Dockerfile", f"FROM host\nADD {server.url}/{source} /src\n")
    if source.endswith("../.."):
        build(orchestra, "-t", "all")
        assert file_in(orchestra, "all", "cat /src/one") == "1", "no way leads above the repository"
        return
    failed = orchestra("image", "build", "-q", ".", code=17)
    assert what in failed.err
    assert "Dockerfile:2:1: ADD" in failed.err
    assert "Traceback" not in failed.err


def test_submodules_come_along(orchestra: Orchestra, server: GitServer) -> None:
    server.make("part.git")
    server.commit("part.git", {"inner": "i"})
    tree = server.make("app.git")
    git(tree, "submodule", "add", "--quiet", f"{server.url}/part.git", "part")
    server.commit("app.git", {"one": "1"})
    write(orchestra, "Dockerfile", f"FROM host\nADD {server.url}/app.git /src\n")
    build(orchestra, "-t", "sub")
    listed = file_in(orchestra, "sub", "cat /src/part/inner; find /src -name .git")
    assert listed == "i"


def test_a_machine_without_git_is_told_how_to_get_it(orchestra: Orchestra, tmp_path: Path) -> None:
    write(orchestra, "Dockerfile", "FROM host\nADD https://example.org/x.git /src\n")
    orchestra.env["PATH"] = str(tmp_path)
    failed = orchestra("image", "build", "-q", ".", code=17)
    assert "git is not installed" in failed.err
    assert "apt-get install git" in failed.err


def test_a_hostile_remote_is_no_option_and_no_command(orchestra: Orchestra, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for source in (
        f"ssh://-oProxyCommand=touch%20{mark}/x.git",
        f"git@-oProxyCommand=touch%20{mark}:x.git",
        f"https://127.0.0.1:1/x.git#--upload-pack=touch%20{mark}",
    ):
        write(orchestra, "Dockerfile", f"FROM host\nADD {source} /src\n")
        failed = orchestra("image", "build", "-q", ".", code=17)
        assert "Traceback" not in failed.err
    assert not mark.exists()


def test_urls_are_asked_for_again_only_when_they_may_have_changed(
    orchestra: Orchestra, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("content")
    os.utime(tmp_path / "file", (1_700_000_000, 1_700_000_000))
    digest = hashlib.sha256(b"content").hexdigest()
    with web_server(str(tmp_path)) as url:
        write(
            orchestra, "Dockerfile", f"FROM host\nADD --checksum=sha256:{digest} {url}/file /f/\n"
        )
        assert build(orchestra, "-t", "url") == [("ADD", "done")]
    assert file_in(orchestra, "url", "stat -c '%a %Y' /f/file") == "600 1700000000\n"
    assert build(orchestra) == [("ADD", "cached")], "the server is gone, the digest is known"


# -- contexts -------------------------------------------------------------------------------------
def test_the_context_is_a_directory_of_a_repository(
    orchestra: Orchestra, server: GitServer
) -> None:
    server.make("app.git")
    server.commit(
        "app.git",
        {
            "svc/Dockerfile": "FROM host\nCOPY . /src\n",
            "svc/.dockerignore": "hidden\n",
            "svc/hidden": "",
            "svc/seen": "s",
            "svc/Other": "FROM host\nCOPY seen /other\n",
        },
    )
    url = f"{server.url}/app.git#main:svc"
    build(orchestra, "-t", "ctx", context=url)
    assert file_in(orchestra, "ctx", "ls /src") == "Dockerfile\nOther\nseen\n"
    build(orchestra, "-t", "other", "-f", "Other", context=url)
    assert file_in(orchestra, "other", "cat /other") == "s"
    write(orchestra, "compose.yaml", f"services:\n  web:\n    build: {url}\n    image: web:1\n")
    orchestra("build")
    assert file_in(orchestra, "web:1", "cat /src/seen") == "s"
    left = os.path.join(orchestra.env["ORCHESTRA_DATA_ROOT"], "build", "contexts")
    assert os.listdir(left) == []


@pytest.mark.parametrize("packing", ["-cf", "-czf", "-cJf", "--zstd -cf", "-cjf"])
def test_the_context_is_an_archive(orchestra: Orchestra, tmp_path: Path, packing: str) -> None:
    write(orchestra, "ctx/Dockerfile", "FROM host\nCOPY seen /seen\n")
    write(orchestra, "ctx/seen", packing)
    archive = str(tmp_path / "context")
    subprocess.run(
        ["tar", *packing.split(), archive, "-C", f"{orchestra.directory}/ctx", "."], check=True
    )
    with web_server(str(tmp_path)) as url:
        build(orchestra, "-t", "web", context=f"{url}/context")
    assert file_in(orchestra, "web", "cat /seen") == packing
    with open(archive, "rb") as file:
        subprocess.run(
            [PROGRAM, "image", "build", "-q", "-t", "stdin", "-"],
            stdin=file, cwd=orchestra.directory, env=orchestra.env, check=True, capture_output=True,
        )  # fmt: skip
    assert file_in(orchestra, "stdin", "cat /seen") == packing


def test_a_dockerfile_alone_comes_from_stdin_or_a_server(
    orchestra: Orchestra, tmp_path: Path
) -> None:
    text = "FROM host\nRUN echo alone > /alone\n"
    orchestra("image", "build", "-q", "-t", "stdin", "-", stdin=text)
    assert file_in(orchestra, "stdin", "cat /alone") == "alone\n"
    (tmp_path / "Dockerfile").write_text(text)
    with web_server(str(tmp_path)) as url:
        orchestra("image", "build", "-q", "-t", "url", f"{url}/Dockerfile")
        failed = orchestra("image", "build", "-q", f"{url}/missing", code=None)
    assert file_in(orchestra, "url", "cat /alone") == "alone\n"
    assert failed.code == 1
    assert "the server answers 404" in failed.err
    assert (
        "neither an archive nor a Dockerfile"
        in orchestra("image", "build", "-q", "-", stdin="", code=None).err
    )
    assert "stdin cannot be both" in orchestra("image", "build", "-f", "-", "-", code=1).err


def test_named_contexts_are_layouts_repositories_archives_and_images(
    orchestra: Orchestra, server: GitServer, tmp_path: Path
) -> None:
    load_base(orchestra)
    write(orchestra, "Dockerfile", f"FROM {BASE}\nRUN echo layout > /layout\n")
    build(orchestra, "-t", "made:1")
    orchestra("image", "save", "-o", "made.tar", "made:1")
    subprocess.run(["mkdir", "layout"], cwd=orchestra.directory, check=True)
    subprocess.run(["tar", "-xf", "../made.tar"], cwd=f"{orchestra.directory}/layout", check=True)
    orchestra("image", "rm", "made:1")
    server.make("app.git")
    server.commit("app.git", {"one": "1"})
    (tmp_path / "f").write_text("archived")
    subprocess.run(["tar", "-czf", "a.tgz", "f"], cwd=tmp_path, check=True)
    write(
        orchestra,
        "ctx/Dockerfile",
        "FROM layout\nCOPY --from=repo one /one\nCOPY --from=archive f /f\n"
        "COPY --from=image /bin/busybox /bb\n",
    )
    with web_server(str(tmp_path)) as url:
        build(
            orchestra, "-t", "named",
            "--build-context", "layout=oci-layout://layout",
            "--build-context", f"repo={server.url}/app.git",
            "--build-context", f"archive={url}/a.tgz",
            "--build-context", f"image=docker-image://{BASE}",
            context="ctx",
        )  # fmt: skip
    shown = file_in(orchestra, "named", "cat /layout /one /f; test -x /bb && echo bb")
    assert shown == "layout\n1archivedbb\n"
    failed = orchestra(
        "image", "build", "-q", "--build-context", "x=oci-layout://no", ".", code=None
    )
    assert "is no OCI layout" in failed.err
    failed = orchestra("image", "build", "-q", "--build-context", "x=ftp://no", ".", code=None)
    assert "which is not supported" in failed.err


def test_services_that_others_build_on_are_built_with_them_and_circles_refused(
    orchestra: Orchestra,
) -> None:
    text = (
        "services:\n  app:\n    build:\n      context: .\n      dockerfile_inline: |\n"
        "        FROM base\n        RUN cat /base > /app\n"
        "      additional_contexts: {base: 'service:base'}\n"
        "  base:\n    build:\n      context: .\n      dockerfile_inline: |\n"
        "        FROM host\n        RUN echo base > /base\n"
    )
    write(orchestra, "compose.yaml", text)
    done = orchestra("--progress", "plain", "build", "app")
    assert done.err.index("[base 1/2]") < done.err.index("[app 1/2]")
    write(orchestra, "compose.yaml", text + "      additional_contexts: {x: 'service:app'}\n")
    failed = orchestra("build", code=None)
    assert failed.code == 15
    assert "app" in failed.err
    assert "base" in failed.err
