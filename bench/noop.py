"""Nothing to do on a ready stack: `up` and `status` against Ansible, pyinfra and a shell script that ask the same.

What is asked: the daemon answers on its chain, the wallet is loaded and has mature coins, the pool is on the daemon's
tip, daemon, pool and miner live, the configurations are there, and the proven block is in the best chain. Each tool
does it in its own plain way (bench/noop), with what makes it fast. All are whole processes, on one stack, in turn.
"""

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import competitors
import real
from measure import Figure, interleaved, ratio, seconds
from stacks import Stack

CHECKS = Path(__file__).parent / "noop"


def measure(*, quick: bool) -> list[Figure]:
    """All figures, interleaved on one ready stack."""
    for name in ("ansible-playbook", "pyinfra"):
        competitors.program(name)
    program = real.bitcoind()
    with real.folder() as folder, real.stack(folder / "work") as made:
        made.settings["daemon.binary"] = program
        made.settings["miner.block_interval"] = 3600  # its blocks would disturb
        made.up()
        subjects = _subjects(made, folder)
        interleaved(subjects, 1)  # the first round writes bytecode and fills the page cache
        values = interleaved(subjects, 2 if quick else 5)
        nothing_was_done(made)
    return _figures(values)


def whole(command: list[str], more: Mapping[str, str] | None = None) -> float:
    """Seconds of one process from start to end.

    Raises:
        RuntimeError: it failed.
    """
    result: list[subprocess.CompletedProcess[bytes]] = []
    environment = {**os.environ, **(more or {})}
    passed = seconds(
        lambda: result.append(subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False))
    )
    if result[0].returncode:
        said = (result[0].stdout + result[0].stderr).decode()[-800:]
        raise RuntimeError(f"{command} ended with {result[0].returncode}: {said}")
    return passed


def nothing_was_done(made: Stack) -> None:
    """Make sure that the stack was ready all the time.

    Raises:
        RuntimeError: there was something to do.
    """
    document = made.up()
    if document["mutations"] or document["delegations"]:
        raise RuntimeError(f"`up` on a ready stack did something: {document['delegations']}")


def _subjects(made: Stack, folder: Path) -> dict[str, Callable[[], float]]:
    asked = {
        "folder": str(made.folder),
        "cookie": str(made.folder / "daemon" / "regtest" / ".cookie"),
        "rpc_port": str(made.ports["rpc"]),
        "status_port": str(made.ports["pool_status"]),
    }
    commands = {
        "up": real.as_installed(made, "up", "mining", "--json"),
        "status": real.as_installed(made, "status", "--json"),
        "shell": ["sh", str(CHECKS / "checks.sh")],
        "pyinfra": [str(competitors.program("pyinfra")), "-y", "@local", str(CHECKS / "deploy.py")],
        "ansible": [str(competitors.program("ansible-playbook")), "-i", "localhost,", str(CHECKS / "playbook.yml")],
    }
    python = f"ansible_python_interpreter={competitors.program('python')}"
    commands["pyinfra"] += [word for pair in asked.items() for word in ("--data", "=".join(pair))]
    commands["ansible"] += [word for pair in asked.items() for word in ("-e", "=".join(pair))] + ["-e", python]
    variables = {name.upper(): value for name, value in asked.items()} | _ansible(folder)
    return {name: lambda command=command: whole(command, variables) for name, command in commands.items()}


def _ansible(folder: Path) -> dict[str, str]:
    """Our configuration instead of this machine's, and a place for its files that goes away."""
    return {"ANSIBLE_CONFIG": str(CHECKS / "ansible.cfg"), "ANSIBLE_HOME": str(folder / "ansible")}


def _figures(values: dict[str, list[float]]) -> list[Figure]:
    up = values["up"]
    return [
        Figure(name="up on a ready stack (0 mutations)", unit="s", values=up, at_most=0.25),
        Figure(name="status on a ready stack", unit="s", values=values["status"]),
        Figure(name="the same checks by curl in a shell script", unit="s", values=values["shell"]),
        Figure(name="the same checks by a pyinfra deploy", unit="s", values=values["pyinfra"]),
        Figure(name="the same checks by an Ansible playbook", unit="s", values=values["ansible"]),
        ratio("up / shell script", up, values["shell"]),
        ratio("up / pyinfra", up, values["pyinfra"], at_most=1 / 3),
        ratio("up / Ansible", up, values["ansible"], at_most=1 / 20),
        ratio("status / pyinfra", values["status"], values["pyinfra"]),
        ratio("status / Ansible", values["status"], values["ansible"]),
    ]
