"""Faults on real parts: each makes the world it claims, `clear` takes it away again, and nothing foreign is touched."""

import fcntl
import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

import pytest

from helpers import eventually, free_ports
from shiftboss.chaos import inject as chaos
from shiftboss.chaos.real import Arena
from shiftboss.chaos.real_stack import RealStack, copy
from shiftboss.errors import Refused
from shiftboss.model.fault import Moment
from shiftboss.packs.mining.faults.catalogue import FAULTS
from shiftboss.packs.mining.faults.foreign import held
from shiftboss.packs.mining.faults.parts import ask
from shiftboss.packs.mining.layout import layout
from shiftboss.packs.mining.miner import REJECTS
from shiftboss.packs.mining.profiles import PROFILES
from shiftboss.system import net, proc
from shiftboss.system.instance import alive, marks_of

pytestmark = pytest.mark.real

ON_DATA = (
    "block_index_corrupt",
    "undo_file_corrupt",
    "chainstate_corrupt",
    "block_file_corrupt",
    "block_file_gone",
    "data_folder_missing",
    "wallet_corrupt",
    "binary_missing",
    "binary_broken",
    "library_missing",
    "lock_files_after_kill",
)


@pytest.fixture(scope="module")
def arena(bitcoind, tmp_path_factory):
    made = Arena(tmp_path_factory.mktemp("chaos") / "arena")
    made.prepare()
    return made


@pytest.fixture
def stopped(arena, tmp_path):
    """A stack that was brought down cleanly."""
    stack = RealStack(tmp_path / "work", arena.sets)
    copy(arena.golden, stack.home)
    yield stack
    with suppress(Refused):
        chaos.clear(stack.session())
    stack.end()
    chaos.clear(stack.session())


@pytest.fixture(scope="module")
def shared(arena, tmp_path_factory):
    """A running stack, for faults that leave it as it was once they are cleared."""
    names = [one.partition("=")[0] for one in arena.sets]
    sets = [f"{name}={port}" for name, port in zip(names, free_ports(len(names)), strict=True)]
    stack = RealStack(tmp_path_factory.mktemp("shared") / "work", sets)
    copy(arena.golden, stack.home)
    try:
        assert stack.say("up").ending == "converged"
        yield stack
    finally:
        stack.end()


@pytest.fixture
def running(shared):
    yield shared
    chaos.clear(shared.session())


def bench(stack):
    return next(iter(stack.session().benches.values()))


def note(stack, name):
    return next(one for one in chaos.active(stack.session()) if one["name"] == name)


def tree(home):
    """What lies in a working directory, apart from what a look or the fault's own records change."""
    found = {}
    for path in sorted(home.rglob("*")):
        name = str(path.relative_to(home))
        if name.split("/", maxsplit=1)[0] in {"env", "prefix"} and path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.mark.parametrize("name", ON_DATA)
def test_damage_is_done_and_undone(stopped, name):
    before = tree(stopped.home)
    assert chaos.inject(stopped.session(), name)
    assert tree(stopped.home) != before
    assert chaos.clear(stopped.session()) == [name]
    assert tree(stopped.home) == before
    assert not (stopped.home / "chaos.json").exists()


def test_damage_is_never_done_to_the_copy_it_came_from(arena, stopped):
    before = tree(arena.golden)
    for name in ("binary_broken", "library_missing", "block_file_corrupt"):
        chaos.inject(stopped.session(), name)
    assert tree(arena.golden) == before


def test_what_somebody_mended_is_left_alone(stopped):
    session, config = stopped.session(), layout(bench(stopped)).chain_data / "blocks" / "blk00000.dat"
    chaos.inject(session, "block_file_gone")
    config.write_bytes(b"mended")
    chaos.clear(session)
    assert config.read_bytes() == b"mended"
    assert list((stopped.home / "chaos").rglob("*blk00000.dat")), "what was taken away is still kept"


def test_a_folder_that_may_not_be_written(stopped):
    data = layout(bench(stopped)).data
    chaos.inject(stopped.session(), "data_folder_unwritable")
    assert not os.access(data, os.W_OK)
    chaos.clear(stopped.session())
    (data / "probe").touch()


def test_a_foreign_daemon_holds_the_lock_of_our_data(stopped):
    chaos.inject(stopped.session(), "data_folder_locked")
    (holder,) = held(note(stopped, "data_folder_locked"))
    assert marks_of(holder.pid) is None
    with (layout(bench(stopped)).chain_data / ".lock").open("a") as lock, pytest.raises(OSError, match="unavailable"):
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    chaos.clear(stopped.session())
    assert not alive(holder)


def test_a_daemon_that_warms_up_slowly_says_so(stopped):
    chaos.inject(stopped.session(), "daemon_slow_warmup")
    seen = stopped.say("status").document["components"]["regtest/daemon"]
    assert seen["health"] == "starting", seen
    eventually(
        lambda: stopped.say("status").document["components"]["regtest/daemon"]["health"] == "ready", what="warmth"
    )


