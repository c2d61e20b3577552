# shellcheck shell=bash
# Processes that outlive the script, under names, and their ports. Sourced by .ci/kubernetes.

# Whether the process that was started under the name $1 still runs. A process id may have
# been given to a stranger since; all of ours have the state directory in their arguments.
running() {
    local pid arguments
    [[ -e $state/pids/$1 ]] || return 1
    pid=$(<"$state/pids/$1")
    # They are empty for a moment while a process becomes another program; for good when it has ended.
    for _ in {1..20}; do
        arguments=$(tr '\0' ' ' <"/proc/$pid/cmdline") || return 1
        [[ -z $arguments ]] || break
        sleep 0.01
    done
    [[ $arguments = *"$state/"* ]]
} 2>/dev/null

# A process in the background under the name $1, cut off from the caller's terminal: it
# outlives the caller, and no signal for the terminal reaches it. On return it is the command
# that runs, no longer a copy of this script with arguments of its own.
start() {
    local name=$1
    shift
    setsid "$@" >>"$state/logs/$name.log" 2>&1 </dev/null 9<&- &
    echo $! >"$state/pids/$name"
    until running "$name" || ! kill -0 $! 2>/dev/null; do sleep 0.01; done
    # Or bash would report its end, should this run be the one to end it.
    disown
}

# Ends what was started under the name $1 and returns when it is gone, and with the first
# process of a namespace all others there. There is no state to save: tests throw it away.
stop() {
    local name=$1 pid
    if running "$name"; then
        pid=$(<"$state/pids/$name")
        kill -KILL "$pid" 2>/dev/null || ! running "$name" || die "process $pid ($name) belongs to another user"
        # A zombie has ended, even if nobody looks after it.
        while [[ -e /proc/$pid ]] && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do sleep 0.05; done
    fi
    rm -f "$state/pids/$name"
}

# The line of the log $1 that says why its process ended: of a Go program that gave up, the
# message before the stacks.
last_words() {
    grep -E '^(F[0-9]{4} |panic: )' "$1" | tail -n 1 | grep . || tail -n 1 "$1"
}

# Waits at most $1 seconds until the command succeeds that follows the process name $2. The
# process is watched meanwhile, so that its end is reported at once, with its last words.
wait_for() {
    local seconds=$1 name=$2 log=$state/logs/$2.log
    shift 2
    local deadline=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        running "$name" || die "$name ended: $(last_words "$log"); see $log"
        (( SECONDS < deadline )) || die "$name is not ready after $seconds seconds; see $log"
        sleep 0.2
    done
}

# Whether something listens at the port $1 of the address $2, or of 127.0.0.1.
listens() {
    (exec 3<>"/dev/tcp/${2:-127.0.0.1}/$1") 2>/dev/null
}

# A TCP port for the purpose $1: free when it is asked for first, the same ever after. The
# range is below the one that the kernel takes ports of outgoing connections from.
port() {
    local file=$state/ports/$1 port
    if [[ ! -e $file ]]; then
        until port=$((20000 + RANDOM % 10000)) && ! listens "$port"; do :; done
        echo "$port" >"$file"
    fi
    cat "$file"
}
