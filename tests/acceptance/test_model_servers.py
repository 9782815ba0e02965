"""`--brain llm` and `shadow` from the outside, with servers that misbehave: the run converges and tells the truth."""

import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from command import SHIFTBOSS, document, environment, no_traceback, shiftboss
from demo.stack import FOLDER, Demo
from helpers import eventually
from model_server import ModelServer, completion, cut, good, hang, late, message, plain, said, trickle
from shiftboss.model.events import Consulted
from shiftboss.store.database import Database
from shiftboss.store.journal import Journal

KEY = "sk-very-secret-0123456789"
DEMO = "pipelines/demo.json"


@pytest.fixture
def folder(place):
    """A folder with the demo stack's templates; its processes end with the test."""
    for name in ("agents", "pipelines"):
        shutil.copytree(FOLDER / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    yield place
    for pids in Demo(place / ".shiftboss").running().values():
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


def options(server: ModelServer, brain: str = "llm", **sets):
    given = {"model": "openai:odd", "base_url": server.url, "seconds": 1, "key_variable": "MY_KEY", **sets}
    return ["--brain", brain, *(f"--set=brain.{name}={value}" for name, value in given.items())]


def run(folder: Path, server: ModelServer, brain: str = "llm", **sets):
    return no_traceback(shiftboss(folder, "run", DEMO, *options(server, brain, **sets), MY_KEY=KEY))


@contextmanager
def begun(folder: Path, server: ModelServer, brain: str = "llm", words=("run", DEMO), **sets):
    """The command while a question is waiting for its answer."""
    hub = subprocess.Popen(
        [*SHIFTBOSS, *words, *options(server, brain, seconds=30, **sets)],
        cwd=folder,
        env=environment(MY_KEY=KEY),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(lambda: server.asked, what="a question")
        yield hub
    finally:
        hub.kill()
        hub.communicate()


def consulted(folder: Path) -> list[Consulted]:
    database = Database(folder / ".shiftboss" / "state.sqlite3", readonly=True)
    journal = Journal(database)
    events = [record.event for record in journal.read(journal.last_run())]
    database.close()
    return [event for event in events if isinstance(event, Consulted)]


def holding(folder: Path, text: str) -> list[Path]:
    """The files in which a text stands."""
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def refused(asked):
    """As providers do: with the key in the text."""
    key = next(value for name, value in asked.headers.items() if name.lower() == "authorization")
    asked.send(401, json.dumps({"error": {"message": f"Incorrect API key provided: {key}"}}).encode())


def cut_short(asked):
    """The key stands where a long text is cut."""
    asked.send(401, json.dumps({"error": {"message": "x" * 231 + KEY}}).encode())


def negative(asked):
    usage = {"prompt_tokens": -90, "completion_tokens": -5, "total_tokens": 3}
    asked.send(200, json.dumps(completion(said(asked, {"decision": asked.options[0]}), usage=usage)).encode())


ODD = {
    "never": (hang, "late"),
    "drip by drip": (trickle, "late"),
    "closes": (cut, "late failed"),
    "HTML": (plain(200, "<html>", kind="text/html"), "unreadable"),
    "no choices": (plain(200, json.dumps({**completion({}), "choices": []})), "failed"),
    "refuses the key": (refused, "failed"),
    "refuses a long key": (cut_short, "failed"),
    "busy": (plain(503, "busy", Retry_After="60"), "late failed"),
    "much": (message({"content": "a" * 1_000_000}), "unreadable"),
    "illegal": (good(decision="local/daemon/remove"), "unreadable"),
    "too many": (good(also=["local/notes/ensure"] * 100), "unreadable"),
    "refuses": (message({"content": None, "refusal": f"\x1b[31mno {KEY}"}), "refused"),
    "too long": (message({"content": '{"decision": "lo'}, finish="length"), "unreadable"),
}


@pytest.mark.parametrize("name", ODD)
def test_whatever_a_server_does_the_run_converges_and_says_what_became_of_the_answers(folder: Path, name: str):
    answer, verdicts = ODD[name]
    with ModelServer([answer]) as server:
        result = run(folder, server, seconds=0.5 if "late" in verdicts else 5)
    assert (result.returncode, result.stderr) == (0, "")
    asked = consulted(folder)
    assert asked
    for one in asked:
        assert one.verdict in verdicts.split()
        assert (one.chosen, bool(one.why), bool(one.policy)) == ([], True, True)
        assert 0 < one.seconds < 5
        assert "\x1b" not in one.why
    assert holding(folder, KEY[:16]) == []
    assert KEY[:16] not in result.stdout
    told = document(shiftboss(folder, "brains", "compare", "--json"))["models"][0]
    assert (told["asked"], told["answered"]) == (len(asked), 0)


def test_what_a_model_says_has_no_key_no_secret_and_no_control_characters(folder: Path):
    words = f"\x1b[31mred\x1b]0;title\x07 rpcpassword=hunter2 \u202e {KEY}"
    with ModelServer([good(reasoning=words)]) as server:
        result = run(folder, server, record="answers.jsonl")
    assert (result.returncode, result.stderr) == (0, "")
    assert all(one.verdict == "followed" for one in consulted(folder))
    assert {one.reasoning for one in consulted(folder)} == {"red rpcpassword=[removed]  [removed]"}
    assert holding(folder, KEY) == []
    shown = result.stdout + shiftboss(folder, "explain").stdout
    assert KEY not in shown
    assert not any(ord(letter) < 32 for letter in shown.replace("\n", ""))


def test_odd_token_counts_bring_no_warning(folder: Path):
    with ModelServer([negative]) as server:
        result = run(folder, server)
    assert (result.returncode, result.stderr) == (0, "")
    assert all(one.verdict == "followed" and one.tokens >= 0 for one in consulted(folder))


def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else(folder: Path):
    with ModelServer([good()]) as other, ModelServer([plain(307, "", Location=f"{other.url}/chat/completions")]) as one:
        assert run(folder, one).returncode == 0
    assert other.asked == []
    assert all(asked.verdict == "failed" for asked in consulted(folder))


def test_a_server_that_comes_back_is_asked_again(folder: Path):
    with ModelServer([late(2), good()]) as server:
        assert run(folder, server).returncode == 0
    assert [one.verdict for one in consulted(folder)][:2] == ["late", "followed"]


def test_a_hung_server_beside_the_policy_only_keeps_the_end_waiting(folder: Path):
    with ModelServer([hang]) as server:
        began = time.monotonic()
        result = run(folder, server, "shadow", seconds=2)
    assert (result.returncode, result.stderr) == (0, "")
    assert time.monotonic() - began < 7
    assert {one.verdict for one in consulted(folder)} == {"late"}


@pytest.mark.parametrize("output", ["native", "tool", "prompted", "text"])
def test_each_way_to_ask_is_understood(folder: Path, output: str):
    with ModelServer([good()]) as server:
        result = run(folder, server, output=output)
    assert (result.returncode, result.stderr) == (0, "")
    assert {one.verdict for one in consulted(folder)} == {"followed"}


@pytest.mark.parametrize("brain", ["llm", "shadow"])
def test_a_stop_while_an_answer_is_awaited_is_heard_at_once(folder: Path, brain: str):
    with ModelServer([hang]) as server, begun(folder, server, brain) as hub:
        began = time.monotonic()
        assert "asked to stop" in shiftboss(folder, "stop").stdout
        assert hub.wait(timeout=20) == 130
        assert time.monotonic() - began < 5


def test_a_note_while_an_answer_is_awaited_is_taken_in(folder: Path):
    with ModelServer([hang]) as server, begun(folder, server) as hub:
        name = document(shiftboss(folder, "runs", "--json"))[0]["run"]
        assert shiftboss(folder, "note", name, "the disk was swapped").returncode == 0
        eventually(lambda: "disk was swapped" in shiftboss(folder, "show", name).stdout, 8, "the note in the journal")
        assert hub.poll() is None


def test_the_runs_time_is_kept_though_an_answer_is_awaited(folder: Path):
    with ModelServer([hang]) as server:
        result = shiftboss(
            folder, "run", DEMO, *options(server, seconds=40), "--set=limits.seconds=2", MY_KEY=KEY, seconds=20
        )
    assert (result.returncode, result.stderr) == (5, "")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("words", [("run", DEMO), ("up", "--goal", "make it purr")], ids=["run", "goal"])
def test_an_interruption_while_an_answer_is_awaited_ends_at_once(folder: Path, sign: signal.Signals, words):
    with ModelServer([hang]) as server, begun(folder, server, words=words) as hub:
        hub.send_signal(sign)
        _, said_last = hub.communicate(timeout=5)
    assert hub.returncode == 130
    assert "Interrupted" in said_last
    assert "Traceback" not in said_last


def test_a_run_killed_while_an_answer_is_awaited_is_taken_up_again(folder: Path):
    with ModelServer([hang, good()]) as server:
        with begun(folder, server) as hub:
            hub.kill()
        sets = [*options(server)[2:], "--pipeline", "demo", "--set", "templates.folders=."]
        result = shiftboss(folder, "resume", *sets, MY_KEY=KEY)
    assert (result.returncode, result.stderr) == (0, "")


WRONG = {
    "a key of two lines": (["--set=brain.key_variable=K"], {"K": "one-line-of\nanother"}, "no key has"),
    "a key of odd letters": (["--set=brain.key_variable=K"], {"K": "schl\u00fcssel-123"}, "no key has"),
    "a record nowhere": (["--set=brain.record=nowhere/answers"], {}, "can be written"),
    "an empty goal": (["--goal="], {}, "the goal is empty"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_and_nothing_is_made(place: Path, name: str):
    words, environ, what = WRONG[name]
    model = ["--brain=llm", "--set=brain.model=openai:odd", "--set=brain.base_url=http://127.0.0.1:1/v1"]
    result = no_traceback(shiftboss(place, "up", "--goal=make it purr", *model, *words, **environ))
    assert result.returncode == 2
    assert what in " ".join(result.stderr.split())
    assert list(place.iterdir()) == []
