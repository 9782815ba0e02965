"""What the mining pack makes of each kind of environment: folders, configurations, parts; what is denied on main."""

from pathlib import Path

import pytest

from shiftboss.app import Request, Session, open_session
from shiftboss.engine.moves import Terms, options_for
from shiftboss.errors import BadInput
from shiftboss.model.consent import Answer, Consent
from shiftboss.model.failure import FailureKind
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.move import Risk
from shiftboss.model.run import Goal, Want
from shiftboss.packs.mining.configs import daemon_text
from shiftboss.packs.mining.layout import cookie_file, layout
from shiftboss.packs.mining.pack import PACK
from shiftboss.packs.mining.recoveries.reset import data_paths
from shiftboss.purging import check_purge
from shiftboss.workbenches import consent_in

CHAINS = ("regtest", "testnet4", "signet", "main")
REGTEST = """\
# Written by shiftboss; a change made by hand is put back (use daemon.args in shiftboss.toml).
chain=regtest
[regtest]
server=1
listen=0
dnsseed=0
rpcbind=127.0.0.1
rpcallowip=127.0.0.1
rpcport=18443
fallbackfee=0.0002
keypool=10
"""


def opened(home: Path, *sets: str, environments: tuple[str, ...] = CHAINS) -> Session:
    return open_session(Request(workdir=home, sets=sets, environ={}, cwd=home, environments=environments))


def test_the_daemon_of_a_regtest_environment_keeps_its_configuration(tmp_path):
    bench = opened(tmp_path, environments=("regtest",)).benches["regtest"]
    assert daemon_text(bench) == REGTEST, "another text restarts every daemon there is"


def test_each_chain_has_its_folder_and_main_none(tmp_path):
    for name, bench in opened(tmp_path).benches.items():
        data = tmp_path / "env" / name / "daemon"
        inside = data if name == "main" else data / name
        assert layout(bench).chain_data == inside
        assert cookie_file(bench) == inside / ".cookie"
        assert PACK.logs(bench)["daemon"] == inside / "debug.log"
        assert set(PACK.logs(bench)) <= {"daemon", "pool", "miner"}


@pytest.mark.parametrize("name", CHAINS[1:])
def test_nobody_is_called_on_a_chain_that_has_a_network(tmp_path, name):
    lines = daemon_text(opened(tmp_path).benches[name]).splitlines()
    assert {f"chain={name}", f"[{name}]", "listen=0", "dnsseed=0", "connect=0"} <= set(lines)
    assert ("disablewallet=1" in lines) == (name == "main")
    assert ("signetchallenge=51" in lines) == (name == "signet")


@pytest.mark.parametrize(
    ("name", "challenge", "there", "not_there"),
    [
        ("regtest", "51", {"wallet", "pool", "miner", "cycle"}, set()),
        ("testnet4", "51", {"wallet", "pool"}, {"miner", "miner.config", "cycle"}),
        ("signet", "51", {"wallet", "pool", "miner", "cycle"}, set()),
        ("signet", "5121", {"wallet", "pool"}, {"miner", "miner.config", "cycle"}),
        ("main", "51", {"daemon", "daemon.config", "daemon.binary"}, {"wallet", "pool", "miner", "cycle"}),
    ],
)
def test_what_belongs_to_an_environment(tmp_path, name, challenge, there, not_there):
    session = opened(tmp_path, f"daemon.signet_challenge={challenge}", environments=(name,))
    found = session.parts[name]
    assert found >= there
    assert not found & not_there
    for part in found:
        assert found.issuperset(session.stack.specs[part].requires), f"{part} could never come up"


def test_what_a_profile_sets_is_weaker_than_what_a_person_says(tmp_path):
    sets = ("pool.share_difficulty=0.5", "env.regtest.pool.share_difficulty=0.25")
    assert opened(tmp_path).benches["signet"].settings.pool.share_difficulty == 0.0001
    benches = opened(tmp_path, *sets).benches
    assert (benches["signet"].settings.pool.share_difficulty, benches["regtest"].settings.pool.share_difficulty) == (
        0.5,
        0.25,
    )


def harmful(session: Session, name: str, kind: FailureKind) -> tuple[set[str | None], set[str | None]]:
    """The strategies that may be tried against a failure of the daemon's data, and those that are asked for."""
    gap = Gap(environment=name, component="daemon", kind=GapKind.BROKEN, why="broken", failure=kind)
    terms = Terms(consent=Consent(rules=consent_in(session.benches[name])))
    found = options_for(gap, session.stack, (), terms, waited=0.0)
    return {move.strategy for move in found.moves}, {ask.move.strategy for ask in found.asks}


@pytest.mark.parametrize("kind", [FailureKind.DATA_DAMAGED, FailureKind.DATA_LOST])
def test_no_data_of_main_is_ever_made_anew_and_on_test_chains_only_when_a_person_agrees(tmp_path, kind):
    session = opened(tmp_path)
    both = {"reindex", "reset_environment"}
    assert harmful(session, "regtest", kind) == (both, set())
    assert harmful(session, "testnet4", kind) == (set(), both)
    assert harmful(session, "main", kind) == (set(), set())


def test_consent_is_given_to_one_environment_alone(tmp_path):
    session = opened(tmp_path, "env.main.consent.destructive=ask", "env.signet.consent.destructive=deny")
    found = {name: consent_in(bench)[Risk.DESTRUCTIVE] for name, bench in session.benches.items()}
    assert found == {"regtest": Answer.ALLOW, "testnet4": Answer.ASK, "signet": Answer.DENY, "main": Answer.ASK}


def test_a_purge_of_main_is_refused_and_of_the_others_it_is_not(tmp_path):
    session = opened(tmp_path)
    purge = Goal(want=Want.DOWN, purge=True)
    with pytest.raises(BadInput, match=r"'main' is denied.*env\.main\.consent\.destructive=allow"):
        check_purge(session, purge)
    check_purge(session, Goal(want=Want.DOWN))
    check_purge(opened(tmp_path, environments=CHAINS[:3]), purge)
    check_purge(opened(tmp_path, "env.main.consent.destructive=allow"), purge)


def test_a_reset_where_a_person_allows_one_leaves_the_configuration(tmp_path):
    bench = opened(tmp_path).benches["main"]
    data = layout(bench).data
    (data / "blocks").mkdir(parents=True)
    for name in ("bitcoin.conf", "bitcoin.conf.bak", "debug.log"):
        (data / name).touch()
    inside = {path.name for path in data_paths(bench) if path.parent == data}
    assert inside == {"blocks", "debug.log"}