@pytest.mark.parametrize("name", ["p2p_port_foreign", "p2p_port_orphan"])
def test_a_port_is_held_by_a_process_of_its_own(running, name):
    port = bench(running).ports["p2p"]
    chaos.inject(running.session(), name)
    holder = net.holder(port)
    assert (holder.marks is not None) == name.endswith("orphan")
    if holder.marks:
        assert holder.marks.home == str(running.home.resolve())
    chaos.clear(running.session())
    assert net.holder(port) is None
    assert not proc.is_running(holder.pid)


def test_a_holder_is_found_again_although_its_pid_was_never_written_down(running):
    port = bench(running).ports["p2p"]
    chaos.inject(running.session(), "p2p_port_foreign")
    (Path(note(running, "p2p_port_foreign")["folder"]) / "held.json").unlink()
    chaos.clear(running.session())
    assert net.holder(port) is None


@pytest.mark.parametrize("part", ["daemon", "pool"])
def test_a_part_is_frozen_and_goes_on(running, part):
    pid = bench(running).processes.find(part).pid
    chaos.inject(running.session(), f"{part}_frozen")
    assert proc.state(pid) == "T"
    chaos.clear(running.session())
    eventually(lambda: proc.state(pid) != "T", what="the part to go on")


@pytest.mark.parametrize("name", ["config_syntax", "config_unknown_key", "config_edited", "stale_lock_files"])
def test_a_file_is_changed_and_comes_back(running, name):
    folder = layout(bench(running)).folder

    def files():
        paths = [*folder.glob("*/*.conf"), *folder.glob("pool/*"), *folder.glob("daemon/*")]
        return {path: path.read_bytes() for path in paths if path.is_file()}

    before = files()
    chaos.inject(running.session(), name)
    assert files() != before
    chaos.clear(running.session())
    assert files() == before


def test_a_replaced_cookie_is_refused_until_it_is_back(running):
    chaos.inject(running.session(), "cookie_replaced")
    with pytest.raises(Refused, match="getblockcount"):
        ask(bench(running), "getblockcount")
    chaos.clear(running.session())
    assert ask(bench(running), "getblockcount") > 100


def test_the_wallet_is_gone_and_comes_back(running):
    chaos.inject(running.session(), "wallet_missing")
    assert ask(bench(running), "listwalletdir")["wallets"] == []
    chaos.clear(running.session())
    assert [one["name"] for one in ask(bench(running), "listwalletdir")["wallets"]] == ["shiftboss"]
    ask(bench(running), "loadwallet", "shiftboss")


def test_a_second_wallet_is_loaded_and_unloaded(running):
    chaos.inject(running.session(), "two_wallets")
    assert len(ask(bench(running), "listwallets")) == 2
    chaos.clear(running.session())
    assert ask(bench(running), "listwallets") == ["shiftboss"]


def test_putting_in_and_taking_away_twice_changes_nothing_more(running):
    session = running.session()
    assert chaos.inject(session, "p2p_port_foreign")
    first = chaos.active(session)
    assert not chaos.inject(session, "p2p_port_foreign")
    assert chaos.active(session) == first
    assert chaos.clear(session, "two_wallets") == []
    assert chaos.clear(session) == ["p2p_port_foreign"]
    assert chaos.clear(session) == []


@pytest.mark.parametrize("fault", [one for one in FAULTS if one.moment is Moment.STOPPED], ids=lambda one: one.name)
def test_what_is_for_a_stopped_stack_is_refused_by_a_running_one(running, fault):
    parts = running.parts()
    with pytest.raises(Refused):
        chaos.inject(running.session(), fault.name)
    assert chaos.active(running.session()) == []
    assert running.parts() == parts


@pytest.mark.parametrize("name", ["pool_killed", "daemon_frozen", "stratum_port_foreign", "two_wallets"])
def test_what_is_for_a_running_stack_is_refused_by_a_stopped_one(stopped, name):
    with pytest.raises(Refused):
        chaos.inject(stopped.session(), name)
    assert chaos.active(stopped.session()) == []


def test_the_disk_of_others_is_not_filled(stopped):
    free = os.statvfs(stopped.home).f_bavail
    with pytest.raises(Refused, match="no small disk of its own"):
        chaos.inject(stopped.session(), "disk_full_at_start")
    assert abs(os.statvfs(stopped.home).f_bavail - free) * os.statvfs(stopped.home).f_frsize < 500_000_000


def test_a_chain_that_is_worth_something_is_never_harmed(stopped, monkeypatch):
    monkeypatch.setitem(PROFILES, "regtest", PROFILES["regtest"].but(chain="main"))
    with pytest.raises(Refused, match="regtest only"):
        chaos.inject(stopped.session(), "block_file_gone")
    assert not (stopped.home / "chaos.json").exists()


def test_notes_that_can_t_be_read_are_not_guessed_at(stopped):
    (stopped.home / "chaos.json").write_text("{")
    try:
        with pytest.raises(Refused, match="can't be read"):
            chaos.clear(stopped.session())
    finally:
        (stopped.home / "chaos.json").unlink()


def test_the_miner_whose_shares_are_all_refused_is_taken_away_too(running):
    chaos.inject(running.session(), "miner_all_rejected")
    status = json.loads(layout(bench(running)).miner_status.read_text())
    assert status["accepted"] == 0
    assert status["rejected"] > REJECTS
    pid = bench(running).processes.find("miner").pid
    chaos.clear(running.session())
    assert not proc.is_running(pid)
