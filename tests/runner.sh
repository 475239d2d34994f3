#!/bin/sh
# runner.sh BUILD NAME COMMAND…: run some tests. What they print goes to
# BUILD/results/NAME.log, and their status and processor time to NAME.status;
# shown is one line, or all of it if they fail.
build=$1 name=$2
unset MAKEFLAGS MFLAGS MAKELEVEL # those of whoever runs this
shift 2
export NNCC_CACHE= # code is made, not found
log=$build/results/$name.log
mkdir -p "$(dirname "$log")"
"$@" >"$log" 2>&1
status=$?
times >"$log.times"
spent=$(awk 'NR == 2 { gsub(/[ms]/, " "); printf "%.1f", $1 * 60 + $2 + $3 * 60 + $4 }' "$log.times")
rm "$log.times"
echo "$status $spent" >"$build/results/$name.status"
said=$(grep '^[0-9]*%: \|: [0-9]* passed, \|^skipped: ' "$log" | tr '\n' ';' |
    sed 's/;$//; s/;/; /g')
if [ $status = 0 ]; then
    printf '%-11s %-24s %5s s  %s\n' "$build" "$name" "$spent" "$said"
else
    { printf '%-11s %-24s %5s s  FAILED\n' "$build" "$name" "$spent" && cat "$log"; } |
        sed '2,$s/^/    /'
fi
exit $status
