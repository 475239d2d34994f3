# std-decay.sh: shares of a setting as a training goes on; settings that use them.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use optim;
fn linears(t: real[n]) -> real[n] = [i | linear_decay(t[i], 0.5)];
fn cosines(t: real[n]) -> real[n] = [i | cosine_decay(t[i], to = 0.2)];
fn warm(s: real[n]) -> real[n] = [i | warmup(s[i], 4)];
fn cycles(t: real[n]) -> real[n] = [i | one_cycle(t[i])];
export linears, cosines, warm, cycles;
N
near '{"linears": [1, 0.875, 0.5, 0.5]}' linears 't=[0, 0.25, 1, 2]'
near '{"cosines": [1, 0.6, 0.2, 0.2]}' cosines 't=[-1, 0.5, 1, 3]'
near '{"warm": [0.25, 0.5, 1, 1]}' warm 's=[0, 1, 3, 9]'
near '{"cycles": [0.04, 0.52, 1, 0.5, 0]}' cycles 't=[0, 0.15, 0.3, 0.65, 1]'

# The gradient is 1: each step moves by lr.
cat >s.nn <<'N'
use optim;
struct P { a: real = 0, b: real = 0 }
fn at(p: P, x: real[n]) -> real = p.a;
fn half(p: P, x: real[n]) -> real = p.b;
fn loss(p: P, x: real[n]) -> real = mean(x) * (p.a + p.b);
train loss(p) {
  optimizer = sgd(lr = warmup(step, 2) * linear_decay(step / total_steps));
  groups    = p.b(lr = if step < 1 { lr } else { 0 });
  metrics   = (at, half);
}
N
awk 'BEGIN { for (i = 0; i < 8; i++) print 1 }' >ones.csv
train() {
    "$NNCC" train s.nn --data ones.csv --no-label --test-data ones.csv --batch 2 "$@"
}
# 0.5 + 0.75 + 0.5 + 0.25
accept train --epochs 1
grep -q '^test at: -2.0000' out.txt || fail "$(cat out.txt)"
grep -q '^test half: -0.5000' out.txt || fail "$(cat out.txt)"
# 0.5 + 0.875
accept train --steps 2 --total_steps 8
grep -q '^test at: -1.3750' out.txt || fail "$(cat out.txt)"
# The count is in the state: it goes on with a checkpoint.
accept train --epochs 4 --save a.safetensors --checkpoint one
accept train --epochs 2 --total_steps 16 --checkpoint two
accept train --epochs 4 --save b.safetensors --checkpoint two --resume
cmp a.safetensors b.safetensors || fail "resumed at another rate"
refuse 2 "'--lr' is neither" train --lr 1
accept "$NNCC" check s.nn
accept "$NNCC" s.nn -o s.h
grep -q 'float total_steps' s.h || fail "no argument total_steps"
