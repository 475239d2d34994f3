# normal-error.sh: derivatives in their normal form err no more than as they come out of
# differentiation: in single precision, against double without simplification, at points that
# both have exactly.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
# Of n points, exact in both precisions, each derivative.
fn point(i: int, k: int) -> real = real((i * 37 + k * 101) % 1021 + 1) / 256;
fn vector(i: int) -> real[4] = [k < 4 | point(i, 7 * k) - if k == 1 { 2.0 } else { 0.0 }];
fn matrix(i: int) -> real[3, 4] = [r < 3, k < 4 | point(i, 5 * r + k) - 2];
fn over[T](n: int, f: fn(int) -> T) = [i < n | f(i)];

fn xlog(t: real[4]) -> real = sum(abs(t) * log(abs(t)));
fn cosine(t: real[4], y: real[4]) -> real = dot(t, y) / (norm(t) * norm(y));
fn fourth(t: real[4]) -> real = sum(t^4);
fn lse(t: real[4], A: real[3, 4]) -> real = logsumexp(A @ t);
fn logistic(w: real[4], A: real[3, 4]) -> real = sum(log(1 + exp(-(A @ w))));
fn gauss(x: real[4], m: real, s: real) -> real = sum(-(x - m)^2 / (2 * s^2) - log(s));
fn rational(t: real[4]) -> real = sum(t / (1 + t^2)) + sum(sqrt(1 + t^2) / (2 + t));
fn matern(t: real[4]) -> real { let d = norm(t); (1 + d + d^2 / 3) * exp(-d) }
fn ratio(t: real[4]) -> real = prod(t) / sum(t * t);
fn circle(t: real[4]) -> real = sum(sin(t)^2 + cos(t)^2);
fn tangent(t: real[4]) -> real = sum(sin(t) / cos(t));

fn first(n: int) = over(n, fn(i: int) = {
  let x = vector(i); let y = vector(i + 3); let A = matrix(i);
  (grad(xlog)(x), grad(fn(t: real[4]) = norm(t))(x), grad(cosine, t)(x, y), grad(fourth)(x),
   grad(lse, t)(x, A), grad(logistic, w)(x, A), [grad(gauss, m)(x, 0.5, point(i, 0))],
   [grad(gauss, s)(x, 0.5, point(i, 0))], grad(rational)(x), grad(matern)(x), grad(ratio)(x),
   grad(circle)(x), grad(tangent)(x))
});
fn second(n: int) = over(n, fn(i: int) = {
  fn flat(H: real[a, b]) -> real[a*b] = reshape(H, [a * b]);
  let x = vector(i);
  let y = vector(i + 3);
  let A = matrix(i);
  (flat(hessian(xlog)(x)), flat(hessian(fn(t: real[4]) = norm(t))(x)),
   flat(hessian(cosine, t)(x, y)), flat(hessian(fourth)(x)), flat(hessian(lse, t)(x, A)),
   flat(hessian(logistic, w)(x, A)), [hessian(gauss, s)(x, 0.5, point(i, 0))],
   flat(hessian(rational)(x)), flat(hessian(matern)(x)), flat(hessian(ratio)(x)),
   flat(jacobian(fn(t: real[4]) = softmax(t))(x)),
   flat(jacobian(fn(t: real[4]) = softmax(t))(x + 64)),
   flat(jacobian(fn(t: real[4]) = tanh(A @ t))(x)))
});
export first, second;
N
# errors FILE FILE: for each derivative the largest error of a point, relative to the point's
# largest component, and the mean of these; one line each.
errors() {
    { tr -d ' ' <"$1" && tr -d ' ' <"$2"; } | sed 's/^[^[]*\[\[\[//; s/\]\]\]}$//' | awk '
        function off(a, b) { return a < b ? b - a : a - b }
        { n = split($0, part, /\]\],\[\[/)
          for (k = 1; k <= n; k++) value[NR, k] = part[k] }
        END { for (k = 1; k <= n; k++) {
            worst = sum = 0
            points = split(value[1, k], got, /\],\[/)
            split(value[2, k], want, /\],\[/)
            for (p = 1; p <= points; p++) {
                m = split(got[p], x, ",")
                split(want[p], y, ",")
                scale = err = 0
                for (i = 1; i <= m; i++) {
                    if (off(y[i], 0) > scale) scale = off(y[i], 0)
                    if (off(x[i], y[i]) > err) err = off(x[i], y[i])
                }
                if (scale < 1e-12) scale = 1
                err /= scale
                sum += err
                if (err > worst) worst = err
            }
            print worst, sum / points } }'
}
for f in first second; do
    accept "$NNCC" run m.nn $f n=512
    mv out.txt simplified.txt
    accept "$NNCC" run m.nn $f n=512 --no-simplify
    mv out.txt plain.txt
    accept "$NNCC" run m.nn $f n=512 --no-simplify --real=f64
    mv out.txt exact.txt
    errors simplified.txt exact.txt >a.txt
    errors plain.txt exact.txt >b.txt
    [ "$(wc -l <a.txt)" -ge 12 ] || fail "$(cat a.txt)"
    # Roundings fall this way or that: as many as one more than there were.
    paste a.txt b.txt >errors.txt
    awk '!(NF == 4 && $1 <= $3 + 2e-7 && $2 <= 1.1 * $4 + 1e-8) { exit 1 }' errors.txt ||
        fail "$f: largest and mean error, before: $(cat errors.txt)"
done
