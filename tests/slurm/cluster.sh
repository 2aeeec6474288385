#!/usr/bin/env bash
# A Slurm of two nodes on this machine, from Debian's packages: a real one, for tests.
#
#   cluster.sh install     Debian's packages; needs root
#   cluster.sh start       configure and start it, replacing what was there
#   cluster.sh stop        stop it, and remove what it wrote
#   cluster.sh node-down n1     kill a node's daemon with all that runs on it
#   cluster.sh node-up n1       start it again
#
# The configuration has to be /etc/slurm/slurm.conf, where commands within jobs look for it.
set -euo pipefail

PATH=$PATH:/usr/sbin:/sbin # of daemons
CONF=/etc/slurm/slurm.conf
STATE=${SLURM_STATE:-/tmp/phopro-slurm}
NODES=(n1 n2)
CORES=${SLURM_CORES:-2}
MEMORY=${SLURM_MEMORY:-4000}

install_packages() {
    command -v slurmctld slurmd munged >/dev/null && return
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        slurmctld slurmd slurm-client munge
}

configure() {
    mkdir -p "$STATE"/{ctld,log} /etc/slurm
    cat >"$CONF" <<CONF
# Written by tests/slurm/cluster.sh.
ClusterName=phopro
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmUser=root
SlurmctldPidFile=$STATE/slurmctld.pid
SlurmdPidFile=$STATE/slurmd-%n.pid
StateSaveLocation=$STATE/ctld
SlurmdSpoolDir=$STATE/spool-%n
SlurmctldLogFile=$STATE/log/slurmctld.log
SlurmdLogFile=$STATE/log/slurmd-%n.log
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,default_queue_depth=1000
ReturnToService=2
SlurmdTimeout=${SLURM_NODE_TIMEOUT:-10}
MessageTimeout=5
KillWait=5
MinJobAge=600
NodeName=n1 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=17001 CPUs=$CORES RealMemory=$MEMORY
NodeName=n2 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=17002 CPUs=$CORES RealMemory=$MEMORY
PartitionName=short Nodes=n[1-2] Default=YES MaxTime=60 State=UP
CONF
}

start() {
    stop
    configure
    mkdir -p /run/munge /var/log/munge
    chown munge: /run/munge /var/log/munge
    pgrep -x munged >/dev/null || runuser -u munge -- munged
    slurmctld
    for node in "${NODES[@]}"; do node_up "$node"; done
    for _ in $(seq 100); do
        [ "$(sinfo --noheader --format=%T --Node 2>/dev/null | grep -c '^idle$')" = 2 ] && return
        sleep 0.2
    done
    sinfo --long --Node >&2
    tail -n 20 "$STATE"/log/*.log >&2
    echo "Slurm did not come up" >&2
    exit 1
}

node_up() {
    mkdir -p "$STATE/spool-$1"
    slurmd -N "$1"
}

node_down() {
    # The daemon, and those that look after its jobs; these end their jobs when killed hard.
    local pids
    pids=$(pgrep -f "slurmd -N $1\$|slurmstepd.*$1|\[$1\]" || true)
    [ -z "$pids" ] || kill -9 $pids 2>/dev/null || true
}

stop() {
    if [ -f "$CONF" ] && grep -q cluster.sh "$CONF"; then
        scancel --user=root --state=PENDING,RUNNING 2>/dev/null || true
        pkill -x slurmctld || true
        for node in "${NODES[@]}"; do node_down "$node"; done
        pkill -9 -x slurmstepd || true
        rm -rf "$CONF" "$STATE"
    elif [ -f "$CONF" ]; then
        echo "$CONF is not of these tests; left alone" >&2
        exit 1
    fi
}

case "${1:-}" in
    install) install_packages ;;
    start) start ;;
    stop) stop ;;
    node-down) node_down "$2" ;;
    node-up) node_up "$2" ;;
    *)
        sed -n '2,10s/^# \{0,1\}//p' "$0"
        exit 2
        ;;
esac
