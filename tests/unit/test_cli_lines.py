"""A run told in plain lines: golden text at 80 columns, from a list of events."""

from shiftboss.frontends.explain import decision_lines, explained
from shiftboss.frontends.narrate import Narrator
from shiftboss.frontends.plain import PlainScreen, lines_of, table_lines
from shiftboss.frontends.tables import end_tables
from shiftboss.model.events import (
    ApprovalAsked,
    Approved,
    Decided,
    Delegated,
    Denied,
    EnvironmentEnded,
    Learned,
    MendedByHand,
    NotAdmitted,
    NoteAdded,
    Observed,
    Recorded,
    RunEnded,
    RunResumed,
    RunStarted,
    Settled,
    Warned,
)
from shiftboss.view import fold

START = 1_800_000_000.0


def started(*environments):
    return RunStarted(
        pack="mining",
        pipeline="intelligent-mining-infrastructure-setup",
        brain="policy",
        goal={"want": "up", "components": [], "replace": [], "purge": False},
        environments=list(environments or ("regtest",)),
    )


def seen(component, health, summary, environment="regtest", **more):
    return Observed(environment=environment, component=component, health=health, summary=summary, **more)


def sent(number, component, agent, mode="ensure", strategy=None, attempt=1):
    return Delegated(
        id=f"r/0/{number}",
        environment="regtest",
        component=component,
        agent=agent,
        mode=mode,
        strategy=strategy,
        keyword="delegate_x",
        attempt=attempt,
        deadline=60,
    )


def settled(number, outcome, summary, seconds, *, ok=True, changes=()):
    return Settled(
        id=f"r/0/{number}",
        status="done" if ok else "failed",
        outcome=outcome,
        ok=ok,
        summary=summary,
        seconds=seconds,
        changes=list(changes),
    )


DECISION = Decided(
    turn=0,
    source="policy",
    keywords=["delegate_daemon_setup", "delegate_config_generation"],
    moves=["regtest/daemon/ensure", "regtest/pool.config/ensure"],
    reasoning="daemon: no daemon runs, RPC port 18443 is free; wallet, cycle wait for it.\npool.config: not there.",
    gaps=[
        ["regtest/daemon/missing", "no daemon runs, RPC port 18443 is free", []],
        ["regtest/pool.config/missing", "not there", []],
        ["regtest/pool/missing", "no pool runs", ["pool.config"]],
    ],
    legal=[
        ["regtest/daemon/ensure", "delegate_daemon_setup", "no daemon runs"],
        ["regtest/daemon/recover/relocate", "delegate_recovery", "the port could move"],
        ["regtest/pool.config/ensure", "delegate_config_generation", "not there"],
        ["regtest/miner/ensure", "delegate_miner_setup", "no miner runs"],
    ],
    more=2,
)

STORY = [
    (0.0, started()),
    (0.01, seen("daemon", "absent", "no daemon runs, RPC port 18443 is free")),
    (0.01, seen("daemon.binary", "ready", "bitcoind 29")),
    (0.01, seen("pool", "absent", "no pool runs")),
    (0.01, seen("miner.binary", "ready", "shiftboss's own")),
    (0.02, DECISION),
    (0.02, NotAdmitted(turn=0, source="policy", move="regtest/miner/ensure", why="its lock is taken")),
    (0.02, sent(0, "daemon", "bitcoin_daemon_manager")),
    (0.02, sent(1, "pool.config", "config_generator", mode="recover", strategy="relocate_port", attempt=2)),
    (0.5, Warned(text="the \x1b[31mindex\x1b[0m has expired", environment="regtest", component="daemon.binary")),
    (1.0, seen("daemon", "starting", "process 7 warms up")),
    (1.61, seen("daemon", "ready", "process 7 answers RPC")),
    (1.61, settled(0, "daemon_ready", "the daemon answers", 1.59, changes=["started it", "wrote a file"])),
    (1.7, NoteAdded(text="somebody looked at it")),
    (13.0, settled(1, "config_failure", "no room left", 12.98, ok=False)),
    (13.1, EnvironmentEnded(environment="regtest", ending="escalated", reasoning="a human is needed")),
    (13.1, RunEnded(ending="escalated", turns=3, seconds=13.1)),
]

TOLD = """\
  0.0s  starts   up mining (intelligent-mining-infrastructure-setup, policy
                 brain)
  0.0s  sees     daemon: no daemon runs, RPC port 18443 is free
  0.0s  sees     pool: no pool runs
  0.0s  sees     daemon.binary, miner.binary are ready
  0.0s  decides  delegate_daemon_setup — daemon: no daemon runs, RPC port 18443
                 is free; wallet, cycle wait for it.
  0.0s  decides  delegate_config_generation — pool.config: not there.
  0.0s  refuses  regtest/miner/ensure: its lock is taken
  0.0s  sends    bitcoin_daemon_manager for daemon
  0.0s  sends    config_generator to recover pool.config by relocate_port
                 (attempt 2)
  0.5s  warns    daemon.binary: the index has expired
  1.0s  sees     daemon: process 7 warms up
  1.6s  done     daemon in 1.59 s: the daemon answers
  1.7s  notes    somebody looked at it
 13.0s  failed   pool.config after 13.0 s: no room left
 13.1s  ends     escalated after 13.1 s, 3 turns, 2 changes
"""


