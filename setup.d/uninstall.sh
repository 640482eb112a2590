# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Takes everything away that `setup.sh install` has brought, but not the exams: those only with --purge, and when asked.

uninstall_device() {
    local name target
    install_options "$@"
    [ -d "$ROOT/$STATE" ] || fail "nothing of ours is installed here"
    [ -z "$PURGE" ] || confirm_purge
    for name in mammascope-healthy.timer mammascope.service mammascope-enrol.service mammascope-upload.service \
        mammascope-update-resume.service; do
        ! running || [ -n "$DRY_RUN" ] || systemctl stop "$name" || true
        ! units is-enabled "$name" >/dev/null 2>&1 || { change "turning off $name" && units disable "$name"; } || true
    done
    while read -r target; do
        [ -e "$ROOT/$target" ] || continue
        change "removing /$target" || continue
        rm -f "$ROOT/$target"
        case "$target" in usr/local/bin/*) ;; *) rmdir --ignore-fail-on-non-empty "$(dirname "$ROOT/$target")" ;; esac
    done < <(cat "$ROOT/$STATE/files" 2>/dev/null)
    while read -r name; do
        change "turning on $name again" && units enable "$name"
    done < <(cat "$ROOT/$STATE/disabled" 2>/dev/null)
    uninstall_boot
    if change "removing the program"; then
        rm -rf "$ROOT/${BASE:?}" "$ROOT/var/cache/mammascope" "$ROOT/var/lib/mammascope-health" "$ROOT/${STATE:?}" \
            "$ROOT/etc/mammascope"
        rm -f "$ROOT/${LOG:?}"
        rmdir --ignore-fail-on-non-empty "$ROOT/media/mammascope" 2>/dev/null || true
        ! running || systemctl daemon-reload
    fi
    if [ -n "$PURGE" ]; then purge; else say "the exams stay in /$DATA, and with them the user mammascope; Debian packages stay too"; fi
}

confirm_purge() {
    local answer=""
    [ -z "$YES" ] && [ -z "$DRY_RUN" ] || return 0
    printf 'All exams on this device will be gone, sent or not. Type "delete all exams" to go on: ' >&2
    read -r answer || true
    [ "$answer" = "delete all exams" ] || fail "nothing was removed"
}

purge() {
    change "deleting all exams and the user" || return 0
    rm -rf "$ROOT/${DATA:?}"
    ! grep -q '^mammascope:' "$ROOT/etc/passwd" || userdel ${ROOT:+--prefix "$ROOT"} mammascope
}
