# equal.sh: nncc equal: the same expression or not, where they part, by how much.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
fn loss(W: real[n, k], X: real[b, n], y: int[b]) -> real = cross_entropy(X @ W, y);
fn by_hand(W: real[n, k], X: real[b, n], y: int[b]) -> real[n, k] =
  X' @ (softmax(X @ W) - onehot(y, k)) / real(b);
fn sum_of(y: real[n]) -> real = sum(y);
fn sum_off(z: real[n]) -> real = sum(z) + 1e-3 * z[0];
fn twice(x: real) -> real = (x + 1) * (x + 1) - x * x - 1;
fn doubled(x: real) -> real = 2 * x;
fn squares(x: real[n], A: real[m, n]) -> real = sum(exp(A @ x));
fn others(x: real[n], A: real[m, n]) -> real = sum(exp(A @ x + 1));
fn cut(y: real[n]) -> real[n - 100] = y[:n-100];
fn cut_twice(y: real[n]) -> real[n - 100] = 2 * y[:n-100];
fn line(x: real) -> real = x;
fn bent(x: real) -> real = abs(x);
fn count(k: int) -> int = k;
fn counts(k: int) -> int = k * k;
fn never(x: real) -> real = sqrt(-x * x - 1);
fn nowhere(x: real) -> real = log(-x * x - 1);
fn log_product(x: real, y: real) -> real = log(x * y);
fn sum_of_logs(x: real, y: real) -> real = log(x) + log(y);
fn empty(x: real[0]) -> real = sum(x);
fn zero(x: real[0]) -> real = 0;
fn large(x: real[300, 300]) -> real = sum(x);
fn larger(x: real[300, 300]) -> real = 2 * sum(x);
fn entropy(x: real[n]) -> real = sum(x * log(x));
fn curvature(x: real[n]) -> real[n, n] = diag(1 / x);
export grad(loss, W) as gradient;
N

# told STATUS LINE… -- F G: the status, and lines of what is printed.
told() {
    want=$1
    shift
    : >lines
    while [ "$1" != -- ]; do
        printf '%s\n' "$1" >>lines
        shift
    done
    shift
    set +e
    "$NNCC" equal m.nn "$@" >out.txt 2>err.txt
    got=$?
    set -e
    [ "$got" = "$want" ] || fail "status $got, expected $want: $* $(cat out.txt err.txt)"
    while read -r line; do
        grep -qE -- "$line" out.txt || fail "no line '$line': $* $(cat out.txt)"
    done <lines
}
told 0 '^grad\(loss, W\) and by_hand are the same expression$' -- 'grad(loss, W)' by_hand
told 0 '^gradient and by_hand are the same expression$' -- gradient by_hand
told 0 '^sum_of and sum_of are the same' -- sum_of sum_of
told 1 'different expressions' '^they part at$' '^sum_off = 0.001·y\[0\] \+ v1$' \
    'values differ by up to [1-9].*e-0[34] at 8 random points' -- sum_of sum_off
told 1 '^squares = A x$' '^others = A x \+ 1$' 'differ by up to' -- squares others
told 0 'the same at 8 random points, but for rounding' -- twice doubled
told 0 'are the same formula, but for points where one has no value$' 'the same at 8 random points' \
    -- 'hessian(entropy, x)' curvature
"$NNCC" equal m.nn 'hessian(entropy, x)' curvature | grep -q 'they part' && fail "one formula has no parts"
told 1 'no point was found' -- cut cut_twice
# What is said of values holds for negative ones and other integers too, and is
# not said where there are none.
told 1 'differ by up to' -- line bent
told 1 'differ by up to' -- count counts
told 1 'no point was found' -- never nowhere
told 1 'one of them is finite and the other is not' -- log_product sum_of_logs
told 0 'the same at 8 random points$' -- empty zero
told 1 'not compared: they have more than 65536 elements' -- large larger
refuse 1 'sum_of gives real, cut gives real\[n - 100\]' "$NNCC" equal m.nn sum_of cut
refuse 1 "cannot take this as 'x'" "$NNCC" equal m.nn sum_of twice
refuse 1 'it is given what this takes' "$NNCC" equal m.nn sum_of twice
refuse 1 "did you mean 'twice'" "$NNCC" equal m.nn twic doubled
refuse 2 'which two functions' "$NNCC" equal m.nn twice
refuse 2 'which two functions' "$NNCC" equal m.nn twice doubled twice
refuse 1 'no such file' "$NNCC" equal none.nn twice doubled
