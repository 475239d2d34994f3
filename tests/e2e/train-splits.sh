# train-splits.sh: which rows are trained on, looked at meanwhile, and tested on.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
use optim;
fn logits(net: Linear[2, 3], x: real[b, 2]) -> real[b, 3] = linear(x, net);
fn loss(net: Linear[2, 3], x: real[b, 2], y: int[b]) -> real = cross_entropy(logits(net, x), y);
# How many of the rows are of class 2, times 100.
fn share(p: real[b, 3], y: int[b]) -> real = 100 * mean(where(y == 2, 1.0, 0));
train loss(net) { optimizer = adam(lr = 0.3); metrics = (accuracy(logits), share(logits)); }
N
# Of 200 rows 8 are of class 2.
awk 'BEGIN { for (i = 0; i < 200; i++) { k = i % 25 == 9 ? 2 : i % 2
    print (k == 1) * 2 + i % 7 / 10 "," (k == 2) * 2 + i % 5 / 10 "," k } }' >d.csv
for seed in 1 2 3; do
    accept "$NNCC" train m.nn --data d.csv --split stratified --test 0.25 --epochs 1 --seed $seed
    grep -q '^test share: 4.0000' out.txt || fail "class 2 has not its share: $(tail -3 out.txt)"
done
# Test rows are the last ones.
{ head -150 d.csv && tail -50 d.csv | sed 's/,[01]$/,2/'; } >last.csv
accept "$NNCC" train m.nn --data last.csv --split order --test 50 --epochs 1
grep -q '^test share: 100.0000' out.txt || fail "$(tail -3 out.txt)"

# Validation rows decide when to stop, test rows are for the end.
accept "$NNCC" train m.nn --data d.csv --validation 0.25 --test 40 --patience 3 --epochs 60
grep -q '^epoch 1/60 .*validation loss .*validation accuracy' out.txt || fail "$(head -2 out.txt)"
grep -q '^validation accuracy: ' out.txt && grep -q '^test accuracy: ' out.txt || fail "$(tail -6 out.txt)"
accept "$NNCC" train m.nn --data d.csv --validation 0.25 --epochs 3 --log log.csv --plot p.svg --json
[ "$(head -1 log.csv | tr , '\n' | grep -c '^validation_\(loss\|accuracy\)$')" = 2 ] || fail "$(head -1 log.csv)"
grep -q '"result": true.*"validation_loss": .*"validation_accuracy": ' out.txt || fail "$(tail -1 out.txt)"
grep -q test_ log.csv out.txt && fail "$(head -2 log.csv out.txt)"
grep -q 'validation_accuracy' p.svg && grep -q 'validation_loss' p.svg || fail "$(cat p.svg)"
accept "$NNCC" train m.nn --data d.csv --validation 0.25 --epochs 2 --seeds 2 --json
grep -q '"validation_loss": .*"validation_accuracy": ' out.txt || fail "$(cat out.txt)"
accept "$NNCC" train m.nn --data d.csv --validation-data last.csv --test-data last.csv --epochs 2
[ "$(sed -n 's/^validation //p' out.txt)" = "$(sed -n 's/^test //p' out.txt)" ] || fail "$(tail -6 out.txt)"

# A column says it.
{ echo a,b,y,part; awk -F, '{ print $0 "," (NR <= 120 ? "train" : NR <= 160 ? "val" : "Test") }' d.csv; } >parts.csv
accept "$NNCC" train m.nn --data parts.csv --label y --split-column part --epochs 3 --save p.safetensors
grep -q '^validation loss' out.txt && grep -q '^test loss' out.txt || fail "$(tail -6 out.txt)"
accept "$NNCC" eval m.nn --load p.safetensors --data parts.csv
grep -q '^rows: 200' out.txt || fail "$(cat out.txt)"
sed '7s/train$/later/' parts.csv >wrong.csv
refuse 1 "wrong.csv:7:[0-9]*: 'later' says nothing of the row: expected train, validation or test" \
    "$NNCC" train m.nn --data wrong.csv --label y --split-column part
refuse 1 "'y' is the label; expected a column" "$NNCC" train m.nn --data parts.csv --label y --split-column y
refuse 2 "'--test' does not go with '--split-column'" "$NNCC" train m.nn --data parts.csv --label y --split-column part --test 5
refuse 2 "random, order or stratified, not 'ordered'" "$NNCC" train m.nn --data d.csv --split ordered
refuse 2 "'--validation' is a number of rows or a share" "$NNCC" train m.nn --data d.csv --validation x

# Weights of classes: a row of class 2 counts 24 times as much as another.
cat >w.nn <<'N'
use optim;
struct Net { w: real = 0 }
fn loss(net: Net, x: real[b, 2], y: int[b], weight: real[b]) -> real = mean(weight * (net.w - real(y))^2);
fn predict(net: Net, x: real[b, 2]) -> real[b] = net.w + 0 * x[:, 0];
train loss(net) { optimizer = sgd(lr = 0.05); }
N
accept "$NNCC" train w.nn --data d.csv --class-weights weight --epochs 300 --batch 200 --test 0 --save w.safetensors --save w.json
grep -Eq '"w": (1\.0|0\.99)' w.json || fail "classes do not count alike: $(cat w.json)"
accept "$NNCC" eval w.nn --load w.safetensors --data d.csv
grep -q '^loss: 0.66' out.txt || fail "$(cat out.txt)"
printf '1,2\n3,4\n' >raw.csv
accept "$NNCC" predict w.nn --load w.safetensors --data raw.csv
[ "$(wc -l <out.txt)" = 3 ] || fail "$(cat out.txt)"
refuse 1 "the loss has no parameter 'w' for weights of rows: w: real.b." \
    "$NNCC" train w.nn --data d.csv --class-weights w
