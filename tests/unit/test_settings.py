"""Settings: precedence, types, and every finding at once with its place and remedy."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.settings import Limits, Ports, Settings, load_settings, split_address
from shiftboss.settings_table import table


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def load(work: Path, *sets: str, **environ: str) -> Settings:
    return load_settings(work, sets=sets, environ={"HOME": "/home/me", **environ}, cwd=work.parent)


def findings(work: Path, *sets: str, **environ: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(BadInput) as caught:
        load(work, *sets, **environ)
    return caught.value.diagnostics


def test_without_any_source_the_defaults_hold(work):
    settings = load(work)
    assert (settings.ports.rpc, settings.ports.p2p, settings.ports.stratum, settings.ports.pool_status) == (
        18443,
        18444,
        3333,
        8334,
    )
    assert settings.daemon.binary is None
    assert settings.miner.block_interval == 30.0
    assert settings.miner.workers == ("shiftboss.1",)
    assert settings.cache.folder == Path("/home/me/.cache/shiftboss")


def test_each_source_is_stronger_than_the_one_before(work):
    (work.parent / "shiftboss.toml").write_text("[ports]\nrpc = 1001\np2p = 1001\nstratum = 1001\npool_status = 1001\n")
    (work / "shiftboss.toml").write_text("[ports]\np2p = 1002\nstratum = 1002\npool_status = 1002\n")
    settings = load(
        work,
        "ports.pool_status=1004",
        SHIFTBOSS_PORTS__STRATUM="1003",
        SHIFTBOSS_PORTS__POOL_STATUS="1003",
    )
    assert settings.ports == Ports(rpc=1001, p2p=1002, stratum=1003, pool_status=1004)


def test_the_same_folder_is_read_once(work):
    (work / "shiftboss.toml").write_text("nonsense = 1\n")
    with pytest.raises(BadInput) as caught:
        load_settings(work, environ={}, cwd=work)
    assert len(caught.value.diagnostics) == 1


def test_relative_paths_are_relative_to_where_they_were_written(work):
    (work / "shiftboss.toml").write_text(
        '[daemon]\nbinary = "bin/../daemon"\n[templates]\nfolders = ["mine", "~/all"]\n'
    )
    settings = load(work, "miner.binary=minerd", "cache.folder=~")
    assert settings.daemon.binary == work / "daemon"
    assert settings.templates.folders == (work / "mine", Path("/home/me/all"))
    assert settings.miner.binary == work.parent / "minerd"
    assert settings.cache.folder == Path("/home/me")


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"SHIFTBOSS_CACHE": "/c", "XDG_CACHE_HOME": "/x"}, "/c"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/shiftboss"),
        ({"XDG_CACHE_HOME": "relative"}, "/home/me/.cache/shiftboss"),
        ({"SHIFTBOSS_CACHE__FOLDER": "/f", "SHIFTBOSS_CACHE": "/c"}, "/f"),
        ({"SHIFTBOSS_CACHE__FOLDER": "", "SHIFTBOSS_CACHE": "/c"}, "/c"),
    ],
)
def test_the_cache_folder_follows_the_usual_variables(work, environ, folder):
    assert load(work, **environ).cache.folder == Path(folder)


def test_a_variable_with_one_underscore_too_few_is_named_with_the_right_one(work):
    found = findings(work, SHIFTBOSS_PORTS_RPC="1", SHIFTBOSS_POOL_SHARE_DIFFICULTY="2", SHIFTBOSS_MINER__THREADS="2")
    assert [(one.place, one.path, one.remedy) for one in found] == [
        ("environment", "SHIFTBOSS_PORTS_RPC", "Call it SHIFTBOSS_PORTS__RPC."),
        ("environment", "SHIFTBOSS_POOL_SHARE_DIFFICULTY", "Call it SHIFTBOSS_POOL__SHARE_DIFFICULTY."),
    ]
    (both,) = findings(work, SHIFTBOSS_PORTS_RPC="1", SHIFTBOSS_PORTS__RPC="1800")
    assert "unset it" in both.remedy


def test_what_we_set_ourselves_is_no_misspelt_setting(work):
    ours = ("HOME", "ENVIRONMENT", "COMPONENT", "RUN", "DELEGATION", "CACHE", "TEST_DEBUG", "RPC", "RPC_COOKIE_FILE")
    more = ("WALLET", "ADDRESS", "STRATUM", "POOL_STATUS")
    assert load(work, **{f"SHIFTBOSS_{name}": "x" for name in (*ours, *more)}).ports == Ports()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("ports.rpc=2000", 2000),
        ("miner.block_interval=off", None),
        ("miner.block_interval=0", 0.0),
        ("miner.threads=0", 0),
        ("daemon.args=-a -b='two words'", ("-a", "-b=two words")),
        ('daemon.args=["-a", "-b=two words"]', ("-a", "-b=two words")),
        ("daemon.args=", ()),
        ("pool.attach=http://LOCALHOST:3333/", "LOCALHOST:3333"),
        ("pool.attach=[::1]:3333", "[::1]:3333"),
        ("pool.share_difficulty=1e-5", 1e-5),
        ("store.synchronous=NORMAL", "NORMAL"),
        ("pool.command=p -r {rpc} -c {rpc_cookie_file} -p {stratum_port} {address}", None),
    ],
)
def test_texts_become_typed_values(work, setting, value):
    settings = load(work, setting)
    group, name = setting.partition("=")[0].split(".")
    found = getattr(getattr(settings, group), name)
    if name != "command":
        assert found == value


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ("ports.rpc=0", "out of range"),
        ("ports.rpc=65536", "out of range"),
        ("ports.rpc=x", "not a whole number"),
        ("ports.rpc=1.5", "not a whole number"),
        ("ports.rpc=", "not a whole number"),
        ("limits.parallel=65", "out of range"),
        ("limits.seconds=0", "greater than 0"),
        ("limits.seconds=nan", "not a number"),
        ("limits.seconds=inf", "not a number"),
        ("miner.block_interval=-1", "is -1"),
        ("miner.kind=cpu", "is 'cpu'"),
        ("store.synchronous=OFF", "is 'OFF'"),
        ("wallet.name=../other", "is '../other'"),
        ("wallet.name=", "is ''"),
        ("daemon.rpc=somewhere", "not HOST:PORT"),
        ("daemon.rpc=https://127.0.0.1:1", "not HOST:PORT"),
        ("daemon.rpc=u:p@127.0.0.1:1", "not HOST:PORT"),
        ("daemon.rpc=127.0.0.1:70000", "not HOST:PORT"),
        ("daemon.rpc=10.0.0.1:8332", "not this machine"),
        ("pool.attach=pool.example:3333", "not this machine"),
        ("daemon.binary=a\nb", "control character"),
        ("daemon.binary=~nobody-of-that-name/x", "no such home folder"),
        ("daemon.args='open", "quotation"),
        ("daemon.args=[1]", "not a text"),
        ("daemon.args=[", "Expecting value"),
        ("daemon.args=-rpcpassword=secret", "holds -rpcpassword,"),
        ("pool.command=p {port}", "unknown placeholder {port}"),
        ("pool.command=p {}", "unknown placeholder {}"),
        ("pool", "no value"),
        ("pool=x", "is a group"),
        ("portz.rpc=1", "no setting portz.rpc"),
        ("=1", "no setting "),
    ],
)
def test_a_bad_value_is_a_finding_that_says_what_and_how_to_mend(work, setting, what):
    (finding,) = findings(work, setting)
    assert what in finding.what
    assert finding.place == "command line"
    assert finding.remedy
    assert "secret" not in str(finding)


@pytest.mark.parametrize(
    "toml", ["rpc = true", "rpc = 1.0", "rpc = []", "rpc = 2020-01-01", "rpc = {}", "rpc = {a = 1}"]
)
def test_wrong_types_in_a_file_are_findings_with_their_line(work, toml):
    (work / "shiftboss.toml").write_text(f"# mine\n[ports]\n{toml}\n")
    (finding,) = findings(work)
    assert (finding.place, finding.line) == (str(work / "shiftboss.toml"), 3)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("ports.rcp", "ports.rpc"),
        ("limits.paralel", "limits.parallel"),
        ("deamon.binary", "daemon.binary"),
        ("parallel", "limits.parallel"),
    ],
)
def test_an_unknown_key_names_the_nearest_one(work, wrong, right):
    (finding,) = findings(work, f"{wrong}=1")
    assert f"Did you mean {right}?" == finding.remedy


def test_far_away_keys_get_the_list_of_groups(work):
    (finding,) = findings(work, "xyz.uvw=1")
    assert "ports, daemon, wallet" in finding.remedy


def test_all_findings_of_all_sources_come_at_once(work):
    (work.parent / "shiftboss.toml").write_text("[limits\n")
    (work / "shiftboss.toml").write_text('[wallet]\nblocks = -1\n\n[miner]\nkind = "gpu"\nlimits.x = 3\n')
    found = findings(work, "ports.rpc=x", "nothing", SHIFTBOSS_STORE__SYNC="FULL")
    assert [(Path(one.place).parent.name, one.line, one.path) for one in found] == [
        (work.parent.name, 1, ""),
        ("", None, "--set nothing"),
        ("work", 2, ""),
        ("work", 5, ""),
        ("work", 6, ""),
        ("", None, "SHIFTBOSS_STORE__SYNC"),
        ("", None, "--set ports.rpc"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = \n", 1), ("\n\n[x", 3), ("[ports]\nrpc = 1\nrpc = 2\n", 3), ('a = """\nx\n', 3), ("[a]\n[a]\n", 2)],
)
def test_a_syntax_error_has_its_line(work, text, line):
    (work / "shiftboss.toml").write_text(text)
    (finding,) = findings(work)
    assert finding.line == line


