"""The whole way of the private installer from a cache, with a small package made of this machine's own programs."""

import asyncio
import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import eventually
from shiftboss.system import debian_cache, debian_prefix, packages
from shiftboss.system.debian_cache import Deb, DebSet
from shiftboss.system.packages import (
    Installed,
    InstallFailed,
    NoProvider,
    OutOfSpace,
    PackageSpec,
    install,
    self_test_version,
)

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb here")


def real_library(name: str) -> Path:
    listed = subprocess.run(["ldd", "/bin/sleep"], capture_output=True, text=True, check=True).stdout
    words = next(line.split() for line in listed.splitlines() if name in line)
    return Path(next(word for word in words if word.startswith("/"))).resolve()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache that holds the package `coin`: echo as its program, sleep beside it, and their libraries."""
    tree = tmp_path / "tree"
    arch = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    for folder in ("DEBIAN", "usr/bin", "usr/lib/here"):
        (tree / folder).mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        f"Package: coin\nVersion: 1.0\nArchitecture: {arch}\nMaintainer: us\nDescription: a test\n",
    )
    shutil.copy("/bin/echo", tree / "usr/bin/coind")
    shutil.copy("/bin/sleep", tree / "usr/bin/sleep")
    loader = Path(debian_prefix.interpreter_of(Path("/bin/sleep"))).name
    shutil.copy(real_library("libc.so"), tree / "usr/lib/here/libc.so.6")
    shutil.copy(real_library(loader), tree / "usr/lib/here" / loader)
    store = tmp_path / "the cache" / "debian" / arch / "sid" / "coin"
    store.mkdir(parents=True)
    deb = store / "coin_1.0.deb"
    command = ["dpkg-deb", "-Znone", "--root-owner-group", "-b", str(tree), str(deb)]
    subprocess.run(command, check=True, capture_output=True)
    shutil.rmtree(tree)
    made = Deb(
        name="coin",
        version="1.0",
        file=deb.name,
        sha256=debian_cache.sha256_of(deb),
        size=deb.stat().st_size,
    )
    debian_cache.save_set(
        store,
        DebSet(name="coin", exclude=COIN.exclude, fetched="2026-01-01", debs=(made,), warnings=("it was old",)),
    )
    return tmp_path / "the cache"


COIN = PackageSpec(name="coin", program="coind", companions=("sleep", "absent"))


def install_coin(prefix: Path, cache: Path, warned: list[str] | None = None) -> Installed:
    said: list[str] = [] if warned is None else warned
    return asyncio.run(install(COIN, prefix=prefix, cache=cache, warn=said.append))


def tree_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Every path with inode and change time: equal means untouched."""
    return {str(p): (p.lstat().st_ino, p.lstat().st_mtime_ns) for p in folder.rglob("*")}


@needs_dpkg
def test_install_from_cache_and_again(tmp_path: Path, cache: Path):
    warned: list[str] = []
    prefix = tmp_path / "my stack" / "prefix"
    first = install_coin(prefix, cache, warned)
    assert first.program == prefix / "bin" / "coind"
    assert (first.version, first.version_text, first.from_cache) == ("1.0", "-version", True)
    assert first.packages == {"coin": "1.0"}
    assert list(first.debs) == ["coin_1.0.deb"]
    assert first.warnings == ("it was old",)
    assert "it was old" in warned[0]
    before = tree_of(tmp_path)
    second = install_coin(prefix, cache)
    assert tree_of(tmp_path) == before
    assert second.debs == first.debs
    assert {path.name for path in prefix.parent.iterdir()} == {"prefix", ".prefix.lock"}
    assert {path.name for path in (prefix / "bin").iterdir()} == {"coind", "sleep"}


