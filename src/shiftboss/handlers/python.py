"""Find the Python function that an agent file names: `package.module:function` or `/path/file.py:function`."""

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic


def load(target: str, place: str) -> Any:
    """The named function; its module is imported once.

    Raises:
        BadInput: there is no such module or function.
    """
    module_name, _, name = target.rpartition(":")
    try:
        module = _from_file(Path(module_name)) if module_name.endswith(".py") else importlib.import_module(module_name)
        return getattr(module, name)
    except Exception as error:
        # Whatever a user's file raises while it is imported is a finding about that file, not a fault of ours.
        what = f"{target} can't be loaded: {type(error).__name__}: {error}"
        remedy = "Correct the name or the file, or install what it imports"
        raise BadInput([Diagnostic(place=place, what=what, remedy=remedy)]) from error


def _from_file(path: Path) -> Any:
    name = f"shiftboss_user_{abs(hash(str(path.resolve())))}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
