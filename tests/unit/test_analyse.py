"""From what is seen to what is missing: the cases, and that the incremental pass equals the full one."""

from hypothesis import given
from hypothesis import strategies as st

from demo.small import hub_stack, specs_of
from shiftboss.engine.analyse import Analysis
from shiftboss.model.failure import FailureKind
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.observation import Health, Observation
from shiftboss.model.run import Goal, Want


@st.composite
def graphs(draw: st.DrawFn, most: int = 7) -> dict[str, tuple[str, ...]]:
    """Names and what each requires; what is required need not be declared first, but there are no circles."""
    names = [f"c{number}" for number in range(draw(st.integers(1, most)))]
    order = draw(st.permutations(names))
    requires = {}
    for index, name in enumerate(order):
        requires[name] = tuple(draw(st.lists(st.sampled_from(order[:index]), unique=True))) if index else ()
    return {name: requires[name] for name in names}


def observations(environments: tuple[str, ...], names: list[str]) -> st.SearchStrategy[Observation]:
    return st.builds(
        Observation,
        environment=st.sampled_from(environments),
        component=st.sampled_from(names),
        health=st.sampled_from(Health),
        summary=st.sampled_from(["so", "otherwise"]),
        failure=st.sampled_from([None, FailureKind.DIED, FailureKind.PORT_FOREIGN]),
        instance=st.sampled_from([None, "1", "2"]),
        unproven=st.booleans(),
    )


@st.composite
def goals(draw: st.DrawFn, names: list[str]) -> Goal:
    want = draw(st.sampled_from(Want))
    some = tuple(draw(st.lists(st.sampled_from(names), unique=True, max_size=2)))
    if want is Want.RESTART:
        return Goal(want=want, replace=tuple(f"x/{name}=1" for name in some))
    return Goal(want=want, components=some)


@given(st.data())
def test_the_incremental_pass_equals_the_full_one(data: st.DataObject) -> None:
    stack = hub_stack(data.draw(graphs()))
    names = list(stack.specs)
    environments = ("x", "y")
    analysis = Analysis(stack, data.draw(goals(names)))
    snapshot: dict[str, Observation] = {}
    gaps: dict[str, Gap] = {}
    analysis.update(gaps, [f"{e}/{name}" for e in environments for name in names], snapshot)
    assert gaps == analysis.full(environments, snapshot)
    for batch in data.draw(st.lists(st.lists(observations(environments, names), min_size=1), max_size=12)):
        changed = set()
        for seen in batch:
            before = snapshot.get(seen.key)
            if before is None or not seen.same_answer(before):
                changed.add(seen.key)
            snapshot[seen.key] = seen
        analysis.update(gaps, changed, snapshot)
        assert gaps == analysis.full(environments, snapshot)


@given(graphs())
def test_gaps_stand_in_declared_order_whatever_changed(requires: dict[str, tuple[str, ...]]) -> None:
    stack = hub_stack(requires)
    analysis = Analysis(stack, Goal())
    gaps: dict[str, Gap] = {}
    analysis.update(gaps, {f"{e}/{name}" for e in "yx" for name in stack.specs}, {})
    assert list(gaps) == list(analysis.full("xy", {}))


def seen(component: str, health: Health, **more) -> Observation:
    return Observation(environment="e", component=component, health=health, summary="as it is", **more)


def gap_of(goal: Goal, name: str, *answers: Observation) -> Gap | None:
    analysis = Analysis(hub_stack({"a": (), "b": ("a",)}), goal)
    return analysis.gap("e", name, {one.key: one for one in answers})


def test_what_was_not_looked_at_is_unknown() -> None:
    gap = gap_of(Goal(), "a")
    assert gap is not None
    assert gap.kind is GapKind.UNKNOWN


def test_an_unknown_requirement_blocks() -> None:
    gap = gap_of(Goal(), "b", seen("a", Health.UNKNOWN), seen("b", Health.ABSENT))
    assert gap is not None
    assert gap.blocked_by == ("a",)


def test_down_waits_for_those_who_use_it() -> None:
    answers = (seen("a", Health.READY, instance="1"), seen("b", Health.READY, instance="2"))
    gap = gap_of(Goal(want=Want.DOWN), "a", *answers)
    assert gap is not None
    assert (gap.kind, gap.blocked_by) == (GapKind.UNWANTED, ("b",))
    assert gap_of(Goal(want=Want.DOWN), "a", seen("a", Health.READY)) is None  # not ours: it has no instance


def test_down_for_one_part_takes_those_that_need_it_along() -> None:
    stack = hub_stack({"a": (), "b": ("a",), "c": ()})
    assert Analysis(stack, Goal(want=Want.DOWN, components=("a",))).wanted == ("a", "b")
    assert Analysis(stack, Goal(components=("b",))).wanted == ("a", "b")
    assert specs_of({"a": ()})["a"].requires == ()
