/* driver.c: the layers of the standard library against plain loops, on sizes
 * and settings drawn at random; of convolutions and pooling the adjoints too.
 */

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum { MOST = 1 << 16, WORKSPACE = 1 << 24, ROUNDS = 60 };

static void *so, *ws;
static int failures;
static double got[MOST], got1[MOST], got2[MOST];

#define MODEL(name)                                                            \
    __typeof__(model_##name) *f_##name =                                       \
        (__typeof__(model_##name) *)(intptr_t)dlsym(so, "model_" #name);       \
    if (!f_##name)                                                             \
    exit(2)

static uint64_t seed = 1;

static double draw(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(seed >> 40) / (1 << 23) - 1;
}

static int64_t whole(int64_t lo, int64_t hi)
{
    return lo + (int64_t)((draw() + 1) / 2 * (double)(hi - lo + 1));
}

static const double *drawn(double *to, int64_t n)
{
    int64_t i;

    for (i = 0; i < n; i++)
        to[i] = draw();
    return to;
}

/* What was computed against what it should be, element by element. */
static void same(const char *what, int status, const double *a, const double *b,
                 int64_t n)
{
    int64_t i;

    if (status != NN_OK) {
        printf("%s: status %d\n", what, status);
        failures++;
        return;
    }
    for (i = 0; i < n; i++)
        if (!(fabs(a[i] - b[i]) <= 1e-11 * (1 + fabs(b[i])))) {
            printf("%s, element %ld of %ld: %.17g, not %.17g\n", what, (long)i,
                   (long)n, a[i], b[i]);
            failures++;
            return;
        }
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* Convolutions, by rows and columns; those of sequences have one column. */
typedef struct Conv {
    int64_t b, h, w, ci, co, groups, p, q;
    int64_t stride, padding, dilation;
    int flat; /* one column */
} Conv;

static int64_t out_size(const Conv *c, int64_t n, int64_t p)
{
    int64_t free = n + 2 * c->padding - c->dilation * (p - 1) - 1;

    return free < 0 ? 0 : free / c->stride + 1;
}

static int64_t out_h(const Conv *c) { return out_size(c, c->h, c->p); }
static int64_t out_w(const Conv *c)
{
    return c->flat ? 1 : out_size(c, c->w, c->q);
}
static int64_t x_size(const Conv *c)
{
    return c->b * c->h * c->w * c->groups * c->ci;
}
static int64_t k_size(const Conv *c)
{
    return c->p * c->q * c->ci * c->groups * c->co;
}
static int64_t y_size(const Conv *c)
{
    return c->b * out_h(c) * out_w(c) * c->groups * c->co;
}

typedef struct Tensors {
    double x[MOST], k[MOST], y[MOST], x_bar[MOST], k_bar[MOST], y_bar[MOST];
} Tensors;
static Tensors t;

/* One element y[n, i, j, o], and what its adjoint adds to those of x and k. */
static void conv_element(const Conv *c, int64_t n, int64_t i, int64_t j,
                         int64_t o, double *y, double y_bar)
{
    int64_t u, v, l, group = o / c->co, cin = c->groups * c->ci;

    for (u = 0; u < c->p; u++)
        for (v = 0; v < c->q; v++) {
            int64_t r = c->stride * i + c->dilation * u - c->padding;
            int64_t s = c->stride * j + c->dilation * v - c->padding;

            if (c->flat)
                s = 0;
            if (r < 0 || r >= c->h || s < 0 || s >= c->w)
                continue;
            for (l = 0; l < c->ci; l++) {
                int64_t x =
                    ((n * c->h + r) * c->w + s) * cin + group * c->ci + l;
                int64_t k =
                    ((u * c->q + v) * c->ci + l) * c->groups * c->co + o;

                *y += t.x[x] * t.k[k];
                t.x_bar[x] += y_bar * t.k[k];
                t.k_bar[k] += y_bar * t.x[x];
            }
        }
}

static void conv_plain(const Conv *c)
{
    int64_t n, i, j, o, at = 0, cout = c->groups * c->co;

    drawn(t.x, x_size(c));
    drawn(t.k, k_size(c));
    drawn(t.y_bar, y_size(c));
    memset(t.x_bar, 0, sizeof t.x_bar);
    memset(t.k_bar, 0, sizeof t.k_bar);
    for (n = 0; n < c->b; n++)
        for (i = 0; i < out_h(c); i++)
            for (j = 0; j < out_w(c); j++)
                for (o = 0; o < cout; o++, at++) {
                    t.y[at] = 0;
                    conv_element(c, n, i, j, o, &t.y[at], t.y_bar[at]);
                }
}

static void conv_same(const char *what, const Conv *c, int status)
{
    int before = failures;

    same(what, status, got, t.y, y_size(c));
    if (status == NN_OK) {
        same(what, status, got1, t.x_bar, x_size(c));
        same(what, status, got2, t.k_bar, k_size(c));
    }
    if (failures > before)
        printf("  b %ld h %ld w %ld ci %ld co %ld groups %ld p %ld q %ld "
               "stride %ld padding %ld dilation %ld\n",
               (long)c->b, (long)c->h, (long)c->w, (long)c->ci, (long)c->co,
               (long)c->groups, (long)c->p, (long)c->q, (long)c->stride,
               (long)c->padding, (long)c->dilation);
}

/* Images (sequences) that at least one window fits in. */
static Conv conv_drawn(int flat)
{
    Conv c = {0};

    c.flat = flat;
    c.b = whole(1, 2);
    c.groups = whole(1, 3);
    c.ci = whole(1, 3);
    c.co = whole(1, 3);
    c.p = whole(1, 3);
    c.q = flat ? 1 : whole(1, 3);
    c.stride = whole(1, 3);
    c.padding = whole(0, 2);
    c.dilation = whole(1, 2);
    c.h = c.dilation * (c.p - 1) + whole(1, 4);
    c.w = flat ? 1 : c.dilation * (c.q - 1) + whole(1, 4);
    return c;
}

static void convolutions(void)
{
    MODEL(conv2);
    MODEL(conv2_back);
    MODEL(conv1);
    MODEL(conv1_back);
    int i, s;

    for (i = 0; i < 2 * ROUNDS; i++) {
        Conv c = conv_drawn(i % 2);

        conv_plain(&c);
        if (c.flat) {
            s = f_conv1(t.x, t.k, c.b, c.h, c.ci, c.groups, c.p, c.co,
                        c.dilation, c.padding, c.stride, got, ws, NULL);
            same("conv1", s, got, t.y, y_size(&c));
            s = f_conv1_back(t.x, t.k, t.y_bar, c.b, c.h, c.ci, c.groups, c.p,
                             c.co, c.dilation, c.padding, c.stride, got, got1,
                             got2, ws, NULL);
        } else {
            s = f_conv2(t.x, t.k, c.b, c.h, c.w, c.ci, c.groups, c.p, c.q, c.co,
                        c.dilation, c.padding, c.stride, got, ws, NULL);
            same("conv2", s, got, t.y, y_size(&c));
            s = f_conv2_back(t.x, t.k, t.y_bar, c.b, c.h, c.w, c.ci, c.groups,
                             c.p, c.q, c.co, c.dilation, c.padding, c.stride,
                             got, got1, got2, ws, NULL);
        }
        conv_same(c.flat ? "conv1_back" : "conv2_back", &c, s);
    }
}

/* What model.nn says of those whose sizes are known. */
#define FIXED(name, H, W, CI, CO, GROUPS, P, Q, STRIDE, PADDING, DILATION,     \
              FLAT)                                                            \
    do {                                                                       \
        MODEL(name);                                                           \
        MODEL(name##_back);                                                    \
        Conv c = {b, H, W,      CI,      CO,       GROUPS,                     \
                  P, Q, STRIDE, PADDING, DILATION, FLAT};                      \
        conv_plain(&c);                                                        \
        same(#name, f_##name(t.x, t.k, b, got, ws, NULL), got, t.y,            \
             y_size(&c));                                                      \
        conv_same(                                                             \
            #name "_back", &c,                                                 \
            f_##name##_back(t.x, t.k, t.y_bar, b, got, got1, got2, ws, NULL)); \
    } while (0)

static void known_convolutions(void)
{
    int64_t b;

    for (b = 0; b < 4; b++) {
        FIXED(same2, 6, 6, 3, 4, 1, 3, 3, 1, 1, 1, 0);
        FIXED(half2, 7, 6, 3, 4, 1, 3, 3, 2, 1, 1, 0);
        FIXED(deep2, 5, 5, 1, 1, 4, 3, 3, 1, 1, 1, 0);
        FIXED(wide1, 9, 1, 2, 3, 2, 3, 1, 1, 2, 2, 1);
    }
}

/* Pooling: of windows of size × size, their largest element or mean. The
 * adjoint of the largest goes to it (of equal ones there are none here). */
static void pool_plain(const Conv *c, int mean)
{
    int64_t n, i, j, l, u, v, at = 0;

    drawn(t.x, x_size(c));
    drawn(t.y_bar, y_size(c));
    memset(t.x_bar, 0, sizeof t.x_bar);
    for (n = 0; n < c->b; n++)
        for (i = 0; i < out_h(c); i++)
            for (j = 0; j < out_w(c); j++)
                for (l = 0; l < c->groups; l++, at++) {
                    double sum = 0, area = (double)(c->p * c->q);
                    int64_t top = -1;

                    for (u = 0; u < c->p; u++)
                        for (v = 0; v < c->q; v++) {
                            int64_t x = ((n * c->h + c->stride * i + u) * c->w +
                                         c->stride * j + v) *
                                            c->groups +
                                        l;

                            sum += t.x[x];
                            top = top < 0 || t.x[x] > t.x[top] ? x : top;
                            t.x_bar[x] += mean ? t.y_bar[at] / area : 0;
                        }
                    t.y[at] = mean ? sum / area : t.x[top];
                    t.x_bar[top] += mean ? 0 : t.y_bar[at];
                }
}

static void pools(void)
{
    MODEL(most);
    MODEL(most_back);
    MODEL(middle);
    MODEL(middle_back);
    MODEL(halves);
    MODEL(halves_back);
    int i, s;

    for (i = 0; i < ROUNDS; i++) {
        Conv c = {2, 0, 0, 1, 1, 3, 0, 0, 0, 0, 1, 0};

        c.p = c.q = whole(1, 3);
        c.stride = whole(1, 3);
        c.h = c.p + whole(0, 4);
        c.w = c.q + whole(0, 4);
        pool_plain(&c, i % 2);
        s = (i % 2 ? f_middle_back : f_most_back)(t.x, t.y_bar, c.b, c.h, c.w,
                                                  c.groups, c.p, c.stride, got,
                                                  got1, ws, NULL);
        same("pool", s, got, t.y, y_size(&c));
        same("pool_back", s, got1, t.x_bar, x_size(&c));
        s = (i % 2 ? f_middle : f_most)(t.x, c.b, c.h, c.w, c.groups, c.p,
                                        c.stride, got, ws, NULL);
        same("pool alone", s, got, t.y, y_size(&c));
    }
    for (i = 0; i < 3; i++) {
        Conv c = {0, 6, 6, 1, 1, 3, 2, 2, 2, 0, 1, 0};

        c.b = i;
        pool_plain(&c, 0);
        same("halves", f_halves(t.x, i, got, ws, NULL), got, t.y, y_size(&c));
        s = f_halves_back(t.x, t.y_bar, i, got, got1, ws, NULL);
        same("halves_back", s, got1, t.x_bar, x_size(&c));
    }
}

/* Normalisation: rows of n elements, each of length `step` from the next. */

static void moments(const double *x, int64_t n, int64_t step, double *m,
                    double *v)
{
    int64_t i;

    *m = *v = 0;
    for (i = 0; i < n; i++)
        *m += x[i * step] / (double)n;
    for (i = 0; i < n; i++)
        *v += (x[i * step] - *m) * (x[i * step] - *m) / (double)n;
}

static void rows_normalised(int64_t a, int64_t b, int64_t n)
{
    static double x[MOST], scale[64], shift[64], y[MOST], z[MOST];
    MODEL(layer);
    MODEL(rms);
    int64_t r, i;

    drawn(x, a * b * n);
    drawn(scale, n);
    drawn(shift, n);
    for (r = 0; r < a * b; r++) {
        const double *row = x + r * n;
        double m, v;

        moments(row, n, 1, &m, &v);
        for (i = 0; i < n; i++) {
            y[r * n + i] = (row[i] - m) / sqrt(v + 1e-5) * scale[i] + shift[i];
            z[r * n + i] = row[i] / sqrt(v + m * m + 1e-5) * scale[i];
        }
    }
    same("layer_norm", f_layer(x, scale, shift, a, b, n, got, ws, NULL), got, y,
         a * b * n);
    same("rms_norm", f_rms(x, scale, a, b, n, got, ws, NULL), got, z,
         a * b * n);
}

static void groups_normalised(int64_t b, int64_t area, int64_t groups,
                              int64_t c)
{
    static double x[MOST], scale[64], shift[64], y[MOST], part[MOST];
    MODEL(group);
    int64_t k = groups * c, n, g, i, l;

    drawn(x, b * area * 2 * k);
    drawn(scale, k);
    drawn(shift, k);
    for (n = 0; n < b; n++)
        for (g = 0; g < groups; g++) {
            const double *from = x + n * area * 2 * k + g * c;
            double m, v;

            for (i = 0; i < area * 2; i++)
                for (l = 0; l < c; l++)
                    part[i * c + l] = from[i * k + l];
            moments(part, area * 2 * c, 1, &m, &v);
            for (i = 0; i < area * 2; i++)
                for (l = 0; l < c; l++)
                    y[(n * area * 2 + i) * k + g * c + l] =
                        (from[i * k + l] - m) / sqrt(v + 1e-5) *
                            scale[g * c + l] +
                        shift[g * c + l];
        }
    same("group_norm",
         f_group(x, scale, shift, b, area, 2, c, groups, got, ws, NULL), got, y,
         b * area * 2 * k);
}

static void batch_normalised(int64_t b, int64_t h, int64_t w, int64_t c)
{
    static double x[MOST], scale[64], shift[64], mean[64], var[64];
    static double y[MOST], z[MOST], m1[64], v1[64];
    MODEL(batch);
    MODEL(batch_test);
    int64_t rows = b * h * w, i, l;
    int s;

    drawn(x, rows * c);
    drawn(scale, c);
    drawn(shift, c);
    drawn(mean, c);
    for (l = 0; l < c; l++) {
        double m, v;

        var[l] = 1 + draw() / 2;
        moments(x + l, rows, c, &m, &v);
        m1[l] = 0.9 * mean[l] + 0.1 * m;
        v1[l] = 0.9 * var[l] + 0.1 * v;
        for (i = 0; i < rows; i++) {
            double e = x[i * c + l];

            y[i * c + l] = (e - m) / sqrt(v + 1e-5) * scale[l] + shift[l];
            z[i * c + l] =
                (e - mean[l]) / sqrt(var[l] + 1e-5) * scale[l] + shift[l];
        }
    }
    s = f_batch(x, scale, shift, mean, var, b, h, w, c, got, got1, got2, ws,
                NULL);
    same("batch_norm", s, got, y, rows * c);
    same("batch_norm's mean", s, got1, m1, c);
    same("batch_norm's variance", s, got2, v1, c);
    s = f_batch_test(x, scale, shift, mean, var, b, h, w, c, got, ws, NULL);
    same("batch_norm_eval", s, got, z, rows * c);
}

/* to = x W + b for `rows` rows */
static void affine(int64_t rows, int64_t n, int64_t m, const double *x,
                   const double *W, const double *b, double *to)
{
    int64_t r, i, j;

    for (r = 0; r < rows; r++)
        for (j = 0; j < m; j++) {
            to[r * m + j] = b ? b[j] : 0;
            for (i = 0; i < n; i++)
                to[r * m + j] += x[r * n + i] * W[i * m + j];
        }
}

/* One query at place i of one sequence, for one head: what it sees. */
static void seen(const double *q, const double *k, const double *v, int64_t d,
                 int64_t e, int64_t last, double *to)
{
    double score[64], sum = 0;
    int64_t j, m;

    for (j = 0; j <= last; j++) {
        score[j] = 0;
        for (m = 0; m < e; m++)
            score[j] += q[m] * k[j * d + m];
        score[j] = exp(score[j] / sqrt((double)e));
        sum += score[j];
    }
    for (m = 0; m < e; m++) {
        to[m] = 0;
        for (j = 0; j <= last; j++)
            to[m] += score[j] / sum * v[j * d + m];
    }
}

static void attends(int64_t b, int64_t n, int64_t heads, int64_t e, int causal)
{
    static double x[MOST], W[MOST], bias[MOST], part[4][MOST], y[MOST];
    MODEL(look);
    MODEL(look_back);
    int64_t d = heads * e, a, i, h;
    int k;

    drawn(x, b * n * d);
    drawn(W, 4 * d * d);
    drawn(bias, 4 * d);
    for (k = 0; k < 3; k++)
        affine(b * n, d, d, x, W + k * d * d, bias + k * d, part[k]);
    for (a = 0; a < b; a++)
        for (i = 0; i < n; i++)
            for (h = 0; h < heads; h++) {
                int64_t at = a * n * d + h * e;

                seen(part[0] + at + i * d, part[1] + at, part[2] + at, d, e,
                     causal ? i : n - 1, part[3] + at + i * d);
            }
    affine(b * n, d, d, part[3], W + 3 * d * d, bias + 3 * d, y);
    same(causal ? "causal attention" : "attention",
         (causal ? f_look_back : f_look)(x, W, bias, b, n, e, heads, got, ws,
                                         NULL),
         got, y, b * n * d);
}

/* Recurrent layers: all hidden states of one after the other step. */

/* s' from the parts of x Wx + bx and s Wh + bh; `c` is the LSTM's cell. */
static void cell(int gates, int64_t h, const double *zx, const double *zh,
                 double *s, double *c)
{
    int64_t i;

    for (i = 0; i < h; i++) {
        double z[4];
        int k;

        for (k = 0; k < gates; k++)
            z[k] = zx[k * h + i] + zh[k * h + i];
        if (gates == 1) {
            s[i] = tanh(z[0]);
        } else if (gates == 4) {
            c[i] = sigmoid(z[1]) * c[i] + sigmoid(z[0]) * tanh(z[2]);
            s[i] = sigmoid(z[3]) * tanh(c[i]);
        } else {
            double u = sigmoid(z[1]);
            double new = tanh(zx[2 * h + i] + sigmoid(z[0]) * zh[2 * h + i]);

            s[i] = u * s[i] + (1 - u) * new;
        }
    }
}

static void recurs(int gates, int64_t b, int64_t steps, int64_t n, int64_t h)
{
    static double x[MOST], Wx[MOST], Wh[MOST], bx[MOST], bh[MOST], y[MOST];
    static double zx[MOST], zh[MOST];
    MODEL(simple);
    MODEL(memory);
    MODEL(gated);
    int64_t a, i, m = gates * h;
    int s;

    drawn(x, b * steps * n);
    drawn(Wx, n * m);
    drawn(Wh, h * m);
    drawn(bx, m);
    drawn(bh, m);
    for (a = 0; a < b; a++) {
        double state[64] = {0}, c[64] = {0};

        for (i = 0; i < steps; i++) {
            affine(1, n, m, x + (a * steps + i) * n, Wx, bx, zx);
            affine(1, h, m, state, Wh, gates == 3 ? bh : NULL, zh);
            cell(gates, h, zx, zh, state, c);
            memcpy(y + (a * steps + i) * h, state, sizeof *y * (size_t)h);
        }
    }
    if (gates == 3)
        s = f_gated(x, Wx, Wh, bx, bh, b, steps, n, h, got, ws, NULL);
    else
        s = (gates == 1 ? f_simple : f_memory)(x, Wx, Wh, bx, b, steps, n, h,
                                               got, ws, NULL);
    same(gates == 1   ? "rnn"
         : gates == 4 ? "lstm"
                      : "gru",
         s, got, y, b * steps * h);
}

static void looked_up(void)
{
    static const int32_t tokens[6] = {0, 4, 2, 2, 1, 4};
    static const int32_t outside[6] = {0, 4, 2, 5, 1, 4};
    double table[5 * 3], y[6 * 3];
    MODEL(words);
    int i, m;

    drawn(table, 5 * 3);
    for (i = 0; i < 6; i++)
        for (m = 0; m < 3; m++)
            y[i * 3 + m] = table[tokens[i] * 3 + m];
    same("embedding", f_words(tokens, table, 2, 3, 5, 3, got, ws, NULL), got, y,
         6 * 3);
    if (f_words(outside, table, 2, 3, 5, 3, got, ws, NULL) != NN_ERR_INDEX) {
        printf("embedding: a token outside the table is taken\n");
        failures++;
    }
}

int main(int argc, char **argv)
{
    static const int64_t size[][4] = {
        {1, 1, 1, 1}, {2, 3, 2, 5}, {3, 7, 2, 4}, {0, 4, 2, 2}, {2, 0, 1, 3}};
    size_t i;
    int causal;

    so = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (!so || posix_memalign(&ws, 64, WORKSPACE))
        return 2;
    convolutions();
    known_convolutions();
    pools();
    looked_up();
    for (i = 0; i < sizeof size / sizeof *size; i++) {
        const int64_t *n = size[i];

        rows_normalised(n[0], n[1], 4 * n[3]);
        groups_normalised(n[0], n[1], n[2], n[3]);
        if (n[0] * n[1] > 0)
            batch_normalised(n[0], n[1], n[2], n[3]);
        for (causal = 0; causal < 2; causal++)
            attends(n[0], n[1], n[2], n[3], causal);
        recurs(1, n[0], n[1], n[2], n[3]);
        recurs(3, n[0], n[1], n[2], n[3]);
        recurs(4, n[0], n[1], n[2], n[3]);
    }
    free(ws);
    return failures > 0;
}
