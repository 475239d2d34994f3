# train-data.sh: nncc train on all kinds of data: regression, no labels, images,
# IDX and .npy files, texts; several metrics; schedules and patience.
. "$ROOT/tests/e2e-lib.sh"

# bytes N…: these bytes.
bytes() {
    for v in "$@"; do
        printf "\\$(printf '%03o' "$v")"
    done
}

# falls: the loss of the last epoch is at most half of the first's.
falls() {
    awk '/^epoch/ { for (i = 1; i < NF; i++) if ($i == "loss" && !seen[NR]++)
                        { if (!n++) first = $(i + 1); last = $(i + 1) } }
         END { exit !(n > 1 && last <= first / 2) }' out.txt ||
        fail "the loss does not fall: $(cat out.txt)"
}

# Regression: labels are reals; two metrics and the running mean of the targets.
cat >line.nn <<'N'
use optim;
struct Net { w: real[2] = 0, c: real = 0 }
struct Seen { mean: real = 0, steps: int = 0 }
fn predict(net: Net, x: real[b, 2]) -> real[b] = x @ net.w + net.c;
fn mae(p: real[b], y: real[b]) -> real = mean(abs(p - y));
fn within(p: real[b], y: real[b], by: real) -> real =
  mean(where(abs(p - y) <= by, 1.0, 0));
fn loss(net: Net, seen: Seen, x: real[b, 2], y: real[b]) -> (real, Seen) =
  (mean((predict(net, x) - y) ^ 2),
   Seen(mean = 0.9 * seen.mean + 0.1 * mean(y), steps = seen.steps + 1));
train loss(net) {
  optimizer = momentum(lr = 0.05);
  state     = seen;
  metrics   = (mae(predict), within(predict, by = 0.5), within(predict, by = 2));
}
N
awk 'BEGIN { print "u,v,y"; for (i = 0; i < 80; i++) { u = i % 7 / 7; v = i % 5 / 5
             print u "," v "," 2 * u - v + 0.5 } }' >line.csv
accept "$NNCC" train line.nn --data line.csv --epochs 40 --schedule cosine \
    --warmup 3
falls
grep -q '^test mae: 0\.0' out.txt || fail "no mae"
grep -q '^test within: 1\.0' out.txt || fail "no metric 'within'"
grep -q '^test within_2: 1\.0' out.txt || fail "no second metric 'within'"
accept "$NNCC" train line.nn --data line.csv --epochs 40 --save net.json \
    --save seen=seen.json
accept "$NNCC" run line.nn evaluate net=@net.json seen=@seen.json 'x=[[0, 0]]' \
    'y=[0.5]'
grep -q '"within": 1' out.txt || fail "what was saved is not what was trained"
grep -q '"steps": 80' seen.json || fail "the state is not saved: $(cat seen.json)"
refuse 2 "nothing called 'nett'" \
    "$NNCC" train line.nn --data line.csv --save nett=x.json
refuse 1 'no/such' "$NNCC" train line.nn --data line.csv --epochs 1 --save no/such/x
accept "$NNCC" train line.nn --data line.csv --epochs 300 --patience 3 --test 0.5 \
    --lr 0.5 --schedule step --every 4 --factor 0.5
grep -q '^no better for a while' out.txt || fail "was patient"
refuse 2 'constant, linear, cosine, step' \
    "$NNCC" train line.nn --data line.csv --schedule cosin
refuse 1 'patience' "$NNCC" train line.nn --data line.csv --test 0 --patience 3
refuse 2 'which data' "$NNCC" train line.nn
cat >alone.nn <<'N'
use optim;
struct P { a: real[2] = 3 }
fn loss(p: P) -> real = (p.a[0] - 1)^2 + 10 * (p.a[1] - p.a[0]^2)^2;
train loss(p) { optimizer = adam(lr = 0.05); }
N
accept "$NNCC" train alone.nn --steps 3000 --quiet --save alone.json
grep -q '"a": .1.0[0-9]*, 1.0[0-9]*.' alone.json || fail "$(cat alone.json)"
refuse 2 'which data' "$NNCC" eval alone.nn --load alone.json
refuse 2 "'--data' and '--text': one at a time" "$NNCC" train line.nn --data line.csv --text line.csv

