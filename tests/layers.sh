#!/bin/sh
# layers.sh: fail if a file includes a header that layers.txt does not allow it,
# or knows a machine that only the table of targets is to know.
cd "$(dirname "$0")/.." || exit 2
pass=0 fail=0
for f in src/*/*.[ch] src/graph/ops/*.[ch] grammar/*.[ly] runtime/*.[ch]; do
    [ -f "$f" ] || continue
    allowed=$(grep -v '^#' tests/layers.txt | while read -r pat ok; do
        # shellcheck disable=SC2254 # the pattern is meant as a pattern
        case $f in $pat) echo "= $ok"; break ;; esac
    done)
    bad=
    [ "$allowed" ] || { echo "$f: not in layers.txt"; bad=1; }
    for h in $(sed -n 's/^# *include [<"]\(.*\)[>"].*/\1/p' "$f"); do
        case $h in
        */* | nn*.h) ;;
        *) continue ;; # a system header, or one beside the file
        esac
        case $h in sys/* | nn.tab.h) continue ;; esac
        ok=
        for a in $allowed; do
            # shellcheck disable=SC2254
            case $h in $a) ok=1 ;; esac
        done
        [ "$ok" ] || { echo "$f: may not include $h"; bad=1; }
    done
    if [ "$bad" ]; then fail=$((fail + 1)); else pass=$((pass + 1)); fi
done
machine='"[^"]*(aarch64|arm|thumb|riscv|wasm|powerpc|ppc|s390|mips|i[36]86|x86_64|apple)[-"0-9v]'
if grep -nE "$machine" src/*/*.[ch] src/graph/ops/*.[ch] | grep -Ev '^src/emit/(targets|names)\.c:'; then
    echo 'facts about targets belong into src/emit/targets.c'
    fail=$((fail + 1))
fi
echo "layers: $pass passed, $fail failed"
[ "$fail" = 0 ]
