# train-records.sh: the numbers of a training as JSON and for TensorBoard.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
use optim;
struct Net { hidden: Linear[3, 8], out: Linear[8, 2] }
fn predict(net: Net, x: real[b, 3]) -> real[b, 2] = x |> linear(net.hidden) |> tanh |> linear(net.out);
fn loss(net: Net, x: real[b, 3], y: int[b]) -> real = cross_entropy(predict(net, x), y);
train loss(net) {
  optimizer = adam(lr = 0.02);
  metric    = accuracy(predict);
}
N
awk 'BEGIN { for (i = 0; i < 90; i++) { u = i % 7; v = i % 5; print u "," v "," i % 3 "," (u + v > 5) } }' >d.csv
train="$NNCC train m.nn --data d.csv --batch 16 --test 18"

# Nothing but JSON on standard output, a line for each epoch and one in the end.
accept $train --epochs 2 --json --log-steps 3
[ "$(grep -c '^{"epoch": [12], .*"loss": 0.*"test_accuracy": .*"rows_per_second": .*"batch_loss": null}$' out.txt)" = 2 ] ||
    fail "$(cat out.txt)"
[ "$(grep -c '^{"epoch": [12], "step": [369], .*"loss": null.*"batch_loss": 0\..*}$' out.txt)" = 3 ] || fail "$(cat out.txt)"
tail -1 out.txt | grep -q '^{"result": true, "epochs": 2, "steps": 10, .*"test_accuracy": [01][.0-9]*}$' || fail "$(cat out.txt)"
[ "$(wc -l <out.txt)" = 6 ] || fail "$(cat out.txt)"
grep -q '^training time' err.txt || fail "$(cat err.txt)"

# Elsewhere than on a terminal long trainings print some of their lines.
accept $train --epochs 1000
[ "$(grep -c '^epoch .*rows/s' out.txt)" -le 60 ] || fail "$(wc -l <out.txt) lines"
grep -q '^epoch 1/1000 ' out.txt && grep -q '^epoch 1000/1000 ' out.txt || fail "$(cat out.txt)"

# Event files: a new one each time.
accept $train --epochs 3 --tensorboard events --quiet --checkpoint c
accept $train --epochs 5 --tensorboard events --quiet --checkpoint c --resume
[ "$(ls events | grep -c '^events.out.tfevents.')" = 2 ] || fail "$(ls events)"
refuse 1 'cannot write m.nn/events' $train --tensorboard m.nn
if python3 -c 'import tensorboard' 2>/dev/null; then
    cat >read.py <<'P'
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
e = EventAccumulator('events')
e.Reload()
assert set(e.Tags()['scalars']) == {'loss', 'test_loss', 'test_accuracy', 'rows_per_second'}, e.Tags()
assert [s.step for s in e.Scalars('loss')] == [5, 10, 15, 20, 25], e.Scalars('loss')
assert all(0 < s.value < 2 for s in e.Scalars('loss'))
P
    accept python3 read.py
else
    echo 'skipped: the tensorboard package of Python'
fi
