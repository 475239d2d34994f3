/* test_ranks.c: libnn: trainings by several ranks, here threads of one process,
 * and by one that accumulates as much: the same bits. */
#include "folder.h"
#include "programs.h"
#include "suite.h"

#include "cli/trained.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 5, ROWS = 61, FEATURES = 3, MOST_STEPS = 200 };

static const char program[] =
    "use nn; use optim;\n"
    "struct Net { hidden: Linear[3, 5], out: Linear[5, 1], scale: real = 1 }\n"
    "fn loss(net: Net, x: real[b, 3], y: real[b], k: key,\n"
    "        rate: real = 0.2) -> real {\n"
    "  let h = x |> linear(net.hidden) |> tanh |> dropout(k, rate = rate);\n"
    "  mean((linear(h, net.out)[:, 0] * net.scale - y) ^ 2)\n"
    "}\n"
    "fn test(net: Net, x: real[b, 3], y: real[b]) -> real =\n"
    "  mean((linear(tanh(linear(x, net.hidden)), net.out)[:, 0] - y) ^ 2);\n"
    "train loss(net) {\n"
    "  optimizer  = adamw(lr = 0.02 * (1 - step / total_steps),\n"
    "                     weight_decay = 0.1);\n"
    "  groups     = Linear.b(weight_decay = 0);\n"
    "  key        = k;\n"
    "  evaluate   = test;\n"
    "  clip_norm  = 0.5;\n"
    "}\n";

/* Ranks in threads */

typedef struct Meeting {
    pthread_barrier_t gate;
    int n;
    const void *from[MOST];
    int breaks; /* after so many calls, if above 0 */
} Meeting;

typedef struct Rank {
    Meeting *meeting;
    nncc_ranks of;
    int calls;
    nncc_model *model;
    const nncc_data *train, *test;
    nncc_train_options o;
    nncc_train_result result;
    double loss[MOST_STEPS];
    int nloss, epochs, skipped, status;
    int64_t stop_at; /* its callback wants to, at this step */
    char error[256];
    pthread_t thread;
} Rank;

/* All have said what they have; false: nothing more is said. */
static bool shown(Rank *r, const void *from)
{
    Meeting *m = r->meeting;

    m->from[r->of.rank] = from;
    pthread_barrier_wait(&m->gate);
    return !m->breaks || ++r->calls <= m->breaks;
}

static int taken(Rank *r, bool good)
{
    pthread_barrier_wait(&r->meeting->gate);
    return good ? 0 : 1;
}

static int gather(void *context, const void *from, size_t bytes, void *to)
{
    Rank *r = context;
    bool good = shown(r, from);

    for (int i = 0; i < r->of.count && good; i++)
        memcpy((char *)to + (size_t)i * bytes, r->meeting->from[i], bytes);
    return taken(r, good);
}

static int exchange(void *context, const void *from, size_t bytes, void *to)
{
    Rank *r = context;
    bool good = shown(r, from);

    for (int i = 0; i < r->of.count && good; i++)
        memcpy((char *)to + (size_t)i * bytes,
               (const char *)r->meeting->from[i] + (size_t)r->of.rank * bytes,
               bytes);
    return taken(r, good);
}

static int broadcast(void *context, void *at, size_t bytes)
{
    Rank *r = context;
    bool good = shown(r, at);

    if (r->of.rank > 0 && good)
        memcpy(at, r->meeting->from[0], bytes);
    return taken(r, good);
}

static int tell(void *context, const nncc_progress *p)
{
    Rank *r = context;

    r->skipped += p->event == NNCC_EVENT_SKIPPED;
    r->epochs += p->event == NNCC_EVENT_EPOCH;
    if (p->event == NNCC_EVENT_STEP && r->nloss < MOST_STEPS)
        r->loss[r->nloss++] = p->loss;
    return r->stop_at && p->step == r->stop_at;
}

static void *train(void *rank)
{
    Rank *r = rank;

    r->status = nncc_train(r->model, &r->o, r->train, r->test, &r->result);
    if (r->status)
        snprintf(r->error, sizeof r->error, "%s", nncc_last_error());
    return NULL;
}

/* A compiled program and data for it */

static Trained trained;
static nncc_data *rows, *held;
/* What steps change, by its names. */
static const char *const *changed;
static const char *const of_net[] = {"net", "state", NULL};

