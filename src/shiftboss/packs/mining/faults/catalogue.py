"""All faults of the mining stack, in the order in which the scorecard shows them.

The facts about each stand in the file of its subject, beside the functions that put it into real parts.
"""

from shiftboss.packs.mining.faults.configs import CONFIG_FAULTS
from shiftboss.packs.mining.faults.controls import CONTROLS
from shiftboss.packs.mining.faults.data import DATA_FAULTS
from shiftboss.packs.mining.faults.ports import PORT_FAULTS
from shiftboss.packs.mining.faults.processes import PROCESS_FAULTS
from shiftboss.packs.mining.faults.programs import PROGRAM_FAULTS
from shiftboss.packs.mining.faults.space import SPACE_FAULTS
from shiftboss.packs.mining.faults.wallets import WALLET_FAULTS

FAULTS = (
    *PORT_FAULTS,
    *PROCESS_FAULTS,
    *DATA_FAULTS,
    *CONFIG_FAULTS,
    *WALLET_FAULTS,
    *SPACE_FAULTS,
    *PROGRAM_FAULTS,
    *CONTROLS,
)
"""Every fault by itself; two at once are made of two of these."""

TOGETHER = (
    "stratum_port_foreign+miner_killed",
    "pool_frozen+wallet_not_loaded",
    "chainstate_corrupt+wallet_corrupt",
    "height_back+config_edited",
    "undo_file_corrupt+library_missing",
)
"""Some that are put into real parts two at a time; the simulator makes all sorts of pairs and triples."""
