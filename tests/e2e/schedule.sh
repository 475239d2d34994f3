# schedule.sh: --dump=schedule is the same for a CPU wherever it is asked for.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'END'
fn f(x: real[b, 30], W: real[30, 20], c: real[20]) -> real = sum(tanh(x @ W + c)^2);
fn g(x: real[n, 3]) -> real[n] = [i | sqrt(sum(j | x[i, j]^2))];
fn h(x: real[9], n: int) -> real[9] = fold(t < n, y = x | tanh(y));
export f, g, h;
END

# has OPTION LINES: these are among those printed with it, in this order.
has() {
    accept "$NNCC" m.nn --dump=schedule "$1"
    printf '%s\n' "$2" >want
    awk 'FNR == NR { want[++n] = $0; next }
        { sub(/^ */, "") } $0 == want[at + 1] { at++ }
        END { if (at < n) { print "no line: " want[at + 1]; exit 1 } }' want out.txt || {
        cat out.txt
        fail "$1"
    }
}

has --cpu=x86-64-v2 '# x86-64-v2: 16 registers of 16 bytes, L1 32 KiB, L2 256 KiB, L3 2048 KiB
# f: 0 1
# g: 2
# h: 3 4
kernel 0: product
# factors: m b n 20 k 30
# tiles: 6 x 8 8 x 4
tile 6 2
# at most 64 pieces, from multiples of 24 on
kernel 1: loops
lanes inside
vector 4
tail scalar
kernel 2: loops
# for i0 < n
lanes outside
vector 4
tail scalar
# at most 64 pieces, from multiples of 64 on
kernel 4: steps
# a step:
kernel 4 step 0: loops
lanes outside'
has --cpu=znver3 '# znver3: 16 registers of 32 bytes, a*b + c, L1 32 KiB, L2 512 KiB, L3 4096 KiB
tile 6 2
vector 8
tail masked
kernel 2: loops
few 6'
has --cpu=znver5 '# znver5: 32 registers of 64 bytes, a*b + c, masks, L1 48 KiB, L2 1024 KiB, L3 4096 KiB
tile 6 4
vector 16'
has --target=aarch64-linux-gnu 'tile 6 4
vector 4'
has --target=thumbv7em-none-eabihf '# cortex-m4: no vectors, the least code
tile 4 1
lanes none'
has --cpu=x86-64-v2,x86-64-v4 'tile 6 2
# x86-64-v4: 32 registers of 64 bytes, a*b + c, masks, L1 32 KiB, L2 256 KiB, L3 1024 KiB
tile 6 4'
refuse 2 "no stage 'schedules'" "$NNCC" m.nn --dump=schedules

# What is printed may be asked for, and is then what there was.
for cpu in x86-64-v2 x86-64-v3 x86-64-v4; do
    "$NNCC" m.nn --dump=schedule --cpu=$cpu >all
    "$NNCC" m.nn --dump=ir --cpu=$cpu >chosen
    "$NNCC" m.nn --dump=ir --cpu=$cpu --schedule=all >asked
    cmp chosen asked
done
ask() { "$NNCC" m.nn --cpu=x86-64-v3 --schedule=settings "$@"; }
echo 'kernel 0:
tile 4 4 # another
kernel 2:
tail scalar' >settings
accept ask --dump=schedule
grep -q '^  tile 4 4$' out.txt
grep -q '^  # tiles: 8 x 24 masked$' out.txt
accept ask --dump=ir
grep -q '@multiply_f32_4_4' out.txt

