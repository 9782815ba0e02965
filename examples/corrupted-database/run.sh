#!/bin/sh
# Story 2: the daemon's database is corrupted three times. Repaired twice; as that does not last, the third time the
# data is moved aside and the chain begins anew. The fourth time it goes straight to what lasted.
set -eu
SHIFTBOSS=${SHIFTBOSS:-shiftboss}
WORKDIR=${WORKDIR:-.shiftboss-corrupted-database}
export SHIFTBOSS_LIMITS__WINDOW="${WINDOW:-30}"   # seconds a recovery must last; 60 unless told otherwise

damage() {
    $SHIFTBOSS down --workdir "$WORKDIR" --quiet
    $SHIFTBOSS chaos inject undo_file_corrupt --workdir "$WORKDIR"
    $SHIFTBOSS up mining --workdir "$WORKDIR"
    $SHIFTBOSS chaos clear --workdir "$WORKDIR"
}

$SHIFTBOSS up mining --workdir "$WORKDIR"
damage
damage
damage

$SHIFTBOSS restore --workdir "$WORKDIR"          # what was moved aside, and how to bring it back

sleep "$((SHIFTBOSS_LIMITS__WINDOW + 1))"        # it lasts ...
$SHIFTBOSS up mining --workdir "$WORKDIR"        # ... which this run sees: credit
$SHIFTBOSS memory list --workdir "$WORKDIR"

damage
