"""The pure parts of the benchmarks: figures, the page and the pictures. What they measure is tested nowhere."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

BENCH = Path(__file__).parents[2] / "bench"
SVG = "{http://www.w3.org/2000/svg}"
MACHINE = {"processor": "2 x Test", "python": "3.11", "shiftboss": "0.1"}


@pytest.fixture(autouse=True)
def importable(monkeypatch) -> Iterator[None]:
    """The folder's modules import each other by bare names; afterwards nobody finds them by accident."""
    monkeypatch.syspath_prepend(str(BENCH))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or ".").parent == BENCH:
            del sys.modules[name]


def figure(name, values, **more):
    return import_module("measure").Figure(name=name, unit=more.pop("unit", "ms"), values=values, **more)


def entry(*figures):
    plain = [one.plain() for one in figures]
    about = {"date": "2026-01-02T03:04:05Z", "quick": False, "load": 0.5, "seconds": 12.3}
    return {**about, "machine": MACHINE, "versions": {"other": "7.8"}, "figures": plain}


def drawn(name, *figures):
    """The picture of a benchmark as (its words, its parts by name)."""
    root = ET.fromstring(import_module("plots").picture(name, entry(*figures)))
    parts = {tag: root.findall(f"{SVG}{tag}") for tag in ("rect", "polyline", "text")}
    return [one.text or "" for one in parts["text"]], parts


def test_a_target_is_asked_of_the_median():
    assert figure("x", [1.0, 2.0, 9.0], at_most=2.0).met is True
    assert figure("x", [1.0, 2.1, 9.0], at_most=2.0).met is False
    assert figure("x", [1.0, 2.0, 9.0], at_least=2.5).met is False
    assert figure("x", [1.0]).met is None


def test_rounds_take_turns_and_ratios_are_made_round_by_round():
    measure = import_module("measure")
    said: list[str] = []
    subjects = {name: lambda name=name: said.append(name) or float(len(said)) for name in "ab"}
    values = measure.interleaved(subjects, 3)
    assert said == ["a", "b"] * 3
    assert measure.ratio("a / b", values["a"], values["b"]).values == [1 / 2, 3 / 4, 5 / 6]


def test_the_page_tells_machine_versions_spread_and_what_was_missed():
    found = entry(figure("slow thing", [3.0, 1.0, 2.0], at_most=1.5), figure("large", [12345.6], unit="/s"))
    lines = import_module("page").page({"some": found, "none": found}, {"some"}).splitlines()
    assert "| slow thing | 2 ms | 1 - 3 | 3 | <= 1.5 ms | **no** |" in lines
    assert "| large | 12346 /s | 12346 - 12346 | 1 |  |  |" in lines
    assert "processor 2 x Test; python 3.11; shiftboss 0.1; other 7.8" in lines
    assert [line for line in lines if line.startswith("![")] == ["![some](some.svg)"]


def test_every_picture_is_of_a_benchmark_that_exists():
    source = (BENCH / "run.py").read_text()
    plots = import_module("plots").PLOTS
    assert plots
    assert all(f'    "{name}": Benchmark(' in source for name in plots)


@pytest.mark.parametrize("name", ["noop", "table", "lanes", "makespan", "pool", "hub", "rivals", "unknown"])
def test_nothing_is_drawn_of_figures_that_are_not_there(name):
    assert import_module("plots").picture(name, entry(figure("another", [1.0], unit="GB"))) is None


def test_bars_are_as_long_as_their_middle_value_and_only_the_largest_job_is_drawn():
    words, parts = drawn(
        "rivals",
        figure("10 delegations, FULL: shiftboss", [50.0]),
        figure("1000 delegations, FULL: shiftboss", [1.0, 2.0, 3.0]),
        figure("1000 delegations, FULL: Another & Co", [8.0, 6.0, 10.0]),
        figure("1000 delegations, FULL: shiftboss / Another & Co", [0.25], unit="x"),
    )
    ours, theirs = (float(one.get("width")) for one in parts["rect"])
    assert theirs == pytest.approx(4 * ours, abs=0.2)
    assert {"shiftboss", "Another & Co", "2 ms", "8 ms", "synchronous = FULL"} <= set(words)
    assert parts["rect"][0].get("fill") != parts["rect"][1].get("fill")


def test_a_picture_names_machine_versions_rounds_and_day():
    words, _ = drawn("lanes", figure("waits, one lane", [2.0, 2.0]), figure("waits, two lanes", [1.0]))
    foot = " ".join(words)
    for part in ("2 x Test", "python 3.11", "other 7.8", "n = 1 to 2", "2026-01-02"):
        assert part in foot


def test_growth_is_a_straight_line_where_the_work_grows_with_the_stack():
    sizes = (100, 300, 1000)
    _, parts = drawn("hub", *(figure(f"chain of {size}, NORMAL, per delegation", [2.0]) for size in sizes))
    line = max((one.get("points").split() for one in parts["polyline"]), key=len)
    (x0, y0), (x1, y1), (x2, y2) = (map(float, point.split(",")) for point in line)
    assert (y1 - y0) / (x1 - x0) == pytest.approx((y2 - y1) / (x2 - x1), abs=0.01)
    assert y2 < y0


def test_no_picture_is_wider_than_a_page_and_its_words_stay_inside():
    _, parts = drawn(
        "noop", figure("up on a ready stack (0 mutations)", [0.2], unit="s"), figure("x" * 30, [6], unit="s")
    )
    for one in parts["rect"]:
        assert float(one.get("x")) + float(one.get("width")) <= 720
    ends = [one for one in parts["text"] if one.get("text-anchor") == "end"]
    assert ends
    for one in ends:
        assert float(one.get("x")) - 7 * len(one.text) >= 0


def test_the_floor_of_the_hub_stores_every_row_in_two_commits_a_delegation(tmp_path):
    job, floor = import_module("hub_job"), import_module("hub_floor")
    events = job.run(tmp_path, job.stack(3, "open"), "OFF", environments=2, lanes=1).events
    work = floor.commits(events)
    assert sum(map(len, work)) == len(events)
    kinds = [rows[-1][2] for rows in work]
    assert kinds.count("Delegated") == kinds.count("Settled") == 6
    assert floor.store(tmp_path, work, "OFF") > 0
    assert list(tmp_path.glob("*.sqlite3*")) == []


def test_the_floor_of_the_pool_sends_lines_of_the_length_it_is_told():
    floor, client = import_module("pool_floor"), import_module("pool_client")
    line = floor.notify(700)
    assert len(line) == 700
    assert b"mining.notify" in line
    assert line.rstrip(b"\n").endswith(client.NEW_TIP)
    assert client.YES in floor.ANSWER
