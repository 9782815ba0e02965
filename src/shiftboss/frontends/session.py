"""A Call -> the session and goal that app.py and control.py work with."""

from collections.abc import Sequence

from shiftboss.app import Request, Session, open_session
from shiftboss.frontends.arguments import PACKS, Call
from shiftboss.view import RunView


def pack_and_components(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """A first word that is a known pack is the pack; the others are components."""
    if words and words[0] in PACKS:
        return words[0], tuple(words[1:])
    return PACKS[0], tuple(words)


def session_of(call: Call) -> Session:
    """The opened working directory; nothing is changed.

    Raises:
        BadInput: settings or templates can't be used, with every finding.
    """
    return open_session(request_of(call))


def request_of(call: Call) -> Request:
    """What a command asks for, before anything is opened."""
    pack, _ = pack_and_components(call.more.get("words", ()))
    return Request(
        workdir=call.workdir, pack=pack, pipeline=call.pipeline, sets=call.sets, environments=call.environments
    )


def in_order(session: Session, view: RunView) -> RunView:
    """The view with its components in the order of the stack instead of that of the journal."""
    order = session.stack.order
    found = sorted(view.components.items(), key=lambda pair: order.get(pair[1].component, len(order)))
    view.components = dict(found)
    return view