def test_files_that_are_no_text_or_can_not_be_read_are_findings(work):
    (work / "shiftboss.toml").write_bytes(b"\xff\xfe")
    (work.parent / "shiftboss.toml").mkdir()
    assert len(findings(work)) == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ports.rpx = 1", 1),
        ('\n"ports" . "rpx" = 1', 2),
        ("\nports = { rpx = 1 }", 2),
        ("[ ports ]\n\n  rpx=1", 3),
        ("[[ports]]\nrpx = 1", 1),
        ("[ports.rpx]\ndeep = 1", 2),
        ("[portz]", 1),
    ],
)
def test_the_line_of_a_key_is_found_however_it_is_written(work, text, line):
    (work / "shiftboss.toml").write_text(text)
    (finding,) = findings(work)
    assert finding.line == line


def test_a_daemon_of_the_user_needs_address_and_cookie(work):
    assert "without daemon.cookie_file" in findings(work, "daemon.rpc=127.0.0.1:1")[0].what
    assert "without daemon.rpc" in findings(work, "daemon.cookie_file=/c")[0].what
    settings = load(work, "daemon.rpc=http://127.0.0.1:1", "daemon.cookie_file=c")
    assert (settings.daemon.rpc, settings.daemon.cookie_file) == ("127.0.0.1:1", work.parent / "c")


