"""Pipelines of users' files, each after the one it extends.

Called by user.py with the files whose shape is right. A pipeline that extends nothing usable is left out, with a
finding unless the cause has been reported already.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from shiftboss.model.pipeline import Agent, Pipeline, PipelineKind
from shiftboss.templates.build import kind_of, pipeline_from
from shiftboss.templates.finding import Finding, hint, listing
from shiftboss.templates.userfile import UserFile


def build_pipelines(
    files: Sequence[UserFile], agents: Mapping[str, Agent], base: Mapping[str, Pipeline], broken: Collection[str]
) -> tuple[dict[str, Pipeline], list[Finding]]:
    """The pipelines of those files and what is wrong with their `extends`; `broken` are ids of refused files."""
    known = {file.id for file in files} | set(base)
    built: dict[str, Pipeline] = {}
    findings: list[Finding] = []
    waiting = sorted(files, key=lambda file: file.id)
    while waiting:
        ready = [file for file in waiting if extended_id(file) not in {other.id for other in waiting}]
        if not ready:
            return built, [*findings, *map(_circle, waiting)]
        waiting = [file for file in waiting if file not in ready]
        for file in ready:
            usable = {**base, **built}
            trouble = _trouble(file, usable.get(extended_id(file) or ""), known, agents)
            if trouble is None:
                built[file.id] = pipeline_from(file.data, file.source, agents, usable.get(extended_id(file) or ""))
            elif not _follows(file, usable, broken):
                findings.append(trouble)
    return built, findings


def extended_id(file: UserFile) -> str | None:
    """The id of the pipeline a file extends, if any."""
    wanted: str | None = file.data.get("extends")
    return wanted


def _follows(file: UserFile, usable: Mapping[str, Pipeline], broken: Collection[str]) -> bool:
    """Whether the trouble only follows from a refused file: the extended pipeline's or its hub agent's."""
    wanted = extended_id(file) or ""
    return wanted in broken or (wanted in usable and usable[wanted].stages[0].agent in broken)


def _trouble(
    file: UserFile, extended: Pipeline | None, known: Iterable[str], agents: Mapping[str, Agent]
) -> Finding | None:
    wanted = extended_id(file)
    if wanted is None:
        return None
    if extended is None:
        what = f"it extends the pipeline '{wanted}', which is not known"
        remedy = hint(wanted, known, f"Known pipelines: {listing(sorted(known))}.")
    elif kind_of(agents.get(extended.stages[0].agent)) is not PipelineKind.HUB:
        what = f"it extends '{wanted}', which is not a hub pipeline"
        remedy = "Only hub pipelines can be extended; write a scripted one out."
    else:
        return None
    return Finding(source=file.source, at=("extends",), what=what, remedy=remedy)


def _circle(file: UserFile) -> Finding:
    return Finding(
        source=file.source,
        at=("extends",),
        what=f"pipeline '{file.id}' extends itself, through '{file.data['extends']}'",
        remedy="Let one of them stand by itself.",
    )
