#!/usr/bin/env bash
# Make the repository's own environment from requirements.txt, with the package in it as it stands.
set -euo pipefail
venv=$1

for python in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
  [ -n "$python" ] || continue
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi
  python=""
done
if [ -z "$python" ]; then
  echo "bncourse needs Python 3.11 or newer, and found none. On Debian or Ubuntu type: sudo apt-get install python3 python3-venv" >&2
  exit 1
fi
if [ ! -x "$venv/bin/python" ]; then
  echo "==> Making the environment $venv ($("$python" --version))"
  if ! "$python" -m venv "$venv"; then
    rm -rf "$venv"
    echo "python3 has no venv module here. On Debian or Ubuntu type: sudo apt-get install python3-venv" >&2
    exit 1
  fi
fi
echo "==> Installing the pinned packages (first time: one to three minutes)"
"$venv/bin/pip" install --quiet --requirement requirements.txt
"$venv/bin/pip" install --quiet --no-deps --no-build-isolation --editable .
