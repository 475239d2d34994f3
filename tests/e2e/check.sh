# check.sh: nncc check on every example, and on a derivative that is off.
. "$ROOT/tests/e2e-lib.sh"

for m in "$ROOT"/examples/*/*.nn; do
    case $m in */gpt2.nn) continue ;; esac
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

# `stop` makes the derivative another than the differences.
cat >off.nn <<'N'
fn f(x: real) -> real = stop(x) * x;
export grad(f, x) as g;
N
refuse 1 '1 of 2 checks failed' "$NNCC" check off.nn
grep -q '^g  *d_x  *OFF' out.txt || fail "$(cat out.txt)"

# The gradient of what is trained is checked, exported or not.
cat >train.nn <<'N'
use optim;
struct Net { w: real = 1 }
fn loss(net: Net, x: real[b]) -> real = sum((net.w * x - 1)^2) + stop(net.w) * net.w;
train loss(net) { optimizer = sgd(lr = 0.1); }
N
refuse 1 '1 of 5 checks failed' "$NNCC" check train.nn
grep -q '^loss  *d_net  *OFF' out.txt || fail "$(cat out.txt)"
