#!/usr/bin/env bash
# need.sh COMMAND PACKAGE: see to it that COMMAND is there, installing Debian's PACKAGE where we may.
command -v "$1" >/dev/null 2>&1 && exit 0
as_root=""
if [ "$(id -u)" != 0 ]; then
  if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as_root="sudo -n"; else as_root="no"; fi
fi
if [ "$as_root" != no ] && command -v apt-get >/dev/null 2>&1; then
  echo "==> Installing $2"
  { $as_root apt-get install -y -qq "$2" || { $as_root apt-get update -qq && $as_root apt-get install -y -qq "$2"; }; } >/dev/null 2>&1
fi
command -v "$1" >/dev/null 2>&1 && exit 0
echo "==> $1 is missing. Type: sudo apt-get install $2" >&2
exit 1
