# train-items.sh: several `train` items, frozen parts, groups with settings of
# their own: from the command line, and what C sees of them.
. "$ROOT/tests/e2e-lib.sh"

# at TYPE FILE PATH: what the file of such a value has there, in model $model.
at() {
    "$NNCC" run "$model" "fn(v: $1) = v$3" v=@"$2"
}
same() {
    [ "$(at "$1" "$2" "$4")" = "$(at "$1" "$3" "$4")" ] || fail "$4 differs in $2, $3"
}
differs() {
    [ "$(at "$1" "$2" "$4")" != "$(at "$1" "$3" "$4")" ] || fail "$4 is the same in $2, $3"
}

model=gan.nn
# Two items: each changes its own part, by its own settings, twice as often.
cat >gan.nn <<'N'
use nn;
use optim;
struct Gen { hidden: Linear[2, 16], out: Linear[16, 2] }
struct Critic { hidden: Linear[2, 16], out: Linear[16, 1] }
fn generate(gen: Gen, z: real[b, 2]) -> real[b, 2] =
  z |> linear(gen.hidden) |> tanh |> linear(gen.out);
fn score(critic: Critic, x: real[b, 2]) -> real[b] =
  (x |> linear(critic.hidden) |> relu |> linear(critic.out))[:, 0];
fn tell(critic: Critic, gen: Gen, x: real[b, 2], k: key) -> real =
  mean(softplus(-score(critic, x))) +
  mean(softplus(score(critic, generate(gen, normal(k, [b, 2])))));
fn fool(gen: Gen, critic: Critic, x: real[b, 2], k: key) -> real =
  mean(softplus(-score(critic, generate(gen, normal(k, [b, 2])))));
fn far(x: real[b, 2]) -> real = mean(norm(x, axis = 1));
train tell(critic) {
  optimizer = adam(lr = 1e-3);
  key       = k;
  steps     = 2;
  metric    = far;
}
train fool(gen; frozen = critic) {
  optimizer = sgd(lr = 1e-2);
  key       = k;
  metric    = far;
}
N
awk 'BEGIN { for (i = 0; i < 160; i++) { t = i % 40 / 40 * 6.283; print cos(t) "," sin(t) } }' >ring.csv
gan() {
    "$NNCC" train gan.nn --data ring.csv --no-label --test 0.5 --batch 10 "$@"
}
accept gan --epochs 0 --save critic=c0.json --save gen=g0.json
accept gan --epochs 3 --save critic=c1.json --save gen=g1.json --save all.safetensors \
    --save tell_state=s1.json --save fool_state=f1.json
for name in 'test loss' 'test fool' 'train fool' 'test tell_far: 1' 'test fool_far: 1'; do
    grep -q "^$name" out.txt || fail "no $name: $(cat out.txt)"
done
differs Critic c0.json c1.json .hidden.W
differs Gen g0.json g1.json .out.W
grep -q '"step": 24[,}]' s1.json || fail "$(cat s1.json)"
grep -q '"step": 12[,}]' f1.json || fail "$(cat f1.json)"
# Of four batches a round of two and a round of two: one that is left over.
accept gan --epochs 1 --test 0.8125 --save tell_state=s1.json --save fool_state=f1.json
grep -q '"step": 3[,}]' s1.json || fail "$(cat s1.json)"
grep -q '"step": 2[,}]' f1.json || fail "$(cat f1.json)"

# Settings for all items, and for one.
accept gan --epochs 2 --fool.lr 0 --save critic=c2.json --save gen=g2.json
same Gen g0.json g2.json ''
accept gan --epochs 2 --lr 0 --tell.lr 0.01 --save critic=c2.json --save gen=g2.json
same Gen g0.json g2.json ''
differs Critic c0.json c2.json .hidden.b
refuse 2 "did you mean '--fool.lr'" gan --fool.lx 1
refuse 2 "nothing called 'x'" gan --save x=x.json

# What is saved is all of the model, and is loaded, evaluated and used.
accept "$NNCC" eval gan.nn --load all.safetensors --data ring.csv --no-label
grep -q '^fool: ' out.txt || fail "$(cat out.txt)"
accept "$NNCC" predict gan.nn score --load all.safetensors --data ring.csv
accept gan --epochs 0 --load all.safetensors --save critic=c3.json --save gen=g3.json
same Critic c1.json c3.json ''
same Gen g1.json g3.json ''

# Resumed, to the same bits.
accept gan --epochs 4 --save a.safetensors --checkpoint one
accept gan --epochs 2 --checkpoint two
accept gan --epochs 4 --save b.safetensors --checkpoint two --resume
cmp a.safetensors b.safetensors || fail "resumed to other bits"
cmp one/last.safetensors two/last.safetensors || fail "checkpoints differ"

