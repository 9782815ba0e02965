"""Downloads, checksums, locks and child programs of the private installer."""

import asyncio
import shutil
from pathlib import Path

import pytest

from helpers import eventually, put_script
from shiftboss.system import debian_cache, debian_command, debian_prefix
from shiftboss.system.debian_cache import Deb
from shiftboss.system.debian_closure import Package
from shiftboss.system.packages import (
    BinaryBroken,
    InstallFailed,
    self_test_version,
)

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb here")


def package_of(path: Path, name: str) -> Package:
    return Package(name=name, version="1", sha256=debian_cache.sha256_of(path), size=path.stat().st_size)


def test_downloads_are_taken_in_by_checksum(tmp_path: Path):
    fresh, held = tmp_path / "fresh", tmp_path / "held"
    fresh.mkdir()
    held.mkdir()
    (fresh / "a_1.deb").write_bytes(b"a")
    (held / "b_1.deb").write_bytes(b"b")
    wanted = [package_of(fresh / "a_1.deb", "a"), package_of(held / "b_1.deb", "b")]
    assert [deb.file for deb in debian_cache.take_in(fresh, held, wanted)] == ["a_1.deb", "b_1.deb"]
    assert {path.name for path in held.iterdir()} == {"a_1.deb", "b_1.deb"}


def test_a_download_with_another_checksum_is_refused(tmp_path: Path):
    fresh, held = tmp_path / "fresh", tmp_path / "held"
    fresh.mkdir()
    held.mkdir()
    (fresh / "a_1.deb").write_bytes(b"good")
    wanted = [package_of(fresh / "a_1.deb", "a")]
    (fresh / "a_1.deb").write_bytes(b"evil")
    with pytest.raises(InstallFailed, match="SHA-256 of the signed index"):
        debian_cache.take_in(fresh, held, wanted)
    assert list(held.iterdir()) == []


def test_damaged_files_are_dropped_and_named(tmp_path: Path):
    debs = [Deb(name=n, version="1", file=f"{n}.deb", sha256="", size=1) for n in "abc"]
    for deb in debs[:2]:
        (tmp_path / deb.file).write_text(deb.name)
    whole = [
        Deb(name=d.name, version="1", file=d.file, sha256=debian_cache.sha256_of(tmp_path / d.file), size=1)
        for d in debs[:2]
    ]
    (tmp_path / "b.deb").write_text("torn")
    assert debian_cache.drop_damaged(tmp_path, [*whole, debs[2]]) == ["b.deb", "c.deb"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.deb"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "coin"}', '{"name": 1, "debs": [{}]}'])
def test_an_unreadable_manifest_counts_as_none(tmp_path: Path, text: str):
    (tmp_path / debian_cache.MANIFEST).write_text(text)
    assert debian_cache.load_set(tmp_path) is None


def test_the_lock_is_held_by_one_at_a_time(tmp_path: Path):
    path, seen = tmp_path / "deep" / "x.lock", []

    async def hold(name: str) -> None:
        async with debian_cache.locked(path, lambda: seen.append(f"{name} waits")):
            seen.append(f"{name} in")
            while name == "a" and "b waits" not in seen:
                await asyncio.sleep(0)
            seen.append(f"{name} out")

    async def both() -> None:
        await asyncio.gather(hold("a"), hold("b"))

    asyncio.run(both())
    assert seen == ["a in", "b waits", "a out", "b in", "b out"]


def test_stray_libraries():
    listed = (
        "\tlinux-vdso.so.1 (0x00007f)\n"
        "\tliba.so.1 => /pre fix/root/usr/lib/liba.so.1 (0x00007f)\n"
        "\tlibb.so.2 => /usr/lib/libb.so.2 (0x00007f)\n"
        "\tlibc.so.3 => not found\n"
        "\t/lib64/ld.so.2 => /pre fix/root/usr/lib/ld.so.2 (0x00007f)\n"
    )
    stray = debian_prefix.stray_libraries(listed, Path("/pre fix/root"))
    assert [line.split()[0] for line in stray] == ["libb.so.2", "libc.so.3"]


@pytest.mark.parametrize(
    "data",
    [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(100), b"\x7fELF\x02\x01", b"\x7fELF\x02\x01" + bytes(200)],
)
def test_a_file_that_is_no_program_has_no_loader(tmp_path: Path, data: bytes):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(BinaryBroken, match="x"):
        debian_prefix.interpreter_of(tmp_path / "x")


def test_version_of_broken_programs(tmp_path: Path):
    put_script(tmp_path, "bad", "echo 'libx.so: cannot open' >&2; exit 127")
    put_script(tmp_path, "mute", "exit 0")
    (tmp_path / "text").write_text("hello")
    for name, said in (("bad", "libx.so: cannot open"), ("mute", "no text"), ("text", "denied"), ("none", "No such")):
        with pytest.raises(BinaryBroken, match=said):
            asyncio.run(self_test_version(tmp_path / name))


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("way", ["cancelled", "too slow"])
def test_a_child_is_ended_with_its_whole_group(tmp_path: Path, way: str):
    put_script(
        tmp_path, "slow", f'sleep 60 & echo $! > "{tmp_path}/draft"; mv "{tmp_path}/draft" "{tmp_path}/pid"; wait'
    )
    pid_file = tmp_path / "pid"

    async def scenario() -> None:
        limit = 60.0 if way == "cancelled" else 1.0
        task = asyncio.create_task(
            debian_command.run([str(tmp_path / "slow")], step="be slow", limit_seconds=limit),
        )
        while way == "cancelled" and not pid_file.exists():
            await asyncio.sleep(0.01)
        if way == "cancelled":
            task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError if way == "cancelled" else InstallFailed):
        asyncio.run(scenario())
    eventually(lambda: is_gone(int(pid_file.read_text())))
