#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Make the environment of this checkout (.venv) and run Mammascope in it. `./setup.sh --help` says how.
#
# Everything Python needs is named with its hash in requirements/*.lock. The files are fetched once into a folder of the
# user's cache and installed from there, so a second checkout, or a new .venv, needs no network.
# shellcheck disable=SC2031
set -euo pipefail

HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
VENV="$HERE/.venv"
PYTHON="$VENV/bin/python"
WHEELS="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/mammascope/wheels" # cloud-init runs this without HOME
HANDHELD=/opt/mammascope/current
GIVEN_WHEELS=""
PIP_OPTIONS=()
export PIP_DISABLE_PIP_VERSION_CHECK=1

usage() {
    cat <<'HELP'
Mammascope: research and triage support for breast ultrasound, never a diagnosis.

Usage: ./setup.sh COMMAND [OPTION...]

  demo       make the environment and run the app on phantom frames that it makes itself; without a
             screen it prints the finding and where it saved a picture of the screen
              --frames FOLDER   use your own frames instead
  test       make the environment and run every check; options go to pytest
  doctor     check this machine and say in words what is wrong
              --json            the same for programs
              --support-bundle FOLDER   what a technician far away needs, without patients and passwords
  clinic     make the environment of a clinic's archive and start it; clinic/run is the same
              --help            what else it does
  install    make a handheld of this system (with sudo); run it again at any time
              --dry-run         only say what would be done
              --wheels FOLDER   take the Python packages from here (requirements/wheels fills it)
              --display KIND    7inch or touch2, where the panel is not found by itself
              --wifi-country XX the country whose radio rules apply; without it Wi-Fi may be off
              --update-key FILE take updates of this signer (docs/provisioning.md)
              --no-start        do not start the app now
              --root FOLDER     install into this folder instead of the running system
  uninstall  take all of it away again; exams stay
              --purge           delete the exams as well, after asking

The environment is .venv beside this script. It needs Python 3.11 or newer; to choose one:
  MAMMASCOPE_PYTHON=python3.13 ./setup.sh demo   (remove .venv first if it is there)
The first run fetches its packages; later runs, and new checkouts of the same user, need no network.
HELP
}

say() { printf '==> %s\n' "$*" >&2; }
fail() { printf 'setup.sh: %s\n' "$*" >&2; exit 1; }

# --- Debian packages --------------------------------------------------------------------------------------------------

debian_install() {
    # Installs the given packages when that is possible (Debian, root); otherwise says what to ask for.
    if ! command -v apt-get >/dev/null; then
        say "please install with your system's package manager what Debian calls: $*"
        return 1
    elif [ "$(id -u)" -ne 0 ]; then
        say "missing Debian packages; to install them: sudo apt-get install --no-install-recommends $*"
        return 1
    fi
    say "installing Debian packages: $*"
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 && return 0
    # The usual reason is a package list that is empty or old.
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

debian_packages() {
    # Installs what a list in requirements/ names and is not there.
    local name names=()
    while read -r name _; do
        case "$name" in ""|"#"*) continue ;; esac
        names+=("$name")
    done <"$HERE/requirements/debian-$1.txt"
    debian_missing "${names[@]}"
}

debian_missing() {
    # Installs of the given packages what is not there. What needs them says so again, so this never stops.
    local name missing=()
    command -v dpkg-query >/dev/null || return 0
    for name; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    [ "${#missing[@]}" -eq 0 ] || debian_install "${missing[@]}" || say "going on without: ${missing[*]}"
}

# --- Python -----------------------------------------------------------------------------------------------------------

