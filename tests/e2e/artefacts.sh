# artefacts.sh: every kind of output, f32 and f64, each CPU level.
. "$ROOT/tests/e2e-lib.sh"

m=$ROOT/examples/lecture/mlp.nn
for kind in so o a s ll h json; do
    accept "$NNCC" "$m" -o "m.$kind"
    [ -s "m.$kind" ] || fail "m.$kind is empty"
done
for cpu in x86-64-v2 x86-64-v3 x86-64-v4 native; do
    for real in f32 f64; do
        accept "$NNCC" "$m" --cpu=$cpu --real=$real -o "m-$cpu-$real.o"
    done
done
refuse 1 'z80' "$NNCC" "$m" --cpu=z80 -o m.o
refuse 2 'f16' "$NNCC" "$m" --real=f16 -o m.o
accept "$NNCC" "$ROOT/tests/e2e/train-state/model.nn" -o carried.h
grep -q 'model_train_state' carried.h || fail "no type for the train state"
for h in m.h carried.h; do
    $CC -std=c99 -Wall -Wextra -pedantic -Werror -fsyntax-only $h
    if command -v g++ >/dev/null; then
        g++ -x c++ -Wall -Wextra -pedantic -Werror -fsyntax-only $h
    fi
done
accept "$NNCC" "$m" --dim b=32 -o fixed.h
grep -q 'WORKSPACE' fixed.h || fail "no constant workspace"
for stage in ast graph simplified expanded kernels ir asm; do
    accept "$NNCC" "$m" --dump=$stage
    [ -s out.txt ] || fail "--dump=$stage prints nothing"
done
for c in '' run check train; do
    accept "$NNCC" $c --help
    grep -qi 'usage' out.txt || fail "$c --help"
done
refuse 2 'unknown|did you mean' "$NNCC" --hlep
