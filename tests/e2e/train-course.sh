# train-course.sh: how a training goes: by steps, evaluations, schedules of several
# settings, running means, what is done about NaN; seeds and grids.
. "$ROOT/tests/e2e-lib.sh"

cat >line.nn <<'N'
use optim;
struct Net { w: real[2] = 0, c: real = 0 }
fn predict(net: Net, x: real[b, 2]) -> real[b] = x @ net.w + net.c;
fn mae(p: real[b], y: real[b]) -> real = mean(abs(p - y));
fn loss(net: Net, x: real[b, 2], y: real[b]) -> real = mean((predict(net, x) - y) ^ 2);
train loss(net) {
  optimizer = momentum(lr = 0.05, weight_decay = 0.01);
  metric    = mae(predict);
}
N
awk 'BEGIN { print "u,v,y"; for (i = 0; i < 80; i++) { u = i % 7 / 7; v = i % 5 / 5
             print u "," v "," 2 * u - v + 0.5 } }' >line.csv
line() {
    "$NNCC" train line.nn --data line.csv "$@"
}

# Steps, and evaluations among them. 64 rows: 4 batches of 16.
accept line --steps 10 --batch 16 --eval-steps 3 --log log.csv
[ "$(grep -c '^step [369]/10  loss .*  test loss .*  test mae ' out.txt)" = 3 ] || fail "$(cat out.txt)"
[ "$(awk -F, 'NR > 1 && $5 != ""' log.csv | cut -d, -f2 | tr '\n' ' ')" = '3 6 9 ' ] ||
    fail "$(cat log.csv)"
refuse 2 "'--epochs' and '--steps': one at a time" line --steps 3 --epochs 4
refuse 1 'need a test set' line --steps 3 --eval-steps 1 --test 0
accept line --epochs 2 --batch 16 --save a.safetensors
accept line --steps 8 --batch 16 --save b.safetensors
cmp a.safetensors b.safetensors || fail "8 steps are not 2 epochs of 4"
accept line --steps 500 --batch 16 --eval-steps 5 --patience 2 --best min:mae --lr 0.9
grep -q '^no better for a while' out.txt || fail "was patient"
refuse 2 "max:METRIC" line --best mae
refuse 1 "no metric 'acc' to be the best by; there is mae" line --best max:acc

# Schedules: the settings at each step, from what a step of plain descent by a
# gradient of 1 does.
cat >one.nn <<'N'
use optim;
struct P { a: real = 0, b: real = 1 }
fn at(p: P, x: real[n]) -> real = p.a;
fn loss(p: P, x: real[n]) -> real = mean(x) * p.a;
train loss(p) {
  optimizer = sgd(lr = 1, weight_decay = 0);
  metric    = at;
}
N
awk 'BEGIN { for (i = 0; i < 10; i++) print 1 }' >ones.csv
# moves EXPECTED OPTION…: -a after each of ten steps.
moves() {
    want=$1
    shift
    accept "$NNCC" train one.nn --data ones.csv --no-label --test-data ones.csv --batch 1 --steps 10 \
        --eval-steps 1 --log moves.csv "$@"
    awk -F, -v want="$want" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "test_at") at = i; next }
        $at != "" { x = x sprintf("%s%.3f", x == "" ? "" : " ", last - $at); last = $at }
        END { if (x != want) { print x; exit 1 } }' moves.csv ||
        fail "expected $want: $*"
}
moves '1.000 0.900 0.800 0.700 0.600 0.500 0.400 0.300 0.200 0.100' --schedule linear
moves '0.250 0.500 0.750 1.000 1.000 1.000 1.000 1.000 1.000 1.000' --warmup 4
# Up along a cosine from 1/25 in 5 steps, and down to 0.
moves '0.040 0.132 0.372 0.668 0.908 1.000 0.905 0.655 0.345 0.095' --schedule one-cycle --warmup 5
# The loss falls at each step; by `max:at` nothing is better than the first.
moves '1.000 1.000 1.000 0.500 0.500 0.250 0.250 0.125 0.125 0.062' --schedule plateau --every 2 \
    --factor 0.5 --best max:at
refuse 1 'needs a test set' line --schedule plateau --test 0
refuse 2 'one-cycle or plateau' line --schedule one_cycle
refuse 1 "no setting 'x' for a schedule" line --schedule x=linear
refuse 1 "two schedules of 'lr'" line --schedule linear --schedule lr=cosine
refuse 2 "'--every' needs a whole" line --schedule plateau --every x
# Of two settings, each its own: p.b is 1, of which lr * weight_decay goes.
cat >two.nn <<'N'
use optim;
struct P { b: real = 1 }
fn at(p: P, x: real[n]) -> real = p.b;
fn loss(p: P, x: real[n]) -> real = mean(x) * (p.b - p.b);
train loss(p) { optimizer = sgd(lr = 0.5, weight_decay = 1); metric = at; }
N
accept "$NNCC" train two.nn --data ones.csv --no-label --test-data ones.csv --batch 10 --epochs 2 \
    --schedule lr=linear --factor lr=0.5 --schedule weight_decay=step --every weight_decay=1 \
    --factor weight_decay=0.1
# 1 - 0.5 * 1 = 0.5; 0.5 - 0.375 * 0.1 * 0.5 = 0.48125
grep -q '^test at: 0.4812' out.txt || fail "$(cat out.txt)"

