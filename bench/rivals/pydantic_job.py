"""The hub-and-spoke job on pydantic-graph; asked line by line by bench/hub_rivals.py.

The hub node picks the next open item, the spoke node does nothing but tick it off, and it goes back to the hub. The
state is kept in the JSON file that pydantic-graph ships (`file`), or in SQLite (`sqlite`), for which it has none: a
class on its own interface, written here with no more than the interface asks.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic
from asked import answer
from pydantic_graph import BaseNode, End, Graph, GraphRunContext
from pydantic_graph.persistence import BaseStatePersistence, EndSnapshot, NodeSnapshot, build_snapshot_list_type_adapter
from pydantic_graph.persistence.file import FileStatePersistence


@dataclass
class Items:
    """The items by name: what is open, and what is done."""

    open: list[str]
    done: list[str]


@dataclass
class Hub(BaseNode[Items, None, int]):
    """Picks the next open item."""

    async def run(self, context: GraphRunContext[Items]) -> "Spoke | End[int]":
        """Delegate it, or end."""
        state = context.state
        return Spoke(item=state.open[0]) if state.open else End(len(state.done))


@dataclass
class Spoke(BaseNode[Items, None, int]):
    """Does nothing."""

    item: str

    async def run(self, context: GraphRunContext[Items]) -> Hub:
        """Tick the item off, and back."""
        context.state.open = context.state.open[1:]
        context.state.done = [*context.state.done, self.item]
        return Hub()


class SqliteState(BaseStatePersistence[Items, int]):
    """A row for each node to run, with the state before it; one commit for each change."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute(f"PRAGMA synchronous={synchronous}")
        self.connection.execute("CREATE TABLE snapshots (id TEXT PRIMARY KEY, status TEXT, seconds REAL, data BLOB)")
        self._adapter: pydantic.TypeAdapter[Any] | None = None

    def should_set_types(self) -> bool:
        """Whether the graph is still to tell its types."""
        return self._adapter is None

    def set_types(self, state_type: type[Items], run_end_type: type[int]) -> None:
        """Make what turns a snapshot into bytes."""
        self._adapter = build_snapshot_list_type_adapter(state_type, run_end_type)

    async def snapshot_node(self, state: Items, next_node: BaseNode[Items, Any, int]) -> None:
        """Store the state before a node."""
        self._insert(NodeSnapshot(state=state, node=next_node), "created")

    async def snapshot_node_if_new(self, snapshot_id: str, state: Items, next_node: BaseNode[Items, Any, int]) -> None:
        """The same unless it is there."""
        if not self.connection.execute("SELECT 1 FROM snapshots WHERE id = ?", (snapshot_id,)).fetchone():
            await self.snapshot_node(state, next_node)

    async def snapshot_end(self, state: Items, end: End[int]) -> None:
        """Store the last state."""
        self._insert(EndSnapshot(state=state, result=end), "end")

    @asynccontextmanager
    async def record_run(self, snapshot_id: str) -> AsyncIterator[None]:
        """Store that a node runs, and that it has run."""
        self._mark(snapshot_id, "running", None)
        start = time.perf_counter()
        yield
        self._mark(snapshot_id, "success", time.perf_counter() - start)

    async def load_next(self) -> NodeSnapshot[Items, int] | None:
        """Not asked for in a run that is not taken up again."""
        raise NotImplementedError

    async def load_all(self) -> list[Any]:
        """Not asked for in a run that is not taken up again."""
        raise NotImplementedError

    def _insert(self, snapshot: NodeSnapshot[Items, int] | EndSnapshot[Items, int], status: str) -> None:
        data = self._adapter.dump_json([snapshot])
        self.connection.execute("INSERT INTO snapshots VALUES (?, ?, NULL, ?)", (snapshot.id, status, data))

    def _mark(self, snapshot_id: str, status: str, seconds: float | None) -> None:
        update = "UPDATE snapshots SET status = ?, seconds = ? WHERE id = ?"
        self.connection.execute(update, (status, seconds, snapshot_id))


def run(folder: Path, kind: str, count: int, synchronous: str) -> float:
    """Seconds to delegate so many items, with the state in a new file of the folder."""
    path = folder / f"pydantic-{time.monotonic_ns()}.{kind}"
    graph = Graph(nodes=(Hub, Spoke))
    kept = FileStatePersistence(path) if kind == "file" else SqliteState(path, synchronous)
    state = Items(open=[f"c{n}" for n in range(count)], done=[])
    start = time.perf_counter()
    ended = asyncio.run(graph.run(Hub(), state=state, persistence=kept))
    passed = time.perf_counter() - start
    if kind == "sqlite":
        kept.connection.close()
    path.unlink()
    if ended.output != count:
        raise RuntimeError(f"{ended.output} of {count} items were delegated")
    return passed


if __name__ == "__main__":
    answer(run)
