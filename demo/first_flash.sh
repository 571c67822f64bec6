#!/bin/sh
# From a blank board in boot mode to a live picture: program it, wait until it answers, watch it. Ctrl-C ends.
# Usage: demo/first_flash.sh FIRMWARE.zip
set -eu
thermo-host flash --via uf2 "$1"
echo "Waiting for its port ..." >&2
left=30
until thermo-host info >/dev/null 2>&1; do
  left=$((left - 1))
  if [ "$left" -eq 0 ]; then
    thermo-host ports
    echo "No wearable answers after half a minute; unplug the board and plug it in again without BOOTSEL, then run: thermo-host stream" >&2
    exit 5
  fi
  sleep 1
done
exec thermo-host stream
