"""The table of all settings: key, type, default and its reason, allowed values, one sentence each.

Everything else about settings (validation, suggestions, documentation) is made from these classes, by settings.py.
They are plain values: reading files, variables and arguments is the business of settings.py.
"""

from collections.abc import Iterator
from dataclasses import Field, field, fields
from pathlib import Path
from typing import Any, NamedTuple, cast

from shiftboss.model.mind import Allowance
from shiftboss.model.value import Value
from shiftboss.settings_group import setting
from shiftboss.settings_kinds import (
    ADDRESS,
    HEX,
    MODEL,
    NAME,
    PATH,
    PATHS,
    PORT,
    SWITCH,
    URL,
    VARIABLE,
    WORDS,
    choice,
    number,
    whole,
)


def home_cache() -> Path:
    """Where the cache is when nobody says otherwise (XDG base directory specification)."""
    return Path.home() / ".cache" / "shiftboss"


class Ports(Value):
    """Preferred ports; all on loopback."""

    rpc: int = setting(18443, PORT, "Port of the daemon's RPC.", why="the daemon's own default for regtest")
    p2p: int = setting(18444, PORT, "Port of the daemon for its peers.", why="the daemon's own default for regtest")
    stratum: int = setting(3333, PORT, "Port on which the pool serves miners.", why="what pools usually take")
    pool_status: int = setting(
        8334, PORT, "Port on which the pool tells its numbers.", why="near the daemon's ports and usually free"
    )
    zmq: int = setting(28332, PORT, "Port on which the daemon announces blocks (ZMQ).", why="what examples of it take")
    peer: int = setting(18445, PORT, "Port of the second node's RPC.", why="next to the daemon's own")


class Daemon(Value):
    """The daemon: found, fetched, or one that already runs."""

    binary: Path | None = setting(
        None, PATH, "The daemon program to use.", why="empty: the one found or fetched is used"
    )
    rpc: str = setting(
        "", ADDRESS, "RPC address of a daemon you run yourself.", why="empty: shiftboss starts its own daemon"
    )
    cookie_file: Path | None = setting(
        None, PATH, "Cookie file of the daemon you run yourself.", why="only needed together with daemon.rpc"
    )
    args: tuple[str, ...] = setting(
        (), WORDS, "Extra arguments for the daemon.", why="the written configuration is enough"
    )
    zmq: bool = setting(
        False,
        SWITCH,
        "Announce each new block's hash over ZMQ (hashblock).",
        why="only needed by pools that listen to it",
    )
    peer: bool = setting(
        False, SWITCH, "Run a second node, connected to the first.", why="one node is enough for a pool and a miner"
    )
    signet_challenge: str = setting(
        "51", HEX, "Challenge of a private signet, as hex of its script.", why="OP_TRUE: everybody may make blocks"
    )
    start_seconds: float = setting(
        60.0, number(above=0), "How long the daemon may take to answer.", why="regtest takes 1 s; a slow disk far more"
    )


class Wallet(Value):
    """The wallet that receives what is mined."""

    name: str = setting("shiftboss", NAME, "Name of the wallet.", why="tells it from your own wallets")
    blocks: int = setting(
        101,
        whole(0, 100_000),
        "Height the chain has at least.",
        why="100 blocks ripen the first reward: it can be spent",
    )


class Pool(Value):
    """The pool: ours, another program, or one that already runs."""

    command: tuple[str, ...] = setting(
        (),
        WORDS,
        "Command of another pool program; may hold {rpc} {rpc_cookie_file} {stratum_port} {address} {zmq}.",
        why="empty: the pool that comes with shiftboss",
    )
    attach: str = setting(
        "", ADDRESS, "Stratum address of a pool you run yourself.", why="empty: shiftboss starts its own pool"
    )
    share_difficulty: float = setting(
        0.00001, number(above=0), "Difficulty of a share.", why="one Python thread finds ten shares a second"
    )


