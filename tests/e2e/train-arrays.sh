# train-arrays.sh: losses of any number of data parameters, of any type and shape.
. "$ROOT/tests/e2e-lib.sh"

# Pairs of words and words that are none: integers alone, of two shapes.
cat >words.nn <<'N'
use nn;
use optim;
struct Net { inner: Embedding[6, 4], outer: Embedding[6, 4] }
fn score(net: Net, center: int[b], word: int[b, k]) -> real[b, k] =
  [i < b, j < k | dot(net.inner.table[center[i]], net.outer.table[word[i, j]])];
fn loss(net: Net, center: int[b], word: int[b], noise: int[b, k], weight: real[b]) -> real =
  mean(i < b | weight[i] * (softplus(-score(net, center, [k0 < b, j < 1 | word[k0]])[i, 0])
    + sum(j < k | softplus(score(net, center, noise)[i, j]))));
train loss(net) { optimizer = adam(lr = 0.05); }
N
awk 'BEGIN { for (i = 0; i < 60; i++) print i % 6 }' >center.csv
awk 'BEGIN { for (i = 0; i < 60; i++) print (i + 1) % 6 }' >word.csv
awk 'BEGIN { for (i = 0; i < 60; i++) print (i + 2) % 6 "," (i + 3) % 6 "," (i + 4) % 6 }' >noise.csv
awk 'BEGIN { for (i = 0; i < 60; i++) print 0.5 + i % 2 }' >weight.csv
named="--data center=center.csv --data word=word.csv --data noise=noise.csv --data weight=weight.csv"
accept "$NNCC" train words.nn $named --epochs 60 --save net.safetensors
grep -Eq '^test loss: (0\.0|.*e-)' out.txt || fail "$(tail -3 out.txt)"
cp out.txt named.txt
accept "$NNCC" eval words.nn --load net.safetensors $named --json
grep -Eq '"rows": 60, "loss": (0\.0|.*e-)' out.txt || fail "$(cat out.txt)"
refuse 1 "there is no data 'weight'; there is center, word, noise" \
    "$NNCC" train words.nn --data center=center.csv --data word=word.csv --data noise=noise.csv
refuse 1 "takes 'center', 'word' and 'noise' as data; expected features" "$NNCC" train words.nn --data noise.csv --no-label
refuse 1 "two arrays called 'word'" "$NNCC" train words.nn $named --data word=word.csv
head -50 word.csv >short.csv
refuse 1 "'word' has 50 rows; expected 60" \
    "$NNCC" train words.nn --data center=center.csv --data word=short.csv
refuse 1 "'word' has 3 numbers in a row; the model's 'word' .b. takes 1" \
    "$NNCC" train words.nn --data center=center.csv --data word=noise.csv --data noise=noise.csv --data weight=weight.csv
sed '7s/.*/0.5/' word.csv >half.csv
refuse 1 "'word' is 0.5 there; it takes int" \
    "$NNCC" train words.nn --data center=center.csv --data word=half.csv --data noise=noise.csv --data weight=weight.csv
refuse 2 'all data by name, or none' "$NNCC" train words.nn --data center=center.csv --data word.csv
refuse 2 "'--standardise' does not go with data by name" "$NNCC" train words.nn $named --standardise
refuse 2 'several files have names' "$NNCC" train words.nn --data center.csv --data word.csv

# The same from columns of one file, in their order or by their names.
{ echo c,w,n1,n2,n3,s && paste -d, center.csv word.csv noise.csv weight.csv; } >all.csv
accept "$NNCC" train words.nn --data all.csv --columns center=c --columns word=1 --columns noise=2:5 \
    --columns weight=s --epochs 60 --save columns.safetensors
diff named.txt out.txt | grep -v 'time\|(.* s)\|^[0-9-]' && fail 'columns give other results'
accept "$NNCC" train words.nn --data all.csv --columns center=c --columns word=w --columns noise=n1,n2,n3 \
    --columns weight=5 --epochs 1
refuse 1 "has no column 'x'; it has 6" "$NNCC" train words.nn --data all.csv --columns center=x
refuse 1 "has no columns '4:9'; it has 6" "$NNCC" train words.nn --data all.csv --columns noise=4:9
refuse 1 'name=columns' "$NNCC" train words.nn --data all.csv --columns 3

# Sequences with lengths, read from arrays as they lie in a file; test data by name.
cat >runs.nn <<'N'
use nn;
use optim;
struct Net { cell: Linear[3, 2] = 0, out: Linear[2, 1] }
fn predict(net: Net, x: real[b, t, 1], length: int[b]) -> real[b] =
  [i < b | linear(fold(k < length[i], h = [j < 2 | 0.0] | tanh(linear(concat(h, x[i, k]), net.cell))), net.out)[0]];
