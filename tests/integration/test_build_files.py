"""What `COPY` and `ADD` bring into an image: owners, modes, links, archives; and nothing else."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import tarfile
import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.building import file_in, write

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]


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
    listing = file_in(
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


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


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
    listing = file_in(
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
    assert file_in(orchestra, "evil", "ls /x/three").strip() == "/x/three"
