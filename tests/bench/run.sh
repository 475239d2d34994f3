#!/bin/sh
# run.sh BUILD: all that is timed as one table, each row beside its target. Exits 1 if one
# falls short. ONLY='PART…': only those of the parts below. Run it on an idle machine.
build=$(cd "$1" && pwd) || exit 2
cd "$(dirname "$0")" || exit 2
parts="digits compile mlp small states workloads networks ratios products
functions reduce linalg sort sparse loops threads"

for part in ${ONLY:-$parts}; do
    [ -f "$part/run.sh" ] || {
        echo "no part $part: there are" $parts >&2
        exit 2
    }
done
# mawk keeps what it reads until there is much of it.
soon=
! awk -W version 2>/dev/null </dev/null | grep -q '^mawk' || soon='-W interactive'
for part in ${ONLY:-$parts}; do
    sh "$part/run.sh" "$build/nncc" 2>&1 ||
        printf '%s\t\tfailed\t\t>= 1\t\n' "$part"
done | awk $soon -f judge.awk
