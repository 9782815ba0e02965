#!/bin/sh
# Brings the heartbeat up, or stops it; looks first, so that a second call changes nothing.
set -eu
mode=$1 folder=$2
pid=$(cat "$folder/heartbeat.pid" 2>/dev/null || true)
beats() { [ -n "$pid" ] && grep -q "^State:[[:space:]]*[RSDTtI]" "/proc/$pid/status" 2>/dev/null; }

if [ "$mode" = remove ]; then
  if beats; then kill "$pid"; fi
  rm -f "$folder/heartbeat.pid"
  echo '{"decision": "heartbeat_ready", "summary": "the heartbeat has stopped", "changes": ["stopped the heartbeat"]}'
elif beats; then
  echo '{"decision": "heartbeat_ready", "summary": "it beats already", "changes": []}'
else
  : > "$folder/heartbeat.log"
  # Of its own session and without our marks: it outlives this order, as a part of the stack does. Its first line is
  # waited for: what has no session of its own yet when the order ends is ended with it.
  env -u SHIFTBOSS_HOME setsid sh -c "while :; do date >> '$folder/heartbeat.log'; sleep 1; done" >/dev/null 2>&1 </dev/null &
  echo $! > "$folder/heartbeat.pid"
  until [ -s "$folder/heartbeat.log" ]; do sleep 0.05; done
  echo '{"decision": "heartbeat_ready", "summary": "it beats", "changes": ["started the heartbeat"]}'
fi
