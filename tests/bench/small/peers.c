/* peers.c: loops that a compiler runs across the lanes. */
#include "peers.h"

#include <math.h>

enum { LANES = 16, STEPS = 100 };

/* What an element of the determinant is multiplied by, its cofactor. */
#define COFACTORS(a, c)                                                        \
    const float c##00 = (a)[4] * (a)[8] - (a)[5] * (a)[7],                     \
                c##01 = (a)[5] * (a)[6] - (a)[3] * (a)[8],                     \
                c##02 = (a)[3] * (a)[7] - (a)[4] * (a)[6],                     \
                c##10 = (a)[2] * (a)[7] - (a)[1] * (a)[8],                     \
                c##11 = (a)[0] * (a)[8] - (a)[2] * (a)[6],                     \
                c##12 = (a)[1] * (a)[6] - (a)[0] * (a)[7],                     \
                c##20 = (a)[1] * (a)[5] - (a)[2] * (a)[4],                     \
                c##21 = (a)[2] * (a)[3] - (a)[0] * (a)[5],                     \
                c##22 = (a)[0] * (a)[4] - (a)[1] * (a)[3]

void peer_dets(const float *restrict a, int n, float *restrict to)
{
    for (int i = 0; i < n; i++, a += 9)
        to[i] = a[0] * (a[4] * a[8] - a[5] * a[7]) -
                a[1] * (a[3] * a[8] - a[5] * a[6]) +
                a[2] * (a[3] * a[7] - a[4] * a[6]);
}

static void store9(float *to, float f, const float c[9])
{
    for (int k = 0; k < 9; k++)
        to[k] = f * c[k];
}

void peer_invs(const float *restrict a, int n, float *restrict to)
{
    for (int i = 0; i < n; i++, a += 9, to += 9) {
        COFACTORS(a, c);
        float d = 1 / (a[0] * c00 + a[1] * c01 + a[2] * c02);

        store9(to, d, (float[]){c00, c10, c20, c01, c11, c21, c02, c12, c22});
    }
}

void peer_squares_grad(const float *restrict a, int n, float *restrict to)
{
    for (int i = 0; i < n; i++, a += 9, to += 9) {
        COFACTORS(a, c);
        float d = 2 * (a[0] * c00 + a[1] * c01 + a[2] * c02);

        store9(to, d, (float[]){c00, c01, c02, c10, c11, c12, c20, c21, c22});
    }
}

typedef struct State {
    float x[LANES], y[LANES], z[LANES];
} State;

/* to = s + h · slope(k) */
static inline void move(State *to, const State *s, float h, const State *k)
{
    for (int l = 0; l < LANES; l++) {
        float x = k->x[l], y = k->y[l], z = k->z[l];

        to->x[l] = s->x[l] + h * 10 * (y - x);
        to->y[l] = s->y[l] + h * (x * (28 - z) - y);
        to->z[l] = s->z[l] + h * (x * y - 8.0f / 3 * z);
    }
}

/* (k2 + 2 k3 + k4 - s) / 3 + h / 6 · slope(k4), the k being where slopes are
 * taken. */
static inline void end(State *s, const State *k2, const State *k3, float h,
                       const State *k4)
{
    State last = {{0}};

    move(&last, &last, h / 6, k4);
    for (int l = 0; l < LANES; l++) {
        s->x[l] =
            (k2->x[l] + 2 * k3->x[l] + k4->x[l] - s->x[l]) / 3 + last.x[l];
        s->y[l] =
            (k2->y[l] + 2 * k3->y[l] + k4->y[l] - s->y[l]) / 3 + last.y[l];
        s->z[l] =
            (k2->z[l] + 2 * k3->z[l] + k4->z[l] - s->z[l]) / 3 + last.z[l];
    }
}

static inline void lorenz_lanes(State *s, float h)
{
    State k2, k3, k4;

    for (int t = 0; t < STEPS; t++) {
        move(&k2, s, h / 2, s);
        move(&k3, s, h / 2, &k2);
        move(&k4, s, h, &k3);
        end(s, &k2, &k3, h, &k4);
    }
}

void peer_lorenz(const float *s, float h, int n, float *to)
{
    for (int i = 0; i < n; i += LANES) {
        State a = {{0}};
        int m = n - i < LANES ? n - i : LANES;

        for (int l = 0; l < m; l++) {
            a.x[l] = s[3 * (i + l)];
            a.y[l] = s[3 * (i + l) + 1];
            a.z[l] = s[3 * (i + l) + 2];
        }
        lorenz_lanes(&a, h);
        for (int l = 0; l < m; l++) {
            to[3 * (i + l)] = a.x[l];
            to[3 * (i + l) + 1] = a.y[l];
            to[3 * (i + l) + 2] = a.z[l];
        }
    }
}

float peer_energy(const float *x, const float *m, int n)
{
    float all = 0;

    for (int i = 0; i < n; i++) {
        float sum = 0;

        for (int j = 0; j < n; j++) {
            float dx = x[3 * i] - x[3 * j], dy = x[3 * i + 1] - x[3 * j + 1],
                  dz = x[3 * i + 2] - x[3 * j + 2];

            sum += m[j] / sqrtf(dx * dx + dy * dy + dz * dz + 1e-3f);
        }
        all += m[i] * sum;
    }
    return all;
}

void peer_energy_grad(const float *x, const float *m, int n, float *restrict to)
{
    for (int i = 0; i < n; i++) {
        float gx = 0, gy = 0, gz = 0;

        for (int j = 0; j < n; j++) {
            float dx = x[3 * i] - x[3 * j], dy = x[3 * i + 1] - x[3 * j + 1],
                  dz = x[3 * i + 2] - x[3 * j + 2];
            float r = dx * dx + dy * dy + dz * dz + 1e-3f;
            float f = m[j] / (r * sqrtf(r));

            gx += f * dx;
            gy += f * dy;
            gz += f * dz;
        }
        to[3 * i] = -2 * m[i] * gx;
        to[3 * i + 1] = -2 * m[i] * gy;
        to[3 * i + 2] = -2 * m[i] * gz;
    }
}
