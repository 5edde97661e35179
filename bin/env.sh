# Sourced by the commands beside it: finds Python and the data folder, and installs the packages once.
# Everything that is written lies in the data folder; the checkout stays as it was cloned.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Python 3.11 or newer is needed (python3, with python3-venv)." >&2
    exit 3
fi

if [ -z "${ISPBILLING_DATA:-}" ]; then
    name="$(basename "$root")-$(printf %s "$root" | sha256sum | cut -c1-8)"
    if [ "$(id -u)" = 0 ]; then
        ISPBILLING_DATA="/var/lib/ispbilling/$name"
    else
        ISPBILLING_DATA="${HOME:-/tmp}/.local/share/ispbilling/$name"
    fi
fi
export ISPBILLING_DATA
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
cache="$ISPBILLING_DATA/cache"
# Compiled once and kept there: a process that compiles all it imports starts two seconds later.
export PYTHONPYCACHEPREFIX="$cache/pyc"

# install FILE: a virtual environment with the packages FILE names, made once per content of the lists.
install() {
    local list=$1 sum venv
    sum=$(cat requirements.txt "$list" | sha256sum | cut -c1-8)
    venv="$ISPBILLING_DATA/venv-$(basename "$list" .txt)-$sum"
    if [ ! -e "$venv/complete" ]; then
        echo "Installing packages (once, about a minute) …"
        mkdir -p -m 711 "$ISPBILLING_DATA"
        rm -rf "$venv"
        if ! "$python" -m venv "$venv"; then
            echo "Python's venv is missing. As root: apt-get install -y python3-venv" >&2
            exit 3
        fi
        "$venv/bin/python" -m pip install -qq --no-compile -r "$list" || exit 1
        touch "$venv/complete"
    fi
    PATH="$venv/bin:$PATH"
    export PATH
}

# paper: what PDF files are made with (pango) is part of the system and comes with no Python package. Installed where
# that can be done; where not, said once, and everything else works: invoices are then printed by the browser.
paper() {
    ldconfig -p 2>/dev/null | grep -q libpangoft2-1.0.so && return
    local packages="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing $packages (once) …"
        # shellcheck disable=SC2086
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages; } >/dev/null 2>&1 && return
    fi
    echo "PDF files cannot be made here. As root: apt-get install -y $packages" >&2
}
