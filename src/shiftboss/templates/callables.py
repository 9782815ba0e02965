"""Whether a `module:function` exists, found out without running any of it.

Called by user.py for handlers and probes. Importing a package to look inside would run its code, so modules are
located by their finders and read as syntax trees.
"""

import ast
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path


def missing(target: str) -> str | None:
    """What is missing of a target (`module:function` or `/path/file.py:function`), or None when it is there."""
    module, _, function = target.rpartition(":")
    if module.endswith(".py"):
        return _missing_in_file(Path(module), function)
    spec = _locate(module)
    if spec is None:
        return f"there is no module '{module}'"
    if spec.origin is None or not spec.origin.endswith(".py"):
        return None  # a compiled module can't be read without running it
    return _missing_in_file(Path(spec.origin), function)


def _locate(module: str) -> ModuleSpec | None:
    path: list[str] | None = None
    spec: ModuleSpec | None = None
    name = ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        spec = PathFinder.find_spec(name, path)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or ())
    return spec


def _missing_in_file(path: Path, function: str) -> str | None:
    try:
        tree = ast.parse(path.read_bytes())
    except OSError:
        return f"there is no file {path}"
    except SyntaxError as error:
        return f"{path} is not valid Python: line {error.lineno}: {error.msg}"
    except ValueError as error:
        return f"{path} is not valid Python: {error}"
    names = set(_names(tree.body))
    if function in names or "*" in names:
        return None
    return f"{path.name} has no function '{function}'"


def _names(body: list[ast.stmt]) -> Iterator[str]:
    """The names a module's statements bind at the top level, also inside if, try and with."""
    for statement in body:
        yield from _bound(statement)
        for field in ("body", "orelse", "finalbody"):
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from _names(getattr(statement, field, []))


def _bound(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name for alias in aliases)
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case _:
            return