static void compile_train(const char *text, bool accumulates)
{
    const CheckOptions o = {.real = DT_f32, .accumulates = accumulates};
    Program *p = compile_with(text, &o);

    ck_assert_msg(p, "%s", messages());
    Load l = {.arena = arena,
              .diags = diags,
              .program = p,
              .module = program_module(p),
              .path = "test.nn"};
    ck_assert(trained_open(&l, NULL, &trained));
}

static nncc_data *make_rows(int64_t n, int from)
{
    nncc_data *d;

    ck_assert_int_eq(nncc_data_new(n, FEATURES, NNCC_LABEL_REAL, &d), NN_OK);
    for (int64_t i = 0; i < n; i++) {
        double *x = (double *)d->x + i * d->x_step, *y = (double *)d->y;
        for (int k = 0; k < FEATURES; k++)
            x[k] = (double)((from + i * (k + 3) * 7) % 11) / 11 - 0.5;
        y[i * d->y_step] = x[0] * x[1] + 0.3 * x[2];
    }
    return d;
}

static void setup(void)
{
    programs_setup();
    compile_train(program, true);
    changed = of_net;
    rows = make_rows(ROWS, 0);
    held = make_rows(17, 5);
}

static void teardown(void)
{
    nncc_data_free(rows);
    nncc_data_free(held);
    trained_close(&trained);
    programs_teardown();
}

typedef struct Run {
    Rank rank[MOST];
    Meeting meeting;
    int n;
} Run;

/* n ranks, each with a model of its own; o: with what accumulates. */
static Run *run_new(int n, int accumulate, const nncc_train_options *o)
{
    Run *run = calloc(1, sizeof *run);
    static nncc_setting setting[MOST + 1];

    ck_assert(run != NULL);
    setting[accumulate] = (nncc_setting){"accumulate", accumulate};
    run->n = run->meeting.n = n;
    pthread_barrier_init(&run->meeting.gate, NULL, (unsigned)n);
    for (int i = 0; i < n; i++) {
        Rank *r = &run->rank[i];
        r->meeting = &run->meeting;
        r->of = (nncc_ranks){i, n, 1, 0, r, gather, exchange, broadcast};
        r->o = *o;
        r->o.setting = &setting[accumulate];
        r->o.nsetting = accumulate > 0;
        r->o.progress = tell;
        r->o.context = r;
        r->o.ranks = n > 1 ? &r->of : NULL;
        r->train = rows;
        r->test = held;
        ck_assert_int_eq(nncc_wrap(nncc_descriptor(trained.model), &r->model),
                         NN_OK);
    }
    return run;
}

static void run_train(Run *run)
{
    for (int i = 0; i < run->n; i++)
        pthread_create(&run->rank[i].thread, NULL, train, &run->rank[i]);
    for (int i = 0; i < run->n; i++)
        pthread_join(run->rank[i].thread, NULL);
}

static void run_free(Run *run)
{
    for (int i = 0; i < run->n; i++)
        nncc_close(run->rank[i].model);
    pthread_barrier_destroy(&run->meeting.gate);
    free(run);
}

static void ck_same_state(const Rank *a, const Rank *b)
{
    const char *const *name = changed;

    for (int k = 0; name[k]; k++) {
        const nn_port *p;
        const nncc_tensor *x, *y;
        ck_assert_int_eq(nncc_state(a->model, name[k], &p, NULL, &x), NN_OK);
        ck_assert_int_eq(nncc_state(b->model, name[k], &p, NULL, &y), NN_OK);
        for (int l = 0; l < p->nleaf; l++) {
            size_t bytes;
            nncc_tensor_count(&x[l], NULL, &bytes);
            ck_assert_msg(!memcmp(x[l].data, y[l].data, bytes), "%s.%s differs",
                          name[k], p->leaf[l]->path);
        }
    }
}

static void ck_same(const Rank *a, const Rank *b)
{
    ck_assert_msg(a->status == NN_OK, "%s", a->error);
    ck_assert_msg(b->status == NN_OK, "%s", b->error);
    ck_same_state(a, b);
    ck_assert_int_eq(a->nloss, b->nloss);
    ck_assert(!memcmp(a->loss, b->loss, (size_t)a->nloss * sizeof *a->loss));
    ck_assert_int_eq(a->epochs, b->epochs);
    ck_assert_int_eq(a->result.steps, b->result.steps);
    ck_assert_int_eq(a->result.best_epoch, b->result.best_epoch);
    ck_assert(a->result.train_loss == b->result.train_loss);
    ck_assert(a->result.item_loss[1] == b->result.item_loss[1]);
    ck_assert(a->result.test_loss == b->result.test_loss);
}

