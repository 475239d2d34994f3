# train-checkpoints.sh: what was trained is saved, loaded, gone on from, evaluated
# and predicted with.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
use optim;
struct Net { hidden: Linear[3, 8], out: Linear[8, 2] }
fn predict(net: Net, x: real[b, 3]) -> real[b, 2] = x |> linear(net.hidden) |> tanh |> linear(net.out);
fn kind(net: Net, x: real[b, 3]) -> int[b] = argmax(predict(net, x), axis = 1);
fn loss(net: Net, x: real[b, 3], y: int[b]) -> real = cross_entropy(predict(net, x), y);
train loss(net) {
  optimizer = adam(lr = 0.02);
  metric    = accuracy(predict);
}
N
awk 'BEGIN { print "u,v,w,kind"; for (i = 0; i < 90; i++) { u = i % 7; v = 100 * (i % 5); w = i % 3
             print u "," v "," w "," (u + v / 100 > 5 ? "large, \"or so\"" : "small") } }' |
    sed 's/large, "or so"/"large, ""or so"""/' >d.csv
train="$NNCC train m.nn --data d.csv --standardise --batch 16"

# The formats, and back again: the same numbers.
accept $train --epochs 20 --save net.safetensors --save net.json --save state=s.safetensors --save net.bin --save net.h
grep -q 'test accuracy' out.txt || fail "no accuracy"
accept "$NNCC" m.nn -o m.h
cat >use.c <<'C'
#include "net.h"
#include <stdio.h>
#include <string.h>
int main(void)
{
    m_Net net = m_net;
    FILE *f = fopen("net.bin", "rb");
    if (!f || fread(&net, sizeof net, 1, f) != 1 || fgetc(f) != EOF)
        return 1;
    if (memcmp(net.hidden.W, m_net.hidden.W, sizeof net.hidden.W) != 0 ||
        memcmp(net.out.b, m_net.out.b, sizeof net.out.b) != 0)
        return 2;
    printf("%.9g\n", (double)net.out.b[1]);
    return 0;
}
C
$CC -Wall -Wextra -Werror -I. -I"$ROOT/runtime" use.c -o use && ./use >b.txt || fail 'net.bin is not the struct'
grep -q "$(head -c 6 b.txt)" net.json || fail "$(cat b.txt) is not in net.json"
accept "$NNCC" eval m.nn --load net.safetensors --data d.csv --json
cp out.txt eval.json
grep -q '"rows": 90, "loss": 0\..*"accuracy": [01]' eval.json || fail "$(cat eval.json)"
accept $train --epochs 0 --load net.json --save again.safetensors
cmp net.safetensors again.safetensors || fail 'JSON gives other numbers than safetensors'
accept $train --epochs 1 --load net.safetensors --load state=s.safetensors
refuse 2 'writes .safetensors, .npz, .npy, .json, .bin and .h, not' $train --save net.pt
refuse 1 "'net' has 4 arrays" $train --epochs 1 --save net.npy

# Raw rows in, in another order of columns and with others among them: what was
# fitted to the training data is done to them.
awk -F, -v OFS=, '{ print "x", $3, $1, $2 }' d.csv | sed '1s/^x/id/; 2,$s/^x/7/' >raw.csv
accept "$NNCC" predict m.nn --load net.safetensors --data d.csv
cp out.txt labelled.csv
accept "$NNCC" predict m.nn --load net.safetensors --data raw.csv -o p.csv
cmp labelled.csv p.csv || fail 'other columns, other predictions'
head -1 p.csv | grep -q '^class,"large, ""or so""",small$' || fail "$(head -1 p.csv)"
[ "$(wc -l <p.csv)" = 91 ] || fail "$(wc -l <p.csv) lines"
accept "$NNCC" predict m.nn --load net.safetensors --data d.csv --probabilities -o p.json
awk -F'[][,]' '/predict/ { s = $(NF - 3) + $(NF - 2); if (s < 0.999 || s > 1.001) exit 1 }' p.json ||
    fail "these are no probabilities: $(head -3 p.json)"
accept "$NNCC" predict m.nn kind --load net.safetensors --data raw.csv
{ echo kind && tail -n +2 p.csv | sed 's/,[^,]*,[^,]*$//'; } | cmp - out.txt || fail 'kind gives other classes'
accept "$NNCC" predict m.nn --load net.safetensors --data raw.csv -o p.npy
[ "$(wc -c <p.npy)" = $((128 + 90 * 2 * 4)) ] || fail "p.npy has $(wc -c <p.npy) bytes"
cut -d, -f1,2 d.csv >narrow.csv
refuse 1 "no column 'w', which the model" "$NNCC" predict m.nn --load net.safetensors --data narrow.csv
sed '9s/small/tiny/; 9s/"large.*"/tiny/' d.csv >new.csv
refuse 1 "new.csv:9: label 'tiny' is none of the classes" "$NNCC" eval m.nn --load net.safetensors --data new.csv
refuse 1 'is known from the training' "$NNCC" eval m.nn --load net.safetensors --data d.csv --scale 2
refuse 2 'which parameters' "$NNCC" eval m.nn --data d.csv
refuse 1 'takes .y. besides rows' "$NNCC" predict m.nn loss --load net.safetensors --data d.csv
refuse 1 "called 'predcit'" "$NNCC" predict m.nn predcit --load net.safetensors --data d.csv
refuse 1 'for a function that gives a row of reals' \
    "$NNCC" predict m.nn kind --probabilities --load net.safetensors --data d.csv