def recorded(story):
    return [Recorded(seq=n, run="r", at=START + at, event=event) for n, (at, event) in enumerate(story)]


def told(story):
    narrator = Narrator()
    lines = [text for record in recorded(story) for line in narrator.tell(record) for text in lines_of(line)]
    return "".join(f"{line}\n" for line in lines)


def test_the_story_at_80_columns():
    assert told(STORY) == TOLD
    assert max(map(len, TOLD.splitlines())) <= 80


def test_a_run_that_finds_everything_done_takes_few_lines():
    story = [(0.0, started()), *((0.0, seen(name, "ready", "runs")) for name in ("daemon", "pool"))]
    done = Decided(turn=0, source="policy", keywords=["complete"], moves=["regtest/complete"], reasoning="all there")
    story += [(0.01, done), (0.01, RunEnded(ending="converged", turns=1, seconds=0.01))]
    assert [line.split("  ", 2)[2].strip() for line in told(story).splitlines()[2:]] == [
        "sees     daemon, pool are ready",
        "decides  complete — all there",
        "ends     converged after 10 ms, 1 turn, 0 changes",
    ]


def test_environments_are_named_where_there_are_several():
    story = [
        (0.0, started("a", "b")),
        (0.0, seen("daemon", "absent", "not there", environment="b")),
        (0.1, EnvironmentEnded(environment="a", ending="converged", reasoning="all there")),
    ]
    assert "sees     b/daemon: not there" in told(story)
    assert "ends     a converged: all there" in told(story)


def test_a_resumed_run_says_so():
    assert "the run is taken up again" in told([(0.0, started()), (5.0, RunResumed(pid=1))])


def test_quiet_shows_only_problems_and_the_end(capsys):
    screen = PlainScreen(quiet=True)
    for record in recorded(STORY):
        screen.show(record)
    words = [line[8:].split()[0] for line in capsys.readouterr().out.splitlines() if line[:8].strip()]
    assert words == ["refuses", "warns", "failed", "ends"]


def test_a_reader_that_goes_away_ends_the_showing_not_the_run(monkeypatch):
    def gone(_lines):
        raise BrokenPipeError

    monkeypatch.setattr("shiftboss.frontends.plain.write", gone)
    screen = PlainScreen()
    for record in recorded(STORY):
        screen.show(record)
    assert screen.lost
    assert screen.narrator.view.ended is not None


TABLES = """\
Components:
  daemon         ready   process 7 answers RPC
  daemon.binary  ready   bitcoind 29
  pool           absent  no pool runs
  miner.binary   ready   shiftboss's own
Endpoints of regtest:
  rpc              http://127.0.0.1:18443
  rpc cookie file  /w/.cookie
Proof of regtest:
  height        102 -> 104
  block         000112a5747df9bee84eacb70740f2b72e55c34d9d1915138f88f8c9d22c5e70
  transactions  4
  pays to       bcrt1qqx
  shares        3
  after 4 ms    handshake
  after 1.20 s  payments sent (transactions 3)
"""


def test_the_tables_at_80_columns():
    proof = {
        "height_before": 102,
        "height_after": 104,
        "block_hash": "000112a5747df9bee84eacb70740f2b72e55c34d9d1915138f88f8c9d22c5e70",
        "transactions": 4,
        "coinbase_address": "bcrt1qqx",
        "shares_accepted": 3,
        "checkpoints": [
            {"name": "handshake", "seconds": 0.004, "after": 0.002},
            {"name": "payments sent", "seconds": 1.2, "transactions": 3},
        ],
    }
    endpoints = {"rpc": "http://127.0.0.1:18443", "rpc_cookie_file": "/w/.cookie", "wallet": ""}
    tables = end_tables(fold(recorded(STORY)), {"regtest": endpoints}, {"regtest": proof})
    text = "".join(f"{line}\n" for table in tables for line in table_lines(table))
    assert text == TABLES
    assert max(map(len, text.splitlines())) <= 80


EXPLAINED = """\

Turn 0, by the policy brain
  Evidence:
    - regtest/daemon is absent: no daemon runs, RPC port 18443 is free
    - regtest/pool is absent: no pool runs
  Gaps:
    - regtest/daemon/missing: no daemon runs, RPC port 18443 is free
    - regtest/pool.config/missing: not there
    - regtest/pool/missing: no pool runs (waits for pool.config)
  Legal moves:
    - regtest/daemon/ensure (delegate_daemon_setup): no daemon runs
    - regtest/daemon/recover/relocate (delegate_recovery): the port could move
    - regtest/pool.config/ensure (delegate_config_generation): not there
    - regtest/miner/ensure (delegate_miner_setup): no miner runs
    - and 2 more

  DECISION: delegate_daemon_setup, delegate_config_generation
  REASONING:
  daemon: no daemon runs, RPC port 18443 is free; wallet, cycle wait for it.
  pool.config: not there.
  Rejected:
    - regtest/daemon/recover/relocate: regtest/daemon/ensure was chosen for the
      same gap
    - regtest/miner/ensure: not in this turn; it stays legal
  Not admitted:
    - regtest/miner/ensure: its lock is taken
  Afterwards:
    - a person said: somebody looked at it
"""


