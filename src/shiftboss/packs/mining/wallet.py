"""The wallet that is paid: made once, and where blocks are made at will funded once.

Blocks that were made are checkpointed, so that a killed daemon keeps them. On other chains nothing is generated: the
wallet is ready without coins.
"""

import json
from typing import Any

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining.chains import chain_of
from shiftboss.packs.mining.diagnosis_chain import remember
from shiftboss.packs.mining.diagnosis_look import bad
from shiftboss.packs.mining.layout import DAEMON, WALLET, adopted, broken, layout, observed, read_json, rpc
from shiftboss.system.files import ensure_private_folder, write_atomic
from shiftboss.system.rpc import Rpc, RpcError, RpcFailure
from shiftboss.system.workbench import Workbench

NOT_LOADED, ALREADY_LOADED = -18, -35
"""Error codes of bitcoind (rpc/protocol.h)."""

STEP = 10
"""Blocks made at a time when earlier rewards only have to mature."""


def name(bench: Workbench) -> str:
    """The wallet's name."""
    return bench.settings.wallet.name


def address(bench: Workbench) -> str:
    """The address that is paid; empty before there is one."""
    note = read_json(layout(bench).wallet_note)
    return str(note.get("address", "")) if note.get("wallet") == name(bench) else ""


async def probe_wallet(bench: Workbench) -> Observation:
    """READY when the wallet is loaded, owns our address and (where blocks are made at will) has mature coins."""
    nobody = _nobody_to_ask(bench)
    if nobody:
        return observed(bench, WALLET, Health.ABSENT, nobody)
    client = rpc(bench, name(bench))
    try:
        balances = (await client.call("getbalances"))["mine"]
        ours = address(bench)
        owned = bool(ours) and (await client.call("getaddressinfo", ours))["ismine"]
    except RpcError as error:
        return await _not_loaded(bench, error)
    except RpcFailure as error:
        return observed(bench, WALLET, Health.ABSENT, f"the daemon can't be asked: {error}")
    if not owned:
        return observed(bench, WALLET, Health.ABSENT, f"wallet {name(bench)} has no address of ours yet")
    evidence = {"wallet": name(bench), "address": ours}
    funded = chain_of(bench).generates
    if funded and balances["trusted"] <= 0:
        return observed(bench, WALLET, Health.ABSENT, f"wallet {name(bench)} has no mature coins", evidence=evidence)
    summary = f"wallet {name(bench)} is loaded and {'funded' if funded else 'has our address'}"
    measures = {"balance": float(balances["trusted"])}
    return observed(bench, WALLET, Health.READY, summary, evidence=evidence, measures=measures)


def _nobody_to_ask(bench: Workbench) -> str:
    if not chain_of(bench).wallet:
        return f"no wallet is kept on {bench.environment.chain}"
    return "our daemon does not run" if not adopted(bench) and bench.processes.find(DAEMON) is None else ""


async def _not_loaded(bench: Workbench, error: RpcError) -> Observation:
    if error.code != NOT_LOADED:
        return observed(bench, WALLET, Health.UNKNOWN, f"the wallet can't be asked: {error}")
    from shiftboss.packs.mining.diagnosis_wallet import diagnose

    on_disk = await _on_disk(bench)
    found = None if adopted(bench) else diagnose(bench, name(bench), known=bool(address(bench)))
    if found:
        return bad(bench, WALLET, found)
    if on_disk:
        summary = f"wallet {name(bench)} is on disk but not loaded"
        return broken(bench, WALLET, FailureKind.WALLET_NOT_LOADED, summary)
    return observed(bench, WALLET, Health.ABSENT, f"there is no wallet {name(bench)} yet")


async def _on_disk(bench: Workbench) -> bool:
    try:
        listed = await rpc(bench).call("listwalletdir")
    except RpcFailure:
        return False
    return any(entry["name"] == name(bench) for entry in listed["wallets"])


