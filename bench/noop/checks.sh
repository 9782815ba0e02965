#!/bin/sh
# The same questions as a person would ask by hand, with curl. What it needs is in its variables (bench/noop.py).
set -e

rpc() { # PATH METHOD PARAMS
  curl -sf --user "$(cat "$COOKIE")" --data "{\"method\":\"$2\",\"params\":[$3]}" "http://127.0.0.1:$RPC_PORT/$1"
}

chain=$(rpc "" getblockchaininfo)
echo "$chain" | grep -q '"chain":"regtest"'
tip=$(echo "$chain" | sed 's/.*"bestblockhash":"\([0-9a-f]*\)".*/\1/')

rpc wallet/shiftboss getbalances | grep -q '"trusted":[0-9]*[1-9]'

status=$(curl -sf "http://127.0.0.1:$STATUS_PORT/status")
echo "$status" | grep -q '"ok": *true'
echo "$status" | grep -q "\"tip\": *\"$tip\""

for part in daemon pool miner; do
  kill -0 "$(sed 's/.*"pid": \([0-9]*\).*/\1/' "$FOLDER/run/$part.pid")"
done

for file in daemon/bitcoin.conf pool/pool.json miner/miner.json proof.json; do test -s "$FOLDER/$file"; done

block=$(sed -n 's/.*"block_hash": "\([0-9a-f]*\)".*/\1/p' "$FOLDER/proof.json" | head -n 1)
rpc "" getblockheader "\"$block\"" | grep -q '"confirmations":[1-9]'