class Miner(Value):
    """The miner: ours, minerd, or another program."""

    command: tuple[str, ...] = setting(
        (), WORDS, "Command of another miner program.", why="empty: the miner that comes with shiftboss"
    )
    binary: Path | None = setting(
        None, PATH, "The minerd program to use.", why="empty: only needed with miner.kind = minerd, and searched then"
    )
    kind: str = setting(
        "shiftboss", choice("shiftboss", "minerd"), "Which miner to run.", why="needs nothing but Python"
    )
    threads: int = setting(
        1, whole(0, 1024), "Mining threads; 0 takes all cores.", why="regtest needs no power, and you need your machine"
    )
    block_interval: float | None = setting(
        30.0,
        number(off=True),
        "Seconds between blocks: the first at once; 0 = without a pause, off = connected and idle.",
        why="a chain that moves without filling the disk",
    )
    workers: tuple[str, ...] = setting(
        ("shiftboss.1",), WORDS, "Names under which the miner logs in.", why="one worker proves the whole way"
    )


class Proof(Value):
    """What proves that the stack does its job."""

    until: str = setting(
        "block",
        choice("block", "maturity"),
        "How far the proof goes: a block of the miner in the wallet's name, or until its reward can be spent.",
        why="maturity takes 100 more blocks",
    )


class Limits(Value):
    """Budgets of a run; a spent one ends it with a report."""

    parallel: int = setting(
        4,
        whole(1, 64),
        "Delegations at the same time; an environment that waits 10 s may start one more.",
        why="a stack has about four branches",
    )
    attempts: int = setting(
        5,
        whole(1, 1000),
        "Failures of one component before a human is asked.",
        why="each rung of the ladder gets a try",
    )
    seconds: float = setting(
        900.0, number(above=0), "How long a run may take.", why="a first set-up with downloads takes a few minutes"
    )
    recoveries: int = setting(
        10,
        whole(0, 1000),
        "Recoveries in one run before a human is asked.",
        why="two components with all their attempts",
    )
    signature: int = setting(
        6, whole(1, 1000), "Recoveries against one and the same failure.", why="twice on each of three rungs"
    )
    steps: int = setting(
        100,
        whole(1, 100_000),
        "Visits that a scripted pipeline may make to its stages.",
        why="a script that goes round for ever is noticed; nothing else would end it",
    )
    window: float = setting(
        60.0,
        number(above=0),
        "Seconds a recovery must last to be believed.",
        why="what does not hold a minute did not help; settled by a later run if this one ends before",
    )


ANSWER = choice("chain", "allow", "ask", "deny")


class Consent(Value):
    """What may be done without asking, per risk class; `chain` means the default of the environment's chain."""

    safe: str = setting("chain", ANSWER, "Changes that hurt nothing.", why="allowed everywhere")
    disruptive: str = setting("chain", ANSWER, "Restarts of parts that may be working.", why="allowed everywhere")
    destructive: str = setting(
        "chain", ANSWER, "Moving data aside.", why="regtest allows it (restorable), test chains ask, main denies"
    )
    foreign: str = setting("chain", ANSWER, "Touching what is not ours.", why="asked everywhere")
    system: str = setting("chain", ANSWER, "Installing system-wide.", why="asked everywhere")


class Probes(Value):
    """How the world is looked at."""

    timeout: float = setting(
        5.0, number(above=0), "Seconds a probe may take.", why="a busy daemon answers within a second or two"
    )
    period: float = setting(
        0.1, number(above=0), "Seconds between looks at something that starts.", why="hardly felt, and no load"
    )
    interval: float = setting(
        5.0, number(above=0), "Seconds between looks when all is well (`watch`).", why="drift is seen before people do"
    )


class Templates(Value):
    """Where pipelines and agents of your own are."""

    folders: tuple[Path, ...] = setting(
        (), PATHS, "Folders with templates of your own.", why="the templates that come with shiftboss are enough"
    )