async def handle(order: Delegation, bench: Workbench) -> Outcome:
    """Make, load and fund the wallet."""
    if order.mode is Mode.REMOVE:
        return done("the wallet is kept")
    changes = await load(bench)
    client = rpc(bench, name(bench), timeout=60.0)
    changes += await _own_address(bench, client)
    if chain_of(bench).generates:
        changes += await _fund(bench, client, again=order.mode is Mode.FORCE)
    changes += await _back_up(bench, client, again=bool(changes))
    return done(f"wallet {name(bench)} is ready", *changes, address=address(bench))


async def load(bench: Workbench) -> list[str]:
    """Load the wallet, or make it; the changes made."""
    node = rpc(bench, timeout=60.0)
    if name(bench) in await node.call("listwallets"):
        return []
    on_start = None if adopted(bench) else True
    if await _on_disk(bench):
        try:
            await node.call("loadwallet", name(bench), on_start)
        except RpcError as error:
            if error.code == ALREADY_LOADED:
                return []
            raise Failed(FailureKind.WALLET_DAMAGED, f"wallet {name(bench)} does not load: {error}") from error
        return [f"loaded wallet {name(bench)}"]
    await node.call("createwallet", name(bench), False, False, "", False, True, on_start)
    return [f"made wallet {name(bench)}"]


async def _own_address(bench: Workbench, client: Rpc) -> list[str]:
    known = address(bench)
    if known and (await client.call("getaddressinfo", known))["ismine"]:
        return []
    new = await client.call("getnewaddress", "shiftboss", "bech32")
    write_atomic(layout(bench).wallet_note, json.dumps({"wallet": name(bench), "address": new}))
    return [f"made address {new}"]


async def _fund(bench: Workbench, client: Rpc, *, again: bool) -> list[str]:
    """Blocks until some coins are mature: all of them on an empty wallet, else only what is missing."""
    mine: dict[str, Any] = (await client.call("getbalances"))["mine"]
    if mine["trusted"] > 0 and not again:
        return []
    blocks = bench.settings.wallet.blocks
    made = 0
    if again or mine["immature"] <= 0:
        made += await _generate(bench, client, blocks)
    while (await client.call("getbalances"))["mine"]["trusted"] <= 0 and made < blocks * 2:
        made += await _generate(bench, client, STEP)
    await checkpoint(client)
    if not adopted(bench):
        await remember(bench, rpc(bench))
    return [f"made {made} blocks to fund wallet {name(bench)}"]


async def pay(purse: Rpc, to: str, amount: float, fee_rate: float, **options: Any) -> str:
    """Send a payment (coins; satoshis per virtual byte) with these options of the RPC "send"; its transaction's id.

    The lock time is said: left to itself the wallet takes, now and then, one up to 100 blocks back, and Knots lets
    none of 21 into its mempool ("parasite-cat21"), which the answer does not tell.
    """
    sent = await purse.call("send", [{to: amount}], None, "unset", fee_rate, {"locktime": 0, **options})
    return str(sent["txid"])


async def checkpoint(client: Rpc) -> None:
    """Make the daemon write its chain to disk: without it a kill -9 loses every block since the last flush."""
    await client.call("gettxoutsetinfo")


async def _back_up(bench: Workbench, client: Rpc, *, again: bool) -> list[str]:
    """Keep a copy of the wallet's keys: coins can be mined again, keys can't. Not of a daemon that is the user's."""
    target = layout(bench).wallet_backup
    if adopted(bench) or (target.is_file() and not again):
        return []
    ensure_private_folder(target.parent)
    part = target.with_suffix(".part")
    await client.call("backupwallet", str(part.resolve()))
    part.replace(target)
    return [f"kept a copy of the wallet at {target}"]


async def _generate(bench: Workbench, client: Rpc, blocks: int) -> int:
    await client.call("generatetoaddress", blocks, address(bench))
    return blocks
