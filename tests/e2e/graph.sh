# graph.sh: nncc graph: a function beside its derivative as a picture.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use nn;
struct Net { up: Linear[4, 8], down: Linear[8, 3] }
fn layer(x: real[b, n], l: Linear[n, k]) -> real[b, k] {
  let z = linear(x, l);
  tanh(z) * z
}
fn loss(net: Net, x: real[b, 4], y: int[b]) -> real {
  let h = layer(x, net.up);
  cross_entropy(layer(h, net.down), y)
}
fn steps(x: real, n: int) -> real = fold(t < n, h = x | h * h + x);
fn pair(x: real, y: real) -> (real, real) = (x * y, sin(x));
fn int_only(n: int[k]) -> int = sum(n);
N
# has TEXT: the picture as a program has a box of that text.
has() {
    grep -qF "[label=\"$1\"" out.txt || fail "no box '$1' in: $(cat out.txt)"
}
# arrows FROM TO: the number of arrows between the boxes of these texts.
arrows() {
    x=$(sed -n "s/^ *\([bp][0-9]*\) \[label=\"$1\".*/\1/p" out.txt)
    y=$(sed -n "s/^ *\([bp][0-9]*\) \[label=\"$2\".*/\1/p" out.txt)
    [ "$x" ] && [ "$y" ] || fail "no '$1' or no '$2' in: $(cat out.txt)"
    grep -c "^ *\($x -> $y \[\(.*dir=back\)\{0\}\|$y -> $x \[.*dir=back\)" out.txt || true
}

# The user's names, functions of the library as one box, inputs that a call takes
# as a struct as one; each value once, with its shape on the arrows.
accept "$NNCC" graph m.nn loss --fold=9
cp out.txt first.dot
has 'h = z ∘ v1'
has 'loss = cross_entropy(v3, y)'
has '∂loss/∂x = v24/b'
has 'net.up'
[ "$(grep -c 'label="layer"' out.txt)$(grep -c 'label="∂layer"' out.txt)" = 22 ] || fail "$(cat out.txt)"
[ "$(grep -c 'label="h = ' out.txt)" = 1 ] || fail "$(cat out.txt)"
grep -q 'label="b×8"' out.txt || fail "$(cat out.txt)"
# The same in another run.
accept "$NNCC" graph m.nn loss --fold=9
cmp out.txt first.dot
# Calls as one box each; each layer's derivative is one, too.
accept "$NNCC" graph m.nn loss --fold=0
[ "$(grep -c '^ *p[0-9]* \[label="layer (' out.txt)" = 2 ] || fail "$(cat out.txt)"
[ "$(grep -c '^ *p[0-9]* \[label="∂layer (' out.txt)" = 2 ] || fail "$(cat out.txt)"
grep -q 'label="h' out.txt && fail "$(cat out.txt)"
# All that they are made of.
accept "$NNCC" graph m.nn loss --expand
grep -q cross_entropy\( out.txt && fail "$(cat out.txt)"

# A loop is a box with what it carries, before and after a step.
accept "$NNCC" graph m.nn steps --primal
has 'h⁽⁰⁾ = x'
has 'h⁽ᵗ⁺¹⁾ = x + v1'
has 'v1 = h⁽ᵗ⁾²'
grep -q 'label="for t = 0 … n − 1"' out.txt || fail "$(cat out.txt)"
[ "$(grep -c 'style=dashed' out.txt)" = 1 ] || fail "$(cat out.txt)"
accept "$NNCC" graph m.nn steps --primal --fold=0
has 'for t = 0 … n − 1: h⁽ᵗ⁺¹⁾ (3)'

# One parameter; a Jacobian; a function alone; what simplification is for.
accept "$NNCC" graph m.nn pair --by x
has '∂pair_0/∂x = y'
has '∂pair_1/∂x = cos(x)'
[ "$(arrows y '∂pair_0\/∂x = y')" = 1 ] || fail "$(cat out.txt)"
accept "$NNCC" graph m.nn 'fn(x: real) = x * (x / x)' --before
cp out.txt before.txt
accept "$NNCC" graph m.nn 'fn(x: real) = x * (x / x)'
[ "$(wc -l <before.txt)" -gt "$(wc -l <out.txt)" ] || fail "$(cat before.txt out.txt)"
accept "$NNCC" graph m.nn int_only --primal
has 'int_only = Σᵢ nᵢ'

# Too much for a picture, but not for a program of it.
awk 'BEGIN { print "fn f(x: real) -> real {\n  let a0 = x;"
    for (i = 1; i <= 4000; i++) print "  let a" i " = sin(a" i - 1 ") + x;"
    print "  a4000\n}" }' >long.nn
refuse 1 'f has 8[0-9]* operations, more than the 4000 that a picture may have: --fold=0' \
    "$NNCC" graph long.nn f --primal -o no.svg
accept "$NNCC" graph long.nn f --primal -o long.dot

# Pictures, where Graphviz is.
accept "$NNCC" graph m.nn loss -o g.dot
if command -v dot >/dev/null; then
    accept "$NNCC" graph m.nn loss -o g.svg
    grep -q '</svg>' g.svg || fail "$(cat g.svg)"
    grep -q '<image\|href="[^#]*\.\(png\|css\|svg\)' g.svg && fail "$(cat g.svg)"
    cp g.svg again.svg
    accept "$NNCC" graph m.nn loss -o g.svg
    cmp g.svg again.svg
    accept "$NNCC" graph m.nn loss -o g.png
    [ "$(head -c 4 g.png | tail -c 3)" = PNG ] || fail "no PNG"
    accept "$NNCC" graph m.nn loss -o - --as=pdf
    [ "$(head -c 4 out.txt)" = %PDF ] || fail "no PDF"
else
    echo "skipped: 4 pictures, for want of Graphviz"
fi

# Without Graphviz, and with one that fails or writes half of it.
mkdir empty broken
refuse 1 'install Graphviz' env PATH=empty "$NNCC" graph m.nn loss -o no.svg
printf '#!/bin/sh\necho half\nexit 1\n' >broken/dot
chmod +x broken/dot
refuse 1 'dot could not make no.svg' env PATH="broken:$PATH" "$NNCC" graph m.nn loss -o no.svg
accept env PATH=empty "$NNCC" graph m.nn loss -o g2.dot
cmp g.dot g2.dot

refuse 1 "cannot write nowhere/g.svg: no such file" "$NNCC" graph m.nn loss -o nowhere/g.svg
refuse 2 "what is 'g.jpg' to be\?" "$NNCC" graph m.nn loss -o g.jpg
refuse 2 "'--as' is dot, svg, png or pdf, not 'gif'" "$NNCC" graph m.nn loss -o g --as=gif
refuse 2 'which function of m.nn' "$NNCC" graph m.nn -o g.svg
refuse 2 'one function at a time' "$NNCC" graph m.nn loss pair
refuse 1 "'los'.*did you mean 'loss'" "$NNCC" graph m.nn los -o no.svg
refuse 1 "no parameter 'w'" "$NNCC" graph m.nn loss --by w -o no.svg
refuse 1 'no real parameter to differentiate by' "$NNCC" graph m.nn int_only -o no.svg
refuse 2 "'--fold' needs a whole number" "$NNCC" graph m.nn loss --fold=x
refuse 2 "'--fold' and '--expand': one at a time" "$NNCC" graph m.nn loss --fold=1 --expand
refuse 2 "'--hessian' and '--hvp': one at a time" "$NNCC" graph m.nn loss --hessian --hvp