fn loss(net: Net, x: real[b, t, 1], length: int[b], y: real[b]) -> real =
  mean((predict(net, x, length) - y) ^ 2);
train loss(net) { optimizer = adam(lr = 0.05); }
N
cat >data.c <<'C'
#include "nn.h"
#include <math.h>
enum { N = 40, T = 5 };
static float x[N][T], y[N];
static int32_t length[N];
int main(void)
{
    nncc_tensor all[] = {{NN_F32, 3, {N, T, 1}, x}, {NN_F32, 1, {N}, y}, {NN_I32, 1, {N}, length}};
    nncc_store *s;
    if (nncc_store_new(&s))
        return 1;
    for (int i = 0; i < N; i++) {
        length[i] = 1 + i % T;
        for (int t = 0; t < T; t++)
            x[i][t] = (float)sin(i + 3 * t);
        for (int t = 0; t < length[i]; t++)
            y[i] += 0.3f * x[i][t];
    }
    int bad = nncc_store_put(s, "x", &all[0]) || nncc_store_put(s, "y", &all[1]) ||
           nncc_store_put(s, "length", &all[2]) || nncc_store_write(s, "data.safetensors") ||
           nncc_store_write(s, "data.npz");
    nncc_store_free(s);
    return bad;
}
C
$CC data.c $libnn -o data
accept ./data
accept "$NNCC" train runs.nn --data data.safetensors --epochs 150 --save runs.safetensors
grep -Eq '^train loss: (0\.00|.*e-)' out.txt || fail "$(tail -3 out.txt)"
accept "$NNCC" train runs.nn --data data.safetensors --epochs 3 --test-data data.safetensors
accept "$NNCC" predict runs.nn --load runs.safetensors --data data.safetensors
[ "$(wc -l <out.txt)" = 41 ] || fail "$(wc -l <out.txt) lines"

# The same as .npz, packed too, all of it or array by array; and what is saved so.
accept "$NNCC" train runs.nn --data data.npz --epochs 150 --save runs.npz
gzip -k data.npz && gzip -k data.safetensors
accept "$NNCC" train runs.nn --data data.npz.gz --epochs 2 --load runs.npz
accept "$NNCC" train runs.nn --data data.safetensors.gz --epochs 1
accept "$NNCC" train runs.nn --data x=data.npz:x --data length=data.npz.gz:length --data y=data.safetensors:y --epochs 2
refuse 1 "data.npz: has no array 'z'; it has x, y, length" "$NNCC" train runs.nn --data x=data.npz:z
refuse 1 'data.npz: holds 3 arrays; expected one' "$NNCC" train runs.nn --data x=data.npz
mkdir none && touch none/libzip.so none/libzip.so.4 none/libzip.so.5
refuse 1 'data.npz: .npz files need libzip, which is not installed' \
    env LD_LIBRARY_PATH="$PWD/none" "$NNCC" train runs.nn --data data.npz
accept "$NNCC" predict runs.nn --load runs.npz --data data.npz -o npz.json
accept "$NNCC" predict runs.nn --load runs.safetensors --data data.safetensors -o safetensors.json
cmp npz.json safetensors.json || fail 'what is saved as .npz predicts something else'
head -c 700 data.npz >cut.npz
refuse 1 'cut.npz: damaged' "$NNCC" train runs.nn --data cut.npz

# NumPy reads it and writes it.
if python3 -c 'import numpy' 2>/dev/null; then
    python3 - <<'P'
import numpy as np
net, data = np.load("runs.npz"), np.load("data.npz")
assert sorted(n for n in net.files if n.startswith("net.")) == ["net.cell.W", "net.cell.b", "net.out.W", "net.out.b"], net.files
assert net["net.cell.W"].dtype == np.float32 and data["x"].shape == (40, 5, 1)
np.savez_compressed("packed.npz", x=data["x"].astype(np.float64), y=data["y"].astype(np.float16), length=data["length"].astype(np.uint16))
np.savez("columns.npz", x=np.asfortranarray(data["x"]), y=data["y"][::1], length=data["length"].astype(">i8"))
np.savez("object.npz", x=np.array([{}, []], dtype=object))
P
    accept "$NNCC" train runs.nn --data columns.npz --epochs 150 --save columns.npz.json
    accept "$NNCC" train runs.nn --data data.npz --epochs 150 --save data.npz.json
    cmp columns.npz.json data.npz.json || fail 'columns are not rows'
    accept "$NNCC" train runs.nn --data packed.npz --epochs 2
    refuse 1 "object.npz: 'x.npy': holds neither" "$NNCC" train runs.nn --data object.npz