refuse 1 'an update of 0 gradients' "$NNCC" train w.nn --data d.csv --class-weights weight --accumulate 0
refuse 1 'weights of classes need a class' "$NNCC" train w.nn --data d.csv --no-label --class-weights weight

# A metric that is a tensor: which class was taken for which.
cat >confused.nn <<'N'
use nn;
use optim;
fn logits(net: Linear[2, 3], x: real[b, 2]) -> real[b, 3] = linear(x, net);
fn loss(net: Linear[2, 3], x: real[b, 2], y: int[b]) -> real = cross_entropy(logits(net, x), y);
train loss(net) { optimizer = adam(lr = 0.3); metrics = (confusion(logits), accuracy(logits)); }
N
accept "$NNCC" train confused.nn --data d.csv --test 0 --epochs 0 --save none.safetensors
grep -q confusion out.txt && fail 'a metric of no rows'
accept "$NNCC" train confused.nn --data d.csv --split stratified --test 100 --epochs 60 --patience 4 --save c.safetensors
awk '/^test accuracy: / { right = $3 } /^test confusion:/ { at = NR }
     at && NR > at { d += $(NR - at); for (i = 1; i <= NF; i++) all += $i; last = $3 }
     END { exit !(NR == at + 3 && all > 0.999 && all < 1.001 && d - right < 0.0002 && right - d < 0.0002 && last <= 0.04) }' out.txt ||
    fail "$(tail -6 out.txt)"
accept "$NNCC" eval confused.nn --load c.safetensors --data d.csv --batch 7 --json
grep -Eq '"accuracy": [0-9.]+, "confusion": \[\[0\.[0-9]+, [0-9.e-]+, [0-9.e-]+\], \[.*\], \[.*\]\]\}$' out.txt ||
    fail "$(cat out.txt)"

# Streams: row k of a batch follows on row k of the batch before, and what is carried
# begins anew with each epoch. The loss is 0 only then.
cat >streams.nn <<'N'
use optim;
struct Net { w: real = 0 }
struct Before { x: real[4] = -1 }
fn loss(net: Net, before: Before, x: real[4, 1]) -> (real, Before) =
  (net.w^2 + mean(i < 4 | where(before.x[i] < 0, x[i, 0] - 10 * real(i), x[i, 0] - before.x[i] - 1)^2),
   Before(x = x[:, 0]));
train loss(net) { optimizer = sgd; state = before; }
N
awk 'BEGIN { for (i = 0; i < 43; i++) print i }' >rows.csv
accept "$NNCC" train streams.nn --data rows.csv --no-label --test 0 --order streams --epochs 3
[ "$(grep -c '^epoch ./3  loss 0 ' out.txt)" = 3 ] || fail "$(cat out.txt)"
grep -q '^train loss: 0$' out.txt || fail "$(cat out.txt)"
accept "$NNCC" train streams.nn --data rows.csv --no-label --test 0 --order kept --epochs 3
grep -q '^train loss: 0$' out.txt && fail 'kept is no stream'
head -3 rows.csv >few.csv
refuse 1 'few.csv: 3 rows are too few for 4 streams' \
    "$NNCC" train streams.nn --data few.csv --no-label --test 0 --order streams
refuse 2 "'--order' is shuffled, kept or streams" "$NNCC" train streams.nn --data rows.csv --order stream
# Shares are of whole batches; what is given otherwise is told before a training.
accept "$NNCC" train streams.nn --data rows.csv --no-label --validation 0.2 --order streams --epochs 1
refuse 1 'rows.csv: 9 rows to evaluate on; .* batches of 4: expected a multiple, as 8' \
    "$NNCC" train streams.nn --data rows.csv --no-label --test 9 --validation 0.2 --order streams
# A training that was interrupted goes on to the same bits.
accept "$NNCC" train streams.nn --data rows.csv --no-label --test 0 --order streams --epochs 4 --save before=whole.json
accept "$NNCC" train streams.nn --data rows.csv --no-label --test 0 --order streams --epochs 2 --checkpoint c
accept "$NNCC" train streams.nn --data rows.csv --no-label --test 0 --order streams --epochs 4 --checkpoint c --resume \
    --save before=resumed.json
cmp whole.json resumed.json || fail 'resumed streams are others'

# Bytes of any file, also those that are no text.
cat >bytes.nn <<'N'
use nn;
use optim;
struct Net { table: real[256, 256] = 0 }
fn logits(net: Net, x: int[b, t]) -> real[b, t, 256] = net.table[x];
fn loss(net: Net, x: int[b, t], y: int[b, t]) -> real = cross_entropy(logits(net, x), y);
train loss(net) { optimizer = adam(lr = 0.3); metric = accuracy(logits); }
N
awk 'BEGIN { for (i = 0; i < 200; i++) printf "%c%c\377\n", 1, 200 + 0 }' >bytes.bin
accept "$NNCC" train bytes.nn --text bytes.bin --bytes --length 8 --epochs 10 --save bytes.safetensors
grep -q '^bytes.bin: [0-9]* rows of 8 bytes, 256 different' out.txt || fail "$(head -1 out.txt)"
grep -q '^test accuracy: 1' out.txt || fail "$(tail -3 out.txt)"
accept "$NNCC" eval bytes.nn --load bytes.safetensors --text bytes.bin --length 8
grep -q '^accuracy: 1' out.txt || fail "$(cat out.txt)"
refuse 2 "'--bytes' goes with '--text'" "$NNCC" train bytes.nn --data rows.csv --bytes
