"""Files are either old or new, never in between; followers see every line once."""

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiftboss.system.files import (
    Ballast,
    ensure_private_folder,
    free_bytes,
    new_lines,
    read_text_tail,
    sha256,
    write_atomic,
)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@given(contents=st.lists(st.one_of(st.binary(max_size=300), st.text(max_size=300)), min_size=1, max_size=4))
def test_what_was_written_last_is_read_and_nothing_else_is_left(tmp_path_factory, contents):
    folder = tmp_path_factory.mktemp("atomic")
    for content in contents:
        write_atomic(folder / "file", content)
    last = contents[-1]
    assert (folder / "file").read_bytes() == (last if isinstance(last, bytes) else last.encode())
    assert names(folder) == ["file"]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_the_mode_does_not_depend_on_the_umask_or_the_old_file(tmp_path, mode):
    before = os.umask(0o077)
    try:
        (tmp_path / "file").write_text("old")
        write_atomic(tmp_path / "file", "new", mode)
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path):
    """A limit on the file size stands in for the full disk: the kernel refuses the same write call."""
    path = tmp_path / "file"
    path.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        with pytest.raises(OSError, match="large") as caught:
            write_atomic(path, "x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert caught.value.errno == errno.EFBIG
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_kill_9_while_writing_leaves_the_old_or_the_new_content(tmp_path):
    path = tmp_path / "file"
    write_atomic(path, "0" * 200_000)
    text = (
        "import sys\nfrom pathlib import Path\nfrom shiftboss.system.files import write_atomic\n"
        "print('go', flush=True)\n"
        "for n in range(10**6): write_atomic(Path(sys.argv[1]), str(n % 10) * 200_000)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", text, str(path)], stdout=subprocess.PIPE, env=environment
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            child.kill()
        content = path.read_text()
        assert len(content) == 200_000
        assert len(set(content)) == 1


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomic(tmp_path / "none" / "file", "x")


def test_the_tail_starts_with_a_whole_line(tmp_path):
    path = tmp_path / "log"
    assert read_text_tail(path, 100) == ""
    path.write_text("first line\nsecond\nthird\n")
    assert read_text_tail(path, 1000) == "first line\nsecond\nthird\n"
    assert read_text_tail(path, 15) == "second\nthird\n"
    path.write_text("é" * 100)
    assert read_text_tail(path, 21).endswith("é" * 10)


@given(pieces=st.lists(st.text(alphabet="ab\n", max_size=20), max_size=12))
def test_a_follower_sees_every_whole_line_once(tmp_path_factory, pieces):
    path = tmp_path_factory.mktemp("log") / "log"
    seen, offset = "", 0
    for piece in pieces:
        with path.open("a") as file:
            file.write(piece)
        text, offset = new_lines(path, offset, max_bytes=5)
        seen += text
    while (step := new_lines(path, offset, max_bytes=5))[0]:
        seen, offset = seen + step[0], step[1]
    written = "".join(pieces)
    assert seen == written[: written.rfind("\n") + 1]


def test_a_truncated_or_replaced_log_is_read_from_its_start(tmp_path):
    path = tmp_path / "log"
    assert new_lines(path, 40) == ("", 0)
    path.write_text("one\ntwo\n")
    text, offset = new_lines(path, 0)
    assert (text, offset) == ("one\ntwo\n", 8)
    path.write_text("new\n")
    assert new_lines(path, offset) == ("new\n", 4)
    path.write_text("a much longer line than before\n")
    assert new_lines(path, 4)[0] == "a much longer line than before\n"


def test_free_bytes_of_what_is_not_there_yet_is_that_of_its_folder(tmp_path):
    numbers = os.statvfs(tmp_path)
    found = free_bytes(tmp_path / "not" / "yet")
    assert abs(found - numbers.f_bavail * numbers.f_frsize) < 1_000_000_000


def test_sha256_of_a_known_text(tmp_path):
    (tmp_path / "abc").write_text("abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_private_folder_is_made_private_even_if_it_was_there(tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True, mode=0o755)
    for _ in range(2):
        assert ensure_private_folder(folder).stat().st_mode & 0o777 == 0o700
    assert ensure_private_folder(tmp_path / "c" / "d").stat().st_mode & 0o777 == 0o700


def test_ballast_takes_real_blocks_and_gives_them_back(tmp_path):
    ballast = Ballast(tmp_path / "ballast", size=300_000)
    assert ballast.release() is False
    for _ in range(2):
        assert ballast.make() is True
    numbers = (tmp_path / "ballast").stat()
    assert numbers.st_size == 300_000
    assert numbers.st_blocks * 512 >= 300_000
    assert ballast.release() is True
    assert not (tmp_path / "ballast").exists()


def test_ballast_that_does_not_fit_leaves_nothing(tmp_path):
    room = os.statvfs(tmp_path)
    ballast = Ballast(tmp_path / "ballast", size=room.f_blocks * room.f_frsize * 2)
    assert ballast.make() is False
    assert not (tmp_path / "ballast").exists()
