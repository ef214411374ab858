#!/bin/sh
# Installs what some tests want of the system and Python can't bring: PostgreSQL's server, stopped. Where that can't be
# done those tests are skipped and say so.
set -eu

if ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "The tests on PostgreSQL will be skipped; they want: sudo apt-get install postgresql" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# Debian makes and starts a cluster at installation unless told not to; the tests start one of their own.
calm='s/^#?create_main_cluster.*/create_main_cluster = false/'
if ! {
    apt-get update -qq &&
        apt-get install -y -qq --no-install-recommends postgresql-common >/dev/null &&
        sed -ri "$calm" /etc/postgresql-common/createcluster.conf &&
        apt-get install -y -qq --no-install-recommends postgresql >/dev/null
}; then
    echo "PostgreSQL can't be installed here; the tests on it will be skipped." >&2
fi
