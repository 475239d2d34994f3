# trace.sh: nncc trace: values, tangents and adjoints, row by row.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
struct Net[n, m] { W: real[n, m], c: real[m] }
fn f(x1: real, x2: real) -> real = log(x1) + x1 * x2 - sin(x2);
fn net(W1: real[n, q], W2: real[q, k], x: real[b, n], y: int[b]) -> real {
  let z = x @ W1;
  let h = relu(z);
  cross_entropy(h @ W2, y)
}
fn walk(x: real, n: int) -> real = fold(t < n, h = x | h * h + x);
fn halved(x: real) = fold(t < 100, y = x, n = 0, until = y < 1 | (y / 2, n + 1));
fn pieces(x: real) -> real = if x > 0 { x^2 } else { -x };
fn vector(x: real[n]) -> real[n] = 2 * tanh(x);
fn layer(p: Net[n, m], x: real[n]) -> real { let a = x @ p.W + p.c; sum(sigmoid(a)) }
fn both(x: real) = (x * x, sin(x));
fn chosen(x: real[n], k: int) -> real = x[k] * exp(x[k]);
fn stencil(x: real[n]) -> real = sum([i < n - 1 | { let d = x[i+1] - x[i]; d^2 }]);
fn order(x: real, y: real = 2) -> real { let b = sin(x); let a = cos(y) * b; a + b }
fn noise(k: key) -> real = sum(normal(k, [3]));
fn longer(x: real[n + 1], w: real[n]) -> real = sum(x) + sum(w);
fn far(x: real, n: int) -> real = fold(t < n, y = x | sin(y) + x);
fn roll(W: real[h, h], x: real[s, h]) -> real {
  let o = scan(t < s, u = zeros([h]) | { let a = W @ u + x[t]; tanh(a) });
  sum(o^2)
}
N

# shows LINE… -- ARGUMENT…: each is a line of what `nncc trace m.nn …` prints,
# blanks counted as one.
shows() {
    : >want
    while [ "$1" != -- ]; do
        printf '%s\n' "$1" >>want
        shift
    done
    shift
    accept "$NNCC" trace m.nn "$@"
    sed 's/^ *//; s/  */ /g' out.txt >lines
    while read -r line; do
        grep -qxF -- "$line" lines || {
            cat out.txt
            fail "no line '$line': $*"
        }
    done <want
}
# The example of Baydin et al., Automatic differentiation in machine learning: a survey.
shows 'v₁ x1 2' 'v₂ x2 5' 'v₃ ln(x1) 0.6931' 'v₄ x1·x2 10' 'v₅ sin(x2) −0.9589' \
    'v₆ v₃ + v₄ 10.69' 'v₇ v₆ − v₅ 11.65' -- f x1=2 x2=5
shows 'v₁ x1 2 1' 'v₂ x2 5 0' 'v₃ ln(x1) 0.6931 ẋ1/x1 0.5' 'v₅ sin(x2) −0.9589 0' \
    'v₇ v₆ − v₅ 11.65 v̇₆ 5.5' -- f x1=2 x2=5 --forward x1
shows 'v₁ x̄1 = v̄₁→₃ + v̄₁→₄ 5.5' 'v̄₁→₃ = v̄₃/x1 0.5' 'v̄₁→₄ = x2·v̄₄ 5' 'v₇ v̄₇ 1' \
    'v₂ x̄2 = v̄₂→₄ + v̄₂→₅ 1.716' 'v̄₂→₅ = v̄₅·cos(x2) −0.2837' -- f x1=2 x2=5 --reverse
shows 'v₇ v₆ − v₅ 11.652 v̇₆ − v̇₅ 7.2163' -- f x1=2 x2=5 --forward x1 --forward x2=1 --digits 5
# What the library is called, what `let` names, products of matrices.
shows 'v₅ z = x W1 [[1, 0], [0, −1]]' 'v₆ h = relu(z) [[1, 0], [0, 0]]' \
    'v₈ cross_entropy(v₇, y) 0.5032' 'v₆ h̄ = v̄₇ W2ᵀ [[−0.1345, −0.1345], [0.25, 0.25]]' \
    'v₅ z̄ = {h̄ if z > 0, else 0} [[−0.1345, 0], [0, 0]]' 'v₁ W̄1 = xᵀ z̄ [[−0.1345, 0], [0, 0]]' \
    -- net W1='[[1,0],[0,-1]]' W2='[[1,0],[1,0]]' x='[[1,0],[0,1]]' y='[0,1]' --reverse
