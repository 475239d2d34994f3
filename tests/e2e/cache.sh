# cache.sh: code that was compiled before is used again, and nothing but the time
# tells.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'END'
fn f(x: real[n], w: real[n, 4]) -> real = sum(sin(x) @ w);
export f, value_and_grad(f, w) as g;
END
unset NNCC_CACHE
export XDG_CACHE_HOME="$PWD/caches"
made() { find caches -type f 2>/dev/null | wc -l; }
compile() { # NAME OPTION…
    to=$1
    shift
    accept env "$@" "$NNCC" m.nn -o "$to.so" --name=m
}
compile off NNCC_CACHE=off
[ "$(made)" = 0 ] || fail 'there is a cache where none is asked for'
compile cold A=B
files=$(made)
[ "$files" -gt 0 ] || fail 'nothing is kept'
compile warm A=B
[ "$(made)" = "$files" ] || fail 'the same was compiled again'
# A file that is not as it was written is not used, and replaced.
for f in caches/nncc/*; do
    printf 'x' | dd of="$f" bs=1 seek=100 conv=notrunc 2>/dev/null
    cp "$f" damaged
done
compile mended A=B
! cmp -s damaged "$f" || fail 'damage stays'
# A folder that cannot be had, or is somebody else's.
compile none XDG_CACHE_HOME=/dev/null
compile file NNCC_CACHE="$PWD/m.nn"
mkdir closed && chmod 500 closed
compile closed NNCC_CACHE="$PWD/closed"
# Several at once.
rm -r caches
for i in 1 2 3 4; do
    "$NNCC" m.nn -o "at$i.so" --name=m &
done
wait
[ "$(made)" = "$files" ] || fail "$(made) files are left, $files expected"
for one in cold warm mended none file closed at1 at2 at3 at4; do
    cmp off.so $one.so || fail "$one.so differs"
done
# Another machine, effort or program is another file; what runs code keeps it too.
accept "$NNCC" m.nn -o v2.so --cpu=x86-64-v2
[ "$(made)" -gt "$files" ] || fail 'another CPU has the same code'
files=$(made)
accept "$NNCC" m.nn -o O1.so -O1
[ "$(made)" -gt "$files" ] || fail 'another effort has the same code'
files=$(made)
accept "$NNCC" run m.nn f x='[1, 2]' w='[[1,2,3,4],[1,2,3,4]]'
cp out.txt first.txt
[ "$(made)" -gt "$files" ] || fail 'run keeps nothing'
files=$(made)
accept "$NNCC" run m.nn f x='[1, 2]' w='[[1,2,3,4],[1,2,3,4]]'
cmp first.txt out.txt || fail 'another result the second time'
[ "$(made)" = "$files" ] || fail 'run compiles again'
