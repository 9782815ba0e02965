"""Consent and watch on real parts, through the command line: asked, answered, resumed; kept up, and left up."""

import signal

import pytest

from helpers import eventually
from shiftboss.app import read_records
from shiftboss.model.events import Decided, Delegated, Observed, RunEnded, Settled
from shiftboss.system import proc

pytestmark = pytest.mark.real

ASK = {"consent.disruptive": "ask"}


def asks(stack):
    """Bring the stack up, kill the miner, and run: the run's document, and the act it asks about."""
    stack.up()
    stack.kill("miner")
    found = stack.up(code=4, **ASK)
    assert found["ending"] == "needs_approval"
    (asked,) = found["report"]["regtest"]["approvals"]
    assert (asked["move"], asked["risk"]) == ("regtest/miner/recover/restart_one", "disruptive")
    assert f"shiftboss approve {found['run']} {asked['act']}" in asked["commands"]["approve"]
    return found, asked


def test_an_approved_restart_is_done_and_nothing_else(stack):
    found, asked = asks(stack)
    daemon, pool = stack.pid("daemon"), stack.pid("pool")
    refused = stack.run("approve", "ffff", code=2)
    assert asked["act"] in str(refused["diagnostics"])
    answered = stack.run("approve", asked["act"][:6])
    assert (answered["run"], answered["state"], answered["new"]) == (found["run"], "approved", True)
    resumed = stack.run("resume")
    assert resumed["ending"] == "converged"
    assert (stack.pid("daemon"), stack.pid("pool")) == (daemon, pool)
    assert proc.is_running(stack.pid("miner"))


def test_a_denied_restart_is_not_done(stack):
    found, asked = asks(stack)
    stack.run("deny", found["run"], asked["act"], "--reason", "not at night")
    resumed = stack.run("resume", code=3)
    assert resumed["ending"] == "escalated"
    assert resumed["answers"] == {asked["act"]: "denied"}
    assert "denied" in resumed["report"]["regtest"]["why"]
    assert not any(one["mode"] == "recover" for one in resumed["delegations"])


def test_a_watch_keeps_the_stack_up_and_leaves_it_up(stack):
    hub = stack.start("watch", "--interval", "1", **{"limits.window": 3})
    try:
        eventually(lambda: _ready(stack), 90, "the stack")
        assert hub.poll() is None, "it goes on when all is well"
        for part in ("pool", "miner"):
            _heals(stack, part)
        before = {part: stack.pid(part) for part in ("daemon", "pool", "miner")}
    finally:
        hub.send_signal(signal.SIGTERM)
        code = hub.wait(60)
    assert code == 130
    text = stack.printed.read_text()
    assert "Traceback" not in text
    assert "the stack is left as it is" in text
    assert [event.ending for event in stack.events() if isinstance(event, RunEnded)] == ["interrupted"]
    assert all(proc.is_running(pid) for pid in before.values())
    assert {part: stack.pid(part) for part in before} == before


def _heals(stack, part):
    """Kill a part: its end is seen, and another one works, within the interval and a few seconds."""
    old = stack.kill(part)
    events = eventually(lambda: _healed(stack, part, old), 15, f"another {part}")
    lost = next(n for n, event in enumerate(events) if isinstance(event, Observed) and event.failure == "died")
    later = events[lost:]
    assert any(isinstance(event, Decided) for event in later)
    assert any(isinstance(event, Delegated) and event.component == part for event in later)
    assert any(isinstance(event, Settled) and event.ok for event in later)


def _healed(stack, part, old):
    """The events, once another process of the part is there and everything is ready again."""
    if stack.pid(part) == old or not _ready(stack):
        return None
    return stack.events()


def _ready(stack):
    """Whether the run has last seen every component ready."""
    records = read_records(stack.home)
    if records is None:
        return False
    records.close()
    healths = {event.component: event.health for event in stack.events() if isinstance(event, Observed)}
    return "cycle" in healths and set(healths.values()) == {"ready"}