/* All ranks end with what one process that accumulates as much ends with. */
static void ck_ranks(int n, int accumulate, const nncc_train_options *o)
{
    Run *one = run_new(1, n * accumulate, o), *all = run_new(n, accumulate, o);

    run_train(one);
    run_train(all);
    for (int i = 0; i < n; i++)
        ck_same(&one->rank[0], &all->rank[i]);
    run_free(one);
    run_free(all);
}

/* Batches of 4: 16 an epoch, the last of one row. */
static const nncc_train_options plain = {.epochs = 3, .batch = 4, .seed = 5};

START_TEST(ranks_make_the_same_bits)
{
    static const int many[][2] = {{2, 1}, {3, 1}, {5, 1}, {2, 2}, {4, 1}};

    for (int i = 0; i < 5; i++)
        ck_ranks(many[i][0], many[i][1], &plain);
}
END_TEST

START_TEST(so_do_they_whatever_is_asked_for)
{
    static const nncc_schedule schedules[] = {
        {.setting = "rate", .kind = NNCC_SCHEDULE_COSINE, .warmup = 5},
        {.setting = "weight_decay", .kind = NNCC_SCHEDULE_LINEAR},
    };
    nncc_train_options o = plain;

    o.schedule = schedules;
    o.nschedule = 2;
    o.average = 0.9;
    o.evaluate_steps = 7;
    ck_ranks(3, 1, &o);
    o.patience = 1;
    o.keep_order = NNCC_ORDER_KEPT;
    ck_ranks(2, 2, &o);
    o.evaluate_steps = 0;
    o.epochs = 0;
    o.steps = 29;
    ck_ranks(4, 1, &o);
    o.steps = 1;
    ck_ranks(4, 1, &o);
}
END_TEST

/* More batches to evaluate than are told at once. */
START_TEST(they_evaluate_together)
{
    nncc_train_options o = plain;

    nncc_data_free(held);
    held = make_rows(201, 3);
    o.batch = 1;
    o.epochs = 1;
    o.patience = 3;
    ck_ranks(3, 1, &o);
    ck_ranks(2, 1, &o);
}
END_TEST

START_TEST(a_rank_alone_is_as_none)
{
    Run *one = run_new(1, 1, &plain), *alone = run_new(1, 1, &plain);

    alone->rank[0].o.ranks = &alone->rank[0].of;
    run_train(one);
    run_train(alone);
    ck_same(&one->rank[0], &alone->rank[0]);
    run_free(one);
    run_free(alone);
}
END_TEST

/* A checkpoint is one of any number of ranks, in the midst of a sum too. */
START_TEST(checkpoints_go_on_with_any_number)
{
    nncc_checkpoints c = {.folder = path_of("ranks"), .steps = 5};
    nncc_train_options o = plain;
    Run *whole = run_new(1, 4, &o), *first, *then;

    run_train(whole);
    o.checkpoints = &c;
    first = run_new(4, 1, &o);
    first->rank[0].stop_at = 22;
    run_train(first);
    ck_assert_msg(first->rank[3].status == NN_OK, "%s", first->rank[3].error);
    ck_assert_int_lt(first->rank[0].result.steps, 30);
    c.resume = 1;
    then = run_new(2, 2, &o);
    run_train(then);
    ck_assert_msg(then->rank[1].status == NN_OK, "%s", then->rank[1].error);
    ck_same_state(&whole->rank[0], &then->rank[0]);
    ck_same_state(&whole->rank[0], &then->rank[1]);
    ck_assert(whole->rank[0].result.test_loss ==
              then->rank[1].result.test_loss);
    run_free(whole);
    run_free(first);
    run_free(then);
}
END_TEST

START_TEST(all_stop_where_one_wants_to)
{
    Run *run = run_new(3, 1, &plain);

    run->rank[2].stop_at = 6;
    run_train(run);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(run->rank[i].status, NN_OK);
        ck_assert(run->rank[i].result.stopped);
        ck_assert_int_eq(run->rank[i].result.steps, 9);
        ck_same_state(&run->rank[0], &run->rank[i]);
    }
    run_free(run);
}
END_TEST

/* All of them fail, and say so. */
static void ck_fails(Run *run, int status, const char *part)
{
    run_train(run);
    for (int i = 0; i < run->n; i++) {
        ck_assert_int_eq(run->rank[i].status, status);
        ck_assert_msg(strstr(run->rank[i].error, part), "%s",
                      run->rank[i].error);
    }
    run_free(run);
}

