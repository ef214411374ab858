#!/bin/sh
# Sets up .venv from uv.lock. Brings uv into .venv where the machine has none, and, where it may, what Python lacks.
set -eu
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "runtower needs Python 3.11 or newer; $python is $("$python" --version 2>&1). Set PYTHON=/path/to/python3.11." >&2
    exit 2
fi

if [ ! -x .venv/bin/python ]; then
    if ! "$python" -m venv .venv 2>/dev/null; then
        # Debian and Ubuntu ship venv in a package of its own.
        rm -rf .venv
        package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            apt-get update -qq && apt-get install -y -qq --no-install-recommends "$package" >/dev/null
            "$python" -m venv .venv
        else
            echo "Python can't make environments here. Install it first: sudo apt-get install $package" >&2
            exit 2
        fi
    fi
fi

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    [ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
    uv=.venv/bin/uv
fi
# --inexact: uv itself may live in the environment that it fills.
"$uv" sync --quiet --frozen --inexact --python .venv/bin/python
touch .venv/.installed
