"""The dry run: what would be done, after what, and why the rest is skipped."""

from hypothesis import given
from hypothesis import strategies as st

from demo.small import hub_stack
from shiftboss.engine.analyse import Analysis
from shiftboss.engine.plan import Plan, plan_for
from shiftboss.model.duration import Conditions, Duration
from shiftboss.model.estimate import Estimates
from shiftboss.model.failure import FailureKind
from shiftboss.model.observation import Health, Observation
from shiftboss.model.pipeline import ComponentSpec
from shiftboss.model.run import Goal, Want

GRAPH = {"binary": (), "config": (), "daemon": ("binary", "config"), "pool": ("daemon",), "notes": ()}


HERE = Conditions(profile="regtest", host="h", versions="v")


def learnt(component: str, *samples: float, mode: str = "ensure", agent: str = "keeper") -> Duration:
    return Duration(
        agent=agent,
        component=component,
        mode=mode,
        conditions=HERE,
        samples=samples,
        count=len(samples),
        seen=1.0,
    )


def planned(requires, health, goal: Goal | None = None, known=(), lanes=64, **failures) -> Plan:
    return planned_for(hub_stack(requires, estimate=2.0), health, goal, known, lanes, **failures)


def planned_for(stack, health, goal=None, known=(), lanes=64, environments=("e",), **failures) -> Plan:
    snapshot = {
        f"{environment}/{name}": Observation(
            environment=environment,
            component=name,
            health=health.get(name, Health.ABSENT),
            summary=f"{name} as it is",
            failure=failures.get(name),
            instance="1" if health.get(name) is Health.READY else None,
        )
        for environment in environments
        for name in stack.specs
    }
    gaps = Analysis(stack, goal or Goal()).full(environments, snapshot)
    return plan_for(stack, snapshot, gaps, dict.fromkeys(environments, Estimates(known, HERE)), lanes)


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
    plan = planned(GRAPH, {}, known=[learnt("config", 7.0)])
    assert plan.critical == ("e/config", "e/daemon", "e/pool")
    assert plan.seconds == 11.0
    steps = {step.component: step for step in plan.steps}
    assert (steps["config"].learnt, steps["config"].confidence) == (True, "low")
    assert (steps["pool"].learnt, steps["pool"].confidence) == (False, "none")
    assert plan.confidence == "none", "daemon and pool decide about it and are only declared"


def test_what_hardly_counts_does_not_make_the_whole_uncertain() -> None:
    known = [learnt(name, *[seconds] * 5) for name, seconds in (("config", 7.0), ("daemon", 9.0), ("pool", 5.0))]
    assert planned(GRAPH, {"binary": Health.READY}, known=known).confidence == "good"
    small = hub_stack({"config": (), "daemon": ("config",), "last": ("daemon",)}, estimate=0.5)
    assert planned_for(small, {}, known=known).confidence == "good"


def test_a_recovery_is_estimated_by_its_strategy() -> None:
    known = [learnt("pool", 3.0, mode="recover/relocate_port", agent="medic"), learnt("pool", 9.0, agent="medic")]
    plan = planned({"pool": ()}, {"pool": Health.BROKEN}, known=known, pool=FailureKind.PORT_FOREIGN)
    assert [(step.strategy, step.seconds) for step in plan.steps] == [("relocate_port", 3.0)]


def test_lanes_are_respected_and_the_longest_way_goes_first() -> None:
    requires = {"a": (), "b": (), "long": (), "tail": ("long",)}
    plan = planned(requires, {}, lanes=2)
    assert [(step.component, step.starts) for step in plan.steps] == [
        ("a", 0.0),
        ("long", 0.0),
        ("b", 2.0),
        ("tail", 2.0),
    ]
    assert (plan.seconds, plan.declared, plan.lanes, plan.rule) == (4.0, 6.0, 2, "rank")


def test_where_the_declared_order_is_as_quick_it_stays() -> None:
    plan = planned({"a": (), "b": (), "c": ()}, {}, lanes=2)
    assert [(step.component, step.starts) for step in plan.steps] == [("a", 0.0), ("b", 0.0), ("c", 2.0)]
    assert (plan.rule, plan.critical) == ("declared", ("e/a", "e/c"))


def test_what_shares_a_lock_is_planned_one_after_the_other_in_each_environment() -> None:
    specs = {name: ComponentSpec(name=name, probe="x:p", locks=("chain",), estimate=3.0) for name in ("a", "b")}
    plan = planned_for(hub_stack(specs=specs), {}, lanes=2, environments=("x", "y"))
    starts = {f"{step.environment}/{step.component}": step.starts for step in plan.steps}
    assert starts == {"x/a": 0.0, "y/a": 0.0, "x/b": 3.0, "y/b": 3.0}


def test_lanes_are_shared_by_environments() -> None:
    plan = planned_for(hub_stack({"a": (), "b": ()}, estimate=1.0), {}, lanes=2, environments=("x", "y"))
    starts = {f"{step.environment}/{step.component}": step.starts for step in plan.steps}
    assert starts == {"x/a": 0.0, "y/a": 0.0, "x/b": 1.0, "y/b": 1.0}


def test_what_all_environments_share_is_done_once() -> None:
    specs = {"binary": ComponentSpec(name="binary", probe="x:p", shared=True, estimate=9.0)}
    plan = planned_for(hub_stack(specs=specs), {}, environments=("x", "y"))
    assert [(step.environment, step.starts, step.seconds) for step in plan.steps] == [("x", 0.0, 9.0), ("y", 9.0, 0.0)]
    assert plan.seconds == 9.0


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
