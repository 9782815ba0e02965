"""Makes the workbenches of a session: each environment's own settings, ports and processes. Called by app.py."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from shiftboss.environments import FOLDER, Place, allotted
from shiftboss.errors import BadInput
from shiftboss.model.consent import Answer, rules_for
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.move import Risk
from shiftboss.model.profile import Profile
from shiftboss.settings import Settings, Sources
from shiftboss.settings_table import Ports
from shiftboss.system.clock import Clock
from shiftboss.system.environment import Environment
from shiftboss.system.process import Processes
from shiftboss.system.workbench import Workbench

_SHARED_BY_NONE = ("daemon.rpc", "pool.attach")
"""Settings that name one running part, which can only belong to one environment."""


def open_benches(
    home: Path,
    chosen: Mapping[str, Place],
    known: Mapping[str, Place],
    profiles: Mapping[str, Profile],
    sources: Sources,
    clock: Clock,
) -> dict[str, Workbench]:
    """A workbench for each chosen environment; `known` are all of the working directory, whose ports are kept free.

    Raises:
        BadInput: settings are wrong, or there are not enough ports.
    """
    given = {name: sources.settings(name, profiles[place.profile].settings) for name, place in known.items()}
    ports = allotted(known.values(), {name: vars(settings.ports) for name, settings in given.items()})
    settings = {name: given[name].but(ports=Ports(**ports[name])) for name in chosen}
    findings = list(_shared(settings))
    if findings:
        raise BadInput(findings)
    return {name: _bench(home, place, profiles[place.profile], settings[name], clock) for name, place in chosen.items()}


def _bench(home: Path, place: Place, profile: Profile, settings: Settings, clock: Clock) -> Workbench:
    folder = home / FOLDER / place.name
    environment = Environment(name=place.name, profile=profile.name, chain=profile.chain, folder=folder)
    return Workbench(
        home=home,
        environment=environment,
        settings=settings,
        clock=clock,
        processes=Processes(home, place.name, environment.run_folder),
    )


def consent_in(bench: Workbench) -> dict[Risk, Answer]:
    """What may be done in an environment without asking: what was set for it, else what its chain's worth allows."""
    given = vars(bench.settings.consent)
    return rules_for(
        bench.environment.chain, {Risk(name): Answer(said) for name, said in given.items() if said != "chain"}
    )


def _shared(settings: Mapping[str, Settings]) -> Iterator[Diagnostic]:
    for key in _SHARED_BY_NONE:
        group, _, name = key.partition(".")
        users: dict[str, list[str]] = {}
        for environment, one in settings.items():
            users.setdefault(getattr(getattr(one, group), name), []).append(environment)
        for value, names in users.items():
            if value and len(names) > 1:
                what = f"{key} names one part ({value}), but {' and '.join(names)} would share it"
                remedy = f"Name one environment with --env, or set env.NAME.{key} for the one it belongs to"
                yield Diagnostic(place="settings", path=key, what=what, remedy=remedy)