START_TEST(what_does_not_go_together_is_told)
{
    nncc_data *other = make_rows(ROWS, 1);
    Run *run = run_new(3, 1, &plain);

    run->rank[1].train = other;
    ck_fails(run, NN_ERR_RANK, "rank 1 has other data than rank 0");
    run = run_new(3, 1, &plain);
    run->rank[2].o.epochs = 4;
    ck_fails(run, NN_ERR_RANK, "rank 2 has other options than rank 0");
    run = run_new(2, 1, &plain);
    run->rank[1].o.batch = -1;
    ck_fails(run, NN_ERR_ARGUMENT, "rank 1: 3 epochs, or 0 steps, of batches");
    run = run_new(2, 1, &plain);
    run->rank[0].of.gather = run->rank[1].of.gather = NULL;
    ck_fails(run, NN_ERR_ARGUMENT, "or a function of theirs is missing");
    nncc_data_free(other);
}
END_TEST

/* Row 13 is infinite: in the order of the rows, of batch 3, rank 3's. */
static nncc_data *bad_rows(void)
{
    nncc_data *d = make_rows(ROWS, 0);

    ((double *)d->x)[13 * d->x_step] = 1e38;
    ((double *)d->y)[13 * d->y_step] = 1e38;
    return d;
}

START_TEST(a_step_that_fails_is_the_step_of_all)
{
    nncc_train_options o = plain;
    nncc_data *bad = bad_rows();

    o.keep_order = NNCC_ORDER_KEPT;
    Run *run = run_new(4, 1, &o);
    for (int i = 0; i < 4; i++)
        run->rank[i].train = bad;
    ck_fails(run, NN_ERR_DIVERGED,
             "rank 3: the loss became infinite or not a number in epoch 1, "
             "step 4");
    nncc_data_free(bad);
}
END_TEST

START_TEST(a_step_that_is_skipped_is_left_out)
{
    nncc_train_options o = plain;
    nncc_data *bad = bad_rows();

    o.keep_order = NNCC_ORDER_KEPT;
    o.on_nan = NNCC_NAN_SKIP;
    Run *run = run_new(4, 1, &o);
    for (int i = 0; i < 4; i++)
        run->rank[i].train = bad;
    run_train(run);
    for (int i = 0; i < 4; i++) {
        ck_assert_msg(run->rank[i].status == NN_OK, "%s", run->rank[i].error);
        ck_assert_int_eq(run->rank[i].skipped, 3);
        ck_assert_int_eq(run->rank[i].result.skipped, 3);
        ck_same_state(&run->rank[0], &run->rank[i]);
    }
    run_free(run);
    nncc_data_free(bad);
}
END_TEST

/* Items in turn: each update takes the batches that it is made of, the last
 * round of an epoch those that are left. */
static const char items[] =
    "use nn; use optim;\n"
    "struct Net { hidden: Linear[3, 5], out: Linear[5, 1] }\n"
    "struct Gen { w: real[3] = 0.1, b: real = 0 }\n"
    "fn score(net: Net, x: real[b, 3]) -> real[b] =\n"
    "  (x |> linear(net.hidden) |> tanh |> linear(net.out))[:, 0];\n"
    "fn made(gen: Gen, k: key, b: int) -> real[b, 3] =\n"
    "  [i < b, j < 3 | normal(k, [b, 3])[i, j] * gen.w[j] + gen.b];\n"
    "fn tell(net: Net, gen: Gen, x: real[b, 3], k: key) -> real =\n"
    "  mean(softplus(-score(net, x))) + mean(softplus(score(net, made(gen, k, "
    "b))));\n"
    "fn fool(gen: Gen, net: Net, x: real[b, 3], k: key) -> real =\n"
    "  mean(softplus(-score(net, made(gen, k, b))));\n"
    "train tell(net) {\n"
    "  optimizer = adam(lr = 0.02 * (1 - step / total_steps));\n"
    "  key = k; steps = 2;\n"
    "}\n"
    "train fool(gen) { optimizer = adam(lr = 0.01); key = k; clip_norm = 1; "
    "}\n";

