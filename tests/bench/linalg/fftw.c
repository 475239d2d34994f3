/* fftw.c: Fourier transforms of f64 and the gradient of one, against FFTW's by
 * the plans that it measured to be best; a gradient takes two. */
#include "../rows.h"

#include <fftw3.h>

#include "linalg.h"

static int n;
static double *x, *y, *z, *slope, *slope_peer, value;
static void *work;
static fftw_plan there, back;

static void ours(void *unused)
{
    (void)unused;
    if (linalg_spectrum(x, n, y, work, NULL))
        exit(2);
}

static void theirs(void *unused)
{
    (void)unused;
    fftw_execute(there);
}

static void ours_slope(void *unused)
{
    (void)unused;
    if (linalg_spectrum_slope(x, n, &value, slope, work, NULL))
        exit(2);
}

static void theirs_slope(void *unused)
{
    (void)unused;
    fftw_execute(there);
    for (int i = 0; i < n; i++)
        for (int c = 0; c < 2; c++)
            z[2 * i + c] *= 2 * (i % 7);
    fftw_execute(back);
}

static void bench(int size)
{
    size_t bytes = 16 * (size_t)size, w = linalg_spectrum_workspace(size);
    size_t more = linalg_spectrum_slope_workspace(size);
    double **at[] = {&x, &y, &z, &slope, &slope_peer};
    char what[64], peer[64];

    n = size;
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        *at[i] = block(bytes);
    work = block(w > more ? w : more);
    there = fftw_plan_dft_1d(n, (fftw_complex *)x, (fftw_complex *)z,
                             FFTW_FORWARD, FFTW_MEASURE);
    back = fftw_plan_dft_1d(n, (fftw_complex *)z, (fftw_complex *)slope_peer,
                            FFTW_BACKWARD, FFTW_MEASURE);
    for (int i = 0; i < 2 * n; i++)
        x[i] = (double)(i * 7919L % 1000) / 500 - 1;
    snprintf(what, sizeof what, "fft of %d", n);
    snprintf(peer, sizeof peer, "FFTW %.6s", fftw_version + 5);
    row(what, peer, (Way[]){{.run = ours}, {.run = theirs}}, 2, ">= 0.4");
    check(what, differ_f64(y, z, 2 * (size_t)n), 1e-12);
    snprintf(what, sizeof what, "fft of %d, with gradient", n);
    row(what, peer, (Way[]){{.run = ours_slope}, {.run = theirs_slope}}, 2,
        ">= 0.4");
    check(what, differ_f64(slope, slope_peer, 2 * (size_t)n), 1e-12);
}

int main(void)
{
    pin();
    bench(1 << 16);
    bench(10007);
    bench(100000);
    return 0;
}
