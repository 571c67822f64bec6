#!/bin/sh
# Resolve pyproject.toml into the three locks, all agreeing on one version of everything.
# Usage: locks/update.sh UV
set -eu
uv=$1
cd "$(dirname "$0")/.."
resolve() {
  "$uv" pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-header --no-annotate "$@"
}
resolve --all-extras -o locks/test.txt
resolve --extra device --extra host --extra hub --extra sim --extra build --extra firmware -c locks/test.txt -o locks/run.txt
resolve --extra device --extra build -c locks/test.txt -o locks/device.txt
