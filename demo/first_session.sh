#!/bin/sh
# The main job on simulated hardware: a wearable is flashed, calibrated, watched for ten seconds and recorded.
# Usage: first_session.sh [OUTPUT_FOLDER]
# With BOARD=mps2-an386 or host it is the firmware, which brings its network along: it tests itself instead of being flashed.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/out/$(date -u +%Y%m%dT%H%M%SZ)}
bundle=$root/models/thermo_models/wearables/breast-patch/bundle.img
mkdir -p "$out"
board=${BOARD:-}
exec thermo-sim exec --wearable breast-patch --no-warm-up ${board:+--board "$board"} -- sh -eu -c '
  port=$1; out=$2; bundle=$3; board=$4
  step() { printf "\n\033[1m%s\033[0m\n" "$*"; "$@"; }
  step thermo-host info "$port"
  if [ -z "$board" ]; then step thermo-host flash "$port" "$bundle"; else step thermo-host self-test "$port"; fi
  step thermo-host calibrate "$port" --quick --set-points 30,38 --hold-out 34.7 --yes --output "$out/calibration"
  step thermo-host stream "$port" --seconds 10 --record "$out/session.mcap"
  step thermo-host replay "$out/session.mcap" --summary
  printf "\nrecording           %s\ncalibration report  %s\n" "$out/session.mcap" "$out/calibration/report.html"
' first_session {port} "$out" "$bundle" "$board"
