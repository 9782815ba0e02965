"""What may be written on the command line: options before and after the verb, near misses, all the same Call."""

from pathlib import Path

import pytest

from shiftboss.errors import BadInput
from shiftboss.frontends.arguments import read
from shiftboss.frontends.cli import main
from shiftboss.frontends.session import pack_and_components
from shiftboss.frontends.verbs import VERBS, WORKERS


def call(*words, **environ):
    return read(words, VERBS, environ)


def findings(*words):
    with pytest.raises(BadInput) as caught:
        call(*words)
    return [(one.what, one.remedy) for one in caught.value.diagnostics]


def test_options_may_stand_before_and_after_the_verb():
    before = call("--workdir", "/w", "--set", "a=1", "--set=b=2", "--json", "-q", "up", "mining", "pool")
    after = call("up", "mining", "pool", "--workdir=/w", "--set", "a=1", "--set", "b=2", "--json", "--quiet")
    between = call("--set", "a=1", "up", "mining", "--workdir", "/w", "--set", "b=2", "--json", "pool", "-q")
    assert before == after == between
    assert before.workdir == Path("/w")
    assert before.sets == ("a=1", "b=2")
    assert before.more["words"] == ["mining", "pool"]
    assert before.json
    assert before.quiet


def test_defaults():
    one = call("up")
    assert (one.workdir, one.sets, one.pipeline, one.brain) == (Path(".shiftboss"), (), None, None)
    assert (one.json, one.quiet, one.color) == (False, False, True)


def test_colours_go_by_option_or_variable():
    assert not call("up", "--no-color").color
    assert not call("up", NO_COLOR="1").color
    assert call("up", NO_COLOR="").color


def test_a_first_word_that_is_a_pack_is_the_pack():
    assert pack_and_components(["mining", "pool", "daemon"]) == ("mining", ("pool", "daemon"))
    assert pack_and_components(["pool"]) == ("mining", ("pool",))
    assert pack_and_components([]) == ("mining", ())


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (["down", "--purge"], {"words": [], "purge": True}),
        (["restart", "pool", "miner"], {"components": ["pool", "miner"]}),
        (["explain"], {"run": None, "turn": None}),
        (["explain", "r1", "--turn", "3"], {"run": "r1", "turn": 3}),
        (["explain", "--turn", "3", "r1"], {"run": "r1", "turn": 3}),
        (["logs", "pool", "-f"], {"component": "pool", "follow": True, "lines": 100}),
        (["logs", "-f", "-n", "5", "pool"], {"component": "pool", "follow": True, "lines": 5}),
        (["note", "r1", "look here"], {"run": "r1", "text": "look here"}),
        (["stop"], {"run": None}),
        (["validate", "a.json", "b.yaml"], {"files": ["a.json", "b.yaml"]}),
        (["watch"], {"words": [], "interval": None}),
        (["watch", "mining", "pool", "--interval", "2"], {"words": ["mining", "pool"], "interval": "2"}),
        (["approve", "a1"], {"words": ["a1"]}),
        (["approve", "r1", "a1"], {"words": ["r1", "a1"]}),
        (["deny", "r1", "a1", "--reason", "not now"], {"words": ["r1", "a1"], "reason": "not now"}),
        (["memory", "list"], {"action": "list", "signature": None, "strategy": None, "all": False}),
        (
            ["memory", "forget", "s", "--strategy", "x"],
            {"action": "forget", "signature": "s", "strategy": "x", "all": False},
        ),
        (["restore"], {"snapshot": None}),
        (
            ["chaos", "run", "--simulated", "--seed", "7", "--runs=9", "--faults", "a,b", "--out", "d"],
            {
                "action": "run",
                "names": [],
                "simulated": True,
                "real": False,
                "seed": 7,
                "runs": 9,
                "faults": "a,b",
                "out": "d",
            },
        ),
        (
            ["chaos", "inject", "x", "y"],
            {
                "action": "inject",
                "names": ["x", "y"],
                "simulated": False,
                "real": False,
                "seed": 1,
                "runs": 200,
                "faults": None,
                "out": None,
            },
        ),
    ],
)
def test_what_each_verb_takes(words, more):
    assert call(*words).more == more


def test_near_misses_are_named():
    assert findings("statsu") == [("there is no verb 'statsu'", "Did you mean status?")]
    assert findings("up", "--jsno", "--workdri=x") == [
        ("there is no option --jsno", "Did you mean --json?"),
        ("there is no option --workdri=x", "Did you mean --workdir?"),
    ]
    assert findings("runs", "extra") == [("runs does not take 'extra'", "shiftboss runs --help shows what it takes")]


def test_the_help_names_every_verb_once_in_80_columns(capsys):
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    named = [line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("  shiftboss")]
    assert sorted(named) == sorted(VERBS)
    assert {verb.group for verb in VERBS.values()} == {
        line[:-1] for line in lines if line in {f"{v.group}:" for v in VERBS.values()}
    }


@pytest.mark.parametrize(
    "words",
    [
        ["show"],
        ["approve"],
        ["memory"],
        ["memory", "lits"],
        ["chaos"],
        ["note", "r1"],
        ["restart"],
        ["up", "--set"],
        ["logs", "p", "-n", "x"],
    ],
)
def test_what_is_missing_is_said(words):
    ((what, remedy),) = findings(*words)
    assert what
    assert remedy == f"shiftboss {words[0]} --help shows what it takes"


def test_every_verb_has_a_worker_and_the_other_way_round():
    from importlib import import_module

    assert list(VERBS) == sorted(VERBS, key=list(VERBS).index)
    assert set(VERBS) == set(WORKERS)
    for place in WORKERS.values():
        module, _, name = place.partition(":")
        assert callable(getattr(import_module(f"shiftboss.frontends.{module}"), name))


@pytest.mark.parametrize("verb", VERBS)
def test_help_fits_and_names_the_common_options(verb, capsys):
    with pytest.raises(SystemExit) as left:
        call(verb, "--help")
    assert not left.value.code
    text = capsys.readouterr().out
    assert "--workdir DIR" in text
    assert VERBS[verb].help in text.replace("\n", " ")