else
    echo 'skipped: NumPy and .npz files'
fi

# Bytes times a factor are the floats next to the products, as those of doubles are: also by
# 0.85932858374869847, where a sum of two floats would give another.
cat >same.nn <<'N'
use nn;
use optim;
fn predict(net: Linear[256, 1], x: real[b, 256]) -> real[b, 256] = x;
fn loss(net: Linear[256, 1], x: real[b, 256], y: real[b]) -> real = mean((linear(x, net)[:, 0] - y)^2);
train loss(net) { optimizer = adam(lr = 0.001); }
N
LC_ALL=C awk 'BEGIN {
    printf "\\000\\000\\010\\002\\000\\000\\000\\002\\000\\000\\001\\000"
    for (i = 0; i < 512; i++) printf "\\%03o", i % 256 }' >escaped
printf "$(cat escaped)" >bytes.idx
awk 'BEGIN { for (i = 0; i < 512; i++) printf "%d%s", i % 256, i % 256 == 255 ? "\n" : "," }' >bytes.csv
printf '1\n2\n' >y.csv
for factor in 1/255 0.85932858374869847; do
    accept "$NNCC" train same.nn --data bytes.idx --labels y.csv --test 0 --scale $factor --epochs 1 --save net.safetensors
    for bytes in idx csv; do
        accept "$NNCC" predict same.nn --load net.safetensors --data bytes.$bytes -o $bytes.npy
    done
    cmp idx.npy csv.npy || fail "bytes times $factor"
done

# A function of some of the data is asked without the rest, also where only that has a size.
cat >turn.nn <<'N'
use nn;
use optim;
struct Net { from: Embedding[8, 4], out: Linear[4, 8] }
fn logits(net: Net, word: int[b, t], length: int[b]) -> real[b, t, 8] =
  linear(embedding(word, net.from), net.out);
fn predict(net: Net, word: int[b, t], length: int[b]) -> int[b, t] = argmax(logits(net, word, length), axis = 2);
fn loss(net: Net, word: int[b, t], other: int[b, s], length: int[b]) -> real {
  let l = logits(net, word, length);
  mean(i < b, j < s | if j < length[i] { cross_entropy(l[i, j], other[i, j]) } else { 0 })
}
train loss(net) { optimizer = adam(lr = 0.01); }
N
cut -d, -f1-2 noise.csv >two.csv
awk 'BEGIN { for (i = 0; i < 60; i++) print 1 + i % 2 }' >length.csv
accept "$NNCC" train turn.nn --data word=noise.csv --data other=two.csv --data length=length.csv --epochs 1 --save turn.npz
accept "$NNCC" predict turn.nn --load turn.npz --data word=noise.csv --data length=length.csv
[ "$(wc -l <out.txt)" = 61 ] || fail "$(cat out.txt)"
refuse 1 "predict: there is no data 'length'; there is word" "$NNCC" predict turn.nn --load turn.npz --data word=noise.csv

# What was saved, in whatever format, is a value for nncc run.
for to in json npz safetensors; do
    accept "$NNCC" train words.nn $named --epochs 1 --save all.$to --save net=net.$to
    for net in all net; do
        accept "$NNCC" run words.nn score net=@$net.$to 'center=[0, 1]' 'word=[[1, 2], [0, 5]]'
        cp out.txt score.$net.$to
        cmp score.all.json score.$net.$to || fail "$net.$to: another value"
    done
done
accept "$NNCC" run words.nn score net=@all.npz:net 'center=[0, 1]' 'word=[[1, 2], [0, 5]]'
cmp out.txt score.all.json || fail 'one value of a .npz file'
accept "$NNCC" run same.nn 'fn(x: real[b, 256]) = sum(x[1])' x=@idx.npy
accept "$NNCC" run same.nn 'fn(x: real[n, m]) = sum(x[1])' x=@all.npz:net.inner.table
refuse 1 'x: -?[0-9.e-]* is not of type int' \
    "$NNCC" run same.nn 'fn(x: int[n, m]) = sum(x[1])' x=@all.npz:net.inner.table
refuse 1 "net: there is no 'other.inner.table'; there is net.inner.table, net.outer.table" \
    "$NNCC" run words.nn score net=@all.npz:other 'center=[0]' 'word=[[1]]'
refuse 1 'net: idx.npy holds one array, not Net' "$NNCC" run words.nn score net=@idx.npy 'center=[0]' 'word=[[1]]'
