# diff.sh: nncc diff: derivatives as formulas, and as programs that give the same.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
struct Net[n, m] { W: real[n, m], c: real[m] }
fn formula(x1: real, x2: real) -> real = log(x1) + x1 * x2 - sin(x2);
fn least(x: real[n], A: real[m, n], b: real[m]) -> real { let r = A @ x - b; sum(r^2) / 2 }
fn net(W1: real[n, q], W2: real[q, k], x: real[b, n], y: int[b]) -> real {
  let h = relu(x @ W1) @ W2;
  cross_entropy(h, y)
}
fn quad(x: real[n], A: real[n, n]) -> real = dot(x, A @ x);
fn conv(x: real[n], k: real[3]) -> real =
  sum([i < n - 2 | (x[i] * k[0] + x[i+1] * k[1] + x[i+2] * k[2])^2]);
fn table(W: real[5, 3], t: int[n]) -> real = sum(W[t]^2);
fn shift(x: real[n]) -> real = sum(x[1:] * x[:-1]) + sum(concat(x, 2 * x)^2);
fn pieces(x: real) -> real = if x > 0 { x^2 } else { -x };
fn mask(x: real[n]) -> real = sum(where(x > 1, sqrt(x), 0));
fn resh(x: real[6]) -> real = sum((reshape(x, [2, 3]) @ reshape(x, [3, 2]))^2);
fn spread(x: real[b, n]) -> real = sum(std(x, axis = 0));
fn layer(x: real[b, n]) -> real = sum(softmax(x)^2);
fn vector(x: real[n], A: real[m, n]) -> real[m] = tanh(A @ x);
fn structs(p: Net[n, m], x: real[n]) -> real = sum(sigmoid(x @ p.W + p.c));
fn walk(x: real, n: int) -> real = fold(t < n, h = x | h * h + x);
fn heated(u: real[n], steps: int) -> real = sum(fold(t < steps, u = u |
  [i < n | if i == 0 || i == n - 1 { u[i] } else { (u[i-1] + 2 * u[i] + u[i+1]) / 4 }])^2);
fn states(W: real[n, n], x: real[T, n]) -> real =
  sum(scan(t < T, h = zeros([n]) | tanh(W @ h + x[t]))^2);
fn nested(x: real, n: int) -> real = fold(t < n, h = x | fold(s < 3, g = h | sin(g) * h));
fn couple(a: real, b: real) -> real {
  let (p, q) = fold(t < 5, p = a, q = b | (q, p * sin(q)));
  p + q
}
fn choice(x: real[n], w: real[n], y: real, c: bool) -> real = sum(w * where(c, y, x));
fn tail(x: real[n]) -> real = fold(t < n - 2, h = x[0] | h * x[t + 2]);
fn until(a: real) -> real = fold(t < 100, x = 1.0, until = abs(x * x - a) < 1e-5 | (x + a / x) / 2);
fn halved(x: real, v: real[n]) -> real {
  let s = scan(t < n, r = x, c = 0, until = r > 3 || c > 2 && sin(r) + exp(sin(r)) > 0 | (r * v[t], c + 1)).0;
  dot(s, s)
}
fn some(x: real, v: real[n], p: int[m]) -> real = sum(i < m | fold(t < p[i], r = x | sin(r) * v[t]));
fn noisy(x: real[n], a: key) -> real =
  dot(x, normal(a, [n])) * uniform(split(key(7)).1) + sum(where(bernoulli(a, 0.5, [n]), x, 0));
fn least_two(x: real[n, 3]) -> real =
  sum(sort(x)[:, :2] * sort(x, axis = 1, descending = true)[:, :2]) + sum(sort(x[0])^3);
fn longs(x: real[n], j: i64[n]) -> real = sum(i < n | x[i] * real(j[i] * i64(i) + 3)) * real(u8(250));
fn triangle(x: real[n], k: int) -> real =
  where(k > 0 && (k > 1 || k > 2), norm(sort(x)), mean(max(tril(tril(diag(x))), 0)));