# From C: the descriptor names the items.
accept "$NNCC" gan.nn -o gan.so
cat >items.c <<'C'
#include <nn.h>
#include <stdio.h>
#include <string.h>
int main(void)
{
    nncc_model *m;
    nncc_data *d;
    nncc_train_result r;
    nncc_train_options o = NNCC_TRAIN_DEFAULTS;
    nncc_csv_options csv = NNCC_CSV_DEFAULTS;
    csv.no_label = 1;
    o.epochs = 1;
    if (nncc_open("./gan.so", &m) || nncc_csv_read("ring.csv", &csv, &d) ||
        nncc_train(m, &o, d, NULL, &r)) {
        printf("%s\n", nncc_last_error());
        return 1;
    }
    printf("%d %s %s %d %s %s %d\n", nncc_item_count(m), nncc_item_name(m, 0),
           nncc_item_name(m, 1), nncc_metric_count(m), nncc_metric_name(m, 1),
           nncc_metric_name(m, 3) ? "?" : "-", r.item_loss[1] > 0);
    nncc_data_free(d);
    nncc_close(m);
    return 0;
}
C
$CC $sanitizers items.c $libnn -o items
accept ./items
[ "$(cat out.txt)" = "2 tell fool 3 fool - 1" ] || fail "$(cat out.txt)"

# Frozen parts stay to the bit, whatever the optimizer does to the rest; a
# parameter that is frozen is loaded.
cat >parts.nn <<'N'
use nn;
use optim;
struct Net { blocks: [Linear[2, 2]; 3], pair: (real[2], real[2]) = 0.5, out: Linear[2, 1] }
fn predict(net: Net, base: Linear[2, 2], x: real[b, 2]) -> real[b] =
  (fold(i < 3, h = linear(x, base) | tanh(linear(h, net.blocks[i]))) * net.pair.1 + net.pair.0
   |> linear(net.out))[:, 0];
fn loss(net: Net, base: Linear[2, 2], x: real[b, 2], y: real[b]) -> real =
  mean((predict(net, base, x) - y)^2);
train loss(net; frozen = base, net.blocks.b, net.pair.0) {
  optimizer = adamw(lr = 1e-2, weight_decay = 0.1);
  clip_norm = 1;
}
N
awk 'BEGIN { for (i = 0; i < 40; i++) { u = i % 7 / 7; v = i % 5 / 5; print u "," v "," u * v } }' >xy.csv
accept "$NNCC" train parts.nn --data xy.csv --epochs 0 --save net=n0.json --save base=b0.json
accept "$NNCC" train parts.nn --data xy.csv --epochs 2 --save net=n1.json --save base=b1.json \
    --save state=s1.json --save parts.safetensors
model=parts.nn
cmp b0.json b1.json || fail "what is frozen has changed"
same Net n0.json n1.json .blocks[1].b
same Net n0.json n1.json .pair.0
differs Net n0.json n1.json .blocks[1].W
differs Net n0.json n1.json .pair.1
differs Net n0.json n1.json .out.b
grep -q '"b": \[\[0, 0\], \[0, 0\], \[0, 0\]\]' s1.json || fail "$(cat s1.json)"
accept "$NNCC" check parts.nn
sed 's/, net.blocks.b/, Linear.b/' parts.nn >all.nn
accept "$NNCC" train all.nn --data xy.csv --epochs 2 --load base=b1.json --save net=n2.json
grep -q 'is not in' out.txt && fail "missing: $(cat out.txt)"
same Net n0.json n2.json .out.b
accept "$NNCC" train parts.nn --data xy.csv --epochs 1 --load parts.safetensors --save net=n3.json
same Net n1.json n3.json .blocks[1].b

# Groups: each part as the optimizer with the group's settings moves it.
cat >groups.nn <<'N'
use optim;
struct Part { w: real[2] = 1, b: real = 1 }
struct Net { one: Part, two: Part }
fn loss(net: Net, x: real[b, 2], y: real[b]) -> real =
  mean(x @ net.one.w + net.one.b - y + x @ net.two.w + net.two.b);
