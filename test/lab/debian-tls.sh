#!/usr/bin/env bash
# Installs the TLS servers of the lab that Debian has: what of the packages named is missing, without starting services.
#
#   debian-tls.sh PACKAGE…
#
# Needs Debian 12 and root.
set -euo pipefail
umask 022
lab=${CERTDESK_LAB:-${TMPDIR:-/tmp}/certdesk-lab}
log=$lab/debian-tls.log
policy=/usr/sbin/policy-rc.d

fail() { printf 'debian-tls.sh: %s\n' "$1" >&2; [ ! -s "$log" ] || tail -n 25 "$log" >&2; exit 1; }
is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

mkdir -p "$lab"
# Two callers at once: the second waits, and finds the work done.
exec 8> "$lab/debian-tls.lock"
flock -w 600 8 || fail 'another one has held the lock for ten minutes'

missing=()
for name in "$@"; do is_installed "$name" || missing+=("$name"); done
[ ${#missing[@]} -gt 0 ] || exit 0
[ "$(id -u)" = 0 ] || fail "run it as root: it installs ${missing[*]}"

own_policy=
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy" && own_policy=yes
fi
result=0
install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Options::=--force-confold "${missing[@]}"
}
# the lists that are there may do, and may be too old
{ install || { apt-get update -q && install; }; } > "$log" 2>&1 < /dev/null 8>&- || result=$?
[ -z "$own_policy" ] || rm -f "$policy"
[ "$result" = 0 ] || fail "could not install ${missing[*]}"
