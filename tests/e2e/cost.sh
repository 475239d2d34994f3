# cost.sh: nncc cost: operations, bytes and workspace as formulas or numbers.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
fn product(A: real[m, k], B: real[k, n]) -> real[m, n] = A @ B;
fn mixed(x: real[n], y: real[n]) -> real[n] = exp(x) + x / y - 3 * y;
fn steps(x: real, n: int) -> real = fold(t < n, h = x | h * h + x);
fn loss(A: real[m, k], B: real[k, n]) -> real = sum(tanh(A @ B));
fn spread(x: real[n], t: int[n]) -> real = sum(i | x[t[i]] * x[i]);
export product, mixed, steps, loss, grad(loss, A, B) as loss_grad, grad(spread) as d_spread;
N
# takes NAME WHAT FORMULA: a line of that function.
takes() {
    got=$(awk -v f="$1" '/^[^ ]/ { on = $0 == f } on' out.txt | sed -n "s/^  $2  *//p")
    [ "$got" = "$3" ] || fail "$2 of $1: '$got', expected '$3'"
}
accept "$NNCC" cost m.nn
takes product products 'm*k*n'
takes product additions ''
takes mixed 'bytes moved' '12*n'
takes mixed functions n
takes mixed divisions n
takes mixed multiplications n
takes mixed additions '2*n'
takes mixed workspace 0
takes steps multiplications n
takes steps additions n
takes loss functions 'm*n'
takes loss products 'm*k*n'
takes loss_grad products '3*m*k*n'
[ "$(grep -c '^  times loss ' out.txt)" = 1 ] || fail "$(cat out.txt)"

accept "$NNCC" cost m.nn product mixed --dim m=2 --dim k=3 --dim n=5
takes product products 30
takes mixed 'bytes moved' 60
accept "$NNCC" cost m.nn 'grad(loss, A)' --json
grep -q '^\[{"name".*"products": "2\*m\*k\*n".*}\]$' out.txt ||
    fail "$(cat out.txt)"
accept "$NNCC" cost m.nn --json --dim m=2 --dim k=3 --dim n=5
grep -q '"name": "product",.* "products": 30,.* "bytes_moved": [0-9]*, "workspace": [0-9]*}' out.txt ||
    fail "$(cat out.txt)"
[ "$(grep -c '"name"' out.txt)" = 6 ] || fail "$(cat out.txt)"

