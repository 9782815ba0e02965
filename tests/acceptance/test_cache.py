"""`cache` as CI uses it: filled once, checked, and enough for an `up` without any network."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from command import document, no_traceback, shiftboss

ALONE = ["unshare", "--map-root-user", "--net"]
"""A program run so has no network at all."""


def shared_cache() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("SHIFTBOSS_CACHE") or base / "shiftboss")


@pytest.fixture
def cache(tmp_path: Path, bitcoind: Path) -> Path:
    """A cache of its own with the files of the tests' one, which `bitcoind` may have filled."""
    folder = tmp_path / "cache"
    folder.mkdir()
    if (shared_cache() / "debian").is_dir():
        shutil.copytree(shared_cache() / "debian", folder / "debian")
    return folder


def test_an_empty_cache_is_said_to_be_empty(tmp_path: Path) -> None:
    none = {"SHIFTBOSS_CACHE": str(tmp_path / "none")}
    assert document(shiftboss(tmp_path, "cache", "list", "--json", **none)) == {
        "folder": f"{tmp_path}/none",
        "held": [],
    }
    verified = shiftboss(tmp_path, "cache", "verify", **none)
    assert verified.returncode == 3
    assert "shiftboss cache fetch" in verified.stdout
    assert document(shiftboss(tmp_path, "cache", "verify", "--json", **none))["exit_code"] == 3
    assert f"{tmp_path}/none\n" in shiftboss(tmp_path, "cache", "list", SHIFTBOSS_CACHE="none").stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("action", "place"), [("list", "file"), ("verify", "file/below"), ("fetch", "file"), ("fetch", "/proc/none")]
)
def test_a_cache_that_can_not_be_is_a_finding(tmp_path: Path, action: str, place: str) -> None:
    (tmp_path / "file").touch()
    said = no_traceback(shiftboss(tmp_path, "cache", action, SHIFTBOSS_CACHE=place))
    assert said.returncode == 2
    assert "SHIFTBOSS_CACHE" in said.stderr
    assert "cache.folder" in said.stderr


@pytest.mark.real
def test_what_is_fetched_is_listed_whole_and_found_out_when_damaged(tmp_path: Path, cache: Path) -> None:
    own = {"SHIFTBOSS_CACHE": str(cache)}
    fetched = document(shiftboss(tmp_path, "cache", "fetch", "--json", **own))
    (held,) = document(shiftboss(tmp_path, "cache", "list", "--json", **own))["held"]
    assert held == fetched["held"]
    assert held["size"] == sum(one["size"] for one in held["files"]) > 10_000_000
    assert {"bitcoin-knots", "libc6"} <= {one["name"] for one in held["files"]}
    text = shiftboss(tmp_path, "cache", "list", **own).stdout
    assert f"bitcoin-knots {held['version']}" in text
    whole = document(shiftboss(tmp_path, "cache", "verify", "--json", **own))
    assert whole == {"checked": len(held["files"]), "damaged": [], "exit_code": 0}

    folder = Path(held["folder"])
    victim, gone = (folder / held["files"][number]["file"] for number in (0, 1))
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    gone.unlink()
    told = shiftboss(tmp_path, "cache", "verify", **own)
    assert told.returncode == 3
    assert victim.name in told.stdout
    assert gone.name in told.stdout
    assert "shiftboss cache fetch" in told.stdout
    assert victim.exists(), "to verify is only to look"
    (folder / "manifest.json").write_text("{")
    assert shiftboss(tmp_path, "cache", "verify", **own).returncode == 3
    assert not (tmp_path / ".shiftboss").exists()


@pytest.mark.real
def test_an_up_after_a_fetch_needs_no_network(tmp_path: Path, cache: Path) -> None:
    if subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not make a network namespace")
    own = {"SHIFTBOSS_CACHE": str(cache)}
    assert document(shiftboss(tmp_path, "cache", "fetch", "--json", **own))["held"]["version"]
    without = shiftboss(tmp_path, "cache", "fetch", prefix=ALONE, SHIFTBOSS_CACHE=str(tmp_path / "none"))
    assert without.returncode == 3, "the network is not cut off: this test proves nothing"
    assert "shiftboss: " in no_traceback(without).stderr
    assert shiftboss(tmp_path, "cache", "fetch", prefix=ALONE, **own).returncode == 0
    offline = document(shiftboss(tmp_path, "up", "daemon.binary", "--json", prefix=ALONE, **own))
    assert offline["ending"] == "converged"
    assert "knots" in offline["components"]["regtest/daemon.binary"]["evidence"]["version"].lower()
