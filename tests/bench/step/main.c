/* main.c: NAME STEPS: steps of the training of an example, on made-up data. */
#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "gpt.h"
#include "lstm.h"

enum { BATCH = 16, LENGTH = 64, CLASSES = 10, FEATURES = 64, LETTERS = 60 };

static int32_t x[BATCH * LENGTH], y[BATCH * LENGTH];
static float image[BATCH * FEATURES], loss;

static void *block(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 64) / 64 * 64);

    if (!p)
        exit(2);
    return p;
}

/* The models of texts have the same names. */
#define TEXT_STEPS(model)                                                      \
    static int model##_steps(int steps)                                        \
    {                                                                          \
        model##_Net *net = block(sizeof *net);                                 \
        model##_train_state *state = block(sizeof *state);                     \
        void *init = block(model##_init_workspace());                          \
        void *work = block(model##_step_workspace(BATCH, LENGTH));             \
        int status = model##_init(1, net, state, init, NULL);                  \
        while (steps-- > 0 && !status)                                         \
            status =                                                           \
                model##_step(net, state, x, y, BATCH, LENGTH, 3e-3f, 0.9f,     \
                             0.999f, 1e-8f, 0.01f, 1, &loss, work, NULL);      \
        return status;                                                         \
    }

TEXT_STEPS(lstm)
TEXT_STEPS(gpt)

static int digits_steps(int steps)
{
    digits_Net *net = block(sizeof *net);
    digits_train_state *state = block(sizeof *state);
    void *init = block(digits_init_workspace());
    void *work = block(digits_step_workspace(BATCH));
    int status = digits_init(1, net, state, init, NULL);

    while (steps-- > 0 && !status)
        status = digits_step(net, state, image, y, BATCH, 3e-3f, 0.9f, 0.999f,
                             1e-8f, &loss, work, NULL);
    return status;
}

int main(int argc, char **argv)
{
    int steps = argc > 2 ? atoi(argv[2]) : 0;
    int digits = argc > 1 && strcmp(argv[1], "digits") == 0;

    for (int i = 0; i < BATCH * LENGTH; i++) {
        x[i] = i * 7919 % LETTERS;
        y[i] = i * 104729 % (digits ? CLASSES : LETTERS);
        image[i % (BATCH * FEATURES)] = (float)(i * 31 % 17);
    }
    if (digits)
        return digits_steps(steps) != 0;
    return (argc > 1 && strcmp(argv[1], "gpt") == 0 ? gpt_steps
                                                    : lstm_steps)(steps) != 0;
}
