"""Nothing but a place to work in: agents, components and strategies are those of the user's files."""

from collections.abc import Mapping
from pathlib import Path

from shiftboss.contracts import Pack
from shiftboss.model.failure import FailureKind
from shiftboss.model.profile import Profile
from shiftboss.system.workbench import Workbench


async def _nothing(bench: Workbench) -> Mapping[str, object]:  # noqa: ARG001 - as every Describer
    return {}


def _no_advice(component: str, kind: FailureKind | None, bench: Workbench) -> list[tuple[str, str]]:  # noqa: ARG001 - as every Advisor
    return []


def _logs(bench: Workbench) -> Mapping[str, Path]:
    folder = bench.environment.log_folder
    return {path.stem: path for path in sorted(folder.glob("*.log"))} if folder.is_dir() else {}


PACK = Pack(
    name="plain",
    folder=Path(__file__).parent,
    default_pipeline="",
    profiles={"local": Profile(name="local", chain="", what="a folder to work in, without any parts of ours")},
    advise=_no_advice,
    endpoints=_nothing,
    proof=_nothing,
    logs=_logs,
)
