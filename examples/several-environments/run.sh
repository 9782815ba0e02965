#!/bin/sh
# Four environments in one run: two regtest stacks, testnet4 and main. One of them gets a setting that can't work; the
# others are mended and kept as if it were not there. Needs nothing but shiftboss; everything is kept in $WORKDIR.
set -eu
SHIFTBOSS=${SHIFTBOSS:-shiftboss}
WORKDIR=${WORKDIR:-.shiftboss-several-environments}

$SHIFTBOSS up mining --env alice=regtest,bob=regtest,testnet4,main --workdir "$WORKDIR"
$SHIFTBOSS status --env main --workdir "$WORKDIR"                    # a daemon, and nothing else

$SHIFTBOSS chaos inject miner_killed --env alice --workdir "$WORKDIR"
code=0
$SHIFTBOSS up --set 'env.bob.daemon.args=["-bogus"]' --workdir "$WORKDIR" || code=$?
test "$code" = 3                                  # bob needs a person; alice's miner was started again all the same

$SHIFTBOSS up --workdir "$WORKDIR"                # without the setting: only what bob lacks is done
$SHIFTBOSS down --env bob --workdir "$WORKDIR"    # the others run on
$SHIFTBOSS down --workdir "$WORKDIR"
