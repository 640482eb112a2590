# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2031
# The boot partition of a Raspberry Pi: display, hardware watchdog, no blanking; only between marks, so it can be undone.

BOOT_BEGIN="# mammascope begin: written by setup.sh, changed at its next run"
BOOT_END="# mammascope end"

boot_folder() {
    local folder
    for folder in boot/firmware boot; do
        if [ -f "$ROOT/$folder/config.txt" ] && [ -f "$ROOT/$folder/cmdline.txt" ]; then
            printf '%s\n' "$folder"
            return 0
        fi
    done
    return 1
}

without_our_part() {
    # A config.txt as it was before us.
    awk -v begin="$BOOT_BEGIN" -v end="$BOOT_END" \
        '$0 == begin { ours = 1 } !ours { print } $0 == end { ours = 0 }' "$1"
}

our_part() {
    printf '%s\n[all]\n' "$BOOT_BEGIN"
    grep -v '^#' "$HERE/systemd/boot/config.txt"
    [ "$DISPLAY_KIND" != 7inch ] || echo "dtoverlay=vc4-kms-dsi-7inch"
    [ "$DISPLAY_KIND" != touch2 ] || echo "dtoverlay=vc4-kms-dsi-ili9881-7inch"
    printf '%s\n' "$BOOT_END"
}

install_boot() {
    local folder word words=(consoleblank=0 logo.nologo vt.global_cursor_default=0 quiet) line
    folder="$(boot_folder)" || {
        say "no Raspberry Pi boot partition here: display and hardware watchdog are left alone"
        return 0
    }
    [ -z "$WIFI_COUNTRY" ] || words+=("cfg80211.ieee80211_regdom=$WIFI_COUNTRY")
    put "$folder/config.txt" < <(
        without_our_part "$ROOT/$folder/config.txt"
        our_part
    )
    line="$(head -n 1 "$ROOT/$folder/cmdline.txt")"
    for word in "${words[@]}"; do
        case " $line " in *" $word "*) continue ;; esac
        line="$line $word"
        [ -n "$DRY_RUN" ] || note cmdline "$word"
    done
    put "$folder/cmdline.txt" <<<"$line"
}

uninstall_boot() {
    local folder word line
    folder="$(boot_folder)" || return 0
    put "$folder/config.txt" < <(without_our_part "$ROOT/$folder/config.txt")
    [ -f "$ROOT/$STATE/cmdline" ] || return 0
    line=" $(head -n 1 "$ROOT/$folder/cmdline.txt") "
    while read -r word; do line="${line/ $word / }"; done <"$ROOT/$STATE/cmdline"
    line="${line% }"
    put "$folder/cmdline.txt" <<<"${line# }"
}
