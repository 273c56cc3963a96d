#!/usr/bin/env bash
# A real Slurm on this machine: accounting, two plain nodes and one with a stand-in for a card, no systemd,
# no cgroups. Needs root and the Debian packages that `make test-slurm` installs.
#   cluster.sh up | down | node NAME (starts a slurmd again)
set -euo pipefail
S=${ALMANAC_SLURM:-${TMPDIR:-/tmp}/almanac-slurm-test}
HOST=$(hostname -s)
NODES=(node1 node2 gpu1)
export SLURM_CONF=$S/etc/slurm.conf

wait_for() { for _ in $(seq "$(($1 * 10))"); do "${@:2}" >/dev/null 2>&1 && return; sleep .1; done; echo "cluster.sh: waited $1 s for: ${*:2}" >&2; return 1; }
stop() { [ -s "$1" ] || return 0; local p; p=$(cat "$1"); kill "$p" 2>/dev/null || true; for _ in $(seq 100); do kill -0 "$p" 2>/dev/null || break; sleep .1; done; kill -9 "$p" 2>/dev/null || true; rm -f "$1"; }
idle() { [ "$(sinfo -h -N -o %T | sort -u)" = idle ]; }
sql() { mariadb --no-defaults -S "$S/run/mysql.sock" -uroot -e "$1"; }

down() {
    scancel -u "$(id -un)" 2>/dev/null || true
    for node in "${NODES[@]}"; do stop "$S/run/slurmd.$node.pid"; done
    for name in slurmctld slurmdbd; do stop "$S/run/$name.pid"; done
    stop "$S/mysql/mariadbd.pid"
    stop "$S/run/munged.pid"
    for file in slurm.conf gres.conf; do [ "$(readlink "/etc/slurm/$file")" = "$S/etc/$file" ] && rm "/etc/slurm/$file"; done
    rm -rf "$S"
}

up() {
    [ ! -e "$S" ] || down
    mkdir -p "$S"/{etc,run,log,state,mysql}
    chmod 755 "$S" "$S"/*
    getent hosts "$HOST" >/dev/null || echo "127.0.0.1 $HOST" >>/etc/hosts
    head -c 1024 /dev/urandom >"$S/etc/munge.key"
    chmod 600 "$S/etc/munge.key"
    munged --key-file="$S/etc/munge.key" --socket="$S/run/munge.socket" --pid-file="$S/run/munged.pid" --log-file="$S/log/munged.log" --seed-file="$S/run/munge.seed"
    # A card has to be a character device, else CUDA_VISIBLE_DEVICES is not set: these are /dev/null.
    mknod "$S/run/gpu0" c 1 3
    mariadb-install-db --no-defaults --user=root --datadir="$S/mysql" --auth-root-authentication-method=normal --skip-test-db >"$S/log/mysql.log" 2>&1
    setsid mariadbd --no-defaults --user=root --datadir="$S/mysql" --socket="$S/run/mysql.sock" --pid-file="$S/mysql/mariadbd.pid" --bind-address=127.0.0.1 --port=23306 --innodb-lock-wait-timeout=900 --innodb-flush-log-at-trx-commit=0 --log-error="$S/log/mariadbd.log" >/dev/null 2>&1 </dev/null &
    wait_for 60 sql "select 1"
    sql "create database slurm_acct_db; create user 'slurm'@'127.0.0.1' identified by 'slurm'; grant all on slurm_acct_db.* to 'slurm'@'127.0.0.1'; create user 'slurm'@'localhost' identified by 'slurm'; grant all on slurm_acct_db.* to 'slurm'@'localhost'"
    cat >"$S/etc/slurmdbd.conf" <<C
AuthType=auth/munge
AuthInfo=socket=$S/run/munge.socket
DbdHost=localhost
DbdPort=26819
SlurmUser=root
LogFile=$S/log/slurmdbd.log
PidFile=$S/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=23306
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
C
    chmod 600 "$S/etc/slurmdbd.conf"
    cat >"$S/etc/slurm.conf" <<C
ClusterName=test
SlurmctldHost=$HOST(127.0.0.1)
SlurmctldPort=26817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$S/run/munge.socket
CredType=cred/munge
MpiDefault=none
ReturnToService=2
SlurmctldPidFile=$S/run/slurmctld.pid
SlurmdPidFile=$S/run/slurmd.%n.pid
SlurmdSpoolDir=$S/run/spool.%n
StateSaveLocation=$S/state
SlurmctldLogFile=$S/log/slurmctld.log
SlurmdLogFile=$S/log/slurmd.%n.log
SwitchType=switch/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
GresTypes=gpu
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=26819
AccountingStoragePass=$S/run/munge.socket
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
AccountingStorageEnforce=associations,limits
MinJobAge=300
KillWait=2
SlurmdTimeout=10
DefMemPerCPU=100
NodeName=node1 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=27001 CPUs=4 RealMemory=8000 State=UNKNOWN
NodeName=node2 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=27002 CPUs=4 RealMemory=8000 State=UNKNOWN
NodeName=gpu1 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=27003 CPUs=4 RealMemory=8000 Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes=node1,node2 Default=YES MaxTime=60 DefaultTime=10 State=UP
PartitionName=gpu Nodes=gpu1 Default=NO MaxTime=60 DefaultTime=10 State=UP
C
    echo "NodeName=gpu1 Name=gpu File=$S/run/gpu0" >"$S/etc/gres.conf"
    # The executor strips SLURM_CONF before its inner srun, so the default path has to work.
    mkdir -p /etc/slurm
    for file in slurm.conf gres.conf; do ln -sfn "$S/etc/$file" "/etc/slurm/$file"; done
    slurmdbd
    wait_for 60 timeout 5 sacctmgr -n list cluster
    for what in "cluster test" "account lab cluster=test" "user $(id -un) account=lab cluster=test DefaultAccount=lab"; do
        # shellcheck disable=SC2086
        sacctmgr -i add $what >/dev/null || true
    done
    slurmctld
    wait_for 60 scontrol ping
    for node in "${NODES[@]}"; do slurmd -N "$node"; done
    wait_for 60 idle
}

case "$1" in
up | down) "$1" ;;
node) slurmd -N "$2" ;;
*) echo "cluster.sh up | down | node NAME" >&2; exit 2 ;;
esac
