# targets.sh: each row of `nncc --targets` is compiled for, linked with C of that
# target and run by an emulator; its numbers are this machine's. Rows for which
# there is no compiler, linker or emulator are left out, counted and told.
. "$ROOT/tests/e2e-lib.sh"

from=$ROOT/tests/targets
CLANG=${CLANG:-clang-19}
lld=$(command -v ld.lld-19 || command -v ld.lld || true)
wasm_ld=$(command -v wasm-ld-19 || command -v wasm-ld || true)

accept "$NNCC" --targets
cp out.txt table
accept "$NNCC" "$from/model.nn" -o model.o
$CC -std=c11 -O1 -Wall -Wextra -Werror -DHOSTED -I. "$from/main.c" model.o -lm -o host

# how EMULATOR: what runs the programs of a row.
how() {
    case $1 in
    here) [ "$(uname -ms)" = 'Linux x86_64' ] && echo env ;;
    qemu-x86_64) [ "$(uname -m)" = x86_64 ] && echo env || command -v qemu-x86_64 ;;
    node) command -v node ;;
    *) command -v "$1" ;;
    esac
}

# soft TARGET: how the functions that an FPU would be are compiled.
soft() {
    case $1 in
    arm* | thumb*) echo "--target=armv7-linux-gnueabi -mfloat-abi=softfp -mfpu=vfpv3-d16" ;;
    riscv64-none*) echo "--target=riscv64-none-elf -march=rv64gc -mabi=lp64" ;;
    riscv32*) echo "--target=riscv32-none-elf -march=rv32gc -mabi=ilp32" ;;
    esac
}

one() {
    target=$1 emulator=$2
    mkdir "$target" && cd "$target"
    "$NNCC" "$from/model.nn" --target="$target" -o model.o
    case $target in
    thumb*)
        alien=$($(command -v llvm-nm-19 || echo nm) -u model.o | grep -v __aeabi_ || true)
        [ -z "$alien" ] || { echo "undefined: $alien"; return 1; } ;;
    esac
    if [ "$emulator" = here ]; then
        $CC -DHOSTED -I. "$from/main.c" model.o -lm -o main
        ./main >bits
        ../host bits
        return
    fi
    c="--target=$target -O1 -ffreestanding -fno-stack-protector -w -I. -c"
    $CLANG $c "$from/main.c" -o main.o
    if [ "$emulator" = node ]; then
        "$wasm_ld" --no-entry main.o model.o -o main.wasm
        node "$from/run.cjs" main.wasm >bits
    else
        more=
        if [ -n "$(soft "$target")" ]; then
            $CLANG $(soft "$target") -O1 -ffreestanding -fno-builtin -w -c "$from/soft.c" -o soft.o
            more=soft.o
        fi
        "$lld" -e _start main.o model.o $more -o main
        run=$(how "$emulator")
        [ "$run" = env ] || [ "${emulator#qemu-arm}" = "$emulator" ] || run="$run -cpu max"
        $run ./main >bits
    fi
    ../host bits
}

ran=0 left= nleft=0
while read -r target rest; do
    emulator=$(echo "$rest" | grep -o 'qemu-[a-z0-9_]*\|node$\|here$') || continue
    linker=$lld
    [ "$emulator" != node ] || linker=$wasm_ld
    if ! command -v "$CLANG" >/dev/null || [ -z "$linker" ] || [ -z "$(how "$emulator")" ]; then
        left="$left $target" nleft=$((nleft + 1))
        continue
    fi
    set +e
    (set -e; one "$target" "$emulator") >log 2>&1 </dev/null
    status=$?
    set -e
    [ $status = 0 ] || {
        head -c 3000 log
        fail "$target"
    }
    ran=$((ran + 1))
done <table
[ -z "$left" ] ||
    echo "skipped: $nleft targets, for want of $CLANG, ld.lld or an emulator:$left"
[ "$ran" -gt 0 ] || [ -n "$left" ] || fail "no targets"
