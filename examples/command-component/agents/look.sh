#!/bin/sh
# Ready when it did its job just now: its process lives and has written a line within three seconds.
folder=$SHIFTBOSS_FOLDER
pid=$(cat "$folder/heartbeat.pid" 2>/dev/null) || exit 1 # in silence: absent
grep -q '^State:[[:space:]]*[RSDTtI]' "/proc/$pid/status" 2>/dev/null || exit 1
age=$(($(date +%s) - $(stat -c %Y "$folder/heartbeat.log")))
if [ "$age" -gt 3 ]; then
  echo "process $pid lives, but its last line is $age seconds old"
  exit 2 # with words: broken
fi
echo "{\"health\": \"ready\", \"summary\": \"process $pid writes a line every second\", \"instance\": \"$pid\"}"
