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
# What is the same in every program comes compiled, for the level of the CPU;
# with another effort, and for another system, it is made with the program.
if [ "$(uname -m)" = x86_64 ]; then
    has_level() { nm "$1" | grep -q " multiply_f32-$2\$"; }
    d=$ROOT/examples/digits/digits.nn
    for level in x86-64-v2 x86-64-v3 x86-64-v4; do
        accept "$NNCC" "$d" --cpu=$level -o level.so
        has_level level.so $level || fail "the product for $level is made anew"
    done
    accept "$NNCC" "$d" --cpu=znver3 -o zen.so
    has_level zen.so x86-64-v3 || fail 'the product for znver3 is made anew'
    # It passes AVX's vectors in one register, as code for v2 does not.
    accept "$NNCC" "$d" --cpu=sandybridge -o old.so
    accept "$NNCC" "$d" --cpu=x86-64-v3 -O1 -o quick.so
    accept "$NNCC" "$d" --cpu=x86-64-v3 -Os -o small.so
    for made in old quick small; do
        ! has_level $made.so x86-64-v. || fail "$made.so has a product that is not for it"
    done
    accept "$NNCC" "$d" --cpu=portable -o all.so
    for level in x86-64-v2 x86-64-v3 x86-64-v4; do
        has_level all.so $level || fail "no product for $level"
    done
    for one in level zen old quick small all; do
        ! nm -u $one.so | grep -v ' w ' | grep . || fail "$one.so needs that"
    done
fi
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
