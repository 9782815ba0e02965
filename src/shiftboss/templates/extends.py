"""Pipelines of users' files, each after those it needs: the one it extends, and its sub-pipelines.

Called by user.py with the files whose shape is right. A pipeline whose need is not met is left out, with a finding
unless the cause has been reported already.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from shiftboss.model.pipeline import Agent, Pipeline, PipelineKind
from shiftboss.templates.build import kind_of, pipeline_from, written_connections
from shiftboss.templates.build_agent import Document
from shiftboss.templates.derive import reachable
from shiftboss.templates.finding import DocumentPath, Finding, hint, listing
from shiftboss.templates.subpipelines import inner_of
from shiftboss.templates.userfile import UserFile


def build_pipelines(
    files: Sequence[UserFile], agents: Mapping[str, Agent], base: Mapping[str, Pipeline], broken: Collection[str]
) -> tuple[dict[str, Pipeline], list[Finding]]:
    """The pipelines of those files and what is wrong with what they need; `broken` are ids of refused files."""
    known = {file.id for file in files} | set(base)
    built: dict[str, Pipeline] = {}
    findings: list[Finding] = []
    waiting = sorted(files, key=lambda file: file.id)
    while waiting:
        left = {file.id for file in waiting}
        ready = [file for file in waiting if not left & set(needs(file))]
        if not ready:
            return built, [*findings, *_circles(waiting)]
        waiting = [file for file in waiting if file not in ready]
        for file in ready:
            usable = {**base, **built}
            refused = {*broken, *(known - left - usable.keys())}  # a finding has told why
            troubles = [*_extending(file, usable, known, agents), *_containing(file, usable, known, agents)]
            if not troubles:
                extended = usable.get(extended_id(file) or "")
                built[file.id] = pipeline_from(file.data, file.source, agents, extended, usable)
            findings += [found for name, found in troubles if not _follows(name, usable, refused)]
    return built, findings


def extended_id(file: UserFile) -> str | None:
    """The id of the pipeline a file extends, if any."""
    wanted: str | None = file.data.get("extends")
    return wanted


def needs(file: UserFile) -> dict[str, DocumentPath]:
    """The pipelines a file can't be built without, and where it names them."""
    found: dict[str, DocumentPath] = {}
    written: Sequence[Document] = file.data["stages"]
    for index, item in reversed(list(enumerate(written))):
        if inner := inner_of(item):
            found[inner] = ("stages", index, "pipeline")
    extended = extended_id(file)
    return found | ({extended: ("extends",)} if extended else {})


def _follows(wanted: str, usable: Mapping[str, Pipeline], broken: Collection[str]) -> bool:
    """Whether the trouble only follows from a refused file: the needed pipeline's or its first agent's."""
    return wanted in broken or (wanted in usable and usable[wanted].stages[0].agent in broken)


def _extending(
    file: UserFile, usable: Mapping[str, Pipeline], known: Collection[str], agents: Mapping[str, Agent]
) -> Iterator[tuple[str, Finding]]:
    wanted = extended_id(file)
    if wanted is None:
        return
    if wanted not in usable:
        what = f"it extends the pipeline '{wanted}', which is not known"
        remedy = hint(wanted, known, f"Known pipelines: {listing(sorted(known))}.")
    elif kind_of(agents.get(usable[wanted].stages[0].agent)) is not PipelineKind.HUB:
        what = f"it extends '{wanted}', which is not a hub pipeline"
        remedy = "Only hub pipelines can be extended; write a scripted one out."
    else:
        return
    yield wanted, Finding(source=file.source, at=("extends",), what=what, remedy=remedy)


def _containing(
    file: UserFile, usable: Mapping[str, Pipeline], known: Collection[str], agents: Mapping[str, Agent]
) -> Iterator[tuple[str, Finding]]:
    """What is wrong with the sub-pipelines of a file."""
    hub = extended_id(file) or kind_of(agents.get(file.data["stages"][0].get("agent") or "")) is PipelineKind.HUB
    for index, item in enumerate(file.data["stages"]):
        wanted = inner_of(item)
        if wanted is None:
            continue
        at = ("stages", index, "pipeline")
        if wanted not in usable:
            what = f"stage '{item['id']}' stands for the pipeline '{wanted}', which is not known"
            remedy = hint(wanted, known, f"Known pipelines: {listing(sorted(known))}.")
        elif hub:
            what = f"stage '{item['id']}' of a hub pipeline stands for the pipeline '{wanted}'"
            remedy = "Only scripted pipelines contain others; add stages with their agents to a hub pipeline."
        elif usable[wanted].kind is PipelineKind.HUB:
            what = f"stage '{item['id']}' stands for '{wanted}', which is a hub pipeline"
            remedy = "Only scripted pipelines stand inside others; run a hub pipeline by itself."
        else:
            continue
        yield wanted, Finding(source=file.source, at=at, what=what, remedy=remedy, topic="sub-pipeline")


def _circles(waiting: Sequence[UserFile]) -> Iterator[Finding]:
    """Pipelines that need themselves, directly or through others; who only needs such a one follows."""
    wanted = {file.id: set(needs(file)) for file in waiting}
    for file in waiting:
        for name, at in needs(file).items():
            if file.id in reachable(wanted, name):
                yield _circle(file, name, at)


def _circle(file: UserFile, name: str, at: DocumentPath) -> Finding:
    verb, remedy = "contains", "A pipeline can't stand inside itself: draw a connection back instead."
    if at == ("extends",):
        verb, remedy = "extends", "Let one of them stand by itself."
    through = "" if name == file.id else f", through '{name}'"
    what = f"pipeline '{file.id}' {verb} itself{through}"
    return Finding(source=file.source, at=at, what=what, remedy=remedy, topic="sub-pipeline")


def origins(doc: Document, others: Mapping[str, Pipeline]) -> dict[DocumentPath, DocumentPath]:
    """For each built stage and connection its place in the document: what was put in stands where it is named."""
    written: Sequence[Document] = doc["stages"]
    inner = {item["id"]: others[name] for item in written if (name := inner_of(item)) and name in others}
    if not inner:
        return {}
    sizes = [len(inner[item["id"]].stages) if item["id"] in inner else 1 for item in written]
    stages: list[DocumentPath] = [("stages", index) for index, size in enumerate(sizes) for _ in range(size)]
    ways = enumerate(written_connections(doc))
    places: list[DocumentPath] = [("connections", index) for index, way in ways if way["from"] not in inner]
    for index, item in enumerate(written):
        places += [("stages", index)] * (len(inner[item["id"]].connections) if item["id"] in inner else 0)
    return {("stages", built): at for built, at in enumerate(stages)} | {
        ("connections", built): at for built, at in enumerate(places)
    }