# The running mean is what is evaluated and saved; a checkpoint has both.
accept "$NNCC" train one.nn --data ones.csv --no-label --test-data ones.csv --batch 1 --steps 2 \
    --ema 0.5 --save p.json
# a: 0, -1, -2; mean: 9/11 of the way to -1, then 9/12 of that to -2.
grep -q '"a": -1.7045' p.json || fail "$(cat p.json)"
grep -q '^test at: -1.7045' out.txt || fail "$(cat out.txt)"
accept line --epochs 4 --ema 0.9 --save a.safetensors --checkpoint one
accept line --epochs 2 --ema 0.9 --checkpoint two
accept line --epochs 4 --ema 0.9 --save b.safetensors --checkpoint two --resume
cmp a.safetensors b.safetensors || fail "resumed to another mean"
accept line --epochs 4 --save c.safetensors
cmp -s a.safetensors c.safetensors && fail "the mean is what was trained"
refuse 2 "'--ema' is" line --ema 1

# Steps whose loss is no number are left out, or end it.
cat >bad.nn <<'N'
use optim;
struct Net { w: real = 1 }
fn loss(net: Net, x: real[b]) -> real = mean(log(x * net.w));
train loss(net) { optimizer = sgd(lr = 0.001); }
N
awk 'BEGIN { for (i = 0; i < 40; i++) print i % 10 ? 1 : 0 }' >zeros.csv
refuse 1 'the loss.* in epoch 1, step' "$NNCC" train bad.nn --data zeros.csv --no-label --batch 1 --test 0
accept "$NNCC" train bad.nn --data zeros.csv --no-label --batch 1 --test 0 --epochs 2 --on-nan skip \
    --save net.json
grep -q '^skipped steps: 8$' out.txt || fail "$(cat out.txt)"
[ "$(grep -c 'in epoch [12], step' err.txt)" = 5 ] || fail "$(cat err.txt)"
grep -q 'null\|nan\|inf' net.json && fail "$(cat net.json)"
refuse 1 'no step of epoch 1 could be made' \
    "$NNCC" train bad.nn --data zeros.csv --no-label --batch 40 --test 0 --on-nan skip
refuse 2 "'--on-nan' is stop or skip" line --on-nan go

# Side by side: seeds, settings; the best is saved.
accept line --epochs 3 --seeds 2 --grid lr=0.05,1e-4 --grid beta=0.9,0.5 --save best.json
[ "$(grep -c '^ *[01]  ' out.txt)" = 8 ] || fail "$(cat out.txt)"
[ "$(grep -c '^ *mean .* +- ' out.txt)" = 4 ] || fail "$(cat out.txt)"
grep -q '^best: seed [01], lr 0.05, beta 0\.[59]$' out.txt || fail "$(cat out.txt)"
awk '/^best: / { at = NR } at && /^(train|test) loss: [0-9]/ { n++ } END { exit n != 2 }' out.txt || fail "$(cat out.txt)"
beta=$(sed -n 's/^best: .* beta //p' out.txt)
accept line --epochs 3 --grid "lr=1e-4,0.05" --beta "$beta" --save best.json
accept line --epochs 3 --lr 0.05 --beta "$beta" --save alone.json
cmp best.json alone.json || fail "the best is not what was saved"
# Several at a time: the same lines in the same order, and files for each.
accept line --epochs 3 --seeds 2 --grid lr=0.05,1e-4 --jobs 1 --save one.json
cp out.txt one.txt
accept line --epochs 3 --seeds 2 --grid lr=0.05,1e-4 --jobs 3 --save several.json --log log.csv --checkpoint c
cmp one.txt out.txt && cmp one.json several.json || fail "$(cat out.txt)"
for run in seed-0-lr-0.05 seed-1-lr-0.05; do
    [ "$(wc -l <$run/log.csv)" = 4 ] && [ -f c/$run/last.safetensors ] || fail "$run: $(ls $run c)"
done
[ "$(ls c | wc -l)" = 4 ] || fail "$(ls c)"
accept line --epochs 6 --seeds 2 --grid lr=0.05,1e-4 --jobs 2 --log log.csv --checkpoint c --resume
[ "$(wc -l <seed-1-lr-0.05/log.csv)" = 7 ] || fail "$(cat seed-1-lr-0.05/log.csv)"
refuse 2 "'--jobs' goes with '--seeds' or '--grid'" line --jobs 2
accept line --epochs 1 --grid lr=0.05,1e-4 --json
[ "$(grep -c '^{"seed": 0, "lr": .*"test_mae": ' out.txt)" = 2 ] || fail "$(cat out.txt)"
accept "$NNCC" train bad.nn --data zeros.csv --no-label --grid lr=1e-3,1e-4 --batch 1 --test 0 --epochs 1 \
    --on-nan skip
refuse 1 'no training came to an end' \
    "$NNCC" train bad.nn --data zeros.csv --no-label --grid lr=1e-3,1e-4 --test 0
refuse 2 "'x' is no setting" line --grid x=1
refuse 2 'NAME=VALUE,VALUE' line --grid lr
refuse 2 "needs a number, not 'a'" line --grid lr=1,a
refuse 2 "is of one training" line --seeds 2 --plot c.svg
