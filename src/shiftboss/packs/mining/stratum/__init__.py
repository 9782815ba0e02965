"""Our Stratum v1 pool and miner: two programs of their own (`shiftboss-pool`, `shiftboss-miner`).

The hub starts and probes them like any foreign program; nothing else in shiftboss imports from here. Both may
use sockets and the clock directly, which the rest of the package leaves to `system`.
"""
