# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2030,SC2031,SC2034
# Makes a handheld of a bare system; setup.sh reads this for `install` and `uninstall`. docs/provisioning.md explains it.
#
# Every step looks first whether it is done, so it can be run again at any time, also after a power cut. With --root all
# of it goes into a folder; then nothing of the running system is touched.

LEAST_MEMORY_MIB=350
LEAST_DISK_MIB=1200
: "${HERE:?setup.sh reads this file}"
ROOT="" DRY_RUN="" DISPLAY_KIND="" WIFI_COUNTRY="" UPDATE_KEY="" PURGE="" YES="" START=yes CHANGES=0
BASE=opt/mammascope
STATE=var/lib/mammascope-install
DATA=var/lib/mammascope
KEYS=etc/mammascope/update-keys
LOG=var/log/mammascope-install.log

install_options() {
    while [ "$#" -gt 0 ]; do
        case "$1" in
            --root) ROOT="$(realpath -m -- "${2:?--root needs a folder}")"; shift ;;
            --wheels) GIVEN_WHEELS="$(realpath -- "${2:?--wheels needs a folder}")"; shift ;;
            --display) DISPLAY_KIND="${2:?--display needs 7inch or touch2}"; shift ;;
            --update-key) UPDATE_KEY="$(realpath -- "${2:?--update-key needs a file}")"; shift ;;
            --wifi-country) WIFI_COUNTRY="${2:?--wifi-country needs two letters}"; shift ;;
            --dry-run) DRY_RUN=yes ;;
            --no-start) START="" ;;
            --purge) PURGE=yes ;;
            --yes) YES=yes ;;
            *) fail "$1 is not an option; see ./setup.sh --help" ;;
        esac
        shift
    done
    [ "$ROOT" != / ] || ROOT=""
    case "$DISPLAY_KIND" in "" | 7inch | touch2) ;; *) fail "--display is 7inch or touch2" ;; esac
    [ -z "$UPDATE_KEY" ] || grep -qxE '[0-9a-f]{64}' "$UPDATE_KEY" || fail "--update-key is a file that update make wrote"
    case "$WIFI_COUNTRY" in "" | [A-Z][A-Z]) ;; *) fail "--wifi-country is two capital letters, for instance IN" ;; esac
    [ -n "$ROOT" ] || [ "$(id -u)" -eq 0 ] || [ -n "$DRY_RUN" ] || fail "this changes the system: run it with sudo"
}

install_device() {
    install_options "$@"
    umask 022
    check_machine
    if [ -n "$DRY_RUN" ]; then
        say "dry run: nothing is changed"
        install_steps
        return
    fi
    mkdir -p "$ROOT/$STATE" "$ROOT/var/log"
    # One line a step on the screen, the same with the time in the log.
    install_steps 2>&1 | tee >(while IFS= read -r line; do printf '%(%F %T)T %s\n' -1 "$line"; done >>"$ROOT/$LOG")
}

install_steps() {
    install_packages
    install_release
    install_files
    install_user
    install_update_key
    install_settings
    install_boot
    install_wifi
    install_services
    say "done: $CHANGES changes${DRY_RUN:+ would be made}"
    [ -n "$DRY_RUN" ] || [ "$CHANGES" -eq 0 ] || say "restart the device now, or run: sudo ./setup.sh doctor"
}

# --- what every step uses ---------------------------------------------------------------------------------------------

change() {
    # Says what is about to change; false when it must not.
    CHANGES=$((CHANGES + 1))
    say "$*"
    [ -z "$DRY_RUN" ]
}

note() {
    # Remembers in one of the lists of the state folder what has to be undone.
    grep -qxF -- "$2" "$ROOT/$STATE/$1" 2>/dev/null || printf '%s\n' "$2" >>"$ROOT/$STATE/$1"
}

put() {
    # Writes standard input to a file below the root, unless that is what is in it already.
    local target="$ROOT/$1" mode="${2:-644}" content
    content="$(cat; printf x)"
    content="${content%x}"
    if [ -f "$target" ] && cmp -s "$target" - <<<"${content%$'\n'}"; then return 0; fi
    change "writing /$1" || return 0
    mkdir -p "${target%/*}"
    printf '%s' "$content" >"$target.new"
    chmod "$mode" "$target.new"
    sync "$target.new"
    mv "$target.new" "$target"
}

units() {
    # systemctl for the running system, or for the units in a folder.
    systemctl --quiet ${ROOT:+"--root=$ROOT"} "$@"
}

running() { [ -z "$ROOT" ] && [ -d /run/systemd/system ]; }

