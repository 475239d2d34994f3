# check.sh: nncc check on every example, and on a derivative that is off.
. "$ROOT/tests/e2e-lib.sh"

for m in "$ROOT"/examples/*/*.nn; do
    accept "$NNCC" check "$m"
done

# `stop` makes the derivative another than the differences.
cat >off.nn <<'N'
fn f(x: real) -> real = stop(x) * x;
export grad(f, x) as g;
N
refuse 1 '1 of 2 checks failed' "$NNCC" check off.nn
grep -q '^g  *d_x  *OFF' out.txt || fail "$(cat out.txt)"
