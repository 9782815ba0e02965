"""The hub-and-spoke job on LangGraph with its SQLite checkpointer; asked line by line by bench/hub_rivals.py.

The hub node picks the next open item, the spoke node does nothing but tick it off, and it goes back to the hub. Each
step's state is stored before the next one starts (durability "sync"), as shiftboss stores an order before the work.
"""

import sqlite3
import time
from pathlib import Path
from typing import Any, TypedDict

from asked import answer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command


class Items(TypedDict):
    """The items by name: what is open, and what is done."""

    item: str
    open: list[str]
    done: list[str]


class Counter(TypedDict):
    """The least that can be kept: how many are open."""

    open: int


def _hub_of_items(state: Items) -> Command[str]:
    return Command(goto="spoke", update={"item": state["open"][0]}) if state["open"] else Command(goto=END)


def _spoke_of_items(state: Items) -> dict[str, Any]:
    return {"open": state["open"][1:], "done": [*state["done"], state["item"]]}


def _hub_of_counter(state: Counter) -> Command[str]:
    return Command(goto="spoke" if state["open"] else END)


def _spoke_of_counter(state: Counter) -> dict[str, Any]:
    return {"open": state["open"] - 1}


def _graph(kind: str) -> StateGraph:
    named = kind == "items"
    graph = StateGraph(Items if named else Counter)
    graph.add_node("hub", _hub_of_items if named else _hub_of_counter, destinations=("spoke", END))
    graph.add_node("spoke", _spoke_of_items if named else _spoke_of_counter)
    graph.add_edge(START, "hub")
    graph.add_edge("spoke", "hub")
    return graph


def _start(kind: str, count: int) -> dict[str, Any]:
    return {"item": "", "open": [f"c{n}" for n in range(count)], "done": []} if kind == "items" else {"open": count}


def run(folder: Path, kind: str, count: int, synchronous: str) -> float:
    """Seconds to delegate so many items, with the state in a new file of the folder."""
    path = folder / f"langgraph-{time.monotonic_ns()}.sqlite3"
    connection = sqlite3.connect(path, check_same_thread=False)
    saver = SqliteSaver(connection)
    saver.setup()  # turns the write-ahead log on
    connection.execute(f"PRAGMA synchronous={synchronous}")
    graph = _graph(kind).compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}, "recursion_limit": 2 * count + 10}
    start = time.perf_counter()
    state = graph.invoke(_start(kind, count), config, durability="sync")
    passed = time.perf_counter() - start
    connection.close()
    path.unlink()
    if state["open"]:
        raise RuntimeError(f"items are left open: {state['open']}")
    return passed


if __name__ == "__main__":
    answer(run)