fn system(A: real[n, n], x: real[n]) -> real = dot(x, solve(A, x)) + logdet(A);
fn sizes(x: real[n]) -> real = sum(x^2) / real(n * n * (n + 1));
fn inverse(A: real[n, n]) -> real = log(det(A));
fn ints(t: int[n]) -> int = sum(t);
fn chosen(x: real[n], k: int) -> real = x[k] * exp(x[k]);
fn first(x: real[n], k: int) -> real = sum(i < k | x[i]);
fn both(x: real) = (x, x * x);
fn pair(p: (real, real)) -> real = p.0 * sin(p.1);
fn named(value: real, x: real) -> real = value * sin(x);
fn springs(x: real[n]) -> real = sum((x[1:] - x[:-1])^2);
fn two(a: real, b: real) -> real = (a - b)^4;
fn fourth(x: real[n]) -> real = sum(x^4);
fn bells(x: real[n]) -> real = sum(gelu(x) + digamma(x) + log_ndtr(x) + erfcx(x));
N

# shows LINE… -- ARGUMENT…: each is a line of what `nncc diff m.nn …` prints.
shows() {
    : >want
    while [ "$1" != -- ]; do
        printf '%s\n' "$1" >>want
        shift
    done
    shift
    accept "$NNCC" diff m.nn "$@"
    sed 's/^ *//' out.txt >lines
    while read -r line; do
        grep -qxF -- "$line" lines || {
            cat out.txt
            fail "no line '$line': $*"
        }
    done <want
}
shows '∂formula/∂x1 = 1/x1 + x2' '∂formula/∂x2 = x1 − cos(x2)' \
    'formula = ln(x1) + x1·x2 − sin(x2)' -- formula
shows '∂²formula/∂x1∂x2 = 1' '∂²formula/∂x2² = sin(x2)' -- formula --hessian
shows 'r = A x − b' '∂least/∂x = Aᵀ r' '∂least/∂A = r xᵀ' -- least
shows '∂net/∂W2 = relu(x W1)ᵀ (softmax(h) − onehot(y, k)) / b' 'net = cross_entropy(h, y)' \
    'h = relu(x W1) W2' -- net --by W2
shows '∂quad/∂x = A x + Aᵀ x' '∂quad/∂A = x xᵀ' -- quad
shows 'hv_x = A v + Aᵀ v' -- quad --by x --hvp
shows '∂vector/∂x = diag(1 − tanh(A x)²) A' -- vector --by x
shows '(∂²springs/∂x²)ᵢⱼ = {−2 if j = i + 1, else {{2 if i < n − 1, else 0} + {2 if i ≥ 1, else 0} if i = j, else {−2 if j = i − 1, else 0}}}' \
    -- springs --hessian
shows '∂²two/∂a∂b = −12·v1' '∂²two/∂b² = 12·v1' -- two --hessian
shows 'fourth = Σᵢ xᵢ⁴' '∂²fourth/∂x² = diag(12·x²)' -- fourth --hessian
shows 'inverse = ln(det(A))' -- inverse
shows '∂structs/∂p.W = x v2ᵀ' -- structs --by p
shows 'h⁽ᵗ⁺¹⁾ = x + h⁽ᵗ⁾²' 'h⁽⁰⁾ = x' 'walk = h⁽ⁿ⁾' -- walk
shows 'for t = n − 1 … 0:' 'h_bar⁽ᵗ⁾ = 2·v1ₜ·h_bar⁽ᵗ⁺¹⁾' -- walk
shows '(∂chosen/∂x)ᵢ = {exp(xₖ) + xₖ·exp(xₖ) if k = i, else 0}' -- chosen
shows 'first = Σ[i < k] xᵢ' '(∂first/∂x)ᵢ = Σ[j < k: j = i] 1' -- first
shows 'v4 = 2·Σ[i < n − 2] xᵢ·v1ᵢ' -- conv
shows 'both_1 = x²' '∂both_0/∂x = 1' '∂both_1/∂x = 2·x' -- both
shows '∂pair/∂p.0 = sin(p.1)' '∂pair/∂p.1 = p.0·cos(p.1)' -- pair
shows 'v2 = argsort(x, descending)' -- least_two
shows '∂²pair/∂p.0∂p.1 = cos(p.1)' '∂²pair/∂p.1² = −p.0·sin(p.1)' -- pair --hessian

