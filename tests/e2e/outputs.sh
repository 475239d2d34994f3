# What nncc writes is opened first, replaced as a whole or written through, and
# leaves nothing where it is not finished.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'EOF'
use optim;
struct Line { w: real[1] = 0 }
fn loss(l: Line, x: real[b, 1], y: real[b]) -> real = mean((x @ l.w - y)^2);
fn twice(x: real) -> real = 2 * x;
train loss(l) { optimizer = sgd(lr = 0.1); }
export twice;
EOF
awk 'BEGIN { for (i = 0; i < 64; i++) print i / 64 "," i / 32 }' >d.csv
train="$NNCC train m.nn --data d.csv"

# What cannot be written is told before the work.
refuse 1 'cannot write .*nowhere/x.json: no such file' $train --epochs 1000000000 --save nowhere/x.json
refuse 1 'cannot write nowhere/m.so: no such file' "$NNCC" missing.nn -o nowhere/m.so
mkdir folder.so
refuse 1 'cannot write folder.so: this is a directory' "$NNCC" m.nn -o folder.so
refuse 1 'missing.nn: no such file' "$NNCC" missing.nn -o m.so
[ ! -e m.so ] && [ ! -e m.h ] || fail 'an output of a program that is none'

# What was there stays until the new one is whole, and keeps its mode; a link
# stays one.
echo old >kept.json
chmod 640 kept.json
ln -s kept.json link.json
accept $train --epochs 1 --save link.json
[ -L link.json ] || fail 'the link is gone'
[ "$(stat -c %a kept.json)" = 640 ] || fail "mode $(stat -c %a kept.json)"
grep -q '"w"' kept.json || fail 'not written behind the link'
accept "$NNCC" m.nn -o m.so
[ -x m.so ] || fail 'a library that is not executable'
chmod 600 m.so
accept "$NNCC" m.nn -o m.so
[ "$(stat -c %a m.so)" = 600 ] || fail "mode $(stat -c %a m.so)"
ln -s made.a link.a
accept "$NNCC" m.nn -o link.a
[ -L link.a ] && [ -f made.a ] || fail 'a link to what is not there yet'

# Devices and FIFOs are written to; "-" is standard output.
accept $train --epochs 1 --save /dev/null
[ -c /dev/null ] || fail '/dev/null is gone'
accept "$NNCC" m.nn -o /dev/null --as so
[ -c /dev/null ] || fail '/dev/null is gone'
mkfifo pipe.json
cat pipe.json >got.json &
accept "$NNCC" m.nn -o pipe.json
wait
[ -p pipe.json ] || fail 'the FIFO is gone'
accept "$NNCC" m.nn -o plain.json
cmp got.json plain.json || fail 'another text through the FIFO'
accept "$NNCC" m.nn -o - --as json
cmp out.txt plain.json || fail 'another text on standard output'
refuse 2 'what is .-. to be' "$NNCC" m.nn -o -
refuse 2 'so, o, a, s, ll, bc, h or json, not .exe.' "$NNCC" m.nn -o - --as exe
[ ! -w /dev/full ] || refuse 1 'cannot write /dev/full: the disk is full' "$NNCC" m.nn -o /dev/full --as json

# Whoever ends it finds nothing left; SIGINT and SIGTERM end a training early and
# keep what it has.
for signal in TERM HUP INT; do
    mkdir end
    set +e
    TMPDIR="$PWD/end" timeout --foreground -s $signal 2 "$NNCC" train m.nn --data d.csv --epochs 1000000000 \
        --save end/x.json --save l=end/y.json >/dev/null 2>&1
    [ $? = 124 ] || fail "SIG$signal: it ended before"
    set -e
    left=$(ls end | tr '\n' ' ')
    [ "$left" = "$([ $signal = HUP ] || echo 'x.json y.json ')" ] || fail "SIG$signal left $left"
    [ $signal = HUP ] || grep -q '"w"' end/y.json || fail 'a training cut short did not save'
    rm -rf end
done

# Asked twice, as timeout asks a child and its group, it may end before it has saved,
# and leaves nothing unfinished then.
mkdir end
TMPDIR="$PWD/end" timeout -s INT 2 "$NNCC" train m.nn --data d.csv --epochs 1000000000 \
    --save end/x.json >/dev/null 2>&1 || true
left=$(ls end)
[ "$left" = x.json ] || [ -z "$left" ] || fail "SIGINT twice left $left"
rm -rf end