def test_settings_that_exclude_each_other_are_found_across_sources(work):
    (work / "shiftboss.toml").write_text('[pool]\ncommand = ["p"]\n[daemon]\nbinary = "d"\n')
    found = findings(work, "pool.attach=127.0.0.1:1", "daemon.rpc=127.0.0.1:2")
    assert [one.what for one in found] == [
        "daemon.rpc is set without daemon.cookie_file",
        "pool.command and pool.attach are both set",
        "daemon.binary and daemon.rpc are both set",
    ]
    load(work, "pool.attach=127.0.0.1:1", "pool.command=")  # an empty one takes the weaker one back


def test_equal_ports_are_found_even_with_a_default(work):
    (work / "shiftboss.toml").write_text("[ports]\n\nrpc = 3333\n")
    (finding,) = findings(work)
    assert finding.what == "ports.rpc and ports.stratum are both 3333"
    assert finding.line == 3


def test_a_bad_value_is_not_blamed_twice(work):
    assert len(findings(work, "daemon.rpc=nowhere", "daemon.cookie_file=/c")) == 1


def test_our_marks_and_test_variables_are_no_settings(work):
    names = ("HOME", "ENVIRONMENT", "COMPONENT", "RUN", "DELEGATION", "CACHE", "TEST__X", "TEST_REAL", "SOMETHING")
    load(work, **{f"SHIFTBOSS_{name}": "/x" for name in names}, OTHER__VARIABLE="1")


def test_values_can_not_be_changed_and_are_compared_by_content():
    settings = Settings(ports=Ports(rpc=1))
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.ports.rpc = 2  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del settings.ports
    with pytest.raises(TypeError, match="no field prots"):
        Settings(prots=Ports())  # pyright: ignore[reportCallIssue]
    assert settings == Settings(ports=Ports(rpc=1))
    assert hash(settings) == hash(Settings(ports=Ports(rpc=1)))
    assert settings != Settings()
    assert Ports() != Limits()
    assert dataclasses.replace(settings, ports=Ports()) == Settings()
    assert "rpc=1" in repr(settings)


def test_the_digest_changes_with_any_setting():
    digests = {
        Settings().digest(),
        Settings(ports=Ports(rpc=1)).digest(),
        Settings(limits=Limits(seconds=1.0)).digest(),
    }
    assert len(digests) == 3
    assert all(len(digest) == 12 for digest in digests)


def test_every_setting_is_documented_with_type_default_and_reason():
    rows = list(Settings.describe())
    assert [row.key for row in rows] == list(table()) == list(Settings().as_dict())
    for row in rows:
        assert row.doc.endswith(".")
        assert row.type
        assert row.why


VALUES = {
    "ports.rpc": st.integers(1, 3000),
    "daemon.args": st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), max_size=3),
    "miner.block_interval": st.one_of(st.just("off"), st.floats(0, 1e9)),
    "pool.share_difficulty": st.floats(0, 1e9, exclude_min=True),
    "wallet.blocks": st.integers(0, 100_000),
    "miner.workers": st.lists(st.text("ab '\"\\[{", max_size=5), max_size=3),
}


@given(values=st.fixed_dictionaries({}, optional=VALUES))
def test_written_out_and_read_again_settings_are_the_same(tmp_path_factory, values):
    import json

    folder = tmp_path_factory.getbasetemp()

    def read(plain: dict[str, object]) -> Settings:
        sets = [f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in plain.items()]
        return load_settings(folder, sets=sets, environ={"HOME": "/h"}, cwd=folder)

    first = read(values)
    assert read(first.as_dict()) == first
    for key, value in values.items():
        assert first.as_dict()[key] == value


def test_splitting_addresses():
    assert split_address("http://127.0.0.1:8332/") == ("127.0.0.1", 8332)
    assert split_address("[::1]:3333") == ("::1", 3333)
    with pytest.raises(ValueError, match="HOST:PORT"):
        split_address("::1:3333")


def test_importing_the_settings_loads_nothing_heavy():
    code = "import shiftboss.settings, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"tomllib", "difflib", "shlex", "pydantic", "asyncio", "sqlite3", "logging", "subprocess", "tempfile"}
    assert heavy.isdisjoint(done.stdout.split())