def test_a_decision_explained():
    (one,) = explained(recorded(STORY))
    assert "".join(f"{line}\n" for line in decision_lines(one)) == EXPLAINED
    assert max(map(len, EXPLAINED.splitlines())) <= 80
    assert one["chosen"] == ["regtest/daemon/ensure", "regtest/pool.config/ensure"]


ASKED = ApprovalAsked(
    environment="regtest",
    component="pool",
    act="0123456789ab",
    move="regtest/pool/recover/restart_one",
    risk="disruptive",
    what="start it again",
    why="the pool ended",
)
PEOPLE = [
    (0.0, started()),
    (0.1, seen("pool", "broken", "the pool ended", evidence={"pids": [7, 8], "exit": None, "ours": True})),
    (
        0.2,
        Learned(
            environment="regtest",
            component="pool",
            signature="pool/died/1a2b",
            strategy="restart_one",
            delegation="r/0/0",
            lasted=False,
            why="the same failure was back after 3 s",
        ),
    ),
    (
        0.2,
        MendedByHand(
            environment="regtest",
            component="daemon",
            signature="daemon/no_space/3c",
            what="the disk is full -> runs",
            changed=["free_mb"],
            notes=["threw old logs away"],
        ),
    ),
    (
        0.3,
        Decided(
            turn=0,
            source="policy",
            keywords=["escalate"],
            moves=["regtest/escalate"],
            reasoning="only consent is missing",
            gaps=[
                ["regtest/pool/broken", "the pool ended", []],
                ["regtest/daemon/forecast", "free disk space (MB) reaches its limit", []],
            ],
        ),
    ),
    (0.3, ASKED),
    (0.4, Approved(act="0123456789ab")),
    (0.4, Denied(act="ffff", reason="never")),
]

PEOPLE_TOLD = """\
  0.1s  sees     pool: the pool ended
  0.2s  learns   pool: restart_one did not last: the same failure was back after
                 3 s
  0.2s  learns   daemon was mended by hand: the disk is full -> runs (differs:
                 free_mb); kept as a lesson for the next time
  0.3s  decides  escalate — only consent is missing
  0.3s  asks     pool: start it again? (disruptive); to allow it: shiftboss
                 approve 0123456789ab
  0.4s  notes    a person approved pool: start it again (act 0123456789ab)
  0.4s  notes    a person denied (act ffff): never
"""

PEOPLE_EXPLAINED = """\

Turn 0, by the policy brain
  Evidence:
    - regtest/pool is broken: the pool ended [pids: 7, 8; exit: none; ours: yes]
  Learned and answered:
    - restart_one did not last against pool/died/1a2b: the same failure was back
      after 3 s
    - regtest/daemon was mended by hand: the disk is full -> runs (differs now:
      free_mb); said: threw old logs away
  Gaps:
    - regtest/pool/broken: the pool ended
  Forecasts:
    - regtest/daemon/forecast: free disk space (MB) reaches its limit

  DECISION: escalate
  REASONING:
  only consent is missing
  Asked:
    - regtest/pool/recover/restart_one (disruptive): start it again; shiftboss
      approve 0123456789ab
  Afterwards:
    - a person approved act 0123456789ab
    - a person denied act ffff: never
"""


def test_what_people_and_memory_say_is_told():
    assert told(PEOPLE).partition("\n")[2].partition("\n")[2] == PEOPLE_TOLD


def test_what_people_and_memory_say_is_explained():
    (one,) = explained(recorded(PEOPLE))
    assert "".join(f"{line}\n" for line in decision_lines(one)) == PEOPLE_EXPLAINED
    assert [said["kind"] for said in one["learned"]] == ["Learned", "MendedByHand"]
    assert one["asked"] == [vars(ASKED)]


def test_what_was_ready_and_falls_is_told_in_that_order():
    """Under watch nothing happens between the first look and the fall."""
    narrator = Narrator()
    events = [
        started(),
        seen("daemon", "ready", "it answers"),
        seen("pool", "ready", "it serves"),
        seen("pool", "broken", "the pool's process ended unexpectedly"),
    ]
    records = [Recorded(seq=n, run="r", at=START + n, event=event) for n, event in enumerate(events)]
    told = [line.text for record in records for line in narrator.tell(record)]
    assert told[-2:] == ["daemon, pool are ready", "pool: the pool's process ended unexpectedly"]
