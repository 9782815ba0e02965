"""The dry run: what would be done, after what, and why the rest is skipped."""

from hypothesis import given
from hypothesis import strategies as st

from demo.small import hub_stack
from shiftboss.engine.analyse import Analysis
from shiftboss.engine.plan import Plan, plan_for
from shiftboss.model.failure import FailureKind
from shiftboss.model.observation import Health, Observation
from shiftboss.model.run import Goal, Want

GRAPH = {"binary": (), "config": (), "daemon": ("binary", "config"), "pool": ("daemon",), "notes": ()}


def planned(requires, health, goal: Goal | None = None, expected=None, **failures) -> Plan:
    stack = hub_stack(requires, estimate=2.0)
    snapshot = {
        f"e/{name}": Observation(
            environment="e",
            component=name,
            health=health.get(name, Health.ABSENT),
            summary=f"{name} as it is",
            failure=failures.get(name),
            instance="1" if health.get(name) is Health.READY else None,
        )
        for name in requires
    }
    gaps = Analysis(stack, goal or Goal()).full(["e"], snapshot)
    return plan_for(stack, snapshot, gaps, expected or {})


def test_steps_stand_in_the_order_of_their_start_with_the_critical_path() -> None:
    plan = planned(GRAPH, {"notes": Health.READY})
    assert [(step.component, step.starts, step.mode) for step in plan.steps] == [
        ("binary", 0.0, "ensure"),
        ("config", 0.0, "ensure"),
        ("daemon", 2.0, "ensure"),
        ("pool", 4.0, "ensure"),
    ]
    assert [(skip.component, skip.why) for skip in plan.skips] == [("notes", "notes as it is")]
    assert plan.seconds == 6.0
    assert plan.critical[-2:] == ("e/daemon", "e/pool")


def test_learnt_seconds_count_more_than_declared_ones() -> None:
    plan = planned(GRAPH, {}, expected={("keeper", "config", "ensure"): 7.0})
    assert plan.critical == ("e/config", "e/daemon", "e/pool")
    assert plan.seconds == 11.0
    assert {step.component: step.learnt for step in plan.steps}["config"] is True


def test_a_failure_that_is_seen_is_planned_as_its_recovery() -> None:
    plan = planned({"pool": ()}, {"pool": Health.BROKEN}, pool=FailureKind.PORT_FOREIGN)
    assert [(step.mode, step.strategy, step.keyword) for step in plan.steps] == [
        ("recover", "relocate_port", "delegate_recovery")
    ]


def test_nothing_to_do_is_an_empty_plan() -> None:
    plan = planned({"a": ()}, {"a": Health.READY})
    assert (plan.steps, plan.seconds, plan.critical) == ((), 0.0, ())


def test_down_is_planned_from_the_users_on() -> None:
    ready = dict.fromkeys(GRAPH, Health.READY)
    plan = planned(GRAPH, ready, Goal(want=Want.DOWN))
    starts = {step.component: step.starts for step in plan.steps}
    assert starts["pool"] < starts["daemon"] < starts["binary"]
    assert {step.mode for step in plan.steps} == {"remove"}


def test_a_restart_is_planned_although_what_needs_it_is_missing() -> None:
    health = {**dict.fromkeys(GRAPH, Health.READY), "pool": Health.ABSENT}
    plan = planned(GRAPH, health, Goal(want=Want.RESTART, replace=("e/daemon=1",)))
    assert [(step.component, step.mode) for step in plan.steps] == [("daemon", "remove"), ("pool", "ensure")]


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    order = draw(st.permutations([f"c{number}" for number in range(draw(st.integers(1, 7)))]))
    requires = {
        name: tuple(draw(st.lists(st.sampled_from(order[:index]), unique=True))) if index else ()
        for index, name in enumerate(order)
    }
    return {name: requires[name] for name in sorted(requires)}


@given(graphs())
def test_no_step_starts_before_what_it_requires_has_ended(requires: dict[str, tuple[str, ...]]) -> None:
    plan = planned(requires, {})
    steps = {step.component: step for step in plan.steps}
    assert len(steps) == len(requires)
    for name, step in steps.items():
        assert step.starts == max((steps[one].starts + steps[one].seconds for one in requires[name]), default=0.0)
    assert plan.seconds == max(step.starts + step.seconds for step in plan.steps)
    assert sum(steps[key.partition("/")[2]].seconds for key in plan.critical) == plan.seconds