# Loaded in part, and not at all.
sed 's/out: Linear\[8, 2\]/out: Linear[8, 2], more: Linear[2, 2]/' m.nn >wider.nn
accept "$NNCC" train wider.nn --data d.csv --epochs 1 --load net=net.safetensors
grep -q '^net.more.W is not in net.safetensors: stays as initialised' out.txt || fail "$(cat out.txt)"
sed 's/8/9/g' m.nn >other.nn
refuse 1 "another model's: 'net.hidden.W' is f32.3, 8., here f32.3, 9.; 'net.hidden.b'" \
    "$NNCC" train other.nn --data d.csv --load net.safetensors
refuse 1 "nothing of 'net': [a-z].*; its tensors are called state" $train --load s.safetensors
refuse 2 "nothing called 'nett'; there is 'net', 'state'" $train --load nett=net.safetensors
sed 's/^fn predict.*/struct Outer { net: Net }\n&/; s/net: Net, x/outer: Outer, x/; s/net\.\(hidden\|out\))/outer.net.\1)/g
     s/(net, x/(outer, x/g; s/loss(net)/loss(outer)/' m.nn >outer.nn
refuse 1 'of its fields, if it is said what they are of .--load NAME=FILE' \
    "$NNCC" train outer.nn --data d.csv --load net.safetensors
accept "$NNCC" train outer.nn --data d.csv --epochs 0 --load outer=net.safetensors
refuse 1 'no.such' $train --load no.such
head -c 300 net.safetensors >short.safetensors
refuse 1 'short.safetensors: (damaged|no safetensors)' $train --load short.safetensors
refuse 1 'd.csv: no safetensors file' $train --load d.csv

# A training that is cut into pieces gives the same bits as one that is not; so does
# one whose pieces end anywhere, inside writes too.
long="$train --epochs 40 --patience 30"
accept $long --save whole.safetensors
accept $train --epochs 7 --patience 30 --checkpoint cut
accept $train --epochs 23 --patience 30 --checkpoint cut --resume --checkpoint-steps 2 --keep 10
accept $long --checkpoint cut --resume --save cut.safetensors
cmp whole.safetensors cut.safetensors || fail 'in pieces it comes to other numbers'
[ "$(ls cut | tr '\n' ' ')" = 'best.safetensors epoch-0010.safetensors epoch-0020.safetensors last.safetensors settings.toml ' ] ||
    fail "files: $(ls cut)"
accept "$NNCC" eval m.nn --load cut/best.safetensors --data d.csv
# Killed at 50 moments of between half and all of the time that one takes; where it comes to
# the end before it is killed another one begins, and less time is given from then on.
began=$(date +%s%N)
accept $long --checkpoint once --checkpoint-steps 1
most=$(($(date +%s%N) - began))
ends_the_same() {
    accept $long --checkpoint killed --resume --save killed.safetensors
    cmp whole.safetensors killed.safetensors || fail "killed $kills times it comes to other numbers"
    rm -r killed killed.safetensors
}
kills=0 i=0 times=50
case $NNCC in */san/*) times=20 ;; esac # each takes longer there
while [ $kills -lt $times ]; do
    i=$((i + 1))
    [ $i -lt 400 ] || fail "killed only $kills times"
    after=$(awk -v i=$i -v most=$most 'BEGIN { srand(i); print most / 1e9 * (1 + rand()) / 2 }')
    signal=KILL
    [ $((i % 4)) != 0 ] || signal=TERM
    if timeout -s $signal "$after" $long --checkpoint killed --checkpoint-steps 1 --resume \
        >/dev/null 2>err.txt; then
        [ ! -s err.txt ] || fail "$(cat err.txt)"
        ends_the_same
        most=$((most * 9 / 10))
    else
        [ $? -ge 124 ] || fail "$(cat err.txt)"
        kills=$((kills + 1))
        most=$((most * 21 / 20))
    fi
done
ends_the_same

# What is of another training is not gone on from, and stays as it is.
cp cut/last.safetensors before
refuse 1 'is of a training with seed 0, not 3' $long --checkpoint cut --resume --seed 3
refuse 1 'batches of 16 rows, not 8' $long --batch 8 --checkpoint cut --resume
refuse 1 'on other data' $long --test 20 --checkpoint cut --resume
refuse 1 "another model's" "$NNCC" train other.nn --data d.csv --checkpoint cut --resume
cp net.safetensors cut/last.safetensors
refuse 1 'no checkpoint of a training' $long --checkpoint cut --resume
head -c 500 before >cut/last.safetensors
refuse 1 'cut/last.safetensors: (damaged|no safetensors)' $long --checkpoint cut --resume
refuse 2 "'--resume' goes with '--checkpoint" $train --resume
# Nor is one that is there already written over, unless it is said to be; a log neither.
cp before cut/last.safetensors
echo kept >cut.csv
refuse 1 "cut/last.safetensors: is there already.*'--resume' goes on from it, '--overwrite' begins anew" \
    $train --epochs 1 --checkpoint cut --log cut.csv
cmp before cut/last.safetensors && [ "$(cat cut.csv)" = kept ] || fail 'an earlier training is written over'
refuse 2 "'--resume' and '--overwrite': one at a time" $train --checkpoint cut --resume --overwrite
accept $train --epochs 1 --checkpoint cut --overwrite
cmp before cut/last.safetensors >cmp.txt && fail 'is not written over'
accept $train --epochs 1 --seeds 2 --checkpoint grid
refuse 1 'grid/seed-0/last.safetensors: is there already' $train --epochs 1 --seeds 2 --checkpoint grid
refuse 1 'm.nn: is no folder' $train --checkpoint m.nn --epochs 1
if [ "$(id -u)" != 0 ]; then
    mkdir closed && chmod a-w closed
    refuse 1 'closed/settings.toml: .ermission denied' $train --checkpoint closed
    chmod u+w closed
fi