START_TEST(items_go_in_turn)
{
    static const char *const names[] = {"net", "gen", "tell_state",
                                        "fool_state", NULL};
    nncc_checkpoints c = {.folder = path_of("items"), .steps = 1};
    nncc_train_options o = plain;

    trained_close(&trained);
    compile_train(items, true);
    changed = names;
    ck_ranks(2, 1, &o);
    ck_ranks(3, 1, &o);
    ck_ranks(2, 2, &o);
    o.average = 0.9;
    o.checkpoints = &c;
    Run *whole = run_new(1, 4, &plain), *first = run_new(4, 1, &o);
    whole->rank[0].o.average = 0.9;
    run_train(whole);
    first->rank[1].stop_at = 2;
    run_train(first);
    ck_assert_int_lt(first->rank[0].result.steps, whole->rank[0].result.steps);
    c.resume = 1;
    Run *then = run_new(2, 2, &o);
    run_train(then);
    ck_assert_msg(then->rank[1].status == NN_OK, "%s", then->rank[1].error);
    ck_same_state(&whole->rank[0], &then->rank[1]);
    run_free(whole);
    run_free(first);
    run_free(then);
}
END_TEST

/* What a loss carries on goes from batch to batch where the loss does not look
 * at it: by parts of the steps, constants, or both. */
static const char carries_on[] =
    "use nn; use optim;\n"
    "struct Net { hidden: Linear[3, 5], norm: BatchNorm[5],\n"
    "             out: Linear[5, 1] }\n"
    "struct Seen { stats: BatchStats[5], batches: int = 0, best: real = 1e30 "
    "}\n"
    "fn loss(net: Net, seen: Seen, x: real[b, 3], y: real[b], k: key)\n"
    "    -> (real, Seen) {\n"
    "  let (h, next) = x |> linear(net.hidden) |> batch_norm(net.norm, "
    "seen.stats);\n"
    "  let e = mean((linear(dropout(relu(h), k, rate = 0.1), net.out)[:, 0] - "
    "y)^2);\n"
    "  (e, Seen(stats = next, batches = seen.batches + 1,\n"
    "           best = min(seen.best, stop(e))))\n"
    "}\n"
    "fn test(net: Net, seen: Seen, x: real[b, 3], y: real[b]) -> real =\n"
    "  mean((linear(relu(batch_norm_eval(linear(x, net.hidden), net.norm,\n"
    "                                    seen.stats)), net.out)[:, 0] - "
    "y)^2);\n"
    "train loss(net) {\n"
    "  optimizer = adam(lr = 0.02); state = seen; key = k; evaluate = test;\n"
    "}\n";

START_TEST(what_is_carried_on_goes_in_order)
{
    static const char *const names[] = {"net", "seen", "state", NULL};
    nncc_train_options o = plain;

    trained_close(&trained);
    compile_train(carries_on, true);
    changed = names;
    ck_ranks(2, 1, &o);
    ck_ranks(5, 1, &o);
    ck_ranks(2, 2, &o);
    o.evaluate_steps = 5;
    o.patience = 3;
    ck_ranks(3, 1, &o);
    Run *one = run_new(1, 4, &plain), *alone = run_new(1, 1, &plain);
    run_train(one);
    run_train(alone);
    const nncc_tensor *leaf;
    ck_assert_int_eq(nncc_state(one->rank[0].model, "seen", NULL, NULL, &leaf),
                     NN_OK);
    ck_assert_int_eq(*(int32_t *)leaf[2].data, 48); /* batches of 3 epochs */
    ck_assert_int_eq(
        nncc_state(alone->rank[0].model, "seen", NULL, NULL, &leaf), NN_OK);
    ck_assert_int_eq(*(int32_t *)leaf[2].data, 48);
    run_free(one);
    run_free(alone);
}
END_TEST

/* Those of steps that are left out are left out. */
START_TEST(what_a_skipped_step_says_is_not_carried_on)
{
    static const char *const names[] = {"net", "seen", "state", NULL};
    nncc_train_options o = plain;
    nncc_data *bad = make_rows(ROWS, 0);

    trained_close(&trained);
    compile_train(carries_on, true);
    changed = names;
    ((double *)bad->y)[13 * bad->y_step] = 1e38;
    o.keep_order = NNCC_ORDER_KEPT;
    o.on_nan = NNCC_NAN_SKIP;
    Run *one = run_new(1, 4, &o), *all = run_new(4, 1, &o);
    one->rank[0].train = bad;
    for (int i = 0; i < 4; i++)
        all->rank[i].train = bad;
    run_train(one);
    run_train(all);
    ck_assert_int_eq(all->rank[0].result.skipped, 3);
    for (int i = 0; i < 4; i++)
        ck_same(&one->rank[0], &all->rank[i]);
    const nncc_tensor *leaf;
    nncc_state(all->rank[1].model, "seen", NULL, NULL, &leaf);
    ck_assert_int_eq(*(int32_t *)leaf[2].data, 45);
    run_free(one);
    run_free(all);
    nncc_data_free(bad);
}
END_TEST

