"""The private installer without the network: pure decisions as data, the rest with small packages made here."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shiftboss.system import debian_apt, debian_cache, debian_command, debian_prefix, packages
from shiftboss.system.debian_apt import Machine, PrivateApt
from shiftboss.system.debian_cache import Deb, DebSet
from shiftboss.system.debian_closure import Package, closure, parse_packages
from shiftboss.system.debian_sources import Source, choose_mirror, parse_sources
from shiftboss.system.packages import (
    BinaryBroken,
    Installed,
    InstallFailed,
    NoProvider,
    OutOfSpace,
    PackageSpec,
    install,
    self_test_version,
)

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb here")

DEB822 = """\
# the main archive
Types: deb deb-src
URIs: http://one.example/debian
Suites: bookworm bookworm-updates
Components: main
  contrib
Signed-By: /keys/debian-archive-keyring.gpg

Types: deb
URIs: http://two.example/debian-security https://three.example/sec
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc: def
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://src.example/debian
Suites: bookworm
Components: main
"""

ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb-src http://src.example/debian bookworm main
deb http://one.example/debian   bookworm main contrib # why not
deb\t[arch=amd64 signed-by=/keys/debian-archive-keyring.gpg]\thttps://two.example/debian bookworm-updates main
deb cdrom:[Debian 12]/ bookworm main
deb
"""


def test_deb822_sources_are_read():
    found = parse_sources(DEB822, deb822=True)
    assert [source.uri for source in found] == [
        "http://one.example/debian",
        "http://two.example/debian-security",
        "https://three.example/sec",
    ]
    assert found[0].suites == ("bookworm", "bookworm-updates")
    assert found[0].components == ("main", "contrib")
    assert found[0].signed_by == "/keys/debian-archive-keyring.gpg"
    assert "PGP PUBLIC KEY" in found[1].signed_by


def test_one_line_sources_are_read():
    found = parse_sources(ONE_LINE, deb822=False)
    assert found[0] == Source(
        uri="http://one.example/debian",
        suites=("bookworm",),
        components=("main", "contrib"),
    )
    assert found[1].uri == "https://two.example/debian"
    assert found[1].signed_by == "/keys/debian-archive-keyring.gpg"
    assert len(found) == 3


def entry(uri: str, *suites: str, components: tuple[str, ...] = ("main",), signed_by: str = "") -> Source:
    return Source(uri=uri, suites=suites, components=components, signed_by=signed_by)


OWN = entry("http://own.example/debian", "bookworm", "bookworm-updates")
MIRRORS = {
    "the plain case": ([OWN], OWN.uri),
    "security is never taken": (
        [entry("http://own.example/debian-security", "bookworm-security"), OWN],
        OWN.uri,
    ),
    "old security suites neither": ([entry("http://own.example/debian", "buster/updates")], None),
    "a third party with Debian's suite names goes last": (
        [entry("https://tools.example", "bookworm", signed_by="/keys/tools.gpg"), OWN],
        OWN.uri,
    ),
    "a company mirror is known by its keyring": (
        [
            entry("https://tools.example", "bookworm"),
            entry("https://x.example/d", "bookworm", signed_by="debian-archive-keyring"),
        ],
        "https://x.example/d",
    ),
    "other components do not count": (
        [entry("https://tools.example/debian", "bookworm", components=("stable",))],
        None,
    ),
    "files and discs do not count": ([entry("file:/srv/debian", "bookworm")], None),
    "an alias will do": (
        [entry("http://own.example/debian", "stable")],
        "http://own.example/debian",
    ),
    "the codename goes before an alias": ([entry("http://a.example/debian", "testing"), OWN], OWN.uri),
    "another release is no proof": ([entry("http://own.example/debian", "bullseye")], None),
    "nothing": ([], None),
}


@pytest.mark.parametrize("case", MIRRORS)
def test_mirror_is_the_machines_own(case: str):
    sources, wanted = MIRRORS[case]
    chosen = choose_mirror(sources, "bookworm")
    assert (chosen and chosen.uri) == wanted


def test_sources_are_read_from_both_kinds_of_file(tmp_path: Path):
    parts = tmp_path / "parts"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb http://first.example/debian bookworm main\n")
    (parts / "b.sources").write_text(DEB822)
    (parts / "a.list").write_text("deb http://second.example/debian bookworm main\n")
    (parts / "c.list.disabled").write_text("deb http://no.example/debian bookworm main\n")
    found = debian_apt.read_sources(tmp_path / "sources.list", parts)
    hosts = [source.uri.split("/")[2] for source in found]
    assert hosts == ["first.example", "second.example", "one.example", "two.example", "three.example"]


def test_keyring_is_the_mirrors_own_or_a_known_one(tmp_path: Path):
    own, known = tmp_path / "debian-archive-bookworm.gpg", tmp_path / "debian-archive-keyring.gpg"
    known.touch()
    assert debian_apt.find_keyring(str(own), [known]) == known
    own.touch()
    assert debian_apt.find_keyring(str(own), [known]) == own
    assert debian_apt.find_keyring(str(tmp_path / "tools.gpg"), [known]) == known
    with pytest.raises(NoProvider, match=r"keyring.*daemon\.binary"):
        debian_apt.find_keyring("", [tmp_path / "none"])


def test_machine_settings_are_kept_but_not_what_weakens_checks():
    kept = 'Acquire::http::Proxy "http://proxy.example:3128";'
    dropped = """\
APT::Update::Post-Invoke:: "echo hook";
Acquire::Check-Valid-Until "false";
Acquire::Check-Date "false";
Acquire::AllowInsecureRepositories "true";
Acquire::IndexTargets::deb::DEP-11::MetaKey "x";
"""
    dump = dropped + kept
    assert debian_apt.acquire_settings(dump) == (kept,)


