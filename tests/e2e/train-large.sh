# train-large.sh: data larger than memory may be: 300 MB of it, in a program that
# takes less than half of that; and CSV whose numbers take more than it may.
. "$ROOT/tests/e2e-lib.sh"

cat >m.nn <<'N'
use optim;
struct Net { w: real[3072] = 0, c: real = 0 }
fn loss(net: Net, x: u8[b, 3072], y: u8[b]) -> real =
  mean(i < b | (net.c + sum(k < 3072 | net.w[k] * real(x[i, k]) / 255) - real(y[i]))^2);
train loss(net) { optimizer = sgd(lr = 0.01); }
N
cat >large.c <<'C'
#include "nn.h"
#include <stdio.h>
#include <sys/resource.h>
/* Zeros, of which the file system keeps none, and labels of 1. */
static int write_files(int rows)
{
    unsigned char x[16] = {0, 0, 8, 2}, y[8] = {0, 0, 8, 1};
    for (int k = 0; k < 4; k++)
        x[4 + k] = y[4 + k] = (unsigned char)(rows >> 8 * (3 - k));
    x[10] = 3072 >> 8;
    FILE *f = fopen("x.idx", "wb"), *g = fopen("y.idx", "wb");
    if (!f || !g || fwrite(x, 1, 12, f) != 12 || fwrite(y, 1, 8, g) != 8 ||
        fseek(f, 12 + (long)rows * 3072 - 1, SEEK_SET) || fputc(0, f) == EOF)
        return 1;
    for (int i = 0; i < rows; i++)
        fputc(1, g);
    return fclose(f) || fclose(g);
}
/* The same as text; numbers take 48 MB. */
static int write_csv(int rows)
{
    FILE *f = fopen("x.csv", "wb");
    if (!f)
        return 1;
    for (int i = 0; i < rows; i++) {
        for (int k = 0; k < 3072; k++)
            fputs("0,", f);
        fputs("1\n", f);
    }
    return fclose(f);
}
static int read_csv(nncc_data **all)
{
    nncc_csv_options o = NNCC_CSV_DEFAULTS;
    o.memory_bytes = 1 << 20;
    return nncc_csv_read("x.csv", &o, all);
}
int main(int argc, char **argv)
{
    nncc_model *m;
    nncc_data *all, *train, *test;
    nncc_train_options o = NNCC_TRAIN_DEFAULTS;
    nncc_train_result r;
    nncc_split_options split = {.count = argc > 1 ? 500 : 1000};
    struct rusage used;
    (void)argv;
    o.epochs = 1;
    o.batch = argc > 1 ? 5 : 512;
    if ((argc > 1 ? write_csv(2000) : write_files(100000)) || nncc_open("./m.so", &m) ||
        (argc > 1 ? read_csv(&all) : nncc_data_read("x.idx", "y.idx", NULL, &all)) ||
        nncc_data_split(all, &split, &train, &test) || nncc_train(m, &o, train, test, &r)) {
        fprintf(stderr, "%s\n", nncc_last_error());
        return 1;
    }
    getrusage(RUSAGE_SELF, &used);
    printf("%lld steps, test loss %.3f, %ld kB\n", (long long)r.steps, r.test_loss, used.ru_maxrss);
    nncc_data_free(all);
    nncc_data_free(train);
    nncc_data_free(test);
    nncc_close(m);
    return used.ru_maxrss > (argc > 1 ? MOST : 140000); /* without sanitizers about 12,000 */
}
C
accept "$NNCC" m.nn -o m.so
sanitizers=-DMOST=30000
case $NNCC in
*/san/*) sanitizers='-fsanitize=address,undefined -DMOST=140000' ;;
esac
$CC $sanitizers -O1 -D_XOPEN_SOURCE=700 large.c $libnn -o large
accept ./large
grep -q '^194 steps, test loss 0.0' out.txt || fail "$(cat out.txt)"
mkdir tmp
accept env TMPDIR="$PWD/tmp" ./large csv
grep -q '^300 steps, test loss 0.0' out.txt || fail "$(cat out.txt)"
[ "$(ls tmp)" = '' ] || fail "left behind: $(ls tmp)"
refuse 1 'x.csv: is too large for memory, and no file can be made in /none: ' \
    env TMPDIR=/none ./large csv
# From the command line, too: two batches of it.
accept "$NNCC" train m.nn --data x.idx --labels y.idx --test 99900 --epochs 1 --batch 50
grep -q '^train loss: 0.9' out.txt || fail "$(cat out.txt)"
