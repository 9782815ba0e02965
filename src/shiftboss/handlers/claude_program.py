"""How Claude's agent program is started for one order: its home, its environment, its limits, and who judges its tools.

The only module that knows the names of the program's package; claude.py has the order.
"""

import importlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

from shiftboss.errors import Failed
from shiftboss.handlers.claude_guard import Guard
from shiftboss.handlers.command_order import ordinary_variables
from shiftboss.model.failure import FailureKind
from shiftboss.model.mind import Usage
from shiftboss.model.move import Delegation
from shiftboss.model.pipeline import Agent
from shiftboss.model.redact import redact_all
from shiftboss.model.untrusted import DATA_RULE
from shiftboss.system.files import ensure_private_folder
from shiftboss.system.workbench import Workbench

_PASSED_ON = ("ANTHROPIC_", "CLAUDE_CODE_USE_", "AWS_", "GOOGLE_", "CLOUD_ML_", "VERTEX_")
_PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"})
_QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_MAX_RETRIES": "2",  # ten of its own take longer than most orders may
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
}


def package(who: str) -> Any:
    """The package, which is large and not there unless it was asked for.

    Raises:
        Failed: it is not installed (kind NO_PROVIDER).
    """
    try:
        return importlib.import_module("claude_agent_sdk")
    except ImportError as error:
        said = f"{who} needs Claude's agent program; pip install 'shiftboss[claude]'"
        raise Failed(FailureKind.NO_PROVIDER, said) from error


def options_for(sdk: Any, agent: Agent, order: Delegation, bench: Workbench, tools: Sequence[str]) -> dict[str, Any]:
    """What is the same for every answer: who it is, where it works, with which tools, and that nothing else is read."""
    bench.environment.make()

    async def nothing_more(_tool: str, _given: dict[str, Any], _context: Any) -> Any:
        return sdk.PermissionResultDeny(message="not allowed here")

    return {
        "system_prompt": f"{agent.system_prompt}\n\n{DATA_RULE}",
        "cwd": bench.environment.folder,
        "tools": list(tools),
        "setting_sources": [],
        "strict_mcp_config": True,
        "permission_mode": "default",
        "can_use_tool": nothing_more,  # what the guard has not allowed
        "max_turns": agent.options.steps,
        "model": agent.options.model.removeprefix("anthropic:") or None,
        "env": variables_for(order, bench),
    }


def hooks_for(sdk: Any, guard: Guard) -> dict[str, Any]:
    """The guard before each use of a tool, and what is taken out of its result after it."""

    async def before(given: Any, _use: str | None, _context: Any) -> Any:
        why = guard.refusal(str(given["tool_name"]), given["tool_input"])
        said = {"permissionDecision": "deny" if why else "allow", "permissionDecisionReason": why or "the agent's own"}
        return {"hookSpecificOutput": {"hookEventName": "PreToolUse", **said}}

    async def after(given: Any, _use: str | None, _context: Any) -> Any:
        cleaned = redact_all(given.get("tool_response"))
        return {"hookSpecificOutput": {"hookEventName": "PostToolUse", "updatedToolOutput": cleaned}}

    return {"PreToolUse": [sdk.HookMatcher(hooks=[before])], "PostToolUse": [sdk.HookMatcher(hooks=[after])]}


def variables_for(order: Delegation, bench: Workbench, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Its variables: a home of its own, our marks, its key. It inherits all others, so these are emptied."""
    home = str(ensure_private_folder(bench.environment.folder / "claude").absolute())
    ordinary = ordinary_variables(environ)
    kept = {name for name in environ if name.startswith(_PASSED_ON) or name.upper() in _PROXIES}
    emptied = dict.fromkeys(environ.keys() - ordinary.keys() - kept, "")
    marks = bench.processes.helper_variables(order.run, order.id)
    return {**emptied, **_QUIET, "HOME": home, "CLAUDE_CONFIG_DIR": home, **marks}


def answer_shape(words: Sequence[str]) -> dict[str, Any]:
    """The JSON Schema of its answer: one of the agent's words, why, and what it puts out."""
    text = {"type": "string"}
    schema = {
        "type": "object",
        "properties": {"decision": {"type": "string", "enum": list(words)}, "reasoning": text, "output": text},
        "required": ["decision", "reasoning"],
        "additionalProperties": False,
    }
    return {"type": "json_schema", "schema": schema}


def usage_of(result: Any) -> Usage:
    """What an answer has cost."""
    parts = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    told: Mapping[str, Any] = result.usage or {}
    tokens = sum(int(told.get(part) or 0) for part in parts)
    return Usage(calls=max(1, result.num_turns), tokens=tokens, money=float(result.total_cost_usd or 0.0))