# As textbooks have them.
cp m.nn programs.nn
cat >m.nn <<'N'
fn cosine(x: real[n], y: real[n]) -> real = dot(x, y) / (norm(x) * norm(y));
fn length(x: real[n]) -> real = norm(x);
fn triplet(a: real[n], p: real[n]) -> real = max(0, norm(a - p) - 1);
fn relative(p: real[n], q: real[n]) -> real = sum(p * log(p / q));
fn gauss(m: real, s: real, x: real[n]) -> real = sum(-(x - m)^2 / (2 * s^2) - log(s));
fn kernel(x: real[d], y: real[d], s: real) -> real = exp(-sum((x - y)^2) / (2 * s^2));
fn spread(x: real[n]) -> real = std(x);
fn second(x: real[n]) -> real = variance(x);
fn correlation(x: real[n], y: real[n]) -> real =
  sum((x - mean(x)) * (y - mean(y))) / sqrt(sum((x - mean(x))^2) * sum((y - mean(y))^2));
fn geometric(x: real[n]) -> real = exp(mean(log(x)));
fn hinge(w: real[n], X: real[m, n], y: real[m]) -> real = mean(max(0, 1 - y * (X @ w)));
fn ridge(w: real[n], X: real[m, n], y: real[m], l: real) -> real = sum((X @ w - y)^2) + l * sum(w^2);
fn rayleigh(x: real[n], A: real[n, n]) -> real = dot(x, A @ x) / dot(x, x);
fn probable(x: real[n]) -> real[n] = softmax(x);
fn logistic(w: real[n], A: real[m, n], y: real[m]) -> real = sum(log(1 + exp(-y * (A @ w))));
fn entropy(x: real[n]) -> real = sum(x * log(x));
fn lorentz(x: real, g: real) -> real = g / (pi * (x^2 + g^2));
fn whole(I: real[n]) -> real = norm(I);
fn traces(A: real[n, n]) -> real = trace(exp(A)) * trace(A);
fn inverses(A: real[n, n]) -> real = trace(inv(A));
N
shows 'v1ᵢ = trace(exp(A)) + trace(A)·exp(Aᵢᵢ)' '∂traces/∂A = diag(v1)' -- traces
shows '∂inverses/∂A = −inv(A)ᵀ inv(A)ᵀ' -- inverses
shows 'v1 = 1 / (norm(x)·norm(y))' '∂cosine/∂x = v1·y − v1·xᵀ y·x / (xᵀ x)' -- cosine
shows '∂length/∂x = x/norm(x)' -- length
shows '∂²length/∂x² = {0 if xᵀ x = 0, else v1·I − v1·x xᵀ / (xᵀ x)}' -- length --hessian
shows '∂triplet/∂p = −v2' 'v2 = {(a − p) / v1 if v1 − 1 > 0, else 0}' -- triplet
shows '∂relative/∂q = −p/q' -- relative
shows '∂gauss/∂x = −(x − m) / s²' '∂gauss/∂s = (x − m)ᵀ (x − m) / s³ − n/s' -- gauss
shows '∂kernel/∂s = 2·v1·exp(−v1) / s' -- kernel
shows '∂spread/∂x = (x − mean(x)) / (n·std(x))' -- spread
shows '∂second/∂x = 2·(x − mean(x)) / n' -- second
shows '∂correlation/∂x = v2/√(v3) − v1ᵀ v2·v1 / (√(v3)·v1ᵀ v1)' 'v1 = x − mean(x)' -- correlation
shows 'geometric = exp(meanᵢ ln(xᵢ))' '∂geometric/∂x = geometric / (n·x)' -- geometric
shows 'hinge = meanᵢ max(v1ᵢ, 0)' 'v2 = {1/m if v1 > 0, else 0}' '∂hinge/∂X = −(y ∘ v2) wᵀ' -- hinge
shows '∂ridge/∂w = 2·(l·w + Xᵀ v1)' '∂ridge/∂X = 2·v1 wᵀ' '∂ridge/∂y = −2·v1' -- ridge
shows '∂rayleigh/∂x = (A x + Aᵀ x − 2·rayleigh·x) / (xᵀ x)' '∂rayleigh/∂A = x xᵀ / (xᵀ x)' -- rayleigh
shows '∂probable/∂x = diag(softmax(x)) − softmax(x) softmax(x)ᵀ' -- probable
shows '∂²logistic/∂w² = Aᵀ diag(y² ∘ (1 − σ(v1)) ∘ σ(v1)) A' -- logistic --by w --hessian
shows '∂²entropy/∂x² = diag(1/x)' -- entropy --hessian
shows 'v1 = π·(x² + g²)' -- lorentz
accept "$NNCC" diff m.nn length --hessian --tex
accept "$NNCC" diff m.nn lorentz --html
grep -q '<mn>π</mn>' out.txt || fail "$(cat out.txt)"
accept "$NNCC" diff m.nn whole --hessian
grep -q '·eye(n)' out.txt || fail "$(cat out.txt)"
mv programs.nn m.nn