# No labels at all, and images from rows of 16.
cat >auto.nn <<'N'
use nn;
use optim;
struct Net { down: Linear[16, 2], up: Linear[2, 16] }
fn loss(net: Net, x: real[b, 4, 4, 1]) -> real {
  let flat = reshape(x, [b, 16]);
  mse(flat |> linear(net.down) |> linear(net.up), flat)
}
train loss(net) { optimizer = adam(lr = 0.02); clip_norm = 1.0; }
N
awk 'BEGIN { for (i = 0; i < 60; i++) { for (k = 0; k < 16; k++)
             printf "%s%d", k ? "," : "", (k + i) % 2 * 255; print "" } }' >auto.csv
accept "$NNCC" train auto.nn --data auto.csv --no-label --scale 1/255 --epochs 40
falls
refuse 1 '15 features.*16|16.*15' "$NNCC" train auto.nn --data auto.csv

# The same as IDX files, as Fashion-MNIST has them.
cat >images.nn <<'N'
use nn;
use optim;
fn logits(net: Linear[16, 2], x: real[b, 4, 4]) -> real[b, 2] =
  linear(reshape(x, [b, 16]), net);
fn loss(net: Linear[16, 2], x: real[b, 4, 4], y: int[b]) -> real =
  cross_entropy(logits(net, x), y);
train loss(net) {
  optimizer  = adamw(lr = 0.05);
  metric     = accuracy(logits);
  accumulate = 2;
}
N
{
    bytes 0 0 8 3 0 0 0 40 0 0 0 4 0 0 0 4
    awk 'BEGIN { for (i = 0; i < 40; i++) for (k = 0; k < 16; k++)
                 printf "\\%03o", (k + i) % 2 * 200 }' >some
    printf "$(cat some)"
} >x.idx
{
    bytes 0 0 8 1 0 0 0 40
    i=0
    while [ $i -lt 20 ]; do
        bytes 0 1
        i=$((i + 1))
    done
} >y.idx
gzip -k x.idx
accept "$NNCC" train images.nn --data x.idx.gz --labels y.idx --scale 1/200 \
    --epochs 20 --batch 8
falls
grep -q '^test accuracy: 1' out.txt || fail "not accurate on IDX files"
accept "$NNCC" train images.nn --data x.idx --labels y.idx --test-data x.idx.gz \
    --test-labels y.idx --standardise --epochs 20 --batch 8 --save scaled.npz
grep -q '^test accuracy: 1' out.txt || fail "not accurate on a test file"
# What was not scaled may come by names, too.
accept "$NNCC" train images.nn --data x.idx --labels y.idx --epochs 1 --save plain.npz
accept "$NNCC" eval images.nn --load plain.npz --data x=x.idx --data y=y.idx
cp out.txt named.txt
accept "$NNCC" eval images.nn --load plain.npz --data x.idx --labels y.idx
cmp named.txt out.txt || fail "by names it is $(cat named.txt)"
refuse 1 "data by the names of parameters .'--data x='. are not scaled" \
    "$NNCC" eval images.nn --load scaled.npz --data x=x.idx --data y=y.idx
head -c 300 x.idx >cut.idx
refuse 1 'cut\.idx: is cut short' "$NNCC" train images.nn --data cut.idx --labels y.idx
head -c 40 x.idx.gz >cut.idx.gz
refuse 1 'cut\.idx\.gz' "$NNCC" train images.nn --data cut.idx.gz --labels y.idx
{
    bytes 0 0 8 1 0 0 0 20
    tail -c 20 y.idx
} >few.idx
refuse 1 '40 rows.*20 labels' "$NNCC" train images.nn --data x.idx --labels few.idx
refuse 1 'no labels' "$NNCC" train images.nn --data x.idx

# npy FILE DESCR SHAPE: a .npy file's header.
npy() {
    bytes 147
    printf 'NUMPY'
    bytes 1 0 118 0
    printf '%-117s\n' "{'descr': '$1', 'fortran_order': ${3-False}, 'shape': $2, }"
}
{
    npy '|u1' '(40, 16)'
    printf "$(cat some)"
} >x.npy
{
    npy '<i2' '(40,)'
    i=0
    while [ $i -lt 20 ]; do
        bytes 0 0 1 0
        i=$((i + 1))
    done
} >y.npy
accept "$NNCC" train images.nn --data x.npy --labels y.npy --scale 1/200 \
    --epochs 20 --batch 8