# --- steps ------------------------------------------------------------------------------------------------------------

check_machine() {
    local memory free folder="$ROOT/opt"
    [ -e "$ROOT/etc/debian_version" ] || fail "this is no Debian: use Raspberry Pi OS 64 bit (Bookworm or newer), or Debian"
    [ "$(getconf LONG_BIT)" = 64 ] ||
        fail "this system is a 32 bit one, for which the inference runtime does not exist: flash the 64 bit image"
    memory=$(($(awk '/^MemTotal:/ { print $2 }' "${MEMINFO:-/proc/meminfo}") / 1024))
    [ "$memory" -ge "$LEAST_MEMORY_MIB" ] ||
        fail "this board has $memory MiB of memory, and the app needs $LEAST_MEMORY_MIB: use one with 512 MiB or more"
    while [ ! -d "$folder" ]; do folder="$(dirname "$folder")"; done
    free=$(($(df --output=avail -k "$folder" | tail -n 1) / 1024))
    [ -e "$ROOT/$BASE/current" ] || [ "$free" -ge "$LEAST_DISK_MIB" ] ||
        fail "only $free MiB are free on the card, and $LEAST_DISK_MIB are needed: make room, or use a larger card"
}

install_packages() {
    local name missing=() perhaps=()
    while read -r name _; do
        case "$name" in "" | "#"*) continue ;; esac
        ! installed_package "${name%\?}" || continue
        case "$name" in *\?) perhaps+=("${name%\?}") ;; *) missing+=("$name") ;; esac
    done < <(cat "$HERE/requirements/debian-handheld.txt" "$HERE/requirements/debian-device.txt")
    # A fresh card may have no package lists: then nothing can be installed, and nothing seems to be offered.
    if [ -z "$DRY_RUN" ] && { [ "${#missing[@]}" -gt 0 ] || [ ! -e "$ROOT/$BASE/current" ]; }; then
        say "renewing the package lists"
        apt-get update -qq || say "the package lists could not be renewed; those that are here are used"
    fi
    # A package with a question mark is taken where the system offers it.
    for name in "${perhaps[@]}"; do
        ! apt-cache show "$name" >/dev/null 2>&1 || missing+=("$name")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    change "installing Debian packages (some minutes): ${missing[*]}" || return 0
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        fail "these packages could not be installed: ${missing[*]}; check the network and run this again"
}

installed_package() {
    dpkg-query ${ROOT:+"--admindir=$ROOT/var/lib/dpkg"} -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

release_parts() {
    local part
    for part in device models systemd setup.d requirements update-keys setup.sh pyproject.toml LICENSE NOTICE README.md; do
        [ ! -e "$1/$part" ] || printf '%s\n' "$part"
    done
}

release_name() {
    # Version and a digest of everything that is installed, so that the same content is the same release.
    local version digest python="$1"
    version="$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$HERE/device/__init__.py")"
    digest="$(cd "$HERE" && release_parts . | xargs -I{} find {} -type f ! -path '*/__pycache__/*' -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | cat - <("$python" --version) | sha256sum | cut -c1-12)"
    printf '%s-%s\n' "${version:-0}" "$digest"
}

install_release() {
    local python name release part
    python="$(find_python)" || {
        [ -n "$DRY_RUN" ] || fail "Python 3.11 or newer with its venv module is needed; install it and run this again"
        change "installing the release, with the Python that is among these packages" || return 0
    }
    name="$(release_name "$python")"
    release="$ROOT/$BASE/releases/$name"
    if [ ! -e "$release/complete" ]; then
        change "installing release $name" || return 0
        mkdir -p "$release"
        while read -r part; do
            rm -rf "${release:?}/$part"
            cp -R "$HERE/$part" "$release/$part"
        done < <(release_parts "$HERE")
        find "$release" -path "$release/venv" -prune -o -name __pycache__ -type d -exec rm -rf {} +
        install_environment "$python" "$release"
        chmod -R u=rwX,go=rX "$release"
        sync -f "$release"
        touch "$release/complete"
    fi
    [ "$(readlink "$ROOT/$BASE/current")" = "releases/$name" ] || switch_release "$name"
}

install_environment() (
    # The environment of one release. It sees the system's packages, because the camera's library fits only as the
    # system ships it; of everything else it holds its own, so that no update of the system changes it.
    HERE="$2" VENV="$2/venv" PYTHON="$2/venv/bin/python" WHEELS="$ROOT/var/cache/mammascope/wheels"
    PIP_OPTIONS=(--ignore-installed)
    export PIP_NO_CACHE_DIR=1
    usable_python "$PYTHON" || "$1" -m venv --clear --system-site-packages "$VENV"
    install_lock device
    "$PYTHON" -m compileall -q "$HERE/device" || fail "the program could not be compiled"
    rm -rf "$WHEELS"
)

