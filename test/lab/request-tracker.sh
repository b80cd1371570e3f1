#!/usr/bin/env bash
# A real Request Tracker 5 for the tests, from Debian's packages, on an SQLite file of its own.
#
#   request-tracker.sh up [PID]     installs what is missing, starts it on a free port of 127.0.0.1, prints NAME='value'
#                                   lines; with one already running, prints that one's
#   request-tracker.sh down [PID]   ends it and keeps its tickets
#   request-tracker.sh purge        ends it and removes everything but the packages
#
# With a PID it is used by that process: `down PID` ends it only when no other process that still lives uses it, and
# nobody started it by hand.
# Everything it writes is in ${CERTDESK_LAB:-${TMPDIR:-/tmp}/certdesk-lab}/request-tracker. Needs Debian 12 and root.
# No mail leaves: what RT wants to send goes to /bin/true.
set -euo pipefail
umask 022
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lab=${CERTDESK_LAB:-${TMPDIR:-/tmp}/certdesk-lab}
home=$lab/request-tracker
user=www-data
workers=4

fail() { printf 'request-tracker.sh: %s\n' "$1" >&2; [ -z "${2:-}" ] || tail -n 25 "$2" >&2; exit 1; }
note() { printf 'request-tracker.sh: %s (%s s)\n' "$1" "$SECONDS" >&2; }

[ "$(id -u)" = 0 ] || fail 'run it as root: it installs packages and starts RT under another account'
[ -r /etc/debian_version ] || fail 'it needs Debian: Request Tracker comes from its packages'

as_user() { setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs -- "$@"; }

# Two callers at once: the second waits, and finds the work done. The lock is beside what purge removes.
take_turn() {
  mkdir -p "$lab"
  exec 8> "$lab/request-tracker.lock"
  flock -w 600 8 || fail "another one has held $lab/request-tracker.lock for ten minutes"
}

# --- processes: the server leads a session of its own; its start time tells it from another process of the same number.
birth_of() { [ -r "/proc/$1/stat" ] && sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
server_pid() {
  local pid birth
  [ -r "$home/server" ] && read -r pid birth < "$home/server" && [ -n "$birth" ] || return 1
  [ "$(birth_of "$pid")" = "$birth" ] && printf '%s' "$pid"
}
# Workers whose parent was killed still are in its session.
session_pids() { ps -o pid= -s "$1" -U "$user" 2>/dev/null || true; }
end_server() {
  local leader birth pids
  [ -r "$home/server" ] || return 0
  read -r leader birth < "$home/server"
  # Of somebody else by now: not ours to end.
  if [ -z "$(birth_of "$leader")" ] || [ "$(birth_of "$leader")" = "$birth" ]; then
    for try in $(seq 1 100); do
      pids=$(session_pids "$leader")
      [ -n "$pids" ] || break
      case $try in 1) kill -TERM $pids 2>/dev/null || true ;; 60) kill -KILL $pids 2>/dev/null || true ;; esac
      sleep 0.1
    done
  fi
  rm -f "$home/server"
}