grep -q '^test accuracy: 1' out.txt || fail "not accurate on .npy files"
{
    npy '|u1' '(40, 16)' True
    printf "$(cat some)"
} >fortran.npy
accept "$NNCC" train images.nn --data fortran.npy --labels y.npy --epochs 1
npy '<c8' '(40, 16)' >complex.npy
refuse 1 'integers nor reals' "$NNCC" train images.nn --data complex.npy --labels y.npy

# A text: every character tells the next one.
cat >text.nn <<'N'
use nn;
use optim;
struct Net { table: real[5, 5] = 0 }
fn logits(net: Net, x: int[b, t]) -> real[b, t, 5] = net.table[x];
fn loss(net: Net, x: int[b, t], y: int[b, t]) -> real =
  cross_entropy(logits(net, x), y);
train loss(net) { optimizer = adam(lr = 0.3); metric = accuracy(logits); }
N
awk 'BEGIN { for (i = 0; i < 300; i++) printf "abc\303\244\n" }' >some.txt
accept "$NNCC" train text.nn --text some.txt --length 16 --epochs 10
grep -q '^some.txt: 93 rows of 16 characters, 5 different' out.txt ||
    fail "no size of the text: $(cat out.txt)"
falls
grep -q '^test accuracy: 1' out.txt || fail "does not know the next character"
accept "$NNCC" train text.nn --text some.txt --length 16 --stride 3 --epochs 1
printf 'abcdefghijklmnopqrstuvwxyz' >wide.txt
refuse 1 'characters? is out of range.*26|26 different' \
    "$NNCC" train text.nn --text wide.txt --length 4
refuse 1 'characters; expected more' "$NNCC" train text.nn --text wide.txt
printf 'a\200b\n' >broken.txt
refuse 1 'broken\.txt:1: is no UTF-8' "$NNCC" train text.nn --text broken.txt --length 1

# The numbers of each epoch in a file; nothing else is said then.
accept "$NNCC" train line.nn --data line.csv --epochs 3 --log log.csv --quiet
grep -q '^epoch 1' out.txt && fail 'it is not quiet'
head -1 log.csv | grep -q '^epoch,step,seconds,loss,test_loss,test_mae,test_within' || fail "$(head -1 log.csv)"
awk -F, 'NR > 1 { n++; if ($1 != n || $2 != 2 * n || NF != 9 || $4 !~ /^[0-9]/) exit 1 } END { exit n != 3 }' log.csv ||
    fail "$(cat log.csv)"
accept "$NNCC" train line.nn --data line.csv --epochs 2 --test 0 --log log.jsonl
grep -c '^{"epoch": [12], .*"test_loss": null, "test_mae": null.*}$' log.jsonl | grep -qx 2 || fail "$(cat log.jsonl)"
accept "$NNCC" train line.nn --data line.csv --epochs 2 --checkpoint c --log c.csv
accept "$NNCC" train line.nn --data line.csv --epochs 4 --checkpoint c --log c.csv --resume
[ "$(cut -d, -f1 c.csv | tr '\n' ' ')" = 'epoch 1 2 3 4 ' ] || fail "$(cat c.csv)"
# Steps that are made again, after a line cut short: those before were not kept.
accept "$NNCC" train line.nn --data line.csv --epochs 2 --checkpoint d --log d.csv
{ sed 's/^2,4/3,6/; 2d' d.csv && printf '4,8'; } >more.csv && cat more.csv >>d.csv
accept "$NNCC" train line.nn --data line.csv --epochs 4 --checkpoint d --log d.csv --resume
[ "$(cut -d, -f1 d.csv | tr '\n' ' ')" = 'epoch 1 2 3 4 ' ] || fail "$(cat d.csv)"
refuse 1 'cannot write no/log.csv' "$NNCC" train line.nn --data line.csv --epochs 1 --log no/log.csv
[ ! -w /dev/full ] || refuse 1 'cannot write all of /dev/full' \
    "$NNCC" train line.nn --data line.csv --epochs 1 --log /dev/full