# What is asked for is called so, also in JSON.
accept "$NNCC" cost m.nn 'grad(loss, A)' 'grad(steps, x)'
[ "$(grep '^[^ ]' out.txt)" = "grad(loss, A)
grad(steps, x)" ] || fail "$(cat out.txt)"
accept "$NNCC" cost m.nn --json 'fn(x: real[n]) = einsum("i,i->", x, x)'
grep -qF '"name": "fn(x: real[n]) = einsum(\"i,i->\", x, x)"' out.txt || fail "$(cat out.txt)"
# A function that has no value where all dimensions are 64 has no ratio.
echo 'fn tail(x: real[n]) -> real = sum(exp(x[:n-100]));
export tail, grad(tail);' >far.nn
accept "$NNCC" cost far.nn
grep -q times out.txt && fail "$(cat out.txt)"

# A gradient takes at most four times what its function does.
for f in softmax two_layer curve mlp; do
    accept "$NNCC" cost "$ROOT/examples/lecture/$f.nn"
    awk '/^  times/ && $3 > 4 { exit 1 }' out.txt || fail "$f: $(cat out.txt)"
done

# Products of the Hessian of a network of two layers with a vector, beside those of its
# gradient: of dimensions of 10 all, 1,000 each and some of rows.
cat >net.nn <<'N'
use nn;
fn loss(W1: real[n, h], W2: real[h, k], X: real[b, n], y: int[b]) -> real =
  cross_entropy(relu(X @ W1) @ W2, y);
export grad(loss, W1, W2) as net_grad, hvp(loss, W1, W2) as net_hvp;
N
ten='--dim n=10 --dim h=10 --dim k=10 --dim b=10'
accept "$NNCC" cost net.nn $ten
awk '/^  products/ { p[++n] = int($2 / 1000) } END { exit !(p[1] == 5 && p[2] - p[1] <= 5) }' out.txt ||
    fail "$(cat out.txt)"
# Of a smooth function it is one more, which docs/design.md proves.
sed -i 's/relu(X @ W1)/tanh(X @ W1)/' net.nn
accept "$NNCC" cost net.nn $ten
awk '/^  products/ { p[++n] = int($2 / 1000) } END { exit !(p[1] == 5 && p[2] - p[1] <= 6) }' out.txt ||
    fail "$(cat out.txt)"
# What has structure costs what it has: no n^3, no identity that is multiplied.
cat >structure.nn <<'N'
fn quadratic(A: real[n, n], X: real[n, m]) -> real = trace(X' @ A @ X);
fn linear(A: real[n, m], X: real[m, k], B: real[k, n]) -> real = trace(A @ X @ B);
fn rank1(v: real[n], B: real[n, m]) -> real[n, m] = (diag(v) - outer(v, v)) @ B;
fn rows(A: real[b, n, m], B: real[b, m, n]) -> real[b] = [i | trace(A[i] @ B[i])];
fn springs(x: real[n]) -> real = sum((x[1:] - x[:-1])^4);
N
accept "$NNCC" cost structure.nn 'grad(quadratic, X)' linear 'grad(linear, X)' rank1 rows \
    'hessian(springs, x)'
takes 'grad(quadratic, X)' products 'n^2*m'
takes linear products 'n*m*k + n*k'
takes 'grad(linear, X)' products 'n*m*k'
takes rank1 products 'n*m'
takes rows products 'b*n*m'
takes 'hessian(springs, x)' additions '2*n - 1'
takes 'hessian(springs, x)' multiplications '3*n - 3'
accept "$NNCC" run structure.nn 'hessian(springs, x)' 'x=[1,2,4]'
grep -qF '[[12, -12, 0], [-12, 60, -48], [0, -48, 48]]' out.txt || fail "$(cat out.txt)"

# Of a condition one case counts, in all that it decides.
cat >cases.nn <<'N'
fn same(x: real[n], c: real) -> real[n] =
  (if c > 0 { exp(x) } else { x * x * x }) + (if c > 0 { x * x * 2 } else { sin(x) });
fn inner(x: real[n], c: real) -> real[n] =
  if c > 0 { exp(if c > 1 { sin(x) } else { x }) } else { if c > 1 { x } else { cos(sin(x)) } };
N
accept "$NNCC" cost cases.nn same inner
takes same functions n
takes same multiplications '2*n'
takes inner functions '2*n'

refuse 1 "did you mean 'mixed'" "$NNCC" cost m.nn mixe
refuse 2 "unknown option '--dims'" "$NNCC" cost m.nn --dims
echo 'fn f(x: real) -> real = x;' >none.nn
refuse 1 'exports nothing; name a function' "$NNCC" cost none.nn
# --dim fixes dimensions of functions that are named, too.
echo 'fn f(x: real[n]) -> real = sum(x^2); fn g(y: real[m]) -> real = sum(y);' >named.nn
accept "$NNCC" cost named.nn f g --dim n=3 --dim m=5
grep -q '^  products *3$' out.txt || fail "$(cat out.txt)"
for command in 'cost named.nn f' 'diff named.nn f' 'equal named.nn f f' 'run named.nn f x=[1]'; do
    # shellcheck disable=SC2086 # words
    refuse 1 "no function has a dimension 'm' to fix" "$NNCC" $command --dim m=3
done
accept "$NNCC" diff named.nn f --dim n=3
accept "$NNCC" equal named.nn f f --dim n=3
accept "$NNCC" run named.nn f x='[1, 2, 3]' --dim n=3
[ "$(cat out.txt)" = '{"f": 14}' ] || fail "$(cat out.txt)"
echo 'fn f(x: real[n]) -> real = sum(x^2); export f;' >vast.nn
refuse 1 'too large for 64 bits' "$NNCC" cost vast.nn 'hessian(f, x)' --dim n=2147483647

# Derivatives of stencils and of rows: arithmetic for what is not 0.
cat >m.nn <<'N'
fn stencil(x: real[n]) -> real[n] =
  [i < n | if i == 0 || i == n - 1 { x[i] } else { sin(x[i-1] * x[i]) + exp(x[i+1]) }];
fn parts(x: real[n+2]) -> real[n] = sin(x[:n] * x[1:n+1]) + exp(x[2:]);
fn rows(A: real[n, 3]) -> real[n] = [i < n | sin(A[i, 0]) * A[i, 1] + A[i, 2]^2];
fn chain(x: real[n]) -> real = sum((x[1:] - x[:n-1])^2) / 2;
export jacobian(stencil), jacobian(parts), jacobian(rows), hessian(chain);
N
for f in stencil parts rows; do
    accept "$NNCC" cost m.nn "jacobian($f)" --dim n=1000
    awk '/additions|multiplications|divisions|functions/ { n += $2 } /products/ { n += 2 * $2 }
         END { exit !(n > 0 && n <= 20000) }' out.txt || fail "$f: $(cat out.txt)"
done
accept "$NNCC" check m.nn
for n in 1 2 3; do accept "$NNCC" run m.nn 'jacobian(parts)' x="[$(seq -s, $((n + 2)))]"; done
is '{"hess_x": [[1, -1, 0, 0], [-1, 2, -1, 0], [0, -1, 2, -1], [0, 0, -1, 1]]}' 'hessian(chain)' x='[1,2,4,8]'
