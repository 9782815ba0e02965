#!/bin/sh
# Story 1: somebody else takes the pool's port. The daemon must not be restarted, no block made again, and the
# other process must live on. Needs nothing but shiftboss; everything is kept in $WORKDIR.
set -eu
SHIFTBOSS=${SHIFTBOSS:-shiftboss}
WORKDIR=${WORKDIR:-.shiftboss-port-conflict}

$SHIFTBOSS up mining --workdir "$WORKDIR"
$SHIFTBOSS chaos inject stratum_port_foreign --workdir "$WORKDIR"   # the pool dies, a foreign process has its port
$SHIFTBOSS up mining --workdir "$WORKDIR"
$SHIFTBOSS explain --workdir "$WORKDIR"
