# firmware.sh: the firmware of docs/abi.md here, and on Cortex-M with and without an
# FPU where the cross compiler and the emulator are. How much code a model is there.
. "$ROOT/tests/e2e-lib.sh"

awk '/^```nn tiny.nn/ { to = "tiny.nn"; next } /^```c firmware.c/ { to = "firmware.c"; next }
     /^```/ { to = "" } to { print >to }' "$ROOT/docs/abi.md"
accept "$NNCC" tiny.nn -o tiny.o
$CC -std=c11 -Wall -Wextra -Werror -I. firmware.c tiny.o -o here
./here || fail "firmware.c on this machine"

# small LIMIT FILE.o: no more bytes of code and constants than that.
small() {
    bytes=$(size "$2" | awk 'NR == 2 { print $1 + $2 }')
    [ "$bytes" -le "$1" ] || fail "$2 has $bytes bytes, expected at most $1"
}
cat >trained.nn <<'END'
use nn;
use optim;
struct Net { a: Linear[2, 3], b: Linear[3, 1] }
fn f(n: Net, x: real[b, 2]) -> real[b, 1] = x |> linear(n.a) |> sigmoid |> linear(n.b) |> sigmoid;
fn loss(n: Net, x: real[b, 2], y: real[b, 1]) -> real = mse(f(n, x), y);
train loss(n) { optimizer = adam(lr = 0.1); }
export f;
END
for cpu in cortex-m4 cortex-m7; do
    accept "$NNCC" trained.nn --dim b=4 --target=thumbv7em-none-eabihf --cpu=$cpu -o trained.o
    small 16384 trained.o
    if nm -u trained.o | grep -v __aeabi_ | grep -q .; then
        fail "trained.o needs $(nm -u trained.o)"
    fi
    nm -u trained.o | grep -Eq '__aeabi_(d|f2d|l2d)' && fail "float64 in a float32 model for $cpu"
done
accept "$NNCC" "$ROOT/examples/digits/digits.nn" --target=thumbv7em-none-eabihf -o digits.o
small 24576 digits.o
accept "$NNCC" trained.nn -Os -o least.o
accept "$NNCC" trained.nn -O2 -o most.o
code() {
    size "$1" | awk 'NR == 2 { print $1 }'
}
[ $(($(code least.o) * 3)) -lt $(($(code most.o) * 2)) ] ||
    fail "-Os saves less than a third: $(code least.o) of $(code most.o) bytes"

if ! command -v arm-none-eabi-gcc >/dev/null || ! command -v qemu-system-arm >/dev/null; then
    echo "skipped: 4 boards, for want of arm-none-eabi-gcc or qemu-system-arm"
    exit 0
fi
# board TARGET MACHINE FLAGS…
board() {
    target=$1 machine=$2
    shift 2
    accept "$NNCC" tiny.nn --target="$target" -o tiny.o
    arm-none-eabi-gcc -mthumb "$@" -Os -I. firmware.c tiny.o "$ROOT/tests/targets/vectors.c" \
        -Wl,--gc-sections -Wl,--section-start=.vectors=0 -Wl,--undefined=vectors \
        --specs=rdimon.specs -o firmware.elf 2>link.log || {
        cat link.log
        fail "linking for $target"
    }
    arm-none-eabi-nm firmware.elf | grep -q tiny_module && fail "the descriptor was not left out"
    timeout 60 qemu-system-arm -M "$machine" -nographic -semihosting -kernel firmware.elf </dev/null ||
        fail "firmware for $target"
}
board thumbv7em-none-eabihf mps2-an386 -mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16
board thumbv7em-none-eabi mps2-an386 -mcpu=cortex-m4 -mfloat-abi=soft
board thumbv7m-none-eabi mps2-an385 -mcpu=cortex-m3
board thumbv6m-none-eabi mps2-an385 -mcpu=cortex-m0
