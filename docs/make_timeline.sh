#!/bin/sh
# Makes docs/timeline.svg: the quickstart, brought up where nothing of it is. Needs root.
set -eu
cd "$(dirname "$0")/../samples/quickstart"
roots=$(mktemp -d)
export ORCHESTRA_DATA_ROOT="$roots/data" ORCHESTRA_RUN_ROOT="$roots/run"
trap 'orchestra down -v -t 0; rm -rf "$roots"' EXIT
orchestra up -d
orchestra timeline --format svg > ../../docs/timeline.svg
orchestra timeline