# same F MODE BY ARGUMENT…: the program that diff --nn writes gives the numbers of f
# and of its derivatives by these; m.nn's own are asked for all at once.
numbers() { sed 's/"[a-z_A-Z0-9]*"//g' "$1" | tr -c '0-9.e+\n-' ' '; }
same() {
    f=$1 mode=$2 by=$3
    shift 3
    accept "$NNCC" diff m.nn "$f" --nn --real=f64 -o o.nn
    accept "$NNCC" run o.nn "${f}_$mode" --real=f64 "$@"
    echo "$f $(echo $by | wc -w) $(numbers out.txt)" >>got.txt
    for e in "$f" $by; do
        [ "$e" = "$f" ] || e="$mode($f, $e)"
        printf "'%s' " "$e" "$@" >>asked.txt
    done
}
x4='x=[0.5,1.25,0.75,2]'
A='A=[[1,0.5,2,-1],[0.25,3,1,1]]'
same formula grad 'x1 x2' x1=2 x2=5
same least grad 'x A b' "$x4" "$A" 'b=[1,2]'
same net grad 'W1 W2 x' 'W1=[[1,2],[0.5,-1]]' 'W2=[[1,0.5],[2,1]]' 'x=[[1,2],[3,-1]]' 'y=[0,1]'
same quad grad 'x A' 'x=[1,2]' 'A=[[1,0.5],[2,3]]'
same conv grad 'x k' "$x4" 'k=[1,2,0.5]'
same table grad W 'W=[[1,2,3],[4,5,6],[7,8,9],[1,1,1],[2,2,2]]' 't=[1,3,1]'
same shift grad x "$x4"
same pieces grad x x=-2
same mask grad x "$x4"
same resh grad x 'x=[1,2,3,4,0.5,0.25]'
same spread grad x 'x=[[1,2],[0.5,4],[3,1]]'
same layer grad x 'x=[[1,2],[0.5,4],[3,1]]'
same sizes grad x "$x4"
same chosen grad x "$x4" k=1
same named grad "value x" value=2 x=3
same walk grad x x=1.5 n=4
same heated grad u 'u=[1,2,3,4]' steps=3
same states grad 'W x' 'W=[[0.1,0.2],[0.3,-0.4]]' 'x=[[1,2],[3,4],[0.5,-1]]'
same nested grad x x=0.3 n=3
same couple grad 'a b' a=0.4 b=0.7
same tail grad x "$x4"
same tail grad x x='[2]'
same until grad a a=9
same halved grad 'x v' x=1.1 'v=[1,2,3,4,5]'
same some grad 'x v' x=1.1 'v=[1,2,3]' 'p=[1,3,0]'
same noisy grad x "$x4" a=9007199254740993
same least_two grad x 'x=[[1,2,4],[3,-1,0.5]]'
same system grad 'A x' 'A=[[0.5,2,1],[3,1,-1],[1,0,2]]' 'x=[1,2,0.5]'
same longs grad x 'x=[1,2]' 'j=[4,2]'
same bells grad x "$x4"
for k in 0 1 2; do same triangle grad x "$x4" k=$k; done
for c in true false; do
    same choice grad 'x w y' 'x=[1,2]' 'w=[3,5]' y=0.5 c=$c
done
same vector jacobian 'x A' "$x4" "$A"
eval "accept \"\$NNCC\" run m.nn --real=f64 $(cat asked.txt)"
numbers out.txt >want.txt
awk '{ name = $1; n = $2; $1 = $2 = ""; want = ""
       for (i = 0; i <= n; i++) { getline line <"want.txt"; want = want " " line }
       good = split($0, g) == split(want, w)
       for (i in w) good = good && (g[i] - w[i]) ^ 2 <= 1e-18 * (1 + w[i] ^ 2)
       if (!good) { print name ":" $0 ", expected" want; bad = 1 } }
     END { exit bad || NR < 35 }' got.txt >off.txt || fail "$(cat off.txt)"

