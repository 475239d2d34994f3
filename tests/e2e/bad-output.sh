# bad-output.sh: outputs that cannot be written leave nothing behind.
. "$ROOT/tests/e2e-lib.sh"

printf 'fn f(x: real) -> real = x * x;\nexport f;\n' >m.nn
refuse 1 'nowhere' "$NNCC" m.nn -o nowhere/m.so
mkdir full
refuse 1 'full' "$NNCC" m.nn -o full
refuse 2 'm\.xyz' "$NNCC" m.nn -o m.xyz
if [ "$(id -u)" != 0 ]; then
    mkdir closed && chmod 500 closed
    refuse 1 'closed' "$NNCC" m.nn -o closed/m.so
    chmod 700 closed
fi
if [ -w /dev/full ]; then
    refuse 1 'No space left|full' sh -c "'$NNCC' m.nn --dump=ast >/dev/full"
fi
# A small disk: nothing half-written stays.
mkdir small
trap "umount small 2>/dev/null || :" EXIT
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=16k tmpfs small 2>/dev/null; then
    for kind in so o a s ll bc; do
        refuse 1 'small/m.*[Nn]o space left' \
            "$NNCC" "$ROOT/examples/lecture/mlp.nn" -o small/m.$kind
        [ -z "$(ls -A small)" ] || {
            umount small
            fail "left on a full disk: m.$kind"
        }
    done
    umount small
fi
# A wrong program leaves the former output as it was.
accept "$NNCC" m.nn -o m.so
cp m.so before
printf 'fn f(x: real) -> real = x * ;\nexport f;\n' >m.nn
refuse 1 'm\.nn:1:' "$NNCC" m.nn -o m.so
cmp m.so before || fail "m.so was touched"
# Two compilations of one source give the same bytes.
printf 'fn f(x: real[n]) -> real = sum(exp(x));\nexport f, grad(f, x) as g;\n' >m.nn
mkdir one two
accept "$NNCC" m.nn -o one/m.so
accept "$NNCC" m.nn -o two/m.so
cmp one/m.so two/m.so || fail "not the same bytes"
cmp one/m.h two/m.h || fail "not the same header"
if command -v readelf >/dev/null; then
    readelf -d one/m.so | grep -q NEEDED && fail "needs a library"
    [ -z "$(nm -D -u one/m.so | grep -v ' w ')" ] || fail "undefined symbols"
fi
exit 0
