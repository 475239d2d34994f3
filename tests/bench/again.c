/* again.c: compiled functions called so many times in a row, for turns.py. */
#include "nn_abi.h"

int again(const nn_function *f, int times, void *const *leaf,
          const int64_t *dims, void *workspace)
{
    int status = NN_OK;

    while (times-- > 0 && status == NN_OK)
        status = f->call(leaf, dims, workspace, NULL);
    return status;
}

/* As CasADi's C has them. */
typedef int Casadi(const double **arg, double **res, long long *iw, double *w,
                   int mem);

int again_casadi(Casadi *f, int times, const double **arg, double **res,
                 long long *iw, double *w)
{
    int status = 0;

    while (times-- > 0 && status == 0)
        status = f(arg, res, iw, w, 0);
    return status;
}
