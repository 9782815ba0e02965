"""The private installer without the network: pure decisions as data, the rest with small packages made here."""

import asyncio
import contextlib
import os
import shutil
from pathlib import Path

import pytest

from helpers import put_script
from shiftboss.system import debian_apt
from shiftboss.system.debian_apt import Machine, PrivateApt
from shiftboss.system.debian_closure import closure, parse_packages
from shiftboss.system.debian_sources import Source, choose_mirror, parse_sources
from shiftboss.system.packages import (
    InstallFailed,
    NoProvider,
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


def updated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apt_get: str) -> tuple[list[str], list[str]]:
    """Run update() against a scripted apt-get; gives the warnings and the expiry setting of each try."""
    tools = tmp_path / "tools"
    tools.mkdir()
    tries = tmp_path / "tries"
    tries.touch()
    put_script(tools, "apt-get", f'grep -h Valid-Until "$APT_CONFIG" >> "{tries}"\n{apt_get}')
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    apt = PrivateApt.create(machine(tmp_path), tmp_path / "root", "sid", {})
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
