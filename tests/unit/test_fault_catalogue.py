"""The catalogue of faults is consistent with the pack it belongs to; how a run against a fault is judged."""

import pytest

from shiftboss.chaos.inject import act, catalogue, fault_named
from shiftboss.chaos.real_judge import Seen, judge
from shiftboss.chaos.result import FaultResult, plain
from shiftboss.errors import BadInput
from shiftboss.model.events import Delegated, Observed, Settled
from shiftboss.model.fault import ENSURE, Fault, Moment
from shiftboss.model.observation import Health
from shiftboss.model.run import Ending
from shiftboss.packs.mining.faults.catalogue import FAULTS
from shiftboss.packs.mining.pack import PACK as MINING
from shiftboss.templates.loader import load_shipped

PACK = MINING.but(faults="shiftboss.packs.mining.faults.catalogue:FAULTS")
STRATEGIES = {strategy.name for strategy in PACK.strategies}
COMPONENTS = {spec.name for agent in load_shipped(PACK.folder).agents.values() for spec in agent.components}
WAIT = "wait"

every = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)


@every
def test_what_a_fault_names_exists(fault):
    assert fault.component in COMPONENTS
    assert set(fault.untouched) | set(fault.kills) <= COMPONENTS
    assert set(fault.mended_by) <= STRATEGIES | {ENSURE}
    assert set(fault.cures) <= STRATEGIES | {ENSURE}
    for name in filter(None, (fault.inject, fault.clear)):
        assert callable(act(name))


@every
def test_a_fault_makes_sense(fault):
    assert fault.what
    assert not set(fault.untouched) & set(fault.kills)
    assert fault.clear == "" or fault.inject
    if fault.control:
        assert fault.ending is Ending.CONVERGED
        assert fault.mended_by in {(), (ENSURE,)}
        assert not fault.kinds
        assert fault.breaks is Health.READY
    elif fault.ending is Ending.CONVERGED:
        assert set(fault.cures) & {*fault.mended_by, WAIT}, "what is to be mended can be"
    elif not fault.recurs:
        assert not set(fault.cures) & set(fault.mended_by), "what a person is asked for can't be mended without"


@every
def test_its_strategies_treat_its_kinds(fault):
    """A strategy that may be used against a fault treats one of the kinds that may be found."""
    known = {strategy.name: strategy for strategy in PACK.strategies}
    for name in set(fault.mended_by) - {ENSURE}:
        if fault.kinds:
            assert set(fault.kinds) & set(known[name].treats), name


def test_names_are_unique_and_the_issue_s_list_is_covered():
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names)
    assert len(names) >= 45
    assert sum(fault.control for fault in FAULTS) >= 5
    assert {fault.moment for fault in FAULTS} == {Moment.RUNNING, Moment.STOPPED}


def test_an_unknown_fault_is_told_the_nearest():
    assert list(catalogue(PACK)) == [fault.name for fault in FAULTS]
    with pytest.raises(BadInput, match="Did you mean pool_killed"):
        fault_named(PACK, "pool_kiled")


def test_a_pack_without_faults_has_none():
    assert catalogue(MINING.but(faults="")) == {}


KILLED = Fault(
    name="killed",
    what="",
    component="pool",
    kinds=("died",),
    mended_by=("restart_one",),
    untouched=("daemon",),
    kills=("pool",),
)
BOTH = {"daemon": "1:1", "pool": "2:1"}


def delegated(number, component, mode, strategy=None):
    return Delegated(
        id=str(number),
        environment="e",
        component=component,
        agent="a",
        mode=mode,
        strategy=strategy,
        keyword="k",
        attempt=1,
        deadline=1.0,
    )


def settled(number, *changes):
    return Settled(id=str(number), status="done", outcome="o", ok=True, summary="", seconds=1.0, changes=list(changes))


def seen(*events, ending="converged", healthy=True, after=BOTH, **more):
    first = Observed(environment="e", component="pool", health="broken", summary="", failure="died")
    return Seen(events=[first, *events], ending=ending, seconds=1.0, healthy=healthy, before=BOTH, after=after, **more)


def restarted():
    return delegated(1, "pool", "recover", "restart_one"), settled(1, "started the pool")


def test_a_fault_that_is_mended_as_it_should_is_good():
    result = judge("killed", [KILLED], seen(*restarted()))
    assert result.good
    assert (result.detected, result.diagnosed, result.mitigated, result.delegations) == (True, True, True, 1)
    assert plain(result)["collateral"] == []


@pytest.mark.parametrize(
    ("what", "field"),
    [
        (seen(*restarted(), healthy=False), "mitigated"),
        (seen(*restarted(), ending="escalated"), "mitigated"),
        (seen(delegated(1, "daemon", "recover", "reset_environment"), settled(1, "moved")), "false_action"),
        (seen(*restarted(), after={"daemon": "9:9", "pool": "3:3"}), "collateral"),
        (seen(*restarted(), killed=["foreign process 7"]), "collateral"),
    ],
)
def test_each_thing_that_goes_wrong_is_seen(what, field):
    result = judge("killed", [KILLED], what)
    assert not result.good
    assert getattr(result, field) != getattr(judge("killed", [KILLED], seen(*restarted())), field)


def test_a_wrong_kind_is_a_wrong_diagnosis():
    frozen = Observed(environment="e", component="pool", health="broken", summary="", failure="frozen")
    assert not judge("killed", [KILLED], seen(frozen, *restarted())).diagnosed


def test_a_strategy_that_changed_nothing_is_no_false_action():
    assert not judge("killed", [KILLED], seen(delegated(1, "pool", "recover", "wait"), settled(1))).false_action


def test_nothing_may_be_done_to_a_control():
    control = Fault(name="fine", what="", component="pool", control=True)
    assert judge("fine", [control], seen()).good
    assert judge("fine", [control], seen(delegated(1, "pool", "ensure"), settled(1, "wrote"))).false_action


def test_what_needs_a_person_is_escalated_rightly():
    fault = KILLED.but(ending=Ending.ESCALATED)
    result = judge("killed", [fault], seen(*restarted(), ending="escalated", healthy=False))
    assert (result.good, result.escalated_rightly, result.mitigated) == (True, True, False)


def test_two_faults_at_once_allow_what_either_allows_and_protect_what_neither_hits():
    other = KILLED.but(name="other", component="miner", kills=("miner",), untouched=("pool", "daemon"), kinds=())
    result = judge("killed+other", [KILLED, other], seen(*restarted(), after={"daemon": "1:1", "pool": "3:3"}))
    assert result.collateral == ()


def test_a_fault_that_could_not_be_put_in_is_no_failure():
    assert FaultResult(name="x", mode="real", skipped="no root").good