/* What an update is made of is what a larger batch would be. */
START_TEST(rounds_that_accumulate_are_of_larger_batches)
{
    static const char *const names[] = {"net", NULL};
    static const char two[] =
        "use optim;\n"
        "struct Net { w: real[3] = 0 }\n"
        "fn f(net: Net, x: real[b, 3], y: real[b]) -> real =\n"
        "  mean((x @ net.w - y) ^ 2);\n"
        "train f(net) { optimizer = sgd(lr = 0.1); steps = 2; }\n";
    nncc_train_options o = plain;

    trained_close(&trained);
    compile_train(two, true);
    changed = names;
    o.steps = 2;
    o.keep_order = NNCC_ORDER_KEPT;
    Run *small = run_new(1, 2, &o);
    o.batch = 8;
    Run *large = run_new(1, 1, &o);
    run_train(small);
    run_train(large);
    ck_assert_msg(small->rank[0].status == NN_OK, "%s", small->rank[0].error);
    ck_assert_int_eq(small->rank[0].result.steps, 2);
    const nncc_tensor *v, *w;
    nncc_params(small->rank[0].model, NULL, NULL, &v);
    nncc_params(large->rank[0].model, NULL, NULL, &w);
    for (int i = 0; i < 3; i++)
        ck_assert_float_eq_tol(((float *)v->data)[i], ((float *)w->data)[i],
                               1e-6F);
    run_free(small);
    run_free(large);
}
END_TEST

/* Wherever the others fall silent: at the start, within a sum, at the end. */
START_TEST(silence_ends_it)
{
    for (int i = 1; i < 30; i += 4) {
        Run *run = run_new(3, 2, &plain);
        run->meeting.breaks = i;
        ck_fails(run, NN_ERR_RANK, "the other processes no longer answer");
    }
}
END_TEST

static void ck_refused(const char *text, bool accumulates, const char *part)
{
    trained_close(&trained);
    compile_train(text, accumulates);
    Run *run = run_new(2, 0, &plain);
    ck_fails(run, NN_ERR_ARGUMENT, part);
}

#define NET "struct Net { w: real[3] = 0 }\n"

START_TEST(what_follows_on_itself_is_refused)
{
    static const char carries[] =
        "use optim;\n"
        "struct S { i: int = 0 }\n" NET
        "fn loss(n: Net, s: S, x: real[b, 3], y: real[b]) -> (real, S) =\n"
        "  (mean((x @ n.w - y + 0 * real(s.i)) ^ 2) + real(s.i), S(i = s.i + "
        "1));\n"
        "train loss(n) { optimizer = sgd(lr = 0.1); state = s; }\n";
    static const char simple[] =
        "use optim;\n" NET
        "fn loss(n: Net, x: real[b, 3], y: real[b]) -> real =\n"
        "  mean((x @ n.w - y) ^ 2);\n"
        "train loss(n) { optimizer = sgd(lr = 0.1); }\n";

    ck_refused(carries, true, "its loss looks at what it carries on ('state')");
    ck_refused(simple, false, "it is compiled without 'accumulate'");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ranks");
    TCase *t = tcase_create("ranks");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, ranks_make_the_same_bits);
    tcase_add_test(t, so_do_they_whatever_is_asked_for);
    tcase_add_test(t, they_evaluate_together);
    tcase_add_test(t, a_rank_alone_is_as_none);
    tcase_add_test(t, checkpoints_go_on_with_any_number);
    tcase_add_test(t, all_stop_where_one_wants_to);
    tcase_add_test(t, what_does_not_go_together_is_told);
    tcase_add_test(t, a_step_that_fails_is_the_step_of_all);
    tcase_add_test(t, a_step_that_is_skipped_is_left_out);
    tcase_add_test(t, items_go_in_turn);
    tcase_add_test(t, what_is_carried_on_goes_in_order);
    tcase_add_test(t, what_a_skipped_step_says_is_not_carried_on);
    tcase_add_test(t, rounds_that_accumulate_are_of_larger_batches);
    tcase_add_test(t, silence_ends_it);
    tcase_add_test(t, what_follows_on_itself_is_refused);
    suite_add_tcase(s, t);
    folder_make();
    return folder_run(s);
}
