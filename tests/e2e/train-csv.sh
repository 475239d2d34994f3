# train-csv.sh: CSV files as people have them, from the raw file to predictions
# on another one.
. "$ROOT/tests/e2e-lib.sh"

cat >rent.nn <<'N'
use nn;
use optim;
struct Net { place: Embedding[3, 2], hidden: Linear[8, 16], out: Linear[16, 1] }
fn predict(net: Net, x: real[b, 6], town: int[b]) -> real[b] =
  [i < b | (concat(x[i], net.place.table[town[i]]) |> linear(net.hidden) |> tanh |> linear(net.out))[0]];
fn loss(net: Net, x: real[b, 6], town: int[b], rent: real[b]) -> real =
  mean((predict(net, x, town) - rent)^2);
train loss(net) { optimizer = adam(lr = 0.02); }
N
awk 'function comma(v) { v = sprintf("%.2f", v); sub(/\./, ",", v); return v }
BEGIN {
    print "# from the register of flats"
    print "id;town;area;kind;since;floor;rent"
    split("Ulm Bonn Kiel", town, " "); split("new old", kind, " ")
    for (i = 0; i < 120; i++) {
        a = 20 + i * 37 % 90; t = i % 3 + 1; k = i % 2 + 1
        if (i % 29 == 7) print "# withdrawn: " i
        printf "f%d;%s;%s;%s;%02d/%02d/%d;%s;%s\n", i, town[t], i % 17 == 5 ? "NA" : comma(a), kind[k],
            i % 28 + 1, i % 12 + 1, 1990 + i % 30, i % 23 == 3 ? "" : i % 5, comma(a / 50 + t / 3 - k / 2) } }' >rent.csv
how='--columns x=area,since,floor,kind,storeys --columns town=town --columns rent=rent --drop id
     --categories town --one-hot kind --dates since --date-order dmy --missing median --rename extra=storeys --standardise'
sed 's/;floor/;floor;extra/; 3,$s/;\([^;]*;[^;]*\)$/;3;\1/' rent.csv >wide.csv
accept "$NNCC" train rent.nn --data wide.csv $how --epochs 100 --save rent.safetensors
grep -Eq '^train loss: (0\.0|.*e-)' out.txt || fail "$(tail -4 out.txt)"
# What comes later has other columns in another order, and no rent.
cat >later.csv <<'N'
storeys;since;kind;area;floor;town
1;14/09/2009;old;NA;1;Bonn
1;14/09/2009;old;64,5;;Bonn
N
accept "$NNCC" predict rent.nn --load rent.safetensors --data later.csv
[ "$(wc -l <out.txt)" = 3 ] || fail "$(cat out.txt)"
# Predictions are in the unit of the file's rents: 64.5 / 50 + 2 / 3 - 1.
sed -n 3p out.txt | awk '{ exit !($1 > 0.7 && $1 < 1.2) }' || fail "$(cat out.txt)"
accept "$NNCC" eval rent.nn --load rent.safetensors --data wide.csv --json
grep -Eq '"rows": 120, "loss": (0\.0|.*e-)' out.txt || fail "$(cat out.txt)"
refuse 1 "there is no data 'x'; there is town, rent" \
    "$NNCC" predict rent.nn --load rent.safetensors --data rent.csv
sed 's/Bonn/Mainz/' later.csv >mainz.csv
refuse 1 "mainz.csv:2:23: 'Mainz' is none of the categories" \
    "$NNCC" predict rent.nn --load rent.safetensors --data mainz.csv

# Columns that are no numbers need a word.
refuse 1 "rent.csv:3:1: 'f0' is no number .column 'id'" "$NNCC" train rent.nn --data rent.csv
# Columns of texts in the first row are likely to hold such: what to say of them is said.
printf '%s\n' 'a;town;since;y' '1;Ulm;2001-03-01;7' '2;-;1999-12-31;8' >words.csv
refuse 1 "words.csv:2:3: 'Ulm' is no number .column 'town'.: '--categories town' says that it holds categories" \
    "$NNCC" train rent.nn --data words.csv
refuse 1 "'--dates since' says that it holds dates" "$NNCC" train rent.nn --data words.csv --drop town
printf '%s\n' 'a;b;y' '1;NA;7' '2;3;8' >lacks.csv
refuse 1 "'NA' is no number .column 'b'.: '--missing' says" "$NNCC" train rent.nn --data lacks.csv
refuse 1 "empty field; expected a number, or a rule|'NA' is no number" \
    "$NNCC" train rent.nn --data rent.csv --drop id --categories town,kind --dates since --date-order dmy
refuse 1 'is no date: expected 2024-12-31' \
    "$NNCC" train rent.nn --data rent.csv --drop id --categories town,kind --dates since --missing drop
