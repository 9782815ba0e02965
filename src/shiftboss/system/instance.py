"""How a process is named for good, and the marks by which we know our own.

A pid alone proves nothing, for the kernel reuses them: an Instance is pid, start time and boot. The marks are variables
in the environment of every process we start; they outlive us and can't be lost. Looks only, changes nothing.
"""

from shiftboss.model.value import Value
from shiftboss.system import proc

HELPER = "helper"  #: the component mark of short helper programs
HOME_MARK = "SHIFTBOSS_HOME"
ENVIRONMENT_MARK = "SHIFTBOSS_ENVIRONMENT"
COMPONENT_MARK = "SHIFTBOSS_COMPONENT"
RUN_MARK = "SHIFTBOSS_RUN"
DELEGATION_MARK = "SHIFTBOSS_DELEGATION"


class Instance(Value):
    """One running (or once running) process, named for good."""

    pid: int
    started: int  #: clock ticks since boot
    boot: str  #: the machine's boot id

    @property
    def identity(self) -> str:
        """A short text that no other process ever has: pid:started:boot8."""
        return f"{self.pid}:{self.started}:{self.boot[:8]}"


class Marks(Value):
    """What we wrote into the environment of a process we started."""

    home: str  #: resolved working directory
    environment: str
    component: str
    run: str
    delegation: str

    def variables(self) -> dict[str, str]:
        """The environment variables that carry the marks."""
        return {
            HOME_MARK: self.home,
            ENVIRONMENT_MARK: self.environment,
            COMPONENT_MARK: self.component,
            RUN_MARK: self.run,
            DELEGATION_MARK: self.delegation,
        }


def alive(instance: Instance) -> bool:
    """Whether exactly this process still runs; a zombie does not."""
    found = proc.stat(instance.pid)
    return (
        found is not None
        and found.state not in proc.ZOMBIE_STATES
        and found.started == instance.started
        and instance.boot == proc.boot_id()
    )


def instance_of(pid: int) -> Instance | None:
    """The instance that has this pid now; None when there is none."""
    started = proc.start_ticks(pid)
    return None if started is None else Instance(pid=pid, started=started, boot=proc.boot_id())


def marks_of(pid: int) -> Marks | None:
    """Our marks on a process; None when it has none, is gone or may not be read."""
    values = proc.environ(pid, having=COMPONENT_MARK)
    if not values or HOME_MARK not in values or COMPONENT_MARK not in values:
        return None
    return Marks(
        home=values[HOME_MARK],
        environment=values.get(ENVIRONMENT_MARK, ""),
        component=values[COMPONENT_MARK],
        run=values.get(RUN_MARK, ""),
        delegation=values.get(DELEGATION_MARK, ""),
    )