switch_release() {
    local old
    change "using release $1" || return 0
    ln -sfn "releases/$1" "$ROOT/$BASE/current.new"
    mv -T "$ROOT/$BASE/current.new" "$ROOT/$BASE/current"
    sync -f "$ROOT/$BASE"
    # The release before this one stays, to go back to; older ones go.
    while read -r _ old; do
        [ "${old##*/}" = "$1" ] || rm -rf "$old"
    done < <(find "$ROOT/$BASE/releases" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | sort -rn | tail -n +3)
}

install_files() {
    local source target mode
    while read -r source target; do
        case "$source" in "" | "#"*) continue ;; esac
        mode=644
        [ ! -x "$HERE/systemd/$source" ] || mode=755
        put "$target" "$mode" <"$HERE/systemd/$source"
        [ -n "$DRY_RUN" ] || note files "$target"
    done <"$HERE/systemd/places"
    [ "$(systemctl --version | awk 'NR == 1 { print int($2) }')" -ge 254 ] || return 0
    put etc/systemd/system/mammascope.service.d/backoff.conf <"$HERE/systemd/config/backoff.conf"
    [ -n "$DRY_RUN" ] || note files etc/systemd/system/mammascope.service.d/backoff.conf
}

install_user() {
    if ! grep -q '^mammascope:' "$ROOT/etc/passwd" 2>/dev/null; then
        change "making the user mammascope" || return 0
        systemd-sysusers ${ROOT:+"--root=$ROOT"} mammascope.conf
    fi
    if [ ! -d "$ROOT/$DATA" ] || [ ! -d "$ROOT/media/mammascope" ] || [ ! -d "$ROOT/$KEYS" ]; then
        change "making the folders of exams, sticks and keys" || return 0
        systemd-tmpfiles ${ROOT:+"--root=$ROOT"} --create mammascope.conf
    fi
}

install_update_key() {
    # Whose updates this device takes; the site file can name a signer as well.
    [ -z "$UPDATE_KEY" ] || put "$KEYS/installed.pub" <"$UPDATE_KEY"
}

install_settings() {
    # Only where there are none: from then on they belong to the app and to the enrolment.
    local rotation=0 owner
    [ ! -e "$ROOT/$DATA/settings.toml" ] || return 0
    [ "$DISPLAY_KIND" != touch2 ] || rotation=90 # its panel is a portrait one
    put "$DATA/settings.toml" 600 < <(printf '[display]\nfullscreen = true\nrotation = %s\n' "$rotation")
    [ -z "$DRY_RUN" ] || return 0
    owner="$(awk -F: '$1 == "mammascope" { print $3 ":" $4 }' "$ROOT/etc/passwd")"
    chown "$owner" "$ROOT/$DATA/settings.toml"
}

install_wifi() {
    # Raspberry Pi OS keeps Wi-Fi switched off until the country is set; the country alone is not enough.
    local state="$ROOT/var/lib/NetworkManager/NetworkManager.state"
    [ -n "$WIFI_COUNTRY" ] && grep -qx WirelessEnabled=false "$state" 2>/dev/null || return 0
    change "switching on Wi-Fi" || return 0
    { running && nmcli radio wifi on; } || sed -i 's/^WirelessEnabled=false$/WirelessEnabled=true/' "$state"
}

install_services() {
    local name wanted=(mammascope.service mammascope-enrol.service mammascope-healthy.timer)
    wanted+=(mammascope-update-resume.service)
    [ ! -e "$ROOT/usr/lib/systemd/system/systemd-timesyncd.service" ] || wanted+=(systemd-timesyncd.service)
    while read -r name; do
        case "$name" in "" | "#"*) continue ;; esac
        units is-enabled "$name" >/dev/null 2>&1 || continue
        change "turning off $name" || continue
        units disable "$name"
        note disabled "$name"
    done <"$HERE/systemd/unneeded"
    for name in "${wanted[@]}"; do
        ! units is-enabled "$name" >/dev/null 2>&1 || continue
        change "turning on $name" || continue
        units enable "$name"
    done
    if running && [ -z "$DRY_RUN" ] && [ "$CHANGES" -gt 0 ]; then
        systemctl daemon-reload
        udevadm control --reload
        systemctl try-restart systemd-journald.service systemd-timesyncd.service || true
        [ -z "$START" ] || systemctl --no-block restart mammascope.service
    fi
}
