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
# A stack is written as its stacked leaves, or as an array of its values.
cat >stack.nn <<'N'
struct B { at: real[2], m: real }
struct L { w: real }
fn f(p: [B; n]) -> [B; n] = p;
fn two(p: [[B; 2]; n]) -> [[B; 2]; n] = p;
fn parts(q: (L, real, [L; n])) -> real = q.0.w + q.1 + sum(i < n | q.2[i].w);
fn sums(x: real[n, m], y: int[n]) -> real[m] = [j | sum(i < n | x[i, j])];
N
stack() { # EXPECTED ARGUMENT…
    want=$1
    shift
    accept "$NNCC" run stack.nn "$@"
    [ "$(cat out.txt)" = "$want" ] || fail "$(cat out.txt), expected $want"
}
stack '{"f": {"at": [[1, 2], [3, 4]], "m": [5, 6]}}' f \
    p='{"at": [[1, 2], [3, 4]], "m": [5, 6]}'
stack '{"f": {"at": [[1, 2], [3, 4]], "m": [5, 6]}}' f \
    p='[{"at": [1, 2], "m": 5}, {"at": [3, 4], "m": 6}]'
stack '{"two": {"at": [[[1, 2], [4, 5]]], "m": [[3, 6]]}}' two \
    p='[[{"at": [1, 2], "m": 3}, {"at": [4, 5], "m": 6}]]'
stack '{"two": {"at": [[[1, 2], [4, 5]]], "m": [[3, 6]]}}' two \
    p='[{"at": [[1, 2], [4, 5]], "m": [3, 6]}]'
stack '{"parts": 18}' parts q='[{"w": 1}, 2, [{"w": 5}, {"w": 10}]]'
stack '{"parts": 18}' parts q='[{"w": 1}, 2, {"w": [5, 10]}]'
stack '{"f": {"at": [], "m": []}}' f p='[]'
refuse 1 "p\[1\]: 'm' is missing" "$NNCC" run stack.nn f \
    p='[{"at": [1, 2], "m": 5}, {"at": [3, 4]}]'
refuse 1 'p\[1\]: expected an object .*found a number' "$NNCC" run stack.nn f \
    p='[{"at": [1, 2], "m": 5}, 3]'
refuse 1 'stacked in it, or an array of the values' "$NNCC" run stack.nn f p=3
refuse 1 "q.2\[1\].*field 'z'" "$NNCC" run stack.nn parts \
    q='[{"w": 1}, 2, [{"w": 5}, {"w": 10, "z": 0}]]'
refuse 1 "no field '3'" "$NNCC" run stack.nn parts q='[{"w": 1}, 2, [], 3]'
# Sizes that no nesting of arrays shows.
stack '{"sums": [0, 0, 0, 0]}' sums x='{"shape": [0, 4], "data": []}' y='[]'
stack '{"sums": [4, 6]}' sums x='{"shape": [2, 2], "data": [1, 2, 3, 4]}' \
    y='[1, 1]'
refuse 1 '"data" is to be 4 elements, not 3' "$NNCC" run stack.nn sums y='[1, 1]' \
    x='{"shape": [2, 2], "data": [1, 2, 3]}'
refuse 1 '"shape" is to be 2 sizes, for \[n, m\]' "$NNCC" run stack.nn sums \
    y='[1, 1]' x='{"shape": [2], "data": [1, 2]}'
refuse 1 'larger than memory' "$NNCC" run stack.nn sums y='[]' \
    x='{"shape": [4000000000, 4000000000], "data": []}'
refuse 1 'has shape \[2, 3\]; expected \[n, 2\] = ' "$NNCC" run stack.nn f \
    p='{"at": [[1, 2, 3], [3, 4, 5]], "m": [5, 6]}'
