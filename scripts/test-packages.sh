#!/bin/sh
# Installs what some tests want of the system and Python can't bring: PostgreSQL's server and Slurm, both stopped. Where
# that can't be done those tests are skipped and say so.
set -eu

has() { command -v "$1" >/dev/null || ls /usr/sbin/"$1" >/dev/null 2>&1; }
has_postgresql() { ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null; }
has_slurm() { has slurmctld && has slurmd && has sbatch && has munged; }

if has_postgresql && has_slurm; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "The tests on PostgreSQL and Slurm will be skipped; they want: sudo apt-get install postgresql slurm-wlm munge" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
if ! apt-get update -qq; then
    echo "No package can be installed here; the tests on PostgreSQL and Slurm will be skipped." >&2
    exit 0
fi
install() { apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }

# Debian makes and starts a cluster at installation unless told not to; the tests start one of their own.
calm='s/^#?create_main_cluster.*/create_main_cluster = false/'
if ! has_postgresql && ! {
    install postgresql-common &&
        sed -ri "$calm" /etc/postgresql-common/createcluster.conf &&
        install postgresql
}; then
    echo "PostgreSQL can't be installed here; the tests on it will be skipped." >&2
fi
if ! has_slurm && ! install slurm-wlm munge; then
    echo "Slurm can't be installed here; the tests on it will be skipped." >&2
fi
