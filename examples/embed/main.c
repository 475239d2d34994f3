/* main.c: a program that calls a compiled model. It has the model's header and
 * loads model.so; it needs nothing else of nncc. The gradient that the
 * compiler derived is compared with central differences, then followed
 * downhill. */
#include "model.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 256, DIRECTIONS = 20, STEPS = 100 };

/* The functions of model.h, found at run time. */
static struct {
    int (*init)(uint64_t seed, model_Net *net, void *workspace,
                const nn_exec *exec);
    int (*loss)(const model_Net *net, const double *x, const double *z,
                int64_t b, double *loss, void *workspace, const nn_exec *exec);
    size_t (*loss_workspace)(int64_t b);
    int (*loss_grad)(const model_Net *net, const double *x, const double *z,
                     int64_t b, double *loss, model_Net *d_net, void *workspace,
                     const nn_exec *exec);
    size_t (*loss_grad_workspace)(int64_t b);
} model;

/* What is trained, and the tensors in it: the rest of the struct is padding. */
static model_Net net, d_net, shifted, direction;

static const struct {
    size_t offset;
    size_t n;
} tensors[] = {
    {offsetof(model_Net, hidden.W), sizeof net.hidden.W / sizeof(double)},
    {offsetof(model_Net, hidden.b), sizeof net.hidden.b / sizeof(double)},
    {offsetof(model_Net, out.W), sizeof net.out.W / sizeof(double)},
    {offsetof(model_Net, out.b), sizeof net.out.b / sizeof(double)},
};
enum { NTENSOR = sizeof tensors / sizeof *tensors };

static double x[ROWS][2], z[ROWS];
static void *workspace;

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void check(const char *what, int status)
{
    if (status != NN_OK) {
        fprintf(stderr, "%s: status %d\n", what, status);
        exit(1);
    }
}

static void *find(void *library, const char *name)
{
    void *symbol = dlsym(library, name);

    if (!symbol)
        stop(name, "is not in the library");
    return symbol;
}

static void load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (!library)
        stop(path, dlerror());
    *(void **)&model.init = find(library, "model_init");
    *(void **)&model.loss = find(library, "model_loss");
    *(void **)&model.loss_workspace = find(library, "model_loss_workspace");
    *(void **)&model.loss_grad = find(library, "model_loss_grad");
    *(void **)&model.loss_grad_workspace =
        find(library, "model_loss_grad_workspace");
}

/* Uniform in (-1, 1): a linear congruential generator (Knuth's MMIX). */
static double uniform(void)
{
    static uint64_t state = 1;

    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (double)(int64_t)(state >> 11) * 0x1p-52 - 1;
}

/* The surface z = sin(3u) v, at random points. */
static void make_data(void)
{
    for (int i = 0; i < ROWS; i++) {
        x[i][0] = uniform();
        x[i][1] = uniform();
        z[i] = sin(3 * x[i][0]) * x[i][1];
    }
}

static double *tensor(model_Net *p, int i)
{
    return (double *)((char *)p + tensors[i].offset);
}

/* The product of all numbers of p and q, added up. */
static double dot(model_Net *p, model_Net *q)
{
    double sum = 0;

    for (int i = 0; i < NTENSOR; i++)
        for (size_t k = 0; k < tensors[i].n; k++)
            sum += tensor(p, i)[k] * tensor(q, i)[k];
    return sum;
}

/* to = p + a q */
static void add(model_Net *to, model_Net *p, double a, model_Net *q)
{
    for (int i = 0; i < NTENSOR; i++)
        for (size_t k = 0; k < tensors[i].n; k++)
            tensor(to, i)[k] = tensor(p, i)[k] + a * tensor(q, i)[k];
}

static void pick_direction(void)
{
    model_Net *d = &direction;

    for (int i = 0; i < NTENSOR; i++)
        for (size_t k = 0; k < tensors[i].n; k++)
            tensor(d, i)[k] = uniform();
    add(d, d, 1 / sqrt(dot(d, d)) - 1, d);
}

/* The loss at net + a direction. */
static double loss_at(double a)
{
    double loss;

    add(&shifted, &net, a, &direction);
    check("loss",
          model.loss(&shifted, &x[0][0], z, ROWS, &loss, workspace, NULL));
    return loss;
}

static double gradient(void)
{
    double loss;

    check("loss_grad", model.loss_grad(&net, &x[0][0], z, ROWS, &loss, &d_net,
                                       workspace, NULL));
    return loss;
}

/* The largest difference between the derivative along a direction and
 * (f(net + e d) - f(net - e d)) / 2e. */
static double compare(void)
{
    const double e = 1e-5;
    double worst = 0;

    gradient();
    for (int i = 0; i < DIRECTIONS; i++) {
        pick_direction();
        double numeric = (loss_at(e) - loss_at(-e)) / (2 * e);
        worst = fmax(worst, fabs(dot(&d_net, &direction) - numeric));
    }
    return worst;
}

static void make_workspace(void)
{
    size_t a = model.loss_workspace(ROWS), b = model.loss_grad_workspace(ROWS);
    size_t bytes = a > b ? a : b;

    workspace = aligned_alloc(64, (bytes + 64) / 64 * 64);
    if (!workspace)
        stop("workspace", "no memory");
}

int main(int argc, char **argv)
{
    load(argc > 1 ? argv[1] : "./model.so");
    make_data();
    make_workspace();
    check("init", model.init(1, &net, NULL, NULL));

    double error = compare();
    printf("largest error of the gradient along %d directions: %.1e\n",
           DIRECTIONS, error);
    if (!(error < 1e-7))
        stop("gradient", "does not agree with central differences");

    double first = gradient(), loss = first;
    for (int step = 1; step <= STEPS; step++) {
        add(&net, &net, -0.2, &d_net);
        loss = gradient();
        if (step % 10 == 0)
            printf("step %3d: loss %.6f\n", step, loss);
    }
    if (!(loss < 0.9 * first))
        stop("loss", "does not fall");
    free(workspace);
    return 0;
}
