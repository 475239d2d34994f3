# run-values.sh: nncc run: files, structs, free dimensions, all types.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
struct L[n] { w: real[n], k: int }
fn f(l: L[n], x: real[b, n]) -> real[b] = x @ l.w * real(l.k);
fn cmp(a: real[n], c: real) -> bool[n] = a > c;
fn ints(a: int[n], b: i64) -> i64[n] = i64(a) * b;
fn dims(x: real[n, m]) -> (int, real[m, n]) = (n * m, x');
fn same(l: L[3]) -> L[3] = l;
fn two(x: real[n], y: real[2*n]) -> real = sum(x) * sum(y);
export grad(two, y) as slope;
N
is() { # EXPECTED ARGUMENT…
    want=$1
    shift
    accept "$NNCC" run m.nn "$@"
    [ "$(cat out.txt)" = "$want" ] || fail "$(cat out.txt), expected $want"
}
printf '1,2\n3,4\n' >x.csv
printf '{"w": [1, 2], "k": 3}' >l.json
is '{"f": [15, 33]}' f l=@l.json x=@x.csv
printf '{"same": {"w": [1, 2], "k": 3}}' >printed.json
printf '{"dims_1": [[1, 2], [3, 4]]}' >matrix.json
is '{"f": [15, 33]}' f l=@printed.json x=@matrix.json
is '{"cmp": [false, true, false]}' cmp a='[1, 2, "nan"]' c=1
is '{"ints": [9007199254740993, 18014398509481986]}' ints a='[1, 2]' \
    b=9007199254740993
is '{"dims_0": 3, "dims_1": [[1], [2], [3]]}' dims x='[[1, 2, 3]]'
is '{"same": {"w": [1, 2, 3], "k": 3}}' same l='{"w": [1, 2, 3], "k": 3}'
is '{"d_y": [3, 3, 3, 3]}' slope x='[1, 2]' y='[1, 2, 3, 4]'
refuse 1 '2\*n' "$NNCC" run m.nn two x='[1, 2]' y='[1, 2, 3]'
refuse 1 'nix\.json' "$NNCC" run m.nn f l=@nix.json x=@x.csv
refuse 1 'matrix' "$NNCC" run m.nn f l=@x.csv x=@x.csv
refuse 1 "field 'q'" "$NNCC" run m.nn f l='{"w": [1], "k": 1, "q": 1}' x=@x.csv
refuse 1 'out of range' "$NNCC" run m.nn ints a='[3000000000]' b=1
