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
accept "$NNCC" m.nn --no-simplify -o m.so
[ -s m.so ] && [ -s m.h ] || fail "no library"
