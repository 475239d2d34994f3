# no-simplify.sh: --no-simplify computes what is written, and gives the same.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
fn f(x: real[n]) -> real = sum(sin(x)^2 + cos(x)^2);
fn g(A: real[n, n], x: real[n]) -> real = log(sum(exp(A @ x + 0 * x)));
export f, grad(f) as d_f, g, grad(g, x) as d_g, hessian(g, x) as h_g;
N
accept "$NNCC" diff m.nn f
grep -q '^∂f/∂x = 0$' out.txt || fail "$(cat out.txt)"
accept "$NNCC" diff m.nn f --no-simplify
grep -q 'cos(x)' out.txt || fail "$(cat out.txt)"
grep -q '^∂f/∂x = 0$' out.txt && fail "$(cat out.txt)"
# operations OPTION…: all that d_f takes.
operations() {
    accept "$NNCC" cost m.nn d_f --dim n=10 "$@"
    awk '/additions|multiplications|functions|products/ { n += $2 } END { print n + 0 }' out.txt
}
[ "$(operations --no-simplify)" -gt "$(operations)" ] || fail "no more operations"
accept "$NNCC" --dump=simplified m.nn
cp out.txt with.txt
accept "$NNCC" --dump=simplified --no-simplify m.nn
cmp -s out.txt with.txt && fail "the same graph"

# near_alike FUNCTION ARGUMENT…: the same numbers, run and compiled.
near_alike() {
    accept "$NNCC" run --real=f64 m.nn "$@"
    cp out.txt with.txt
    accept "$NNCC" run --real=f64 --no-simplify m.nn "$@"
    cat with.txt out.txt | sed 's/[][{}:,"]/ /g' | awk '
        NR == 1 { n = split($0, want) }
        NR == 2 && NF != n { exit 1 }
        NR == 2 { for (i = 2; i <= n; i++) {
            d = $i - want[i]
            if (d > 1e-12 || d < -1e-12) exit 1 } }' || fail "$(cat with.txt out.txt): $*"
}
near_alike f 'x=[1, 2, 3]'
near_alike d_f 'x=[1, 2, 3]'
for h in g d_g h_g; do
    near_alike $h 'A=[[1, 2], [0.5, -1]]' 'x=[0.3, -0.4]'
done
# Bands: stencils with zeros, sizes and branches at their ends.
cat >m.nn <<'N'
fn wide(x: real[n]) -> real = sum((x[2:] - 2 * x[1:-1] + x[:-2])^3) + sum(x^3);
fn far(x: real[n]) -> real = sum(x[3:] * x[:-3]^2) + sum(x[1:]^3) + sum(x[:-1]^3);
fn rod(x: real[n]) -> real =
  sum(i < n | if i > 0 && i < n - 1 { (x[i+1] - 2 * x[i] + x[i-1])^3 } else { x[i]^4 });
fn ends(x: real[n]) -> real = sum(i < n | {
  let l = if i > 1 { x[i-2] } else { 0.5 };
  let r = if i + 1 < n { x[i+1] } else { x[i] };
  (l * r - x[i])^3
});
fn padded(x: real[n]) -> real[n + 2] = pad(x^2, 1, 1) + pad(x^3, 2, 0) + pad(x, 0, 2);
fn moved(x: real[n]) -> real[n] =
  [i < n | if i == 0 || i == n - 1 { x[i] } else { x[i-1] * x[i+1] }];
fn bands(x: real[n]) = (hessian(wide)(x), hessian(far)(x), hessian(rod)(x), hessian(ends)(x),
                        jacobian(padded)(x), jacobian(moved)(x));
export hessian(rod, x) as h, bands;
N
near_alike bands 'x=[0.25, 1.5, -0.75, 2, 0.5]'
near_alike bands 'x=[0.25, 1.5, -0.75]'
accept "$NNCC" cost m.nn h
grep -q 'additions *7\*n$' out.txt || fail "$(cat out.txt)"
# A reduction of one number, over no axes.
cat >m.nn <<'N'
fn f(A: real[n, m], v: real[n], w: real[m]) -> real = max((A @ w) * v);
export f;
N
near_alike 'grad(f, A)' 'A=[[1, 2], [3, 4], [5, 6]]' 'v=[1, 2, -1]' 'w=[1, -2]'
accept "$NNCC" m.nn --no-simplify -o m.so
[ -s m.so ] && [ -s m.h ] || fail "no library"
