#!/bin/sh
# Story 3: something kills the daemon soon after every start. After five failures a person is called, with a report;
# when the cause is gone, `resume` goes on where it stopped.
set -eu
SHIFTBOSS=${SHIFTBOSS:-shiftboss}
WORKDIR=${WORKDIR:-.shiftboss-five-failures}

$SHIFTBOSS up mining --workdir "$WORKDIR"
$SHIFTBOSS chaos inject daemon_crash_loop --workdir "$WORKDIR"

code=0
$SHIFTBOSS up mining --workdir "$WORKDIR" || code=$?
test "$code" = 3                                  # escalated: the report is printed and lies in $WORKDIR/reports

$SHIFTBOSS chaos clear --workdir "$WORKDIR"       # the person finds and ends what killed it
$SHIFTBOSS resume --workdir "$WORKDIR"
