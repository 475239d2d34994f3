#!/bin/sh
# summary.sh BUILD…: what the runners of these builds gave, as runner.sh left it
# in BUILD/results/. Fails if one failed or was not run.
bad=0
for b; do
    pass=0 list=
    for name in $(cat "$b/results/expected" 2>/dev/null || echo all); do
        status=$(cut -d' ' -f1 "$b/results/$name.status" 2>/dev/null)
        case $status in
        0) pass=$((pass + 1)) ;;
        '') list="$list missing:$name" ;;
        *) list="$list failed:$name" ;;
        esac
    done
    set -- $list
    printf '%-11s %d runners passed, %d did not; processor time %s s\n' "$b" $pass $# \
        "$(find "$b/results" -name '*.status' -exec cat {} + 2>/dev/null |
            awk '{ s += $2 } END { print int(s + 0.5) }')"
    [ $# = 0 ] || bad=1
    find "$b/results" -name '*.log' -exec sed -n 's/^skipped: //p' {} + 2>/dev/null |
        sort | uniq -c | sed 's/^ *\([0-9]*\) /    skipped in \1 runners: /'
    for what; do
        case $what in
        failed:*) echo "    failed: ${what#*:}, see $b/results/${what#*:}.log" ;;
        *) echo "    not run: ${what#*:}" ;;
        esac
    done
done
[ $bad = 0 ] && echo "all tests passed" || echo "NOT all tests passed"
exit $bad