# --- users
take_part() { # pid or nothing
  mkdir -p "$home/users"
  if [ -n "$1" ]; then birth_of "$1" > "$home/users/$1" || fail "there is no process $1"; else : > "$home/users/by-hand"; fi
}
is_used() {
  local file
  for file in "$home"/users/*; do
    [ -e "$file" ] || continue
    case ${file##*/} in
      by-hand) return 0 ;;
      *) [ ! -s "$file" ] || [ "$(birth_of "${file##*/}")" != "$(cat "$file")" ] || return 0 ;;
    esac
  done
  return 1
}
down() { # pid or nothing
  if [ -n "$1" ]; then rm -f "$home/users/$1"; else rm -rf "$home/users"; fi
  is_used || end_server
}

# --- packages
is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
install_packages() {
  local missing=() name log=$home/apt.log policy=/usr/sbin/policy-rc.d own_policy=
  for name in request-tracker5 rt5-db-sqlite rt5-standalone starlet curl procps; do
    is_installed "$name" || missing+=("$name")
  done
  # RT's package asks for some mail server; this one is a plain client, and RT is told not to use it.
  [ -x /usr/sbin/sendmail ] || missing+=(msmtp-mta)
  [ ${#missing[@]} -gt 0 ] || return 0
  note "installing ${missing[*]}"
  # Debian's way of installing without starting services.
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy" && own_policy=yes
  fi
  printf 'request-tracker5 request-tracker5/%s boolean false\n' dbconfig-install install-cronjobs | debconf-set-selections
  local result=0
  {
    apt-get update -q || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
      -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Options::=--force-confold "${missing[@]}"
  } > "$log" 2>&1 < /dev/null 8>&- || result=$?
  [ -z "$own_policy" ] || rm -f "$policy"
  [ "$result" = 0 ] || fail 'the packages could not be installed' "$log"
  note 'packages are there'
}

# --- one RT
free_port() {
  perl -MIO::Socket::INET -e '
    print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1)->sockport'
}
write_config() { # port
  mkdir -p "$home"/{mason,sessions,var}
  cat > "$home/RT_SiteConfig.pm" <<PERL
Set(\$rtname, 'lab.test');
Set(\$Organization, 'lab.test');
Set(\$WebDomain, '127.0.0.1');
Set(\$WebPort, $1);
Set(\$Timezone, 'UTC');
Set(\$DatabaseType, 'SQLite');
Set(\$DatabaseName, '$home/rt.sqlite');
Set(\$MailCommand, 'sendmailpipe');
Set(\$SendmailPath, '/bin/true');
Set(\$LogToSTDERR, 'warning');
Set(\$LogToSyslog, undef);
\$RT::VarPath = '$home/var';
\$RT::MasonDataDir = '$home/mason';
\$RT::MasonSessionDir = '$home/sessions';
1;
PERL
}
run_rt() {
  (cd "$home" && as_user env -u PERL5LIB -u PERL5OPT HOME="$home" LC_ALL=C.UTF-8 RT_SITE_CONFIG="$home/RT_SiteConfig.pm" \
    RT_SITE_CONFIG_DIR=/nonexistent "$@") 8>&-
}
make_tickets() {
  rm -f "$home/rt.sqlite"
  run_rt rt-setup-database-5 --action init --force --skip-create > "$home/setup.log" 2>&1 < /dev/null ||
    fail 'RT could not make its database' "$home/setup.log"
  password=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
  run_rt env LAB_PASSWORD="$password" perl - < "$here/request-tracker.pl" > "$home/accounts" 2> "$home/provision.log" ||
    fail 'the queue and accounts could not be made' "$home/provision.log"
  printf "RT_USER='certdesk'\nRT_PASSWORD='%s'\nRT_QUEUE='Certificates'\nRT_KEY_FIELD='CertDesk Key'\n" "$password" >> "$home/accounts"
  chmod 600 "$home/accounts"
  : > "$home/provisioned"
  note 'queue, field and accounts are made'
}
answers() { [ "$(curl -s -o /dev/null -m 20 -w '%{http_code}' -H "Authorization: token $2" "$1/REST/2.0/rt" || true)" = 200 ]; }
# A machine that is busy lets it wait; others may be using it, so it is given up only when it has ended or stays silent.
wait_for_answer() { # url token
  local deadline=$((SECONDS + 120))
  while server_pid > /dev/null && [ "$SECONDS" -lt "$deadline" ]; do
    if answers "$1" "$2"; then return 0; fi
    sleep 0.2
  done
  return 1
}
start_server() { # port
  setsid env -u PERL5LIB -u PERL5OPT HOME="$home" LC_ALL=C.UTF-8 RT_SITE_CONFIG="$home/RT_SiteConfig.pm" \
    RT_SITE_CONFIG_DIR=/nonexistent setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs -- \
    perl /usr/share/request-tracker5/libexec/rt-server --server Starlet --host 127.0.0.1 --port "$1" \
    --max-workers "$workers" --max-reqs-per-child 5000 >> "$home/server.log" 2>&1 < /dev/null 8>&- &
  printf '%s %s\n' "$!" "$(birth_of "$!")" > "$home/server"
}

up() {
  mkdir -p "$home"
  if [ -s "$home/env" ]; then
    . "$home/env"
    if wait_for_answer "$RT_URL" "$RT_TOKEN"; then cat "$home/env"; return; fi
  fi
  end_server
  install_packages
  chown -R "$user:$user" "$home"
  as_user test -x "$home" || fail "$user cannot reach $home; set CERTDESK_LAB to a folder that is open to other accounts"
  local port; port=$(free_port)
  write_config "$port"
  chown -R "$user:$user" "$home"
  [ -e "$home/provisioned" ] || make_tickets
  . "$home/accounts"
  start_server "$port"
  wait_for_answer "http://127.0.0.1:$port" "$RT_TOKEN" || fail 'RT does not answer' "$home/server.log"
  { printf "RT_URL='http://127.0.0.1:%s'\n" "$port"; cat "$home/accounts"; printf "RT_LOG='%s'\n" "$home/server.log"; } > "$home/env"
  chmod 600 "$home/env"
  note 'Request Tracker is up'
  cat "$home/env"
}

case ${2:-} in *[!0-9]*) fail "'$2' is no process number" ;; esac
case ${1:-} in
  up) take_turn; up; take_part "${2:-}" ;;
  down) take_turn; down "${2:-}" ;;
  purge) take_turn; end_server; rm -rf "$home" ;;
  *) fail 'say up, down or purge' ;;
esac
