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

cat >text.nn <<'N'
use nn;
use optim;
struct Net { next: real[2, 2] = 0 }
fn loss(net: Net, x: int[b, t], y: int[b, t]) -> real = cross_entropy(net.next[x], y);
train loss(net) { optimizer = sgd(lr = 1); }
N
awk 'BEGIN { for (i = 0; i < 200; i++) printf "ab" }' >ab.txt
accept "$NNCC" train text.nn --text ab.txt --length 8 --epochs 2 --json
grep -v '^{.*}$' out.txt && fail "this is no JSON"
grep -q '^ab.txt: 49 rows' err.txt || fail "$(cat err.txt)"

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

# A page and a picture, which are whole and say what came out.
accept $train --epochs 4 --report page.html --plot curves.svg --json
grep -q '</svg>' curves.svg && grep -q '<polyline' curves.svg && grep -q test_accuracy curves.svg || fail "$(cat curves.svg)"
for what in 'id="result"' 'id="confusion"' 'id="samples"' 'epochs = 4' 'net.hidden.W' 'fn predict(net: Net' 'nncc [0-9]'; do
    grep -q "$what" page.html || fail "no $what: $(cat page.html)"
done
grep -q 'http' page.html && ! grep 'http' page.html | grep -qv 'www.w3.org' || fail "it needs others: $(grep http page.html)"
if python3 -c '' 2>/dev/null; then
    cat >read.py <<'P'
import json, xml.etree.ElementTree as tree
tree.parse('curves.svg')
page = tree.fromstring(open('page.html', encoding='utf-8').read().replace('<!DOCTYPE html>', ''))
table = {t.get('id'): [[''.join(c.itertext()) for c in r] for r in t] for t in page.iter('table')}
count = [[int(c) for c in r[1:]] for r in table['confusion'][1:]]
assert sum(map(sum, count)) == 18, count
accuracy = json.loads(open('out.txt').readlines()[-1])['test_accuracy']
assert abs((count[0][0] + count[1][1]) / 18 - accuracy) < 1e-6, (count, accuracy)
assert len(table['samples']) == 13
P
    python3 read.py || fail 'the page is not as it should be'
else
    echo 'skipped: Python, which reads the page'
fi
for browser in chromium chromium-browser google-chrome none; do
    command -v $browser >/dev/null && break
done
if [ $browser = none ]; then
    echo 'skipped: Chromium, which opens the page'
else
    $browser --headless --no-sandbox --disable-gpu --dump-dom "file://$PWD/page.html" >dom.html 2>/dev/null ||
        fail "$browser does not open it"
    grep -q 'id="versions"' dom.html || fail 'the page is cut short'
fi
# Of a regression, of a function that a metric names, of none.
cat >line.nn <<'N'
use optim;
struct Line { w: real[3] = 0, b: real = 0 }
fn at(p: Line, x: real[n, 3]) -> real[n] = x @ p.w + p.b;
fn loss(p: Line, x: real[n, 3], y: real[n]) -> real = mean((at(p, x) - y)^2);
fn off(a: real[n], y: real[n]) -> real = mean(abs(a - y));
train loss(p) { optimizer = adam(lr = 0.1); metric = off(at); }
N
accept "$NNCC" train line.nn --data d.csv --epochs 2 --report page.html
grep -q 'by at.</p>' page.html && grep -q 'id="samples"' page.html || fail "$(cat page.html)"
grep -q 'id="confusion"' page.html && fail 'classes of numbers'
accept "$NNCC" train line.nn --data d.csv --columns x=0:3 --columns y=3 --epochs 2 --report page.html
awk -F'</*td[^>]*>' '/<tr><td>/ && NF == 7 { n++; if ($4 !~ /^[01]$/ || $6 !~ /^-?[.0-9]+$/) exit 1 } END { exit n < 12 }' page.html ||
    fail "$(cat page.html)"
# What is trained is saved, whatever cannot be told of it.
if [ -w /dev/full ]; then
    ! "$NNCC" train line.nn --data d.csv --epochs 1 --report /dev/full --save saved.npz >out.txt 2>err.txt ||
        fail 'a full disk is no fault'
    grep -q 'cannot write /dev/full' err.txt || fail "$(cat err.txt)"
    accept "$NNCC" eval line.nn --load saved.npz --data d.csv
fi
sed -i 's/metric = .*; //' line.nn
accept "$NNCC" train line.nn --data d.csv --epochs 0 --report page.html --plot curves.svg
grep -q 'id="samples"' page.html && fail "$(cat page.html)"
refuse 2 "'--log-steps' needs a whole number of at least 1, not '0'" $train --log-steps 0
refuse 2 "'--plot' writes .svg, not 'a.png'" $train --plot a.png
refuse 1 'no/page.html' $train --report no/page.html

# Norms, against what they are for a loss of w^2 under gradient descent: in every
# epoch w shrinks by what each of its steps takes.
cat >square.nn <<'N'
use optim;
struct W { w: real = 3 }
fn loss(p: W, x: real[n, 1]) -> real {
  let far = x * p.w;
  mean(far[:, 0]^2)
}
train loss(p) { optimizer = sgd(lr = 0.1); }
N
printf '1\n1\n1\n1\n' >ones.csv
for batch in 4 2 1; do
    accept "$NNCC" train square.nn --data ones.csv --no-label --test 0 --batch $batch --epochs 3 --norms --log norms.csv
    grep -q '^gradient.p.w  *[0-9]' out.txt || fail "$(cat out.txt)"
    awk -F, -v batch=$batch '
        function near(a, b) { return a - b < 1e-5 && b - a < 1e-5 }
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        NR > 1 { w = $at["norm.p.w"]
            if (!near(w, 3 * 0.8 ^ (4 / batch * $1)) || !near($at["gradient.p.w"], 2 * w) ||
                !near($at["activation.far"], w)) exit 1
            if (batch == 4 && NR == 2 ? $at["update.p.w"] != "" : !near($at["update.p.w"], w / 0.8 * 0.2)) exit 1 }
        END { exit NR != 4 }' norms.csv || fail "batch $batch: $(cat norms.csv)"
done
"$NNCC" train - --data ones.csv --no-label --norms <square.nn >out.txt 2>err.txt || fail "$(cat err.txt)"
grep -q '^activation.far ' out.txt || fail "$(cat out.txt)"
# Of several items each has its own.
cat >two.nn <<'N'
use optim;
struct W { w: real[2] = 3 }
fn low(a: W, b: W, x: real[n, 1]) -> real = mean(x^2) * sum(a.w^2) + sum(b.w);
fn high(a: W, b: W, x: real[n, 1]) -> real = mean(x^2) * sum(b.w^2) - sum(a.w);
train low(a) { optimizer = sgd(lr = 0.1); }
train high(b) { optimizer = sgd(lr = 0.2); }
N
accept "$NNCC" train two.nn --data ones.csv --no-label --epochs 2 --norms
for name in gradient.low.a.w gradient.high.b.w norm.low.a.w update.high.b.w; do
    grep -q "^$name  *[0-9. ]*$" out.txt || fail "no $name: $(cat out.txt)"
done
