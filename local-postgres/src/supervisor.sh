# Keeps Postgres running while our standard input is open, and shuts it down when that closes.
#
# usage: sh -c THIS supervisor SIGNAL STARTED DOOMED SOCKET POSTGRES [ARGUMENT…]
#   SIGNAL   ends Postgres: INT (fast) or QUIT (immediate, for data nobody keeps)
#   STARTED  a file that exists once the server has answered; before that, its end is a failure to start
#   DOOMED   a directory to remove at the end, or nothing: the home of a throwaway cluster
#   SOCKET   another such: a socket directory of its own
# Standard output is an open file that holds a lock; every process here inherits it, so the lock is free only when
# all of them have ended. Nothing is ever written to it. Standard error is the log.

# The terminal's signals and a service manager's SIGTERM are for the parent, which stops us in its own order.
trap '' INT HUP TERM
signal=$1 started=$2 doomed=$3 socket=$4
shift 4
exec 3<&0 </dev/null

keep() {
    stop='' pid=''
    trap 'stop=1; [ -z "$pid" ] || kill "-$signal" "$pid"' USR1
    while [ -z "$stop" ]; do
        "$@" 3<&- &
        pid=$!
        # A trapped signal ends `wait` early, with the server still there.
        while :; do
            wait "$pid"
            status=$?
            [ "$status" -ne 127 ] && kill -0 "$pid" 2>/dev/null || break
        done
        pid=''
        [ -z "$stop" ] || break
        if [ ! -e "$started" ]; then
            kill -KILL $$
            break
        fi
        kill -0 $$ 2>/dev/null || break
        echo "supervisor: Postgres ended with status $status and is started again" >&2
        sleep 1
    done
}

keep "$@" &
keeper=$!
read -r _ <&3
# The signal is repeated because one that arrives while the keeper starts a server could miss it.
while kill -USR1 "$keeper" 2>/dev/null; do
    sleep 0.1
done
for path in "$doomed" "$socket"; do
    [ -z "$path" ] || rm -rf -- "$path"
done
