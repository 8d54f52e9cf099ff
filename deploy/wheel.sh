#!/bin/sh
# Builds a wheel into dist/, for this Python and for Linux systems like this one, and uses it in a new environment that has no compiler.
# Usage: wheel.sh TOOLS, the virtual environment with the tools of wheel.txt.
set -eu
PATH=$(cd "$1/bin" && pwd):$PATH
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
pip wheel -q --no-deps --config-settings=build-dir=build/wheel -w "$made" .
auditwheel repair -w "$made/repaired" "$made"/*.whl
python -m venv "$made/venv"
"$made/venv/bin/pip" install -q --no-compile "$made"/repaired/*.whl
cp deploy/try_wheel.py "$made"
(cd "$made" && env -i HOME=/nonexistent PATH=/nonexistent venv/bin/python try_wheel.py)
mkdir -p dist
mv -v "$made"/repaired/*.whl dist
