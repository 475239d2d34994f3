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
pieces 64 24
kernel 1: loops
lanes inside
vector 4
tail scalar
kernel 2: loops
# for i0 < n
lanes outside
vector 4
tail scalar
pieces 64 64
kernel 4: steps
# kernel 4 step:
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