grep -q 'v̄₇ = v̄₈·softmax(v₇) / b − v̄₈·onehot(y, k) / b' out.txt || fail "no softmax"
accept "$NNCC" trace m.nn net --seed 1 --expand
grep -q 'cross_entropy\|relu' out.txt && fail "the library is not opened"
# Sizes of what is drawn follow from what is given.
accept "$NNCC" trace m.nn longer --seed 1 'x=[1,2,3]'
grep -Eq '^v₂ +w +\[[0-9.]+, [0-9.]+\]$' out.txt || fail "$(cat out.txt)"
# Loops by steps, of many the first and the last; branches that are taken.
shows 't = 0' 'v₃ h⁽¹⁾ = x + v₂ 0.75' 't = 2' 'v₆ h⁽²⁾² 1.129' 'v₇ h⁽³⁾ = x + v₆ 1.629' \
    'v₁ x̄ = v̄₁→₂ + v̄₁→₃ + v̄₁→₅ + v̄₁→₇ 9.5' 'v̄₁→₂ = 2·x·v̄₂ 3.188' -- walk x=0.5 n=3 --reverse
shows 'v₇ h⁽³⁾ = x + v₆ 1.629 ḣ⁽³⁾ = v̇₆ + ẋ 9.5' -- walk x=0.5 n=3 --forward x
shows 't = 2' '…' 't = 49' -- far x=0.5 n=50
grep -q 't = 3$\|t = 48' out.txt && fail "all steps"
shows 'v₃ x < 1 false' 'v₁₀ y⁽³⁾ = 0.5·y⁽²⁾ 0.625' 'v₁₂ y⁽³⁾ < 1 true' 'halved_1 = n⁽³⁾' -- halved x=5
shows 'v₃ −x 2' 'v₄ {… if v₂, else v₃} 2' 'v₁ x̄ = −v̄₃ −1' -- pieces x=-2 --reverse
shows 'v₆ a = v₅ + v₄ [1, 2]' 't = 1' 'v₁₁ u⁽²⁾ = tanh(a) [0.9989, 0.9999]' \
    -- roll W='[[1,0],[0,1]]' x='[[1,2],[3,4]]'
# Structs, defaults, indices, directions, adjoints, several results.
shows 'v₄ p.Wᵀ x [0.55, 0.8]' 'v₂ p.c̄ = ā [0.232, 0.1217]' 'v₃ x̄ = p.W v̄₄ [0.04755, 0.1183]' \
    -- layer p='{"W": [[0.1, 0.2], [0.3, 0.4]], "c": [0, 1]}' x='[1, 1.5]' --reverse
shows 'v₃ 2·v₂ [1.523, 1.928] 2·v̇₂ [0, 0.1413]' 'v₁ x̄ = v̄₂ ∘ (1 − v₂²) [0.8399, 0]' \
    -- vector x='[1,2]' --forward 'x=[0,1]' --adjoint '[1,0]'
shows 'both_0 = v₂' 'both_1 = v₃' 'v₁ x̄ = v̄₃·cos(x) 0.5403' -- both x=1 --adjoint both_1=1
shows 'v₃ xₖ 5' 'v₁ x̄ᵢ = {v̄₃ if k = i, else 0} [0, 890.5]' -- chosen x='[1,5]' k=1 --reverse
shows 'v₂ dᵢ = x[i + 1] − xᵢ [1, 3]' -- stencil x='[1,2,5]'
shows 'v₂ y 2' 'v₃ b = sin(x) 0.8415' 'v₄ cos(y) −0.4161' 'v₅ a = b·v₄ −0.3502' -- order x=1
shows 'v₃ 1/x1 0.5' 'v₄ x2 + v₃ 5.5' -- 'grad(f, x1)' x1=2 x2=5
# Keys are exact.
accept "$NNCC" run --real=f64 m.nn noise k=3
value=$(sed 's/.*: //; s/}//' out.txt)
shows "v₁₁ Σ[i < 3] v₁₀ᵢ −${value#-}" -- noise k=3 --digits 15

