/* peers.c: gradients of workloads as one writes them in C. */
#include <math.h>

void lse(const double *restrict x, int n, double *restrict to)
{
    double top = -INFINITY, sum = 0;

    for (int i = 0; i < n; i++)
        top = x[i] > top ? x[i] : top;
    for (int i = 0; i < n; i++) {
        to[i] = exp(x[i] - top);
        sum += to[i];
    }
    sum = 1 / sum;
    for (int i = 0; i < n; i++)
        to[i] *= sum;
}

void llsq(const double *restrict x, int n, int m, double *restrict to)
{
    for (int j = 0; j < m; j++)
        to[j] = 0;
    for (int i = 0; i < n; i++) {
        double t = -1 + 2 * (double)i / (n - 1), y = 0, power = 1;

        for (int j = 0; j < m; j++) {
            y += x[j] * power;
            power *= t;
        }
        y -= (t > 0) - (t < 0);
        for (int j = 0; j < m; j++) {
            to[j] += y;
            y *= t;
        }
    }
}

/* Samples across the lanes, some vectors of them at a time. */
enum { LANES = 32 };

void llsq_lanes(const double *restrict x, int n, int m, double *restrict to)
{
    for (int j = 0; j < m; j++)
        to[j] = 0;
    for (int i = 0; i < n; i += LANES) {
        double t[LANES], y[LANES] = {0};

        for (int l = 0; l < LANES; l++)
            t[l] = -1 + 2 * (double)(i + l) / (n - 1);
        for (int j = m - 1; j >= 0; j--)
            for (int l = 0; l < LANES; l++)
                y[l] = y[l] * t[l] + x[j];
        for (int l = 0; l < LANES; l++)
            y[l] = i + l < n ? y[l] - (t[l] > 0) + (t[l] < 0) : 0;
        for (int j = 0; j < m; j++) {
            double sum = 0;

            for (int l = 0; l < LANES; l++) {
                sum += y[l];
                y[l] *= t[l];
            }
            to[j] += sum;
        }
    }
}
