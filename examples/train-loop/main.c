/* main.c: trains a compiled classifier through libnn: reads a CSV file, holds
 * some rows out, trains, and shows in its own way how that goes. */
#include <nn.h>

#include <stdio.h>
#include <stdlib.h>

/* Best test loss so far, and how many epochs ago it was. */
typedef struct Watch {
    double best;
    int since;
} Watch;

static void stop(void)
{
    fprintf(stderr, "train-loop: %s\n", nncc_last_error());
    exit(1);
}

static void check(int status)
{
    if (status != NN_OK)
        stop();
}

/* One line an epoch; ends the training when the test loss has not fallen for
 * ten epochs. */
static int show(void *context, const nncc_progress *p)
{
    Watch *w = context;

    if (p->event != NNCC_EVENT_EPOCH)
        return 0;
    printf("%3d | train loss %.4f | test loss %.4f | accuracy %.4f\n",
           (int)p->epoch, p->loss, p->test_loss, p->test_metric[0]);
    w->since++;
    if (p->epoch == 1 || p->test_loss < w->best) {
        w->best = p->test_loss;
        w->since = 0;
    }
    return w->since >= 10;
}

int main(int argc, char **argv)
{
    const char *module = argc > 1 ? argv[1] : "./digits.so";
    const char *file = argc > 2 ? argv[2] : "../digits/digits.csv.gz";
    nncc_model *model;
    nncc_data *all, *train, *test;
    nncc_split_options split = {.seed = 0, .count = -1, .fraction = 0.2};
    nncc_setting setting[] = {{"lr", 2e-3}};
    Watch watch = {0};
    nncc_train_options options = {.epochs = 60,
                                  .batch = 32,
                                  .seed = 0,
                                  .setting = setting,
                                  .nsetting = 1,
                                  .progress = show,
                                  .context = &watch};
    nncc_train_result result;

    check(nncc_open(module, &model));
    check(nncc_csv_read(file, NULL, &all));
    check(nncc_data_split(all, &split, &train, &test));
    nncc_data_free(all);

    check(nncc_train(model, &options, train, test, &result));
    printf("%d rows, %d epochs, %.2f s: test %s %.4f\n", (int)train->n,
           (int)result.epochs, result.seconds, nncc_metric_name(model, 0),
           result.test_metric[0]);

    nncc_data_free(train);
    nncc_data_free(test);
    nncc_close(model);
    return result.test_metric[0] > 0.95 ? 0 : 1;
}