refuse 2 "'--missing' is drop, mean, median or a number" "$NNCC" train rent.nn --data rent.csv --missing none
refuse 2 "'--date-order' is dmy or mdy" "$NNCC" train rent.nn --data rent.csv --date-order ymd
refuse 2 "'--comment' is a character or none" "$NNCC" train rent.nn --data rent.csv --comment //
refuse 2 "'--ragged' is NAME or NAME=COLUMN" "$NNCC" train rent.nn --data rent.csv --ragged n=x
refuse 1 "has no column 'colour'; it has 7" "$NNCC" train rent.nn --data rent.csv --drop colour
refuse 1 "no column 'colour' to rename" "$NNCC" train rent.nn --data rent.csv --rename colour=c

# Rows of several lengths, the label first; the sum of each is learnt.
cat >sums.nn <<'N'
use optim;
struct Net { w: real = 0, c: real = 1 }
fn predict(net: Net, x: real[b, t], length: int[b]) -> real[b] =
  [i < b | net.c + net.w * sum(k < length[i] | x[i, k])];
fn loss(net: Net, x: real[b, t], length: int[b], y: real[b]) -> real =
  mean((predict(net, x, length) - y)^2);
train loss(net) { optimizer = adam(lr = 0.1); }
N
awk 'BEGIN { for (i = 0; i < 60; i++) { n = i % 5; s = 0; row = ""
    for (k = 0; k < n; k++) { v = (i + 2 * k) % 7 / 7; s += v; row = row "," v }
    print s / 2 row } }' >sums.csv
accept "$NNCC" train sums.nn --data sums.csv --label 0 --ragged length=1 --columns x=1:5 --columns length=length \
    --epochs 60 --save sums.safetensors
grep -Eq '^test loss: (0\.00|.*e-)' out.txt || fail "$(tail -4 out.txt)"
printf '0,1,1\n0,1,1,1,1\n' >more.csv
accept "$NNCC" predict sums.nn --load sums.safetensors --data more.csv --label 0 -o p.json
grep -Eq '"predict": (1\.0|0\.9)' p.json && grep -Eq '"predict": (2\.0|1\.9)' p.json || fail "$(cat p.json)"
cp p.json with.json
# The same without the label, with names of columns or none; with names and the label.
awk 'NR == 1 { print "half,a,b,c,d" } { print }' sums.csv >named.csv
accept "$NNCC" train sums.nn --data named.csv --label half --ragged length=1 --columns x=1:5 \
    --columns length=length --epochs 60 --save named.safetensors
printf '1,1\n1,1,1,1\n' >bare.csv
{ echo a,b,c,d && cat bare.csv; } >head.csv
{ echo half,a,b && cat more.csv; } >whole.csv
for rows in "bare sums" "bare named" "head named" "whole named"; do
    set -- $rows
    accept "$NNCC" predict sums.nn --load $2.safetensors --data $1.csv -o p.json
    cmp -s p.json with.json || fail "$rows: $(cat p.json), not $(cat with.json)"
done
printf '0,1,1,1,1,1\n' >long.csv
refuse 1 'a row of 6 fields; the model was trained on at most 5' \
    "$NNCC" predict sums.nn --load sums.safetensors --data long.csv --label 0
refuse 1 'a row of 6 fields; the model was trained on at most 4' \
    "$NNCC" predict sums.nn --load sums.safetensors --data long.csv

# Labels 1 to 3, which are names then; and a test file with its own rows.
cat >kinds.nn <<'N'
use nn;
use optim;
fn logits(net: Linear[2, 3], x: real[b, 2]) -> real[b, 3] = linear(x, net);
fn loss(net: Linear[2, 3], x: real[b, 2], y: int[b]) -> real = cross_entropy(logits(net, x), y);
train loss(net) { optimizer = adam(lr = 0.3); metric = accuracy(logits); }
fn predict(net: Linear[2, 3], x: real[b, 2]) -> int[b] = argmax(logits(net, x), axis = 1);
export predict;
N
awk 'BEGIN { for (i = 0; i < 90; i++) { k = i % 3; print (k == 1) * 2 + i % 7 / 10 "," (k == 2) * 2 + i % 5 / 10 "," k + 1 } }' >k.csv
refuse 1 'label 3.*out of range.*labels are 1 to 3.*classes' "$NNCC" train kinds.nn --data k.csv
accept "$NNCC" train kinds.nn --data k.csv --classes --epochs 40 --save k.safetensors
grep -q '^test accuracy: 1' out.txt || fail "$(tail -4 out.txt)"
printf '2.2,0\n0,2.2\n' >new.csv
accept "$NNCC" predict kinds.nn --load k.safetensors --data new.csv
[ "$(tr '\n' ' ' <out.txt)" = 'predict 2 3 ' ] || fail "$(cat out.txt)"
accept "$NNCC" eval kinds.nn --load k.safetensors --data k.csv
grep -q '^accuracy: 1' out.txt || fail "$(cat out.txt)"
# Its classes are those of the training rows, not numbered anew.
sed -n 's/,1$/,c/p; s/,3$/,a/p' k.csv >test.csv
sed 's/,1$/,c/; s/,2$/,b/; s/,3$/,a/' k.csv >train.csv
accept "$NNCC" train kinds.nn --data train.csv --test-data test.csv --epochs 40
grep -q '^test accuracy: 1' out.txt || fail "$(tail -4 out.txt)"
sed '2s/,.$/,d/' test.csv >unknown.csv
refuse 1 "unknown.csv:2: label 'd' is none of the classes" \
    "$NNCC" train kinds.nn --data train.csv --test-data unknown.csv

