#!/usr/bin/env bash
# Unpacks servers of Debian's packages, and what they need that is not installed, into a folder of the lab. Nothing is
# installed: no service starts, no account is made, and no other mail server has to go.
#
#   starttls-servers.sh PACKAGE…     prints the folder
#
# Needs Debian 12 and root.
set -euo pipefail
umask 022
lab=${CERTDESK_LAB:-${TMPDIR:-/tmp}/certdesk-lab}
home=$lab/starttls-servers
log=$home/apt.log

fail() { printf 'starttls-servers.sh: %s\n' "$1" >&2; [ ! -s "$log" ] || tail -n 25 "$log" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail 'run it as root: it asks apt for packages'
mkdir -p "$home"/{root,unpacked,archives/partial}
# Two callers at once: the second waits, and finds the work done.
exec 8> "$home/lock"
flock -w 600 8 || fail 'another one has held the lock for ten minutes'

missing=()
for name in "$@"; do [ -e "$home/unpacked/$name" ] || missing+=("$name"); done
if [ ${#missing[@]} -gt 0 ]; then
  # No lock of dpkg is needed to download.
  download() {
    apt-get install -y -q --download-only --reinstall --no-install-recommends -o Debug::NoLocking=1 \
      -o Dir::Cache::archives="$home/archives" "${missing[@]}"
  }
  # The lists that are there may do, and may be too old.
  { download || { apt-get update -q && download; }; } > "$log" 2>&1 < /dev/null 8>&- || fail "could not download ${missing[*]}"
  for package in "$home"/archives/*.deb; do
    dpkg -x "$package" "$home/root" >> "$log" 2>&1 || fail "could not unpack $package"
    rm "$package"
  done
  for name in "${missing[@]}"; do : > "$home/unpacked/$name"; done
fi
printf '%s\n' "$home/root"