# no MESSAGE LINES: what is not a schedule of the kernel is refused.
no() {
    printf '%b\n' "$2" >settings
    refuse 1 "^nncc: settings:$1" ask -o m.o
}
no '1: a setting, but of no kernel' 'tile 4 4'
no "2: no setting 'tiles'" 'kernel 0:\ntiles 4 4'
no "2: after 'tile' never or 2 numbers are expected" 'kernel 0:\ntile 4'
no "2: after 'lanes' outside inside none" 'kernel 0:\nlanes 8'
no "1: ':' is expected" 'kernel 0'
no "1: there is no 'kernel 9'" 'kernel 9:'
no '2: a tile has 1, 2, 3, 4, 6 or 8 rows' 'kernel 0:\ntile 5 2'
no '2: a tile has 1, 2 or 4 vectors' 'kernel 0:\ntile 6 3'
no '2: the kernel has no room for it packed' 'kernel 0:\npack_b always'
no '2: there is no row to be streamed' 'kernel 0:\nstream 0'
no '2: there is no epilogue' 'kernel 0:\nepilogue 24 10'
no '2: lanes outside: there is no outer loop' 'kernel 1:\nlanes outside'
no '2: lanes inside: there is no inner loop' 'kernel 2:\nlanes inside'
no '2: sums have 16 slots' 'kernel 1:\nvector 32'
no '2: 128 is not 2 to 64' 'kernel 1:\nvector 128'
no '2: 0 is not 2 to 64' 'kernel 1:\nvector 0'
no '2: vectors have 3 lanes or a power of two' 'kernel 2:\nvector 6'
no '2: 3 lanes: the outer loop has not 3 iterations' 'kernel 2:\nvector 3'
no '2: 32 is not 1 to 8' 'kernel 2:\ntogether 32'
no '2: there is no choice of short loops to unroll' 'kernel 1:\nunroll always'
no '2: there is no choice of loops to count as one' 'kernel 2:\njoin never'
no '2: there is no other nest for few rows' 'kernel 2:\nless 3'
refuse 1 'no such file' "$NNCC" m.nn -o m.o --schedule=none

# A value whose derivative is 0 is a value as others: rows end where they end.
cat >rows.nn <<'END'
fn rows(v: real[m], b: int[n], e: int[n]) -> real[n] =
  [i < n | sum(k < m | if k < e[i] - b[i] { stop(v[b[i] + k]) * v[k] } else { 0.0 })];
export rows;
END
accept "$NNCC" rows.nn --dump=schedule
grep -q ', ends where ' out.txt || fail "$(cat out.txt)"

# Forms are asked for as others are, and together with them.
cat >forms.nn <<'END'
fn small(x: real[n, 3]) -> real[n, 3] = [i < n, j < 3 | x[i, j] / norm(x[i])];
fn flat(x: real[n, 37]) -> real[n, 37] = tanh(x);
fn steps(x: real[n, 3]) -> real[n, 3] = fold(t < 9, s = x | small(s));
export small, flat, steps;
END
forms() { "$NNCC" forms.nn --cpu=x86-64-v3 "$@"; }
accept forms --dump=schedule
cp out.txt all
[ "$(grep -c '^  unroll always$' all)" = 2 ] && grep -q '^  join always$' all || fail "$(cat all)"
forms --dump=ir >chosen
forms --dump=ir --schedule=all | cmp - chosen
printf '%s\n' 'kernel 0:' 'unroll never' 'tail scalar' 'kernel 1:' 'join never' >settings
accept forms --dump=schedule --schedule=settings
grep -q '^  # stage 1: for i1 < 3; i1 in vectors of 3$' out.txt &&
    grep -q '^  tail scalar$' out.txt && grep -q '^  # for i0 < n, i1 < 37$' out.txt ||
    fail "$(cat out.txt)"

# A product may be run as other loops are.
cat >product.nn <<'END'
fn f(x: real[n, 3], w: real[3, 3]) -> real[n, 3] = x @ w;
fn g(x: real[n, 3], w: real[3, 90]) -> real[n, 90] = tanh(x @ w);
export f, g;
END
printf '%s\n' 'kernel 1:' 'tile never' >settings
refuse 1 'settings:2: only tiles have an epilogue' \
    "$NNCC" product.nn -o p.o --cpu=x86-64-v3 --schedule=settings
printf '%s\n' 'kernel 0:' 'tile never' 'lanes inside' >settings
accept "$NNCC" product.nn --dump=ir --cpu=x86-64-v3 --schedule=settings
awk '/^define .*@kernel0/ { on = 1 } on && /multiply_f32/ { exit 1 } /^}/ { on = 0 }' out.txt ||
    fail "$(cat out.txt)"
accept "$NNCC" product.nn --dump=schedule --cpu=x86-64-v3 --schedule=settings
grep -q '^  lanes inside$' out.txt || fail "$(cat out.txt)"
