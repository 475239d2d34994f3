/* driver.c: five steps of every optimizer by the compiled module and by the
 * formulas of its authors, element by element. */

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum { SIZE = 7, STEPS = 5 };

/* Parameters and running values of the plain version. */
typedef struct Plain {
    double p[SIZE], g[SIZE], m[SIZE], v[SIZE];
    int t;
} Plain;

static void flat(const model_P *p, double *to)
{
    memcpy(to, p->w, 6 * sizeof *to);
    to[6] = p->b;
}

static void structured(const double *p, model_P *to)
{
    memcpy(to->w, p, 6 * sizeof *p);
    to->b = p[6];
}

static double sign(double x) { return (x > 0) - (x < 0); }

static void plain_sgd(Plain *s, int i)
{
    s->p[i] -= 0.25 * (s->g[i] + 0.125 * s->p[i]);
}

static void plain_momentum(Plain *s, int i)
{
    s->v[i] = 0.75 * s->v[i] + s->g[i];
    s->p[i] -= 0.1 * (s->v[i] + 0.02 * s->p[i]);
}

static void plain_nesterov(Plain *s, int i)
{
    s->v[i] = 0.75 * s->v[i] + s->g[i];
    s->p[i] -= 0.1 * (s->g[i] + 0.75 * s->v[i] + 0.02 * s->p[i]);
}

static void plain_adagrad(Plain *s, int i)
{
    s->v[i] += s->g[i] * s->g[i];
    s->p[i] -= 0.3 * s->g[i] / (sqrt(s->v[i]) + 1e-3);
}

static void plain_rmsprop(Plain *s, int i)
{
    s->v[i] = 0.8 * s->v[i] + 0.2 * s->g[i] * s->g[i];
    s->p[i] -= 0.03 * s->g[i] / (sqrt(s->v[i]) + 1e-3);
}

static double adam_direction(Plain *s, int i)
{
    double m, v;

    s->m[i] = 0.8 * s->m[i] + 0.2 * s->g[i];
    s->v[i] = 0.95 * s->v[i] + 0.05 * s->g[i] * s->g[i];
    m = s->m[i] / (1 - pow(0.8, s->t));
    v = s->v[i] / (1 - pow(0.95, s->t));
    return m / (sqrt(v) + 1e-4);
}

static void plain_adam(Plain *s, int i)
{
    s->p[i] -= 0.02 * adam_direction(s, i);
}

static void plain_adamw(Plain *s, int i)
{
    s->p[i] -= 0.02 * (adam_direction(s, i) + 0.3 * s->p[i]);
}

static void plain_lion(Plain *s, int i)
{
    double u = sign(0.8 * s->m[i] + 0.2 * s->g[i]);

    s->p[i] -= 0.02 * (u + 0.3 * s->p[i]);
    s->m[i] = 0.95 * s->m[i] + 0.05 * s->g[i];
}

/* All states fit in here. */
typedef union State {
    model_AdamState_P adam;
    model_SgdState sgd;
} State;

typedef struct Case {
    const char *name;
    void (*plain)(Plain *s, int i);
    size_t bytes; /* of the state */
} Case;

static const Case cases[] = {
    {"sgd", plain_sgd, sizeof(model_SgdState)},
    {"momentum", plain_momentum, sizeof(model_MomentumState_P)},
    {"nesterov", plain_nesterov, sizeof(model_MomentumState_P)},
    {"adagrad", plain_adagrad, sizeof(model_AdagradState_P)},
    {"rmsprop", plain_rmsprop, sizeof(model_RmspropState_P)},
    {"adam", plain_adam, sizeof(model_AdamState_P)},
    {"adamw", plain_adamw, sizeof(model_AdamState_P)},
    {"lion", plain_lion, sizeof(model_LionState_P)},
};

typedef int (*Step)(const model_P *, const model_P *, const void *, model_P *,
                    void *, void *, const nn_exec *);

static void gradient(const double *p, int t, double *g)
{
    int i;

    for (i = 0; i < SIZE; i++)
        g[i] = i == 3 ? 0 : sin(3 * p[i] + i + t);
}

static int runs(void *so, const Case *c, void *workspace)
{
    char name[64];
    Step step;
    static State state, next;
    static model_P p, g, q;
    Plain s;
    double got[SIZE];
    int i;

    sprintf(name, "model_f_%s", c->name);
    step = (Step)(intptr_t)dlsym(so, name);
    memset(&state, 0, sizeof state);
    memset(&s, 0, sizeof s);
    for (i = 0; i < SIZE; i++)
        s.p[i] = cos(i);
    structured(s.p, &p);
    for (s.t = 1; s.t <= STEPS; s.t++) {
        gradient(s.p, s.t, s.g);
        structured(s.g, &g);
        if (!step || step(&p, &g, &state, &q, &next, workspace, NULL) != NN_OK)
            return 0;
        p = q;
        memcpy(&state, &next, c->bytes);
        for (i = 0; i < SIZE; i++)
            c->plain(&s, i);
        flat(&p, got);
        for (i = 0; i < SIZE; i++)
            if (!(fabs(got[i] - s.p[i]) <= 1e-13)) {
                printf("%s, step %d, element %d: %.17g, not %.17g\n", c->name,
                       s.t, i, got[i], s.p[i]);
                return 0;
            }
    }
    return 1;
}

int main(int argc, char **argv)
{
    void *so = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    void *workspace = NULL;
    size_t i;
    int good = 1;

    if (!so || posix_memalign(&workspace, 64, 1 << 16))
        return 2;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        good = runs(so, &cases[i], workspace) && good;
    free(workspace);
    return !good;
}
