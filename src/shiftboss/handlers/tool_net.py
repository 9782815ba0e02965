"""Tools that ask services on this machine, and no other: status pages and ports."""

from shiftboss.handlers.tool_place import NotAllowed, ToolPlace
from shiftboss.settings_kinds import is_loopback
from shiftboss.system import http
from shiftboss.system.net import can_connect

_BYTES = 256 * 1024
_SECONDS = 5.0


async def http_get(argument: str, place: ToolPlace) -> str:
    """Status and body of a page; redirects are shown and not followed."""
    host, _, _ = http.split_url(argument)
    _local(host)
    try:
        answer = await http.request("GET", argument, timeout=min(_SECONDS, place.seconds), max_bytes=_BYTES)
    except http.HttpError as error:
        return str(error)
    moved = answer.headers.get("location")
    head = f"status {answer.status}" + (f", moved to {moved} (not followed)" if moved else "")
    return f"{head}\n{answer.body.decode(errors='replace')}"


async def check_port(argument: str, place: ToolPlace) -> str:
    """Whether a connection to a port is accepted; the port as NUMBER or HOST:NUMBER."""
    host, _, number = argument.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    _local(host)
    if not number.isascii() or not number.isdigit() or not 0 < int(number) < 65536:
        raise ValueError(f"{number!r} is no port")
    open_ = await can_connect(host, int(number), min(_SECONDS, place.seconds))
    return f"port {number} {'takes connections' if open_ else 'takes no connection'}"


def _local(host: str) -> None:
    if not is_loopback(host):
        raise NotAllowed("only addresses of this machine (127.0.0.1, ::1, localhost) may be asked")
