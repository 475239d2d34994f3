# check.sh: nncc check on every example, and on a derivative that is off.
. "$ROOT/tests/e2e-lib.sh"

for m in "$ROOT"/examples/*/*.nn; do
    case $m in */gpt2.nn | */finetune/body.nn) continue ;; esac # body: no exports
    accept "$NNCC" check "$m"
done

# GPT-2 is too large for that, and it is told; in small it is right.
refuse 1 '5 of 5 checks failed' "$NNCC" check "$ROOT/examples/gpt2/gpt2.nn"
grep -q '^step  *not checked: it is too large' out.txt || fail "$(cat out.txt)"
sed 's/K = 50257/K = 50/; s/T = 1024/T = 16/; s/D = 768/D = 24/
     s/^export logits;/export logits; export grad(loss, net) as d_loss;/' \
    "$ROOT/examples/gpt2/gpt2.nn" >small.nn
accept "$NNCC" check small.nn
grep -q '^d_loss  *d_net  *ok' out.txt || fail "$(cat out.txt)"

# A derivative that is another than the differences; that of what is stopped is 0.
cat >off.nn <<'N'
fn f(x: real) -> real = 2 * x;
derivative f(x; y, y_bar) = 3 * y_bar;
export grad(f, x) as g;
N
refuse 1 '2 of 4 checks failed' "$NNCC" check off.nn
grep -q '^g  *d_x  *OFF' out.txt || fail "$(cat out.txt)"

cat >stopped.nn <<'N'
fn f(x: real) -> real = stop(x) * x;
export grad(f, x) as g;
N
accept "$NNCC" check stopped.nn

# The gradient of what is trained is checked, exported or not.
cat >train.nn <<'N'
use optim;
struct Net { w: real = 1 }
fn twice(x: real) -> real = 2 * x;
derivative twice(x; y, y_bar) = 3 * y_bar;
fn loss(net: Net, x: real[b]) -> real = sum((net.w * x - 1)^2) + twice(net.w);
train loss(net) { optimizer = sgd(lr = 0.1); }
N
refuse 1 '2 of 7 checks failed' "$NNCC" check train.nn
grep -q '^loss  *d_net  *OFF' out.txt || fail "$(cat out.txt)"

# Type parameters that nothing gives types to: the first that does is drawn.
cat >types.nn <<'N'
struct Pair[A, B] { first: A, second: B }
fn between[T](a: T, b: T, t: real) -> T = a + t * (b - a);
fn corner[T: real](x: T) = x[0, 0]^2;
fn turned[A, B](p: Pair[A, B]) -> Pair[B, A] = Pair(first = p.second, second = p.first);
fn weighed[T](x: real[.., n], y: T, power: int = 2) = sum(x) * y^power;
fn parity[T](i: T) -> T = iota(4)[i % 4];
fn twice[T](f: fn(T) -> T, x: T) -> T = f(f(x));
fn named[T](x: T) = x.name;
fn called[T](x: T) -> T = 2 * x;
fn calls(x: real) -> real = called(x);
N
accept "$NNCC" check types.nn
for line in 'between.real. *t_bar *ok' 'corner.real._k, _l.. *x_bar *ok' 'turned.real. *p_bar *ok' \
    'weighed.real. *y_bar *ok' 'parity.int. *value *ok' 'twice *not looked into: it takes a function' \
    'named *not looked into: for real, there is no field'; do
    grep -q "^$line" out.txt || fail "no '$line' in $(cat out.txt)"
done
if grep -q '^called' out.txt; then fail "$(cat out.txt)"; fi
cat >wrong.nn <<'N'
fn square[T](x: T) -> T = x^2;
derivative square(x; y, y_bar) = 3 * x * y_bar;
N
refuse 1 '1 of 2 checks failed' "$NNCC" check wrong.nn
grep -q '^square.real. *x_bar *OFF' out.txt || fail "$(cat out.txt)"

# Why there is no point at which a function can be called.
cat >outside.nn <<'N'
fn f(x: real[n], k: int) -> real = x[k + 100];
export f;
N
refuse 1 '1 of 1 checks failed' "$NNCC" check outside.nn
grep -q "^f  *not checked: .*outside.nn:1: index 10[01] of 'x.k + 100.' is not in 0" out.txt ||
    fail "$(cat out.txt)"