# The adjoints of inputs are the compiled gradient. JSON has a row in each line.
numbers() { tr -c '0-9.e+-' '\n' | grep '[0-9]' | grep -v '^[a-z_]'; }
input() { grep "\"name\": \"$1\", \"formula\": \"$1\"" t.json; }
value() { input "$1" | sed 's/.*"shape": \[[^]]*\], "value": \([^"}]*\).*/\1/; s/, *$//'; }
adjoint() { input "$1" | sed 's/.*"adjoint": \([^"]*\), "partial.*/\1/'; }
compiled() {
    f=$1 set=
    accept "$NNCC" trace m.nn "$f" --seed 3 --reverse --json -o t.json
    shift
    for x in "$@"; do set="$set $x=$(value "$x" | tr -d ' ')"; done
    x=$1
    # shellcheck disable=SC2086 # each is a word
    accept "$NNCC" run --real=f64 m.nn "grad($f, $x)" $set
    sed 's/"[^"]*"://g' out.txt | numbers >want.txt
    adjoint "$x" | numbers >got.txt
    [ -s got.txt ] && [ "$(wc -l <got.txt)" = "$(wc -l <want.txt)" ] || fail "no adjoint of $f"
    paste got.txt want.txt | awk '{ d = $1 - $2; if (d * d > 1e-20 * (1 + $2 * $2)) exit 1 }' ||
        fail "$f: $(cat got.txt), compiled $(cat want.txt)"
}
compiled f x1 x2
compiled f x2 x1
compiled net W1 W2 x y
compiled net x W1 W2 y
compiled pieces x
compiled stencil x
compiled order x y
compiled roll W x
compiled chosen x k

# Documents.
accept "$NNCC" trace m.nn roll --seed 3 s=9 --reverse --tex -o roll.tex
grep -q '\\begin{longtable}' roll.tex && grep -q '\\bar{v}_{1 \\to ' roll.tex || fail "roll.tex"
grep -q '^Σ\|[^ -~]' roll.tex && fail "letters beyond ASCII in TeX"
accept "$NNCC" trace m.nn pieces x=-2 --tex -o pieces.tex
grep -q '\\dots & .text{if }' pieces.tex || fail "pieces.tex"
grep -q '[^ -~]' pieces.tex && fail "letters beyond ASCII in TeX"
if command -v pdflatex >/dev/null; then accept pdflatex -halt-on-error roll.tex; fi
accept "$NNCC" trace m.nn roll --seed 3 s=9 --reverse --html -o roll.html
if command -v xmllint >/dev/null; then
    sed 's/<!DOCTYPE html>//' roll.html >roll.xml
    accept xmllint --noout roll.xml
fi

# Bad input.
refuse 1 "net needs W2, a value of type real\[q, k\]" "$NNCC" trace m.nn net W1='[[1]]'
refuse 1 "f has no parameter 'x3'.*it has x1, x2" "$NNCC" trace m.nn f x3=2
refuse 1 "'x' has shape \[2, 1\]; expected \[b, n\] = \[2, 2\]" \
    "$NNCC" trace m.nn net W1='[[1],[2]]' W2='[[1]]' x='[[1],[2]]' y='[0,1]'
refuse 1 "unknown|no .*'g'" "$NNCC" trace m.nn g
refuse 1 "in which direction\? --forward x=VALUE" "$NNCC" trace m.nn vector x='[1,2]' --forward x
refuse 1 "is not of the shape of x" "$NNCC" trace m.nn vector x='[1,2]' --forward 'x=[1]'
refuse 1 "f has no parameter 'z'; it has x1, x2" "$NNCC" trace m.nn f x1=1 x2=1 --forward z
refuse 1 "vector gives real\[n\]: which adjoint" "$NNCC" trace m.nn vector x='[1]' --reverse
refuse 1 "both has no result 'b'" "$NNCC" trace m.nn both x=1 --adjoint b=1
refuse 1 "m.nn:15: index 5 of 'x\[k\]' is not in 0 ... 1" "$NNCC" trace m.nn chosen x='[1,2]' k=5
refuse 1 "nowhere/t: no such" "$NNCC" trace m.nn f x1=1 x2=1 -o nowhere/t
refuse 2 "one at a time" "$NNCC" trace m.nn f x1=1 x2=1 --tex --json
refuse 2 "which function" "$NNCC" trace m.nn
refuse 1 "too large for adjoints" "$NNCC" trace m.nn far x=1 n=100000 --reverse
accept "$NNCC" trace m.nn far x=1 n=100000
grep -q 'far is large: it is traced as far as row 20000' err.txt || fail "not told how far"