@needs_dpkg
def test_the_wrapper_works_from_anywhere(tmp_path: Path, cache: Path):
    wrapper = install_coin(tmp_path / "my stack" / "prefix", cache).program
    link = tmp_path / "link"
    link.symlink_to(wrapper)
    chain = tmp_path / "chain"
    chain.symlink_to("link")
    path = f"{wrapper.parent}:/usr/bin:/bin"
    for command, folder in ((str(link), "/"), ("./chain", tmp_path), ("coind", "/"), ("bin/coind", wrapper.parents[1])):
        done = subprocess.run(
            [command, "a b", "$c"],
            cwd=folder,
            env={"PATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "a b $c\n"
    moved = tmp_path / "moved"
    wrapper.parents[1].rename(moved)
    done = subprocess.run([moved / "bin" / "coind", "x"], capture_output=True, text=True, check=True)
    assert done.stdout == "x\n"


@needs_dpkg
def test_the_wrapper_keeps_the_process_id(tmp_path: Path, cache: Path):
    prefix = tmp_path / "prefix"
    install_coin(prefix, cache)
    child = subprocess.Popen([prefix / "bin" / "sleep", "60"])
    try:
        eventually(lambda: Path(f"/proc/{child.pid}/exe").resolve().is_relative_to(prefix.resolve()))
    finally:
        child.kill()
        child.wait()


@contextlib.contextmanager
def still_here(path: Path) -> Iterator[None]:
    before = path.read_bytes()
    yield
    assert path.read_bytes() == before


@needs_dpkg
@pytest.mark.parametrize("damage", ["no record", "torn record", "no wrapper", "no library", "only a folder"])
def test_a_half_finished_prefix_is_made_again(tmp_path: Path, cache: Path, damage: str):
    prefix = tmp_path / "prefix"
    install_coin(prefix, cache)
    record = prefix / packages.RECORD
    match damage:
        case "no record":
            record.unlink()
        case "torn record":
            record.write_text(record.read_text()[:50])
        case "no wrapper":
            (prefix / "bin" / "coind").unlink()
        case "no library":
            (prefix / "root/usr/lib/here/libc.so.6").unlink()
        case _:
            shutil.rmtree(prefix)
            (prefix / "root").mkdir(parents=True)
    left_over = tmp_path / ".prefix.abc.tmp"
    left_over.mkdir()
    install_coin(prefix, cache)
    assert asyncio.run(self_test_version(prefix / "bin" / "coind")) == "-version"
    assert not left_over.exists()


@needs_dpkg
def test_a_folder_with_foreign_files_is_left_alone(tmp_path: Path, cache: Path):
    prefix = tmp_path / "home"
    prefix.mkdir()
    (prefix / "diary.txt").write_text("mine")
    with still_here(prefix / "diary.txt"), pytest.raises(InstallFailed, match="not ours"):
        install_coin(prefix, cache)
    assert [path.name for path in prefix.iterdir()] == ["diary.txt"]


@needs_dpkg
def test_another_spec_replaces_the_installation(tmp_path: Path, cache: Path):
    prefix = tmp_path / "prefix"
    install_coin(prefix, cache)
    other = PackageSpec(name="coin", program="coind", companions=())
    asyncio.run(install(other, prefix=prefix, cache=cache, warn=list[str]().append))
    assert [path.name for path in (prefix / "bin").iterdir()] == ["coind"]


INSTALL_IN_A_PROCESS = """
import asyncio, pathlib, sys
from shiftboss.system.packages import PackageSpec, install
spec = PackageSpec(name="coin", program="coind", companions=("sleep", "absent"))
asyncio.run(install(spec, prefix=pathlib.Path(sys.argv[1]), cache=pathlib.Path(sys.argv[2]), warn=print))
"""


@needs_dpkg
def test_two_installations_at_a_time_do_not_hurt_each_other(tmp_path: Path, cache: Path):
    targets = ["one", "two", "two"]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", INSTALL_IN_A_PROCESS, str(tmp_path / name), str(cache)],
            stdout=subprocess.DEVNULL,
        )
        for name in targets
    ]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    for name in targets:
        assert asyncio.run(self_test_version(tmp_path / name / "bin" / "coind")) == "-version"


@needs_dpkg
def test_killed_in_the_middle_then_again(tmp_path: Path, cache: Path):
    prefix = tmp_path / "prefix"
    command = [sys.executable, "-c", INSTALL_IN_A_PROCESS, str(prefix), str(cache)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    eventually(lambda: any(tmp_path.glob(".prefix.*.tmp")) or prefix.exists())
    child.kill()
    child.wait()
    install_coin(prefix, cache)
    assert not list(tmp_path.glob(".prefix.*.tmp"))


@needs_dpkg
@pytest.mark.parametrize("name", ["a:b", "a;b", 'a"b', "a$b"])
def test_a_path_that_the_loader_misreads_is_refused(tmp_path: Path, cache: Path, name: str):
    with pytest.raises(InstallFailed, match="choose another folder"):
        install_coin(tmp_path / name, cache)


def test_a_machine_without_apt_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoProvider, match="apt-get") as caught:
        install_coin(tmp_path / "prefix", tmp_path / "cache")
    assert "daemon.binary" in caught.value.how_to


def test_a_full_disk_is_seen_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packages, "UNPACK_BYTES", shutil.disk_usage(tmp_path).total + 1)
    with pytest.raises(OutOfSpace, match="MB are needed"):
        install_coin(tmp_path / "prefix", tmp_path / "cache")
    assert not (tmp_path / "prefix").exists()
    assert not (tmp_path / "cache").exists()


def test_a_prefix_below_a_file_is_a_typed_error(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(InstallFailed, match="file"):
        install_coin(tmp_path / "file" / "prefix", tmp_path / "cache")