train loss(net) {
  optimizer = momentum(lr = 0.5, beta = 0.5, weight_decay = 0.5);
  groups    = (Part.b(weight_decay = 0), net.two(lr = 0.1 * lr, beta = 0));
}
N
# All gradients are 1; two steps. v = 1, 1 + beta; p - lr * (v + decay * p).
awk 'BEGIN { for (i = 0; i < 2; i++) print "1,1,0" }' >ones.csv
accept "$NNCC" train groups.nn --data ones.csv --test 0 --batch 1 --epochs 1 --save net.json
model=groups.nn
close_to() {
    at Net net.json "$1" | sed 's/.*: //' | tr -d '[],}' | awk -v w="$want" '{ exit !($1 - w < 1e-5 && w - $1 < 1e-5) }' ||
        fail "$1 is $(at Net net.json "$1"), expected $want"
}
# one.w: 1 - 0.5 (1 + 0.5) = 0.25; 0.25 - 0.5 (1.5 + 0.125) = -0.5625
want=-0.5625 close_to .one.w
# one.b: 1 - 0.5 = 0.5; 0.5 - 0.5 * 1.5 = -0.25
want=-0.25 close_to .one.b
# two.w: 1 - 0.05 (1 + 0.5) = 0.925; 0.925 - 0.05 (1 + 0.4625) = 0.851875
want=0.851875 close_to .two.w
# two.b: of both groups: 1 - 0.05 = 0.95; 0.95 - 0.05 = 0.9
want=0.9 close_to .two.b
accept "$NNCC" train groups.nn --data ones.csv --test 0 --batch 1 --epochs 1 --lr 0 --save net.json
want=1 close_to .two.w

# In files: a table for each item.
accept gan --tell.lr 0.5 --lr 0.25 --print-config
grep -A 1 '^\[settings.tell\]' out.txt | grep -q '^lr = 0.5' || fail "$(cat out.txt)"
grep -A 1 '^\[settings.fool\]' out.txt | grep -q '^lr = 0.25' || fail "$(cat out.txt)"
cp out.txt gan.toml
accept "$NNCC" train --config gan.toml --epochs 1 --log log.csv
grep -q '^epoch,.*,test_fool,.*,fool,' log.csv || fail "$(cat log.csv)"
accept gan --config gan.toml --set adam.beta2=0.9 --set sgd.lr=0 --print-config
grep -A 1 '^\[settings.fool\]' out.txt | grep -q '^lr = 0$' || fail "$(cat out.txt)"

# States, actions, rewards: columns of a file; a target net that follows slowly.
cat >dqn.nn <<'N'
use nn;
use optim;
struct Q { a: Linear[2, 16], b: Linear[16, 3] }
fn q(net: Q, state: real[b, 2]) -> real[b, 3] = state |> linear(net.a) |> relu |> linear(net.b);
fn loss(net: Q, target: Q, state: real[b, 2], action: int[b], reward: real[b], next: real[b, 2],
        done: bool[b], gamma: real = 0.9, tau: real = 0.01) -> (real, Q) {
  let best = max(q(target, next), axis = 1);
  let goal = stop(reward + gamma * where(done, 0, best));
  let now = [i < b | q(net, state)[i, action[i]]];
  (mean((now - goal)^2), (1 - tau) * target + tau * net)
}
train loss(net) {
  optimizer = adam(lr = 1e-2);
  state     = target;
  clip_norm = 1;
}
N
awk 'BEGIN { srand(3); for (i = 0; i < 100; i++)
    print rand(), rand(), i % 3, i % 3 == 1, rand(), rand(), i % 10 == 0 }' >moves.csv
accept "$NNCC" train dqn.nn --data moves.csv --columns state=0:2 --columns action=2 --columns reward=3 \
    --columns next=4:6 --columns done=6 --epochs 40 --gamma 0.5 --save q.safetensors
awk '/^epoch 1\// { first = $4 } /^train loss/ { exit !($3 < first / 2) }' out.txt || fail "$(cat out.txt)"
accept "$NNCC" predict dqn.nn q --load q.safetensors --data moves.csv

# What a loss carries on is looked through once, however often its lines use one another.
{
    cat <<'N'
use optim;
struct Net { w: real[2] = 0, c: real = 0 }
struct Seen { mean: real = 0 }
fn predict(net: Net, x: real[b, 2]) -> real[b] = x @ net.w + net.c;
fn loss(net: Net, seen: Seen, x: real[b, 2], y: real[b]) -> (real, Seen) {
  let a0 = seen.mean + mean(y);
N
    awk 'BEGIN { for (i = 1; i <= 60; i++) printf "  let a%d = sin(a%d) * a%d;\n", i, i - 1, i - 1 }'
    cat <<'N'
  (mean((predict(net, x) - y) ^ 2), Seen(mean = a60))
}
train loss(net) { optimizer = momentum(lr = 0.05); state = seen; accumulate = 2; }
N
} >deep.nn
accept "$NNCC" check deep.nn
