#!/bin/sh
# The main job on simulated hardware: a wearable is flashed, calibrated, watched and recorded, and its recording is computed again.
# Usage: first_session.sh [OUTPUT_FOLDER]
# WEARABLE=NAME|FOLDER|FILE.toml is another wearable; what no chip of it measures comes from its world. With BOARD=mps2-an386 or host it is
# the firmware, which brings its networks along: it tests itself instead of being flashed. SECONDS_LONG=60 watches longer;
# SPEED=max (or a number) lets simulated time run faster than the clock, which a board cannot. HUB=1 opens its live pages instead.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
wearable=${WEARABLE:-breast-patch}
board=${BOARD:-}
speed=${SPEED:-}
if [ -n "$board" ]; then speed=; fi
out=${1:-$root/out/$(date -u +%Y%m%dT%H%M%SZ)}
mkdir -p "$out"
bundle=$root/models/thermo_models/wearables/$wearable/bundle.img
file=$root/models/thermo_models/wearables/$wearable/wearable.toml
if [ ! -f "$bundle" ]; then  # one of your own: signed with the development key, and with a card where it names none
  bundle=$out/bundle.img
  file=$wearable
  if [ -d "$wearable" ]; then file=$wearable/wearable.toml; fi
  set -- --wearable "$wearable" --version 0.0.1 --key "$root/device/thermo_device/development_key/development_ed25519.pem"
  if ! grep -qs "^card *=" "$file"; then
    echo "A wearable on trial." >"$out/CARD.md"
    set -- "$@" --card "$out/CARD.md"
  fi
  thermo-quantize sign "$@" --out "$bundle"
fi
if [ -n "${HUB:-}" ]; then
  exec thermo-sim exec --wearable "$wearable" --no-warm-up ${board:+--board "$board"} -- thermo-hub run
fi
thermo-sim exec --wearable "$wearable" --no-warm-up ${board:+--board "$board"} ${speed:+--speed "$speed"} -- sh -eu -c '
  port=$1; out=$2; bundle=$3; board=$4; seconds=$5
  step() { printf "\n\033[1m%s\033[0m\n" "$*"; "$@"; }
  step thermo-host info "$port"
  if [ -z "$board" ]; then step thermo-host flash "$port" "$bundle"; else step thermo-host self-test "$port"; fi
  if ! step thermo-host calibrate "$port" --quick --set-points 30,38 --hold-out 34.7 --yes --output "$out/calibration" 2>"$out/said"; then
    cat "$out/said"
    grep -q "there is nothing to do" "$out/said"
  fi
  rm "$out/said"
  step thermo-host stream "$port" --seconds "$seconds" --record "$out/session.mcap"
  step thermo-host replay "$out/session.mcap" --summary
  if ! step thermo-host rerun "$out/session.mcap" --bundle "$bundle" >"$out/said"; then
    cat "$out/said"
    exit 1
  fi
  cat "$out/said"
  printf "\nrecording           %s\n" "$out/session.mcap"
  if [ -f "$out/calibration/report.html" ]; then printf "calibration report  %s\n" "$out/calibration/report.html"; fi
' first_session {port} "$out" "$bundle" "$board" "${SECONDS_LONG:-14}"
heard=yes
if grep -q "No findings to compare" "$out/said"; then heard=; fi
rm "$out/said"
if [ -n "$heard" ] || ! grep -q "^\[\[models\]\]" "$file"; then exit 0; fi
if [ -n "$board" ] || [ -n "$speed" ]; then
  printf "\nIts networks want to see more than that before they say anything: SECONDS_LONG=900 watches longer.\n"
  exit 0
fi
printf "\nIts networks want to see more than that before they say anything. A fresh wearable, with its time as fast as this computer goes:\n"
exec thermo-sim exec --wearable "$wearable" --no-warm-up --speed max -- sh -eu -c '
  port=$1; out=$2; bundle=$3
  step() { printf "\n\033[1m%s\033[0m\n" "$*"; "$@"; }
  step thermo-host flash "$port" "$bundle"
  step thermo-host stream "$port" --findings 9 --seconds 100 --record "$out/longer.mcap"
  step thermo-host rerun "$out/longer.mcap" --bundle "$bundle"
  printf "\nrecording           %s\n" "$out/longer.mcap"
' longer {port} "$out" "$bundle"
