# watch.sh: what is saved is checked and trained on from where it was; SIGINT ends
# it in good order.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
use optim;
use net;
fn loss(net: Net, x: real[b, 3], y: int[b]) -> real = cross_entropy(predict(net, x), y);
train loss(net) { optimizer = adam(lr = 0.02); metric = accuracy(predict); }
N
cat >net.nn <<'N'
use nn;
struct Net { hidden: Linear[3, 8], out: Linear[8, 2] }
fn predict(net: Net, x: real[b, 3]) -> real[b, 2] = x |> linear(net.hidden) |> tanh |> linear(net.out);
N
awk 'BEGIN { for (i = 0; i < 90; i++) { u = i % 7; v = i % 5; w = i % 3; print u "," v "," w "," (u + v > 5) } }' >d.csv
mkdir -p spare
TMPDIR=$PWD/spare "$NNCC" watch m.nn --data d.csv --test 0 --epochs 100000000 --checkpoint-steps 1000 \
    --save net.json >log.txt 2>err.txt &
watch=$!
trap 'kill $watch 2>/dev/null || true' EXIT
# seen PATTERN FILE: it gets there.
seen() {
    tries=0
    until grep -q "$1" "$2" 2>/dev/null; do
        tries=$((tries + 1))
        kill -0 $watch 2>/dev/null && [ $tries -lt 600 ] || {
            cat log.txt err.txt
            fail "no '$1' in $2"
        }
        sleep 0.1
    done
}
trains() { # until a checkpoint is there: there is something to carry over
    tries=0
    until ls spare/nncc.*/last.safetensors >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "no training: $(cat err.txt)"
        sleep 0.1
    done
}
trains

# Another setting: everything is carried over.
sed 's/0\.02/0.01/' m.nn >n.nn && mv n.nn m.nn
seen '13 of 13 tensors are carried over' log.txt
trains

# A mistake in a file that is used is told, and training goes on; mended it is no
# other program, then a wider layer begins anew.
cp net.nn was.nn
echo 'nonsense' >>net.nn
seen "net.nn:4:1: error: unexpected 'nonsense'" err.txt
seen 'training goes on as before' err.txt
cp was.nn net.nn
sleep 0.5
[ "$(grep -c 'has changed' log.txt)" = 1 ] || fail "the same program begins again"
sed -i 's/3, 8/3, 9/; s/8, 2/9, 2/' net.nn
seen '4 of 13 tensors are carried over' log.txt
grep -q 'net.hidden.W has another shape: begins anew' log.txt || fail "$(cat log.txt)"
trains
! grep -q 'is not in' log.txt || fail "told twice: $(cat log.txt)"

kill -INT $watch
wait $watch || fail "status $?"
grep -q '"hidden": {"W": \[\[' net.json || fail "nothing is saved"
[ -z "$(ls spare)" ] || fail "left behind: $(ls spare)"
[ "$(tail -n 20 log.txt | grep -c '^train loss')" -ge 1 ] || fail "the last training did not end in order"

# What it does not do.
refuse 2 "'--resume' belongs to 'nncc train'" "$NNCC" watch m.nn --data d.csv --resume
refuse 2 'standard input is not saved again' "$NNCC" watch - --data d.csv
refuse 2 'which model' "$NNCC" watch
