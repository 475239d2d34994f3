#!/bin/sh
# layers.sh BUILD: fail if a file includes a header that layers.txt does not
# allow it, if rooms need each other's functions in a circle, if a file is longer
# than 700 lines, if it knows a machine that only the table of targets is to
# know, or if it lies at the top level and has no business there.
build=$(cd "$1" && pwd) || exit 2
cd "$(dirname "$0")/.." || exit 2
pass=0 fail=0
for f in src/*/*.[ch] src/graph/ops/*.[ch] grammar/*.[ly] runtime/*.[ch] runtime/mpi/*.[ch]; do
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
# Who needs whose symbols, as "from to symbol"; grammar/ is of syntax/. Objects
# of files that are no more are left out.
needs() {
    objects=$(ls src/*/*.c src/*/*/*.c runtime/*.c | sed 's/c$/o/')
    (cd "$build" && ls -d $objects ./*.o 2>/dev/null | xargs nm -A) | awk '
        function room(file, part) {
            split(file, part, "/")
            if (part[1] == ".")
                return part[2] == "std.o" ? "std" : "syntax"
            return part[1] == "src" ? part[2] : part[1]
        }
        { at = index($0, ".o:"); r = room(substr($0, 1, at + 1)) }
        $(NF - 1) ~ /^[TDRBC]$/ { of[$NF] = r }
        $(NF - 1) ~ /U$/ { n++; by[n] = r; what[n] = $NF }
        END {
            for (i = 1; i <= n; i++)
                if (of[what[i]] != "" && of[what[i]] != by[i])
                    print by[i], of[what[i]], what[i]
        }'
}
all=$(needs)
if [ "$(echo "$all" | wc -l)" -lt 100 ]; then
    echo "no symbols in $build"
    fail=$((fail + 1))
elif ! circle=$(echo "$all" | cut -d' ' -f1,2 | sort -u | tsort 2>&1 >/dev/null); then
    echo "rooms need each other in a circle:"
    echo "$circle" | grep -v loop
    fail=$((fail + 1))
else
    pass=$((pass + 1))
fi
# One concept each; nn.h is a manual, too.
for f in src/*/*.[ch] src/graph/ops/*.[ch] grammar/*.[ly] runtime/*.[ch]; do
    [ "$f" != runtime/nn.h ] || continue
    n=$(wc -l <"$f")
    [ "$n" -le 700 ] || { echo "$f: $n lines, more than 700" && fail=$((fail + 1)); }
done
machine='"[^"]*(aarch64|arm|thumb|riscv|wasm|powerpc|ppc|s390|mips|i[36]86|x86_64|apple)[-"0-9v]'
if grep -nE "$machine" src/*/*.[ch] src/graph/ops/*.[ch] | grep -Ev '^src/(target/rows|artefact/names)\.c:'; then
    echo 'facts about targets belong into src/target/rows.c'
    fail=$((fail + 1))
fi
# Of what is kept; where there is no repository, of what there is.
for f in $(git ls-files 2>/dev/null | cut -d/ -f1 | grep . || ls -A); do
    case $f in
    .?* | Makefile | README.md | CONTRIBUTING.md | LICENSE) continue ;;
    build | docs | examples | grammar | python | runtime | src | tests) continue ;;
    esac
    echo "$f: not of the top level"
    fail=$((fail + 1))
done
echo "layers: $pass passed, $fail failed"
[ "$fail" = 0 ]
