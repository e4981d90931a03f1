#!/usr/bin/env bash
# Installs a package of daznode on this machine, uses it, removes and purges it, and looks at each step. As root, on a
# machine that has no daznode: it ends before it touches anything where there is one.
set -euo pipefail

deb=$(realpath -- "${1:?usage: packaging/test-deb.sh FILE.deb}")
checks=0

fail() {
    printf 'test-deb: %s\n' "$*" >&2
    exit 1
}

# check WORDS COMMAND...: a command that must succeed.
check() {
    local words=$1
    shift
    "$@" >/dev/null || fail "$words: $*"
    checks=$((checks + 1))
}

# equal WORDS EXPECTED FOUND
equal() {
    [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"
    checks=$((checks + 1))
}

# mode PATH MODE OWNER GROUP
mode() {
    equal "$1" "$2 $3 $4" "$(stat -c '%a %U %G' -- "$1")"
}

gone() {
    if [ -e "$1" ] || [ -L "$1" ]; then
        fail "$1 is still there"
    fi
    checks=$((checks + 1))
}

# code EXPECTED COMMAND...: a command that must end with this exit code.
code() {
    local expected=$1 found=0
    shift
    "$@" >"$work/out" 2>&1 || found=$?
    [ "$found" = "$expected" ] || fail "$*: expected exit code $expected, found $found: $(cat "$work/out")"
    checks=$((checks + 1))
}

# What systemd would do for the service: its user, its umask, its state folder.
as_service() {
    (cd / && umask 0027 && runuser -u daznode -- env -i PATH=/usr/bin:/bin STATE_DIRECTORY=/var/lib/daznode "$@")
}

[ "$(id -u)" -eq 0 ] || fail "needs root"
if dpkg-query -W -f '${db:Status-Abbrev}' daznode 2>/dev/null | grep -q '^[^u]'; then
    fail "daznode is installed here: this test would remove it"
fi
for path in /etc/daznode /var/lib/daznode /usr/bin/daznode; do
    [ ! -e "$path" ] || fail "$path is there: this test would remove it"
done

had_user=$(getent passwd daznode || true)
work=$(mktemp -d)
# Leaves the machine as it was, also where a check fails.
clean_up() {
    local ended=$?
    rm -rf "$work"
    dpkg --purge daznode >/dev/null 2>&1 || true
    if [ -z "$had_user" ] && getent passwd daznode >/dev/null; then
        userdel daznode >/dev/null 2>&1 || true
        ! getent group daznode >/dev/null || groupdel daznode >/dev/null 2>&1 || true
    fi
    exit "$ended"
}
trap clean_up EXIT

echo "test-deb: install"
dpkg -i "$deb" >"$work/dpkg" 2>&1 || fail "dpkg -i: $(cat "$work/dpkg")"
equal "state of the package" ii "$(dpkg-query -W -f '${db:Status-Abbrev}' daznode | tr -d ' ')"
equal "changed files" "" "$(dpkg --verify daznode)"

mode /usr/bin/daznode 755 root root
mode /usr/lib/daznode/on-failure 755 root root
mode /etc/daznode 755 root root
mode /etc/daznode/config.toml 644 root root
mode /etc/daznode/credentials 700 root root
mode /var/lib/daznode 750 daznode daznode
equal "credentials as installed" "" "$(ls -A /etc/daznode/credentials)"
equal "home, shell" "/var/lib/daznode /usr/sbin/nologin" "$(getent passwd daznode | awk -F: '{print $6, $7}')"
check "config.toml is a conffile" grep -qx /etc/daznode/config.toml /var/lib/dpkg/info/daznode.conffiles
for file in /usr/share/man/man1/daznode.1.gz /usr/share/bash-completion/completions/daznode \
    /usr/share/zsh/vendor-completions/_daznode /usr/share/fish/vendor_completions.d/daznode.fish \
    /usr/share/doc/daznode/examples/cron /usr/share/doc/daznode/copyright; do
    check "$file" test -s "$file"
done
wants=/etc/systemd/system/timers.target.wants
for timer in daznode daznode-weekly daznode-monthly; do
    check "$timer.timer is on" test -L "$wants/$timer.timer"
done
gone "$wants/daznode-due.timer"
gone /etc/systemd/system/multi-user.target.wants/daznode-watch.service

echo "test-deb: units"
for unit in daznode.service daznode-due.service daznode-weekly.service daznode-monthly.service \
    daznode-failed@daznode.service.service daznode.timer daznode-due.timer daznode-weekly.timer daznode-monthly.timer \
    daznode-watch.service; do
    man=--man=no
    ! command -v man >/dev/null || man=--man=yes
    found=$(systemd-analyze verify "$man" --recursive-errors=no "$unit" 2>&1) || fail "systemd-analyze verify $unit: $found"
    ! printf '%s\n' "$found" | grep -q daznode || fail "systemd-analyze verify $unit: $found"
    checks=$((checks + 1))
done
found=$(/usr/lib/daznode/on-failure daznode.service 2>&1)
check "the notice names the service" grep -q '^<3>daznode.service failed' <<<"$found"
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "told of $1"\n' >/etc/daznode/on-failure
chmod 755 /etc/daznode/on-failure
equal "the operator's hook" "told of daznode.service" "$(/usr/lib/daznode/on-failure daznode.service 2>/dev/null)"
rm /etc/daznode/on-failure

echo "test-deb: use"
check "the version" grep -q "^daznode $(dpkg-query -W -f '${Version}' daznode | sed 's/-[^-]*$//')" <(daznode --version)
code 0 as_service daznode demo
# As the timer runs it on the day of the installation: no node is enabled, which is no failure.
code 0 as_service daznode generate --all --budget 840
code 0 as_service daznode generate --all --period week
equal "state that others can read" "" "$(find /var/lib/daznode -perm /0007 -print)"
equal "state of other users" "" "$(find /var/lib/daznode ! -user daznode -print)"

echo "test-deb: install again"
echo '# by the operator' >>/etc/daznode/config.toml
echo kept >/etc/daznode/credentials/bob.macaroon
echo kept >/var/lib/daznode/kept
deb-systemd-helper disable daznode.timer >/dev/null 2>&1 || rm -f "$wants/daznode.timer"
dpkg -i "$deb" >"$work/dpkg" 2>&1 </dev/null || fail "dpkg -i again: $(cat "$work/dpkg")"
check "settings are kept" grep -q 'by the operator' /etc/daznode/config.toml
check "state is kept" test -f /var/lib/daznode/kept
gone "$wants/daznode.timer"

echo "test-deb: remove"
dpkg -r daznode >"$work/dpkg" 2>&1 || fail "dpkg -r: $(cat "$work/dpkg")"
gone /usr/bin/daznode
gone /usr/lib/systemd/system/daznode.timer
for file in /var/lib/daznode/kept /etc/daznode/config.toml /etc/daznode/credentials/bob.macaroon; do
    check "removal keeps $file" test -f "$file"
done

echo "test-deb: purge"
dpkg -P daznode >"$work/dpkg" 2>&1 || fail "dpkg -P: $(cat "$work/dpkg")"
for path in /var/lib/daznode /etc/daznode "$wants/daznode.timer" /usr/lib/daznode /usr/share/doc/daznode \
    /var/lib/systemd/deb-systemd-helper-enabled/daznode.timer.dsh-also; do
    gone "$path"
done
equal "the package" "" "$(dpkg-query -W -f '${db:Status-Abbrev}' daznode 2>/dev/null | grep -v '^un' || true)"

printf 'test-deb: %d checks passed\n' "$checks"
