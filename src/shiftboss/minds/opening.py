"""Settings -> the mind that is asked. Nothing heavy is imported before a model is really wanted."""

import os
from collections.abc import Mapping

from shiftboss.contracts import Mind
from shiftboss.errors import BadInput
from shiftboss.minds.key import Scrubber, read_key
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.settings_table import Brain


def open_mind(brain: Brain, environ: Mapping[str, str] = os.environ, name: str = "") -> Mind:
    """The model that is set, or the one named; out of a recording where one is given.

    Raises:
        BadInput: no model is set, its package is not installed, or its key is not where it was said to be.
    """
    from shiftboss.minds.recording import RecordingMind, ReplayMind

    if brain.replay is not None:
        return ReplayMind(brain.replay)
    mind = _live(brain, environ, name or brain.model)
    return mind if brain.record is None else RecordingMind(mind, brain.record)


def _live(brain: Brain, environ: Mapping[str, str], name: str) -> Mind:
    if not name:
        raise BadInput([_finding("no model is set", "Set brain.model, e.g. --set brain.model=openai:gpt-5-mini")])
    key = read_key(brain, environ)
    try:
        from shiftboss.minds.client import ClientMind
        from shiftboss.minds.providers import model_for, output_for
    except ImportError as error:
        what = f"the model client is not installed ({error.name or error})"
        remedy = "pip install 'shiftboss[llm]', or in a checkout: pip install '.[llm]'"
        raise BadInput([_finding(what, remedy)]) from error
    if brain.telemetry != "off":
        from shiftboss.minds.telemetry import send_spans

        send_spans(environ)
    scrubber = Scrubber(key, environ)
    try:
        model = model_for(brain, name, key)
    except Exception as error:
        # Whatever the client says of a name, a key or a package that is missing is a finding about the settings.
        said = scrubber.clean(" ".join(str(error).split()))
        remedy = "Correct brain.model, brain.base_url or the key; docs/how-to/brains.md lists providers and extras"
        raise BadInput([_finding(f"{name} can't be used: {said[:400]}", remedy)]) from error
    return ClientMind(name, model, output_for(brain, name), scrubber, brain.telemetry)


def _finding(what: str, remedy: str) -> Diagnostic:
    return Diagnostic(place="settings", path="brain.model", what=what, remedy=remedy)
