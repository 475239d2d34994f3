# bad-data.sh: nncc train on data that does not fit.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
use optim;
fn logits(net: Linear[2, 3], x: real[b, 2]) -> real[b, 3] = linear(x, net);
fn loss(net: Linear[2, 3], x: real[b, 2], y: int[b]) -> real {
  cross_entropy(logits(net, x), y)
}
train loss(net) {
  optimizer = adam(lr = 1e-2);
  metric    = accuracy(logits);
}
N
awk 'BEGIN { print "a,b,class"; for (i = 0; i < 60; i++) print i % 7 "," i % 5 "," i % 3 }' >good.csv
accept "$NNCC" train m.nn --data good.csv --epochs 2
grep -q 'accuracy' out.txt || fail "no accuracy"
gzip -k good.csv
accept "$NNCC" train m.nn --data good.csv.gz --label class --epochs 1

refuse 1 'none\.csv' "$NNCC" train m.nn --data none.csv
refuse 1 'colour' "$NNCC" train m.nn --data good.csv --label colour
: >empty.csv
refuse 1 'empty\.csv' "$NNCC" train m.nn --data empty.csv
sed '5s/.*/1,two,0/' good.csv >text.csv
refuse 1 'text\.csv:5:.*two' "$NNCC" train m.nn --data text.csv
sed '6s/.*/1,2/' good.csv >uneven.csv
refuse 1 'uneven\.csv:6' "$NNCC" train m.nn --data uneven.csv
sed '7s/.*/1,2,3/' good.csv >range.csv
refuse 1 'label|range' "$NNCC" train m.nn --data range.csv
sed 's/^/9,/; 1s/9/extra/' good.csv >wide.csv
refuse 1 '2.*3|3.*2' "$NNCC" train m.nn --data wide.csv
head -c 300 "$NNCC" >binary.csv
refuse 1 'binary\.csv' "$NNCC" train m.nn --data binary.csv
mkdir folder.csv
refuse 1 'folder\.csv' "$NNCC" train m.nn --data folder.csv
head -c 100 good.csv.gz >cut.csv.gz
refuse 1 'cut\.csv\.gz' "$NNCC" train m.nn --data cut.csv.gz
printf 'fn f(x: real) -> real = x;\nexport f;\n' >untrained.nn
refuse 1 'train' "$NNCC" train untrained.nn --data good.csv