usable_python() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    # The system's own Python first: only that one sees the system's camera library on a Raspberry Pi.
    local candidate
    for candidate in ${MAMMASCOPE_PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if usable_python "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

make_venv() {
    local python options=()
    if usable_python "$PYTHON"; then
        return 0
    fi
    python="$(find_python)" || {
        debian_install python3 python3-venv || true
        python="$(find_python)" || fail "Python 3.11 or newer with its venv module is needed; install it and run this again"
    }
    # picamera2 and libcamera fit each other only as the system ships them, so the environment has to see them.
    "$python" -c 'import picamera2' >/dev/null 2>&1 && options+=(--system-site-packages)
    say "making the environment with $("$python" --version)"
    "$python" -m venv --clear "${options[@]}" "$VENV"
}

fetch_wheels() {
    # Downloads what a lock names into its own folder of the cache, unless all of it is there already.
    local name="$1" lock="$2" folder="$3" older
    [ -z "$GIVEN_WHEELS" ] || return 0
    [ ! -e "$folder/complete" ] || return 0
    say "fetching the packages of $name (once; this can take some minutes)"
    mkdir -p "$folder"
    "$PYTHON" -m pip download --quiet --quiet --no-deps --only-binary=:all: --require-hashes -r "$lock" -d "$folder" ||
        fail "not all packages could be fetched; check the network, or try another Python (see --help)"
    touch "$folder/complete"
    for older in "${folder%-*}"-*; do
        [ "$older" = "$folder" ] || rm -rf "$older"
    done
}

install_lock() {
    # Brings .venv to exactly the versions of one lock and notes that it did.
    local name="$1" lock="$HERE/requirements/$1.lock" tag folder
    tag="$("$PYTHON" -c 'import platform, sys; print(sys.implementation.cache_tag, platform.machine(), sep="-")')"
    folder="${GIVEN_WHEELS:-$WHEELS/$name-$tag-$(sha256sum "$lock" | cut -c1-12)}"
    fetch_wheels "$name" "$lock" "$folder"
    say "installing the packages of $name"
    rm -f "$VENV"/.installed-*
    "$PYTHON" -m pip install --quiet --no-deps --no-index --find-links "$folder" --require-hashes \
        ${PIP_OPTIONS[@]+"${PIP_OPTIONS[@]}"} -r "$lock" || {
        [ -z "$GIVEN_WHEELS" ] || fail "$folder does not hold what $lock names; fill it again with requirements/wheels"
        rm -f "$folder/complete"
        fail "the packages could not be installed; run this again to fetch them again"
    }
    # The checkout itself is used in place.
    echo "$HERE" >"$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/mammascope.pth"
    stamp "$name" >"$VENV/.installed-$name"
    say "the environment is ready"
}

stamp() { echo "$HERE $(cat "$HERE/requirements/$1.lock" "$HERE"/requirements/debian-*.txt | sha256sum)"; }

ready() { [ "$(cat "$VENV/.installed-$1" 2>/dev/null)" = "$(stamp "$1")" ]; }

environment() {
    # Makes .venv fit for `device`, `clinic` or `test`; does nothing when it is already.
    make_venv
    # The clinic's environment holds everything of the device's at the same versions, and that of the tests all of both.
    if ready "$1" || ready test || { [ "$1" = device ] && ready clinic; }; then
        return 0
    fi
    if [ "$1" = clinic ]; then
        debian_missing orthanc orthanc-dicomweb nginx
    else
        debian_packages device
        [ "$1" = device ] || debian_packages "$1"
    fi
    install_lock "$1"
}

# --- commands ---------------------------------------------------------------------------------------------------------

device() {
    environment device
    # -P: a folder called device where the user happens to be must not be taken for ours.
    exec "$PYTHON" -P -m device "$@"
}

clinic() {
    environment clinic
    exec "$PYTHON" -P -m clinic "$@"
}

doctor() {
    # On a handheld the installed program looks, as the user that it runs as: rights are a part of what is checked.
    [ ! -x "$HANDHELD/systemd/mammascope" ] || exec "$HANDHELD/systemd/mammascope" doctor "$@"
    device doctor "$@"
}

handheld() {
    # What makes a handheld of a system is in files of its own.
    # shellcheck source=setup.d/install.sh source=setup.d/boot.sh source=setup.d/uninstall.sh
    . "$HERE/setup.d/install.sh" && . "$HERE/setup.d/boot.sh" && . "$HERE/setup.d/uninstall.sh"
}

memory_for_tests() {
    # Makes and prints a folder in memory for what the tests write: they try the program and not the disk, for which tens
    # of thousands of writes that are to be safe would wait. Prints nothing where there is no room, or nothing may run.
    local folder least_kib=6000000
    folder="$(mktemp -d /dev/shm/mammascope-pytest-XXXXXX 2>/dev/null)" || return 0
    printf '#!/bin/sh\n' >"$folder/program" && chmod 700 "$folder/program"
    if "$folder/program" 2>/dev/null && [ "$(df --output=avail -k "$folder" | tail -n 1)" -gt "$least_kib" ] &&
        [ "$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)" -gt "$least_kib" ]; then
        echo "$folder"
    else
        rm -rf "$folder"
    fi
}

run_tests() {
    local status=0 folder=""
    environment test
    cd "$HERE"
    check "ruff check" "$PYTHON" -m ruff check --quiet . || status=1
    check "ruff format" "$PYTHON" -m ruff format --quiet --check . || status=1
    check "mypy" "$PYTHON" -m mypy --no-error-summary || status=1
    say "pytest"
    # Whole runs share the work among processors, in the order of tests/conftest.py: what takes longest begins first.
    # More than four would need more memory than they save time.
    if [ $# -eq 0 ]; then
        set -- --numprocesses "$(($(nproc) < 4 ? $(nproc) : 4))" --dist loadfile --no-loadscope-reorder
        folder="$(memory_for_tests)"
        [ -z "$folder" ] || set -- "$@" --basetemp "$folder/tests"
    fi
    # Hundreds of tests start the program anew: what Python compiles once is kept, also where it usually may not be.
    env -u PYTHONDONTWRITEBYTECODE TF_CPP_MIN_LOG_LEVEL=3 "$PYTHON" -m pytest "$@" || status=$?
    [ -z "$folder" ] || rm -rf "$folder"
    return "$status"
}

check() {
    local name="$1"
    shift
    say "$name"
    "$@" && return 0
    say "$name: FAILED, see above"
    return 1
}

main() {
    local command="${1:-}"
    [ "$#" -eq 0 ] || shift
    case "$command" in
        demo) device run --demo "$@" ;;
        test) run_tests "$@" ;;
        doctor) doctor "$@" ;;
        clinic) clinic "$@" ;;
        install) handheld && install_device "$@" ;;
        uninstall) handheld && uninstall_device "$@" ;;
        -h | --help | help) usage ;;
        "") usage >&2; exit 2 ;;
        *) printf 'setup.sh: %s is not a command\n\n' "$command" >&2; usage >&2; exit 2 ;;
    esac
}

main "$@"
