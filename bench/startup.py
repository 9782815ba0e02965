"""How long a command takes that has nothing to do: whole processes, as a user or a script starts them."""

import sys

import real
from measure import Figure, interleaved
from noop import nothing_was_done, whole


def measure(*, quick: bool) -> list[Figure]:
    """All figures, interleaved on one ready stack."""
    program = real.bitcoind()
    with real.folder() as folder, real.stack(folder / "work") as made:
        made.settings["daemon.binary"] = program
        made.settings["miner.block_interval"] = 3600  # its blocks would disturb
        made.up()
        commands = {
            "python": [sys.executable, "-c", "pass"],
            "version": [real.SHIFTBOSS, "--version"],
            "up": real.as_installed(made, "up", "mining", "--json"),
            "status": real.as_installed(made, "status", "--json"),
        }
        subjects = {name: lambda command=command: whole(command) for name, command in commands.items()}
        interleaved(subjects, 1)  # the first round writes bytecode and fills the page cache
        values = interleaved(subjects, 10 if quick else 25)
        nothing_was_done(made)
    return [
        Figure(name="python -c pass", unit="s", values=values["python"]),
        Figure(name="shiftboss --version", unit="s", values=values["version"], at_most=0.1),
        Figure(name="up on a ready stack (0 mutations)", unit="s", values=values["up"], at_most=0.25),
        Figure(name="status on a ready stack", unit="s", values=values["status"]),
    ]