# Text is no target of a regression.
cat >line.nn <<'N'
use optim;
struct Net { w: real[2] = 0 }
fn loss(net: Net, x: real[b, 2], y: real[b]) -> real = mean((x @ net.w - y)^2);
train loss(net) { optimizer = sgd(lr = 0.1); }
N
refuse 1 "train.csv: labels are names of classes .'a', ….; the model's 'y' takes real" \
    "$NNCC" train line.nn --data train.csv

# A name that two columns have says nothing, unless all is as in the training.
cat >names.nn <<'N'
use nn;
use optim;
fn predict(net: Linear[3, 1], x: real[b, 3]) -> real[b] = linear(x, net)[:, 0];
fn loss(net: Linear[3, 1], x: real[b, 3], y: real[b]) -> real = mean((predict(net, x) - y)^2);
train loss(net) { optimizer = adam(lr = 0.01); }
N
printf '%s\n' a,b,b,y 1,2,3,4 2,1,0,5 3,3,1,2 >twice.csv
printf '%s\n' b,a,b 2,1,3 >turned.csv
printf '%s\n' a,b,c,y 1,2,3,4 2,1,0,5 3,3,1,2 >once.csv
printf '%s\n' a,b,b,c 1,2,3,4 >more.csv
accept "$NNCC" train names.nn --data twice.csv --test 0 --epochs 1 --save twice.safetensors
accept "$NNCC" predict names.nn --load twice.safetensors --data twice.csv
refuse 1 "turned.csv: columns 0 and 2 are both called 'b'" \
    "$NNCC" predict names.nn --load twice.safetensors --data turned.csv
accept "$NNCC" train names.nn --data once.csv --test 0 --epochs 1 --save once.safetensors
refuse 1 "more.csv: columns 1 and 2 are both called 'b'" \
    "$NNCC" predict names.nn --load once.safetensors --data more.csv
for option in '--drop b' '--label b' '--columns x=a,b,y'; do
    refuse 1 "twice.csv: columns 1 and 2 are both called 'b'" "$NNCC" train names.nn --data twice.csv $option
done

# Several columns are predicted by their names.
cat >two.nn <<'N'
use nn;
use optim;
struct Net { out: Linear[2, 2] }
fn predict(net: Net, x: real[b, 2]) -> real[b, 2] = linear(x, net.out);
fn loss(net: Net, x: real[b, 2], y: real[b, 2]) -> real = mean((predict(net, x) - y)^2);
train loss(net) { optimizer = adam(lr = 0.1); }
export predict;
N
awk 'BEGIN { print "price,u,v,\"size, m\""; for (i = 0; i < 40; i++) print i % 7, i % 7, i % 5, i % 5 }' |
    sed '2,$s/ /,/g' >two.csv
# Which features there are is told where they are not as many as the model takes.
refuse 1 "has 3 features in a row; .* takes 2; its features are 'price', 'u', 'v': '--columns' says" \
    "$NNCC" train two.nn --data two.csv --epochs 1
refuse 1 "has no column 'w'; it has 4: 'price', 'u', 'v', 'size, m'" "$NNCC" train two.nn --data two.csv --drop w
refuse 1 "there is no data 'y'; there is x, by '--columns'" "$NNCC" train two.nn --data two.csv --columns x=1:3
accept "$NNCC" train two.nn --data two.csv --columns x=1:3 --columns y=price,3 --epochs 30 --save two.safetensors
accept "$NNCC" predict two.nn --load two.safetensors --data two.csv
[ "$(head -1 out.txt)" = 'price,"size, m"' ] || fail "$(head -1 out.txt)"
accept "$NNCC" predict two.nn --load two.safetensors --data two.csv -o two.json
head -1 two.json | grep -q '^\[{"predict": {"price": [-0-9.e]*, "size, m": [-0-9.e]*}},$' || fail "$(head -1 two.json)"
refuse 2 "'-o' writes .csv, .json and .npy, not 'p.parquet'" \
    "$NNCC" predict two.nn --load two.safetensors --data two.csv -o p.parquet
printf '1,2\n' >bare.csv
refuse 1 'has 2 columns of features; the model was trained on 4: fewer need a first line with their names' \
    "$NNCC" predict two.nn --load two.safetensors --data bare.csv