def machine(tmp_path: Path) -> Machine:
    return Machine(
        architecture="amd64",
        mirror="http://own.example/debian",
        keyring=tmp_path / "debian-archive-keyring.gpg",
        settings=('Acquire::Retries "5";',),
    )


def test_private_config_stays_in_its_folder(tmp_path: Path):
    text = debian_apt.config_text(machine(tmp_path), tmp_path / "root", check_expiry=True)
    assert text.startswith('Acquire::Retries "5";\n')
    for line in (
        f'Dir::State "{tmp_path}/root/state";',
        f'Dir::Etc::sourcelist "{tmp_path}/root/sources.list";',
        'Dir::Etc::parts "/dev/null";',
        'Dir::Etc::trustedparts "/dev/null";',
        'Acquire::Check-Valid-Until "true";',
        'Acquire::AllowInsecureRepositories "false";',
    ):
        assert line in text.splitlines()


PACKAGES = """\
Package: coin
Version: 2:1.0-1
Depends: debconf (>= 0.5) | debconf-2.0, systemd | sysusers, liba (>= 1),
 libb:any, virtual-c | libd
Pre-Depends: libe
SHA256: AA
Size: 10

Package: coin
Version: 0.9-1
SHA256: BB

Package: debconf
Version: 1
Depends: perl
SHA256: 01

Package: perl
Version: 1
SHA256: 02

Package: sysusers
Version: 1
SHA256: 03

Package: liba
Version: 1
Depends: libb, coin
SHA256: 04

Package: libb
Version: 1
SHA256: 05

Package: libd
Version: 1
SHA256: 06

Package: libe
Version: 1
Depends: virtual-f
SHA256: 07

Package: libf2
Version: 1
Provides: virtual-f (= 1), other
SHA256: 08

Package: libf1
Version: 1
Provides: virtual-f
SHA256: 09
"""
CLOSURES = {
    "script helpers left out": (
        "coin",
        ("debconf*", "systemd*", "sysusers"),
        "coin liba libb libd libe libf1",
    ),
    "first alternative that exists": (
        "coin",
        ("debconf*",),
        "coin liba libb libd libe libf1 sysusers",
    ),
    "nothing left out": ("coin", (), "coin debconf liba libb libd libe libf1 perl sysusers"),
    "a leaf": ("libb", (), "libb"),
    "the root itself is never left out": ("debconf", ("debconf*",), "debconf perl"),
}


@pytest.mark.parametrize("case", CLOSURES)
def test_closure(case: str):
    root, exclude, wanted = CLOSURES[case]
    found = closure(parse_packages(PACKAGES), root, exclude)
    assert " ".join(package.name for package in found) == wanted


def test_newest_version_and_checksum_are_taken():
    coin = parse_packages(PACKAGES)["coin"]
    assert (coin.version, coin.sha256, coin.size) == ("2:1.0-1", "aa", 10)


def test_a_dependency_that_the_suite_lacks_is_named():
    text = "Package: coin\nVersion: 1\nDepends: libx (>= 2) | liby\nSHA256: 00\n"
    with pytest.raises(InstallFailed, match="none of: libx, liby"):
        closure(parse_packages(text), "coin", ())
    with pytest.raises(InstallFailed, match="none of: coin"):
        closure({}, "coin", ())


EXPIRED = (
    "E: Release file for http://own.example/dists/sid/InRelease is expired"
    " (invalid since 16d 7h 52min 16s). Updates for this repository will not be applied."
)


def put_script(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}")
    (folder / name).chmod(0o755)


def updated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apt_get: str) -> tuple[list[str], list[str]]:
    """Run update() against a scripted apt-get; gives the warnings and the expiry setting of each try."""
    tools = tmp_path / "tools"
    tools.mkdir()
    tries = tmp_path / "tries"
    tries.touch()
    put_script(tools, "apt-get", f'grep -h Valid-Until "$APT_CONFIG" >> "{tries}"\n{apt_get}')
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    apt = PrivateApt.create(machine(tmp_path), tmp_path / "root", "sid")
    warnings: list[str] = []
    with contextlib.suppress(InstallFailed):
        asyncio.run(apt.update(warnings.append))
    return warnings, [line.split('"')[1] for line in tries.read_text().splitlines()]


def test_a_good_index_is_read_strictly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert updated(tmp_path, monkeypatch, "exit 0") == ([], ["true"])


def test_an_expired_index_is_taken_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    script = f"grep -q 'Valid-Until \"false\"' \"$APT_CONFIG\" && exit 0\necho '{EXPIRED}' >&2; exit 100"
    warnings, tries = updated(tmp_path, monkeypatch, script)
    assert tries == ["true", "false"]
    assert len(warnings) == 1
    for part in ("sid", "16d 7h 52min 16s", "ignatures were still checked"):
        assert part in warnings[0]


@pytest.mark.parametrize(
    "said",
    ["E: The repository is not signed.", "Err: Could not resolve host", "E: is not valid yet (invalid for 3h)"],
)
def test_any_other_refusal_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str):
    assert updated(tmp_path, monkeypatch, f"echo '{said}' >&2; exit 100") == ([], ["true"])


def test_an_expired_index_with_a_bad_signature_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    warnings, tries = updated(tmp_path, monkeypatch, f"echo '{EXPIRED}' >&2; exit 100")
    assert (warnings, tries) == ([], ["true", "false"])


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


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.01)


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
    until(lambda: is_gone(int(pid_file.read_text())))


# --- the whole way from a cache, with a small package made of this machine's own programs ---


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
        until(lambda: Path(f"/proc/{child.pid}/exe").resolve().is_relative_to(prefix.resolve()))
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
    until(lambda: any(tmp_path.glob(".prefix.*.tmp")) or prefix.exists())
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
