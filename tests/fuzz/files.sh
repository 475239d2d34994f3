#!/bin/sh
# files.sh FUZZER SECONDS [KEEP]: fuzz the readers of files from small ones of
# each kind for so long (0: until stopped). What is new stays in KEEP, or
# nowhere. What fails is left beside the fuzzer as crash-…, timeout-… or oom-….
fuzzer=$1 seconds=$2 keep=$3
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT INT TERM
mkdir "$work/seeds"
NNCC_FUZZ_SEEDS=$work/seeds "$fuzzer" || exit 1
[ "$keep" ] || keep=$work/new
mkdir -p "$keep"
"$fuzzer" -seed=1 -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
    -artifact_prefix="$(dirname "$fuzzer")/" -max_len=8192 -close_fd_mask=3 \
    -print_final_stats=1 "$keep" "$work/seeds" 2>"$work/log"
status=$?
[ $status = 0 ] || tail -60 "$work/log"
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
echo "fuzz-files: ${runs:-0} passed, $([ $status = 0 ] && echo 0 || echo 1) failed"
exit $status
