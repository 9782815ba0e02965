"""The private installer for real: Debian's bitcoin-knots from the machine's own mirror, then from the cache."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from shiftboss.system import debian_apt
from shiftboss.system.debian_apt import Machine, PrivateApt
from shiftboss.system.packages import Installed, InstallFailed, PackageSpec, install

pytestmark = pytest.mark.real


def shared_cache() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("SHIFTBOSS_CACHE") or base / "shiftboss")


def install_knots(prefix: Path, cache: Path, warned: list[str]) -> Installed:
    return asyncio.run(install(PackageSpec(), prefix=prefix, cache=cache, warn=warned.append))


def run_version(program: Path) -> str:
    done = subprocess.run([program, "-version"], capture_output=True, text=True, check=True, cwd="/")
    return done.stdout


def test_two_working_directories_share_one_download(tmp_path: Path):
    warned: list[str] = []
    first = install_knots(tmp_path / "one dir" / "knots", shared_cache(), warned)
    second = install_knots(tmp_path / "two" / "knots", shared_cache(), warned)
    again = install_knots(tmp_path / "two" / "knots", shared_cache(), warned)
    assert second.from_cache
    assert first.debs == second.debs == again.debs
    assert again.seconds < second.seconds
    assert "Knots" in run_version(first.program)
    assert "Knots" in run_version(second.program.with_name("bitcoin-cli"))
    assert {"bitcoin-knots", "libc6", "libstdc++6"} <= set(first.packages)
    assert not [name for name in first.packages if name.startswith(("debconf", "systemd"))]
    assert all(len(checksum) == 64 for checksum in first.debs.values())


def test_a_corrupt_cached_file_is_fetched_again(tmp_path: Path):
    warned: list[str] = []
    install_knots(tmp_path / "first", shared_cache(), warned)
    cache = tmp_path / "cache"
    shutil.copytree(shared_cache() / "debian", cache / "debian")
    victim = next(cache.glob("debian/*/sid/bitcoin-knots/bitcoin-knots_*.deb"))
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    mended = install_knots(tmp_path / "second", cache, warned)
    assert not mended.from_cache
    assert any(victim.name in text for text in warned)
    assert "Knots" in run_version(mended.program)


def test_an_index_that_debian_did_not_sign_is_refused(tmp_path: Path):
    async def update(machine: Machine) -> None:
        await PrivateApt.create(machine, tmp_path / "root", "sid", {}).update(print)

    own = asyncio.run(debian_apt.look_at_machine())
    stranger = tmp_path / "empty-keyring.gpg"
    stranger.touch()
    machine = Machine(architecture=own.architecture, mirror=own.mirror, keyring=stranger, settings=own.settings)
    with pytest.raises(InstallFailed) as caught:
        asyncio.run(update(machine))
    assert any("sign" in line for line in caught.value.last_lines)
