#!/bin/sh
# e2e.sh BUILD [NAME…]: run every case of e2e/, or these. A case is a script NAME.sh, or a folder
# with model.nn and a C driver that is compiled with the model's header, linked
# with nothing of ours, given the path of model.so and exits 0 if all is well.
build=$(cd "$1" && pwd) || exit 2
shift
cd "$(dirname "$0")" || exit 2
root=$(cd .. && pwd)
. ./limits.sh
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
NNCC=$build/nncc BUILD=$build ROOT=$root
CC=${CC:-cc}
export NNCC BUILD ROOT CC
pass=0 fail=0

folder() {
    "$NNCC" "$1/model.nn" $(cat "$1/flags" 2>/dev/null) -o "$work/model.so" &&
        $CC -std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -I"$work" -I"$1" "$1"/*.c \
            -o "$work/driver" -ldl -lm &&
        "$work/driver" "$work/model.so"
}

[ $# != 0 ] || set -- $(ls e2e)
for t; do
    name=${t%.sh}
    t=e2e/$name
    [ -d "$t" ] || t=$t.sh
    case $t in
    *.sh) (mkdir "$work/$name" && cd "$work/$name" && sh "$root/tests/$t") ;;
    *) [ -f "$t/model.nn" ] && folder "$t" ;;
    esac >"$work/log" 2>&1
    if [ $? = 0 ]; then
        pass=$((pass + 1))
        grep '^skipped: ' "$work/log"
    else
        echo "e2e/$name failed:"
        tail -40 "$work/log"
        fail=$((fail + 1))
    fi
done
echo "e2e: $pass passed, $fail failed"
[ "$fail" = 0 ]
