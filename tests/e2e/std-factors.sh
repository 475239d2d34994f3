# std-factors.sh: qr, lstsq, eigh, svd, pinv, solve_banded, expm and Fourier transforms of prelude.nn:
# values by numpy and scipy (tests/values/factors.py), what makes them what they are at sizes that fill vectors and
# blocks or do not, in f32 and f64 and in batches; derivatives up to the third.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
fn matrix(m: int, n: int) -> real[m, n] =
  [i < m, j < n | sin(real(3 * i + 5 * j + i * j)) + if i == j { 2.0 } else { 0.0 }];
fn right(n: int) -> real[n] = [i < n | cos(real(i))];
fn by_reflections(m: int, n: int) {
  let A = matrix(m, n);
  let (Q, R) = qr(A);
  (Q[m-1], R[0], R[n-1], lstsq(A, right(m)))
}
fn by_rotations(m: int, n: int) {
  let A = matrix(m, n);
  let (w, V) = eigh(A' @ A);
  let (U, s, W) = svd(A);
  (w, V[0], s, U[0], W[0], pinv(A)[0])
}
fn twice(m: int, n: int) -> real[m, n] {
  let A = matrix(m, n);
  [i < m, j < n | if j == 1 { A[i, 0] } else { A[i, j] }]
}
fn deficient(m: int, n: int) {
  let A = twice(m, n);
  (pinv(A)[0], pinv(A')[0], svd(A).1[:n-1])
}
# How far from what they should be, in units of the last place of the largest.
fn far(A: real[n, m], B: real[n, m]) -> real = max(abs(A - B));
fn laws(A: real[m, n], unit: real) {
  let (Q, R) = qr(A);
  let S = A' @ A;
  let (w, V) = eigh(S);
  let (U, s, W) = svd(A);
  let P = pinv(A);
  let most = max([far(Q @ R, A), far(Q' @ Q, eye(n)), far(R, triu(R)), far(V * w @ V', S) / 10,
                 far(V' @ V, eye(n)), far(U * s @ W', A), far(U' @ U, eye(n)), far(W' @ W, eye(n)),
                 far(A @ P @ A, A), far(P @ A @ P, P)]);
  (most < 40 * unit * s[0], all(w[1:] >= w[:n-1]), all(s[1:] <= s[:n-1]))
}
fn laws_of(m: int, n: int, unit: real) = laws(matrix(m, n), unit);
fn laws_deficient(m: int, n: int, unit: real) {
  let A = twice(m, n);
  let (U, s, W) = svd(A);
  max([far(U * s @ W', A), far(U' @ U, eye(n)), far(W' @ W, eye(n)), s[n-1]]) < 40 * unit * s[0]
}
# Cholesky's factor moves so that L L' moves by the symmetric A; what is adjoint to that;
# the inverse, of which that is a part.
fn moved(n: int, unit: real) {
  let (A, B) = (matrix(n, n), matrix(n, n)');
  let S = A @ A' / real(n) + eye(n);
  let L = cholesky(S);
  let X = factor_cholesky_tangent(A, L);
  let Y = factor_cholesky_tangent(B, L, adjoint = true);
  let whole = tril(A) + tril(A)' - diag(diagonal(A));
  (far(X @ L' + L @ X', whole) < 40 * unit,
   abs(sum(tril(B) * X) - sum(tril(A) * Y)) < unit * real(40 * n),
   far(X, tril(X)) + far(Y, tril(Y)) == 0, far(S @ inv_spd(S), eye(n)) < 40 * unit)
}
# Rows of a batch are what they are alone.
fn rows(A: real[k, m, n]) {
  let one = [i | sum(lstsq(A[i], right(m)))];
  let two = [i | eigh(A[i]' @ A[i]).0];
  let three = [i | svd(A[i]).1];
  (one[1] - sum(lstsq(A[1], right(m))), two[1] - eigh(A[1]' @ A[1]).0, three[1] - svd(A[1]).1)
}
fn exponential(n: int, scale: real) = expm(scale * matrix(n, n))[0];
fn banded(k: int, n: int) -> real[n] {
  let bands = [d < 2 * k + 1, j < n | sin(real(5 * d + 3 * j + d * j)) + if d == k { 0.3 } else { 0.0 }];
  solve_banded(bands, right(n))
}
fn transforms(n: int) {
  let x = [i < n | cos(real(3 * i)) + real(i % 5)];
  let y = fft([i < n, c < 2 | if c == 0 { x[i] } else { sin(real(i * i % 7)) }]);
  let r = rfft(x);
  let back = irfft(r, 2 * (n / 2) + 1);
  (reshape(stack(y[n/3], y[n-1]), [4]), r[n/2], back[n/2:n/2+1])
}
# There and back, for pairs and reals, and what a transform keeps.
fn inverses(n: int) {
  let x = [j < 3, i < n, c < 2 | sin(real(i * i % 11 + 7 * c + j))];
  let y = fft(x);
  let r = x[:, :, 0];
  max([max(abs(ifft(y) - x)), max(abs(fft(ifft(x)) - x)), max(abs(irfft(rfft(r), n) - r)),
       abs(sum(y^2) / real(n) - sum(x^2)), max(abs(fft(x[1]) - y[1]))]) < 1e-12 * real(n)
}
fn of_few_rows(m: int, n: int) = lstsq(matrix(m, n), right(m));
fn wide(A: real[m, n]) -> real = sum(qr(A).0) + sum(svd(A).1);
fn same(A: real[n, n]) = (eigh(A).0, grad(fn(B: real[n, n]) = sum(eigh(B).0^2))(A));
N
cat >d.nn <<'N'
fn tall(A: real[m, n]) -> real[m+n, n] = concat(A, eye(n) * 2);
fn spread(A: real[m, n]) -> real[m+n, n] = tall(A) * [j < n | 1.0 + real(j)];
fn d_qr(A: real[m, n]) = qr(tall(A));
fn d_lstsq(A: real[m, n], b: real[m+n], B: real[m+n, 2]) = (lstsq(tall(A), b), lstsq(tall(A), B));
fn d_short(A: real[m, n], b: real[n], B: real[n, 2]) = (lstsq(tall(A)', b), lstsq(tall(A)', B));
fn d_eigh(A: real[n, n]) = eigh(A + diag([i < n | 3 * real(i)]));
fn d_svd(A: real[m, n]) = svd(spread(A));
fn d_pinv(A: real[m, n]) = (pinv(tall(A)), pinv(tall(A)'), pinv(outer(A[0], A[0])));
fn scalar(A: real[m, n]) -> real {
  let (Q, R) = qr(tall(A));
  let (w, V) = eigh(spread(A)' @ spread(A));
  let (U, s, W) = svd(spread(A));
  sum(sin(Q)) + sum(sin(R)) + sum(log(w)) + sum(sin(V)) + sum(sin(U)) + sum(log(s)) + sum(sin(W))
    + sum(sin(pinv(tall(A)))) + sum(sin(lstsq(tall(A)', A[0])))
}
fn third(A: real[m, n]) -> real =
  sum(grad(fn(B: real[m, n]) = sum(sin(grad(scalar)(B))))(A));
export vjp(d_qr), jvp(d_qr), vjp(d_lstsq, A, b, B), jvp(d_lstsq, A, b, B), vjp(d_eigh), jvp(d_eigh);
fn d_expm(A: real[n, n]) = (expm(A), expm(9 * A));
fn d_banded(bands: real[5, n], b: real[n], C: real[n, 2]) {
  let A = bands + [d < 5, j < n | where(d == 2, 4.0, 0.0)];
  (solve_banded(A, b), solve_banded(A, C))
}
fn bent(bands: real[2, 3, n], b: real[2, n]) -> real =
  sum(k | sum(sin(solve_banded(bands[k] + [d < 3, j < n | where(d == 1, 3.0, 0.0)], b[k]))));
fn bent_third(bands: real[2, 3, n], b: real[2, n]) -> real {
  fn second(c: real[2, 3, n]) -> real = sum(sin(grad(bent, bands)(c, b)));
  sum(sin(grad(second)(bands)))
}
export vjp(d_banded, bands, b, C), jvp(d_banded, bands, b, C), hvp(bent, bands, b);
export grad(bent_third, bands, b);
fn d_fft(x: real[2, n, 2]) = (fft(x), ifft(x));
fn d_rfft(x: real[n], y: real[m, 2]) = (rfft(x), irfft(y, 2 * m - 1));
fn second(A: real[n, n], x: real[n, 2]) -> real = sum(sin(expm(A))) + sum(sin(fft(x)));
export hvp(second, A, x);
export vjp(d_expm), jvp(d_expm), vjp(d_fft), jvp(d_fft), vjp(d_rfft, x, y), jvp(d_rfft, x, y);
export vjp(d_short, A, b, B), jvp(d_short, A, b, B), vjp(d_svd), jvp(d_svd), vjp(d_pinv), jvp(d_pinv), hvp(scalar), grad(third);
N
accept "$NNCC" check d.nn
near '{"by_reflections_0": [-0.19948882081256059, 0.29094349140535536, -0.12054614668241331], "by_reflections_1": [-2.065872581546725, 1.0121927402087554, 0.9026404941034851], "by_reflections_2": [0.0, 0.0, -2.732973310038054], "by_reflections_3": [0.5194541046399304, 0.35417337079766154, -0.16527115455760807]}' by_reflections m=4 n=3
near '{"by_reflections_0": [0.006834222674265609, 0.22882927582960774, -0.17160060634134822, -0.1079395875792732, 0.20429996250481902, -0.022539825529258945, -0.1687318237691896, 0.21522246954958046, 0.068842432856597, -0.33909365086627397, -0.14161169773996127, 0.4535868773334159, -0.0568210445163745, -0.0814379714809332, 0.27699114633584476, -0.1976074362684125, -0.2640768178275369], "by_reflections_1": [-3.8850291085693844, 0.518288399357307, 0.42327292398861205, -0.5561799989583616, -0.1971652952929337, -0.2586706546746471, 0.8980424394933545, -0.08894301109760377, 0.07651165689678541, -0.945087211839906, 0.6445465855373236, 0.029033123276341666, 0.6679428921092209, -1.778285373762339, 0.07501370678312846, -0.23386212505690748, 0.9105043884793439], "by_reflections_2": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -2.5891438719578197], "by_reflections_3": [-0.06720549299491872, -0.827675219312316, 1.5003548076087216, -0.46805621475474557, 1.4895694193180626, 1.2741894299838703, -0.486715919739017, 1.8674062230505264, -1.2637590598050394, 0.27590875065795056, -0.8611944999690866, -1.619902858178244, -0.19315269753384606, -0.8821412966575608, 0.9424805639079676, 1.5119385127003784, -0.237748792627451]}' by_reflections m=23 n=17
near '{"of_few_rows": [0.46137001682093026, 0.17500705022541943, -0.1942349287594922, 0.21438286975433285]}' of_few_rows m=3 n=4
near '{"of_few_rows": [0.2694389006963193, -0.17431036656464552, 0.11686254113232747, -0.3490372155151602, 0.03457816409391733, 0.14884919282404008, 0.42019003155266005, -0.10922776581127201, 0.19874868100556692, 0.18008545392475325, -0.05414797298752871, -0.1832363876228263, -0.06146747047735463, 0.05648842672684511, 0.11139428583240513, 0.15740902109759827, -0.28241911417896337, -0.4033492763494316]}' of_few_rows m=7 n=18
near '{"by_rotations_0": [3.283585847831475, 5.117195629572865, 12.927325137033485], "by_rotations_1": [0.9272892876000993, 0.216824823847004, -0.30515827510624044], "by_rotations_2": [3.595458960554757, 2.262121930748401, 1.8120667338239707], "by_rotations_3": [-0.4439699788492034, 0.3229948361684371, 0.8060770341040663], "by_rotations_4": [-0.3051582751062403, 0.2168248238470032, 0.9272892876000993], "by_rotations_5": [0.48113425969038937, 0.20435361501995458, 0.04665416005187573, 0.05321040666648465]}' by_rotations m=4 n=3
near '{"by_rotations_0": [0.016017893428329485, 0.09266775374864654, 1.4761806803039401, 1.9310029785771232, 2.87523591934322, 3.70769285862789, 4.670278976828696, 8.566418735939656, 12.112383385945995, 14.538163807058302, 16.35188628296299, 18.26692696673796, 20.20710973749522, 21.86931535183404, 25.86140480168554, 31.277433722478968, 34.793936887490666, 37.711609659709445, 38.997385986498514], "by_rotations_1": [-0.06698723946174392, 0.08205110937123158, 0.01264592083146831, -0.08696399956620646, 0.3358879071447753, -0.08724378559772306, 0.10609736361167503, -0.6605129111114517, 0.15502525161536354, -0.001032494210705857, 0.24042891980811013, -0.1337474116484218, 0.002422870426500536, 0.13103807704518788, 0.3485680875752393, 0.3247031189186791, 0.19536622798204029, -0.09728322152074602, 0.14704609653170445], "by_rotations_2": [6.2447887063133285, 6.140977907443523, 5.898638562201506, 5.592623152196021, 5.085410976674898, 4.676463979529199, 4.495231889179382, 4.273982565095223, 4.043746565125341, 3.812894413311008, 3.480284957578333, 2.926844501496394, 2.16108282507374, 1.925537031227364, 1.6956520631731085, 1.3896053319475727, 1.2149817613050566, 0.30441378705413996, 0.12656181662857052], "by_rotations_3": [0.2967880053002112, -0.12704437767236973, 0.38299146548533985, 0.26931032369699703, 0.05559347790535174, 0.14539250994868427, 0.055678171695436054, -0.010153922446050873, -0.07340682300854126, 0.053634841552709984, 0.044523597553511596, -0.2099151204955269, 0.2148086102701698, -0.3161593752583195, 0.05528626867075617, -0.2621913629659162, 0.19134298062218405, 0.1508437397533484, 0.39992810377804405], "by_rotations_4": [0.14704609653170309, -0.09728322152074824, 0.19536622798204437, 0.3247031189186765, 0.348568087575238, 0.13103807704518775, 0.002422870426498158, -0.13374741164842643, 0.24042891980810643, -0.001032494210705549, 0.155025251615364, -0.660512911111453, 0.10609736361167388, -0.08724378559772254, 0.33588790714477557, -0.08696399956620533, 0.012645920831468009, 0.08205110937123497, -0.06698723946174047], "by_rotations_5": [-0.02626470923317513, 0.14052682048653958, -0.02641260581900209, -0.13399209988200944, -0.12951692264297618, -0.06421726899671729, -0.06070117233354163, 0.25252566587974007, -0.0023832573414391935, 0.010654016720441504, -0.34520905283114467, -0.09711155773316651, -0.23212316815642717, -0.06958134165289731, 0.03622323499690955, 0.03890839568217828, -0.20635979240047622, 0.19945339957650204, -0.0911866816969071, 0.1874408410192729, 0.15868108891946034]}' by_rotations m=21 n=19
near '{"deficient_0": [0.2111926475239447, 0.010026691805725895, 0.005664459789162226, -0.028560741154407383, -0.10963591466805463, 0.04724865023020814], "deficient_1": [0.21119264752394457, 0.21119264752394462, 0.01701160889576897, -0.03112854980071744], "deficient_2": [3.876671852024921, 3.454244964883001, 2.4633136600588257]}' deficient m=6 n=4
near '{"exponential": [1.650631863195043, -0.43090559208027757, -0.2886763601754237]}' exponential n=3 scale=0.25
near '{"exponential": [-71185.16788071078, 315132.02350616787, 116230.63223514555, -11532.074923528242, 122590.46422912937]}' exponential n=5 scale=4
near '{"exponential": [1.0202108586821792, -0.009820322640948675, -0.005919504287325198, 0.006635077307776426, 0.009222679678170023, -0.001401598171342054, -0.010085938975441062, -0.004387631287525937, 0.007716543650759117, 0.008674234308393283, -0.0026999103992938252, -0.010506605484929224, -0.003101146625816903, 0.00843896024948479, 0.00795442827527298, -0.003884947265225267, -0.01013309172958465, -0.001587086779284102]}' exponential n=18 scale=0.01
near '{"banded": [3.3333333333333335, 1.2248419840317284]}' banded k=0 n=2
near '{"banded": [-1.672546806644226, -0.7233679533584574, -0.5208201630159033, 1.0417588057184135, -0.3252203998740986, -0.2246719213262071]}' banded k=1 n=6
near '{"banded": [11.81855788503498, 1.8204524808187257, -11.215324581372824, -10.100993970757278, 16.468275321207592, -6.289252481155753, -34.45943304417831, -48.843575420053824, -114.6414582705698]}' banded k=2 n=9
near '{"banded": [0.8344245876015243, 1.7462343214965197, -1.6135777372551003]}' banded k=4 n=3
near '{"transforms_0": [1.0, 0.0, 1.0, 0.0], "transforms_1": [1.0, 0.0], "transforms_2": [1.0]}' transforms n=1
near '{"transforms_0": [1.0100075033995546, 0.8414709848078965, 0.9899924966004454, -0.8414709848078965], "transforms_1": [0.9899924966004454, 0.0], "transforms_2": [0.00667166893303639]}' transforms n=2
near '{"transforms_0": [0.8990565409503068, 2.512581670844623, -1.869234331000227, -2.597250160344591], "transforms_1": [-0.4850888950249601, 2.554915915594607], "transforms_2": [0.01000750339955451]}' transforms n=3
near '{"transforms_0": [0.3987380265123328, 5.115449824676035, -3.9245874915590964, 1.8721361078441972], "transforms_1": [7.672880885195149, 0.0], "transforms_2": [3.926280054155546]}' transforms n=8
near '{"transforms_0": [3.5195590180174685, 3.87127092595109, -2.9410227100763153, 0.46317778819219324], "transforms_1": [5.276712602614134, 5.13324633046733], "transforms_2": [1.66031670824408]}' transforms n=13
near '{"transforms_0": [4.946784875256445, 3.903595163899963, -3.214301454343317, -0.41961169243048224], "transforms_1": [5.771465268398349, 3.9741257047271135], "transforms_2": [3.4241790073369964]}' transforms n=17
near '{"transforms_0": [2.9510693507357857, 2.4911325781484113, 0.8130383160313989, 0.19144586915605766], "transforms_1": [-5.579274384336351, 0.0], "transforms_2": [2.5802269846100483]}' transforms n=30
near '{"transforms_0": [1.7162027271604492, -2.6265946544634327, -1.7756679955135093, 0.47584241293547525], "transforms_1": [8.273015404973705, 0.0], "transforms_2": [1.5804468477526434]}' transforms n=96
near '{"transforms_0": [0.7192973704389622, 2.037136786539218, -2.396588304009428, -0.6925521404570625], "transforms_1": [-5.529281770703008, -1.273857807963045], "transforms_2": [1.8090276252864297]}' transforms n=143
near '{"transforms_0": [1.149671947540288, -2.5385122182885285, -1.5739443504684891, -0.2729820951262428], "transforms_1": [5.496339313748301, -0.1252190627845846], "transforms_2": [3.373649542645893]}' transforms n=1009
near '{"transforms_0": [0.10082905085596128, -0.4041474339906337, -1.9586673170051416, 0.2855854391613539], "transforms_1": [1.2969006336987832, 0.0], "transforms_2": [2.1641091542130413]}' transforms n=1024
near '{"transforms_0": [2.0978118708199753, -0.37146896580942124, 0.03373757060644034, 0.4832373775683755], "transforms_1": [3.0637704782284345, 0.0], "transforms_2": [2.1466185683998438]}' transforms n=2000
for n in 1 2 7 16 37 96 210 1000; do
    near '{"inverses": true}' inverses n=$n
done
laws='{"laws_of_0": true, "laws_of_1": true, "laws_of_2": true}'
for size in 'm=1 n=1' 'm=9 n=8' 'm=17 n=17' 'm=70 n=33'; do
    # shellcheck disable=SC2086 # arguments
    near "$laws" laws_of $size unit=2.3e-16
done
accept "$NNCC" run m.nn laws_of m=40 n=37 unit=1.2e-7
[ "$(tr -d ' \n' <out.txt)" = "$(echo "$laws" | tr -d ' ')" ] || fail "in f32: $(cat out.txt)"
moved='{"moved_0": true, "moved_1": true, "moved_2": true, "moved_3": true}'
for n in 1 2 7 16 17 40 70 130; do
    near "$moved" moved n=$n unit=2.3e-16
done
near '{"laws_deficient": true}' laws_deficient m=20 n=20 unit=2.3e-16
near '{"rows_0": 0, "rows_1": [0, 0], "rows_2": [0, 0]}' rows A='[[[1, 2], [3, 5], [0, 1]], [[2, 1], [0, 3], [1, 1]]]'
near '{"wide": "nan"}' wide A='[[1, 2, 3], [4, 5, 6]]'
near '{"same_0": [1, 1], "same_1": [[2, 0], [0, 2]]}' same A='[[1, 0], [0, 1]]'
near '{"same_0": ["nan", "nan"], "same_1": [["nan", 0], ["nan", "nan"]]}' same A='[["nan", 0], [0, 1]]'
