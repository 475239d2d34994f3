/* loops.c: an MLP's loss and gradient as one writes it by hand: loops in the
 * order that lets a compiler vectorise them, no blocking. */

#include "loops.h"

#include <math.h>
#include <string.h>

static void forward(const float *W, const float *bias, const float *x, int b,
                    int n, int m, float *out)
{
    for (int i = 0; i < b; i++) {
        for (int j = 0; j < m; j++)
            out[i * m + j] = bias[j];
        for (int k = 0; k < n; k++)
            for (int j = 0; j < m; j++)
                out[i * m + j] += x[i * n + k] * W[k * m + j];
    }
}

/* d_W = xᵀ d, d_bias = column sums of d */
static void weights(const float *x, const float *d, int b, int n, int m,
                    float *d_W, float *d_bias)
{
    memset(d_W, 0, sizeof *d_W * (size_t)(n * m));
    memset(d_bias, 0, sizeof *d_bias * (size_t)m);
    for (int i = 0; i < b; i++) {
        for (int k = 0; k < n; k++)
            for (int j = 0; j < m; j++)
                d_W[k * m + j] += x[i * n + k] * d[i * m + j];
        for (int j = 0; j < m; j++)
            d_bias[j] += d[i * m + j];
    }
}

/* Cross-entropy of a row of logits, which become its derivative. */
static float row_loss(float *z, int label, int b)
{
    float top = z[0], sum = 0, loss;

    for (int j = 1; j < N_OUT; j++)
        top = z[j] > top ? z[j] : top;
    for (int j = 0; j < N_OUT; j++)
        sum += expf(z[j] - top);
    loss = logf(sum) + top - z[label];
    for (int j = 0; j < N_OUT; j++)
        z[j] = (expf(z[j] - top) / sum - (j == label)) / (float)b;
    return loss;
}

float loops_loss_grad(const float *W1, const float *b1, const float *W2,
                      const float *b2, const float *x, const int32_t *y, int b,
                      float *d_W1, float *d_b1, float *d_W2, float *d_b2,
                      float *work)
{
    float *h = work, *d_h = h + b * N_HID, *z = d_h + b * N_HID;
    float loss = 0;

    forward(W1, b1, x, b, N_IN, N_HID, h);
    for (int i = 0; i < b * N_HID; i++)
        h[i] = h[i] > 0 ? h[i] : 0;
    forward(W2, b2, h, b, N_HID, N_OUT, z);
    for (int i = 0; i < b; i++)
        loss += row_loss(z + i * N_OUT, y[i], b);
    weights(h, z, b, N_HID, N_OUT, d_W2, d_b2);
    for (int i = 0; i < b; i++)
        for (int k = 0; k < N_HID; k++) {
            float sum = 0;

            for (int j = 0; j < N_OUT; j++)
                sum += z[i * N_OUT + j] * W2[k * N_OUT + j];
            d_h[i * N_HID + k] = h[i * N_HID + k] > 0 ? sum : 0;
        }
    weights(x, d_h, b, N_IN, N_HID, d_W1, d_b1);
    return loss / (float)b;
}