class Brain(Value):
    """What decides, and the language model it may ask."""

    kind: str = setting(
        "policy",
        choice("policy", "llm", "shadow"),
        "What decides in hub pipelines; `shadow`: the policy, with the model's choice noted beside it.",
        why="rules need no model, cost nothing and explain themselves",
    )
    model: str = setting(
        "", MODEL, "The model, as PROVIDER:NAME.", why="empty: none; needed by `llm`, `shadow` and prompt agents only"
    )
    base_url: str = setting("", URL, "Address of the model's server.", why="empty: the provider's own")
    key_variable: str = setting(
        "", VARIABLE, "Environment variable that holds the key.", why="empty: the provider's own, e.g. OPENAI_API_KEY"
    )
    key_file: Path | None = setting(
        None, PATH, "File that holds the key, readable by you alone.", why="empty: the key is in the environment"
    )
    output: str = setting(
        "auto",
        choice("auto", "native", "tool", "prompted", "text"),
        "How an answer's shape is asked for: by schema, tool call, or in words (`text`: DECISION and REASONING).",
        why="schema for local servers, tool call for hosted models",
    )
    seconds: float = setting(
        30.0, number(above=0), "How long one answer may take.", why="then the policy brain decides; the stack waits"
    )
    calls: int = setting(200, whole(0, 100_000), "Model calls in one run.", why="a run has some dozens of decisions")
    tokens: int = setting(
        400_000, whole(0, 1_000_000_000), "Tokens in one run, questions and answers.", why="2,000 a call"
    )
    money: float = setting(1.0, number(), "US dollars for models in one run.", why="a surprise stays a small one")
    record: Path | None = setting(
        None, PATH, "File to which every answer is written, for replay.", why="empty: nothing is recorded"
    )
    replay: Path | None = setting(
        None, PATH, "File from which answers are taken instead of asking.", why="empty: the model is asked"
    )
    telemetry: str = setting(
        "off",
        choice("off", "spans", "content"),
        "OpenTelemetry spans of model calls; `content`: with questions and answers in them.",
        why="questions hold log lines, which nobody should send anywhere by accident",
    )

    @property
    def allowance(self) -> Allowance:
        """What models may cost in one run."""
        return Allowance(calls=self.calls, tokens=self.tokens, money=self.money)


class Store(Value):
    """The journal's database."""

    synchronous: str = setting(
        "FULL",
        choice("FULL", "NORMAL"),
        "How safely SQLite writes.",
        why="a power cut loses nothing; costs 1 ms a turn",
    )


class Cache(Value):
    """What may be deleted at any time."""

    folder: Path = setting(
        home_cache,
        PATH,
        "Where downloads are kept.",
        why="$SHIFTBOSS_CACHE, else $XDG_CACHE_HOME/shiftboss, else ~/.cache/shiftboss: shared by all environments",
    )


class Row(NamedTuple):
    """One setting, for documentation."""

    key: str
    type: str
    default: Any  #: in its plain form
    doc: str
    why: str  #: the reason of the default


class Settings(Value):
    """All settings of a run; the same value means the same behaviour."""

    ports: Ports = field(default_factory=Ports)
    daemon: Daemon = field(default_factory=Daemon)
    wallet: Wallet = field(default_factory=Wallet)
    pool: Pool = field(default_factory=Pool)
    miner: Miner = field(default_factory=Miner)
    proof: Proof = field(default_factory=Proof)
    limits: Limits = field(default_factory=Limits)
    consent: Consent = field(default_factory=Consent)
    probes: Probes = field(default_factory=Probes)
    templates: Templates = field(default_factory=Templates)
    brain: Brain = field(default_factory=Brain)
    store: Store = field(default_factory=Store)
    cache: Cache = field(default_factory=Cache)

    @staticmethod
    def describe() -> Iterator[Row]:
        """Every setting with its type, default, sentence and reason, in the order of the table."""
        defaults = Settings().as_dict()
        for key, row in table().items():
            about = row.metadata
            default = defaults[key] if key != "cache.folder" else ""  # it differs from person to person
            yield Row(key=key, type=about["kind"].name, default=default, doc=about["doc"], why=about["why"])

    def as_dict(self) -> dict[str, Any]:
        """Dotted keys and plain JSON values; written into a settings source again it gives the same settings."""
        return {key: _plain(key, getattr(getattr(self, key.split(".")[0]), row.name)) for key, row in table().items()}

    def is_on(self, key: str) -> bool:
        """Whether a setting is set to something, or a switch is on; by its dotted key."""
        group, _, name = key.partition(".")
        return bool(getattr(getattr(self, group), name))

    def digest(self) -> str:
        """Twelve hex digits that are the same exactly when all settings are the same."""
        import hashlib
        import json

        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()[:12]


def groups() -> dict[str, type]:
    """The groups of settings by name."""
    return {one.name: one.default_factory for one in fields(Settings) if isinstance(one.default_factory, type)}


def table() -> dict[str, Field[Any]]:
    """Every setting's field by its dotted key."""
    return {f"{name}.{row.name}": row for name, one in groups().items() for row in fields(one)}


def _plain(key: str, value: object) -> object:
    if value is None:
        return "off" if key == "miner.block_interval" else ""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(key, item) for item in cast("tuple[object, ...]", value)]
    return value
