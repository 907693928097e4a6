#!/bin/sh
# The servers that tests need beside Python: Debian's PostgreSQL, where it is missing and may be installed.
set -eu
if command -v initdb > /dev/null || ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "tests on PostgreSQL are skipped: install the Debian package 'postgresql' to run them" >&2
    exit 0
fi
echo "installing PostgreSQL for the tests ..."
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
# The package would start a server of its own; the tests start theirs, on a socket in a folder of their own.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
    echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
{ apt-get update -q && apt-get install -q -y --no-install-recommends postgresql; } > "$log" 2>&1 ||
    { cat "$log" >&2; exit 1; }
rm "$log"
