/* fftw.c: Fourier transforms of f64 and the gradient of one, against FFTW's
 * transforms by the plan that it measured to be best. */
#include <fftw3.h>

#include "bench.h"

enum { ROUNDS = 25 };

static void bench(int n)
{
    size_t bytes = 16 * (size_t)n, w = linalg_spectrum_workspace(n);
    double *x = room(bytes), *y = room(bytes), *z = room(bytes), value;
    double ours = 1e9, theirs = 1e9, slope = 1e9, far = 0;
    size_t more = linalg_spectrum_slope_workspace(n);
    void *work = room(w > more ? w : more);
    fftw_plan plan = fftw_plan_dft_1d(n, (fftw_complex *)x, (fftw_complex *)z,
                                      FFTW_FORWARD, FFTW_MEASURE);
    for (int i = 0; i < 2 * n; i++)
        x[i] = (double)(i * 7919L % 1000) / 500 - 1;
    for (int r = 0; r < ROUNDS; r++) {
        TIME(&slope, linalg_spectrum_slope(x, n, &value, y, work, NULL));
        TIME(&ours, linalg_spectrum(x, n, y, work, NULL));
        TIME(&theirs, fftw_execute(plan));
    }
    for (int i = 0; i < 2 * n; i++)
        far = fmax(far, fabs(y[i] - z[i]));
    if (far > 1e-9 * n)
        exit(1);
    printf("%d %.2f times FFTW's time, with gradient %.2f (%.3f ms); ", n,
           ours / theirs, slope / theirs, 1e3 * ours);
}

int main(void)
{
    bench(1 << 16);
    bench(10007);
    bench(100000);
    printf("\n");
    return 0;
}
