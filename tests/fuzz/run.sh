#!/bin/sh
# run.sh FUZZER SECONDS [KEEP]: fuzz from the programs of the repository for so
# long (0: until stopped). What is new stays in KEEP, or nowhere. What fails is
# left beside the fuzzer as crash-…, timeout-… or oom-….
fuzzer=$1 seconds=$2 keep=$3
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT INT TERM
mkdir "$work/seeds"
for f in "$root"/examples/*/*.nn "$root"/src/std/*.nn "$root"/tests/golden/*.nn \
    "$root"/tests/fuzz/seeds/*.nn; do
    [ -f "$f" ] || continue
    n=$((n + 1))
    cp "$f" "$work/seeds/$n-$(basename "$f")"
done
[ "$keep" ] || keep=$work/new
mkdir -p "$keep"
"$fuzzer" -seed=1 -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
    -artifact_prefix="$(dirname "$fuzzer")/" -max_len=16384 -dict="$root/tests/fuzz/nn.dict" -print_final_stats=1 \
    "$keep" "$work/seeds" 2>"$work/log"
status=$?
[ $status = 0 ] || tail -60 "$work/log"
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
echo "fuzz: ${runs:-0} passed, $([ $status = 0 ] && echo 0 || echo 1) failed"
exit $status
