#!/bin/sh
# golden.sh NNCC: compile every golden/*.nn, compare with its .out (exit 0) or
# .err (exit 1). A first line "# dump: STAGE" says what is printed.
# UPDATE=1 rewrites the expected files instead; read the diff before committing.
case $1 in /*) nncc=$1 ;; *) nncc=$PWD/$1 ;; esac
pass=0 fail=0
got=$(mktemp) && trap 'rm -f "$got" "$got.want"' EXIT
cd "$(dirname "$0")/golden" || exit 2
. ../limits.sh
for t in *.nn; do
    [ -e "$t" ] || continue
    stage=$(sed -n '1s/^# dump: *//p' "$t")
    "$nncc" "$t" ${stage:+--dump="$stage"} >"$got" 2>&1
    status=$?
    sed -i 's|\(<std>/[a-z]*\.nn\):[0-9]*:\([0-9]\)|\1:\2|' "$got"
    case $status in
    0) want=${t%.nn}.out other=${t%.nn}.err ;;
    1) want=${t%.nn}.err other=${t%.nn}.out ;;
    *)
        cat "$got"
        echo "$t: crashed"
        fail=$((fail + 1))
        continue
        ;;
    esac
    if [ "$UPDATE" ]; then
        cp "$got" "$want"
        rm -f "$other"
    fi
    [ -e "$want" ] || echo "$t: there is no $want" >>"$got"
    # Lines of the standard library move.
    sed 's|\(<std>/[a-z]*\.nn\):[0-9]*:\([0-9]\)|\1:\2|' "$want" >"$got.want" 2>/dev/null
    if diff -u --label "$want" --label "$t" "$got.want" "$got"; then
        pass=$((pass + 1))
    else
        fail=$((fail + 1))
    fi
done
echo "golden: $pass passed, $fail failed"
[ "$fail" = 0 ]
