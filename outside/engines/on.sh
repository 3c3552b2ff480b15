#!/bin/sh
# Runs on one engine: the library, part of the conformance kit, and the command.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$@" quick.mjs
"$@" node_modules/meanflow/bin/meanflow.js train --data two-moons --steps 20 --out "$folder/moons"
"$@" node_modules/meanflow/bin/meanflow.js sample "$folder/moons" --count 8 --out "$folder/moons.csv"
