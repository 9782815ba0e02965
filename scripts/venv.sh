#!/bin/sh
# Make the virtual environment VENV and install WHAT ('.' or '.[dev]') into it, with the versions of constraints.txt.
# Needs python3 >= 3.11 with venv. Root on a Debian machine gets python3-venv installed; anybody else a clear message.
set -eu
venv=$1
what=$2

say() { printf 'shiftboss: %s\n' "$*" >&2; }

[ "$(uname -s)" = Linux ] || { say "this works on Linux only (this is $(uname -s))."; exit 2; }

python=${PYTHON:-}
if [ -z "$python" ]; then
  for one in python3 python3.13 python3.12 python3.11; do
    if command -v "$one" >/dev/null 2>&1 && "$one" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$one
      break
    fi
  done
fi
if [ -z "$python" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "no Python 3.11 or newer here: installing Debian's python3 and python3-venv"
    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 python3-venv >/dev/null
    python=python3
  else
    say "Python 3.11 or newer is needed. Install python3 and python3-venv (as root: apt-get install python3 python3-venv),"
    say "or name another one: PYTHON=/path/to/python3.11 make run"
    exit 2
  fi
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "python3 has no venv here: installing Debian's python3-venv"
    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
  else
    say "$python has no venv module. Install it (on Debian, as root: apt-get install python3-venv) and run this again."
    exit 2
  fi
fi

[ -x "$venv/bin/python" ] || { say "making $venv"; "$python" -m venv "$venv"; }
say "installing $what into $venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e "$what" 2>"$venv/pip.log" || {
  tail -n 15 "$venv/pip.log" >&2
  say "the installation failed; the whole of it is in $venv/pip.log"
  exit 1
}