accept "$NNCC" diff m.nn net --tex -o net.tex
grep -q 'begin{document}' net.tex
grep -Fq '\frac{\partial \mathrm{net}}{\partial W_{2}} &=' net.tex || fail "$(cat net.tex)"
accept "$NNCC" diff m.nn conv --tex -o conv.tex
if command -v pdflatex >/dev/null; then
    for f in net conv; do accept pdflatex -halt-on-error $f.tex; done
fi
accept "$NNCC" diff m.nn net --html -o net.html
grep -q '<math' net.html
for tag in mrow mfrac msub msup mi mo mn; do
    [ "$(grep -o "<$tag>" net.html | wc -l)" = "$(grep -o "</$tag>" net.html | wc -l)" ] ||
        fail "unbalanced $tag"
done

# Inside of derivatives, too, what the library is made of is called as its functions are.
echo 'fn volume(X: real[n, n]) -> real = logdet(X);
fn form(X: real[n, n], b: real[n]) -> real = dot(b, solve(X, b));' >inverse.nn
accept "$NNCC" diff inverse.nn volume
grep -qx '∂volume/∂X = inv(X)ᵀ' out.txt || fail "$(cat out.txt)"
accept "$NNCC" diff inverse.nn form --by X
grep -qx 'v1 = solve_transposed(X, b)' out.txt || fail "$(cat out.txt)"

# What calls that are shown whole are made of is not shown: values have names that others
# read, in order.
cat >filter.nn <<'N'
fn likelihood(P: real[n, n], H: real[m, n], R: real[m, m], e: real[m]) -> real {
  let S = H @ P @ H' + R;
  dot(e, solve(S, e)) + logdet(S)
}
N
accept "$NNCC" diff filter.nn likelihood --by P
awk '/^v[0-9]/ { sub(/[^v0-9].*/, ""); print }' out.txt >names.txt
[ -s names.txt ] || fail "$(cat out.txt)"
k=0
while read -r name; do
    k=$((k + 1))
    [ "$name" = v$k ] || fail "$name is not v$k: $(cat out.txt)"
    [ "$(grep -o "$name[^0-9]" out.txt | wc -l)" -ge 2 ] || fail "nothing reads $name: $(cat out.txt)"
done <names.txt

refuse 1 "did you mean 'formula'" "$NNCC" diff m.nn formul
refuse 1 'this is no function: real' "$NNCC" diff m.nn pi
refuse 1 "least has no parameter 'y'.*; it has x, A, b" "$NNCC" diff m.nn least --by y
refuse 1 "'t' is no real" "$NNCC" diff m.nn table --by t
refuse 1 'ints has no real parameter' "$NNCC" diff m.nn ints
refuse 1 'nowhere/x.txt' "$NNCC" diff m.nn least -o nowhere/x.txt
refuse 1 'scalar' "$NNCC" diff m.nn vector --hessian
refuse 2 'which function' "$NNCC" diff m.nn
refuse 2 'one at a time' "$NNCC" diff m.nn least --tex --nn
refuse 2 'one function at a time' "$NNCC" diff m.nn least quad
cat >m.nn <<'N'
fn big(x: real[2000]) -> real {
  fn step(h: real, i: int) -> real = sin(h * x[i]) + cos(h + x[i]) * exp(h);
  f(step, 0.5)
}
fn f(s: fn(real, int) -> real, h: real) -> real = g(s, g(s, g(s, h)));
fn g(s: fn(real, int) -> real, h: real) -> real = k(s, k(s, k(s, k(s, k(s, h)))));
fn k(s: fn(real, int) -> real, h: real) -> real = j(s, j(s, j(s, j(s, j(s, h)))));
fn j(s: fn(real, int) -> real, h: real) -> real = s(s(s(s(s(h, 1), 2), 3), 4), 5);
N
accept "$NNCC" diff m.nn big
grep -q 'equations are left out' err.txt || fail "$(tail -3 out.txt)"
