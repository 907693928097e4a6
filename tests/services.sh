#!/bin/sh
# What tests need beside Python, from Debian, where it is missing and may be installed: PostgreSQL and Chromium.
set -eu
missing=""
command -v initdb > /dev/null || ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || missing="postgresql"
command -v chromium > /dev/null || missing="$missing chromium fonts-dejavu-core"
if [ -z "$missing" ]; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "some tests are skipped: install the Debian packages $missing to run them" >&2
    exit 0
fi
echo "installing $missing for the tests ..."
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
# PostgreSQL's package would start a server of its own; the tests start theirs, on a socket in a folder of their own.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
    echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
# shellcheck disable=SC2086 # a list of packages
{ apt-get update -q && apt-get install -q -y --no-install-recommends $missing; } > "$log" 2>&1 ||
    { cat "$log" >&2; exit 1; }
rm "$log"
