/* test_runtime.c: libnn: modules, calls, training. */
#include "folder.h"
#include "nn.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder of this file, from the path that the compiler was given. */
static void here(char *buf, size_t n)
{
    const char *slash = strrchr(__FILE__, '/');

    snprintf(buf, n, "%.*s", slash ? (int)(slash - __FILE__) : 1,
             slash ? __FILE__ : ".");
}

/* Compiles tests/unit/runtime_module.c with these options. */
static const char *compile(const char *name, const char *options)
{
    char command[1024], dir[256];
    const char *path = path_of(name);

    here(dir, sizeof dir);
    snprintf(command, sizeof command,
             "${CC:-cc} -std=c11 -O1 -shared -fPIC -I%s/../../runtime %s "
             "%s/runtime_module.c -o %s -lm",
             dir, options, dir, path);
    ck_assert_msg(system(command) == 0, "failed: %s", command);
    return path;
}

/* Features and labels of a data set of doubles. */
static double *X(const nncc_data *d) { return d->x; }
static double *Y(const nncc_data *d) { return d->y; }

static nncc_model *open_blob(void)
{
    nncc_model *m = NULL;

    ck_assert_msg(nncc_open(path_of("blob.so"), &m) == NN_OK, "%s",
                  nncc_last_error());
    return m;
}

/* Opening. */

START_TEST(opens_a_module)
{
    const nn_function *f;
    nncc_model *m = open_blob();
    int i;

    ck_assert_str_eq(nncc_descriptor(m)->name, "blob");
    ck_assert_str_eq(nncc_path(m), path_of("blob.so"));
    ck_assert_int_eq(nncc_find(m, "step", &f), NN_OK);
    ck_assert_int_eq(nncc_param_leaves(f), 6);
    ck_assert_int_eq(nncc_result_leaves(f), 4);
    ck_assert_int_eq(nncc_param_leaf(f, 2), 3);
    ck_assert_int_eq(nncc_result_leaf(f, 1), 7);
    ck_assert_int_eq(nncc_find_param(f, "lr", &i), NN_OK);
    ck_assert_int_eq(i, 4);
    ck_assert_int_eq(nncc_find_result(f, "net", &i), NN_OK);
    ck_assert_int_eq(i, 1);
    ck_assert_int_eq(nncc_find_param(f, "rate", &i), NN_ERR_NAME);
    ck_assert(said("step: no parameter 'rate'; there are: net, state, x, y"));
    ck_assert_int_eq(nncc_find(m, "predict", &f), NN_ERR_NAME);
    ck_assert(said("no function 'predict'; there are: init, step, evaluate"));
    ck_assert_int_eq(nncc_find_kind(m, NN_EVALUATE, &f), NN_OK);
    ck_assert_str_eq(f->name, "evaluate");
    ck_assert_int_eq(nncc_find_kind(m, NN_CARRY, &f), NN_ERR_NAME);
    ck_assert(said("has no carry function"));
    nncc_close(m);
    nncc_close(NULL);
}
END_TEST

START_TEST(opens_under_another_name)
{
    size_t n;
    char *bytes = read_bytes(path_of("blob.so"), &n);
    nncc_model *m;

    write_bytes("renamed.bin", bytes, n);
    free(bytes);
    ck_assert_int_eq(nncc_open(path_of("renamed.bin"), &m), NN_OK);
    nncc_close(m);
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(nncc_open("blob.so", &m), NN_OK);
    nncc_close(m);
}
END_TEST

/* A later compiler's structs have more members. */
START_TEST(opens_longer_structs)
{
    const nn_function *f;
    nncc_model *m;

    ck_assert_int_eq(nncc_open(compile("longer.so", "-DLONGER"), &m), NN_OK);
    ck_assert_int_eq(nncc_find(m, "evaluate", &f), NN_OK);
    ck_assert_uint_gt(f->size, sizeof *f);
    ck_assert_str_eq(f->param[1]->name, "x");
    ck_assert_str_eq(f->param[0]->leaf[1]->path, "b");
    nncc_close(m);
}
END_TEST

START_TEST(describes_a_module)
{
    nncc_model *m = open_blob();
    char *text;

    ck_assert_int_eq(nncc_describe(m, &text), NN_OK);
    ck_assert_ptr_nonnull(strstr(text, "blob: real is f32"));
    ck_assert_ptr_nonnull(strstr(text, "step (step), for any b"));
    ck_assert_ptr_nonnull(strstr(text, "lr: real = 0.1"));
    ck_assert_ptr_nonnull(strstr(text, "net: Net (in place of net)"));
    ck_assert_ptr_nonnull(strstr(text, ".W: f32[4, 3]"));
    free(text);
    nncc_close(m);
}
END_TEST

static void refuses(const char *path, int status, const char *text)
{
    nncc_model *m = NULL;

    ck_assert_int_eq(nncc_open(path, &m), status);
    ck_assert_ptr_null(m);
    ck_assert(said(path));
    ck_assert(said(text));
}

START_TEST(refuses_what_is_no_module)
{
    char zeros[100] = {0};

    refuses(path_of("missing.so"), NN_ERR_FILE, "No such file");
    refuses(folder, NN_ERR_FILE, "is a directory");
    refuses("/dev/null", NN_ERR_FILE, "is no regular file");
    refuses(write_text("empty.so", ""), NN_ERR_MODULE, "is empty");
    refuses(write_text("text.so", "fn f(x: real) = x;"), NN_ERR_MODULE,
            "is no ELF file");
    refuses(write_bytes("zeros.so", zeros, sizeof zeros), NN_ERR_MODULE,
            "is no ELF file");
    refuses("/proc/self/exe", NN_ERR_MODULE, "");
}
END_TEST

START_TEST(refuses_other_libraries)
{
    char command[512];

    snprintf(command, sizeof command,
             "cd %s && echo 'int f(void); int f(void) { return 1; }' >other.c "
             "&& echo 'int bad_module(void); int bad_module(void) "
             "{ __builtin_trap(); }' >bad.c && "
             "${CC:-cc} -shared -fPIC other.c -o other.so && "
             "${CC:-cc} -shared -fPIC bad.c -o bad.so && "
             "${CC:-cc} -c other.c -o other.o",
             folder);
    ck_assert_int_eq(system(command), 0);
    refuses(path_of("other.so"), NN_ERR_MODULE, "exports no function NAME_mod");
    refuses(path_of("bad.so"), NN_ERR_MODULE, "holds no descriptor");
    refuses(path_of("other.o"), NN_ERR_MODULE, "no shared library");
}
END_TEST

START_TEST(refuses_other_versions)
{
    refuses(compile("magic.so", "-DMAGIC=0x4e4e4d32"), NN_ERR_MODULE,
            "no descriptor");
    refuses(compile("version.so", "-DVERSION=7"), NN_ERR_MODULE,
            "ABI version 7");
}
END_TEST

/* Another compiler of the same ABI: shorter structs, a type that is not known
 * yet. */
START_TEST(refuses_unknown_descriptors)
{
    refuses(compile("short.so", "-DMODULE_SIZE=16"), NN_ERR_MODULE,
            "another version");
    refuses(compile("dtype.so", "-DREAL=float -DREAL_DTYPE=77"), NN_ERR_MODULE,
            "another version");
    refuses(compile("kind.so", "-DEVALUATE_KIND=9"), NN_ERR_MODULE,
            "another version");
}
END_TEST

START_TEST(tells_modules_apart)
{
    nncc_model *m;

    refuses(compile("pair.so", "-DSECOND=second_module"), NN_ERR_MODULE,
            "exports several modules");
    ck_assert_int_eq(
        nncc_open(compile("second.so", "-DSECOND=second_module"), &m), NN_OK);
    nncc_close(m);
}
END_TEST

/* A module cut anywhere is refused, never mapped beyond its end. */
START_TEST(refuses_truncated_modules)
{
    size_t n;
    char *bytes = read_bytes(path_of("blob.so"), &n);

    for (size_t keep = 0; keep < n; keep += n / 40 + 1)
        refuses(write_bytes("cut.so", bytes, keep), NN_ERR_MODULE, "");
    free(bytes);
}
END_TEST

START_TEST(refuses_null_arguments)
{
    nncc_model *m = NULL;
    static const nn_module empty;

    ck_assert_int_eq(nncc_open(NULL, &m), NN_ERR_ARGUMENT);
    ck_assert_int_eq(nncc_wrap(NULL, &m), NN_ERR_ARGUMENT);
    ck_assert_int_eq(nncc_wrap(&empty, &m), NN_ERR_MODULE);
    ck_assert_int_eq(nncc_call(NULL, NULL, NULL, NULL, NULL), NN_ERR_ARGUMENT);
    ck_assert_int_eq(nncc_train(NULL, NULL, NULL, NULL, NULL), NN_ERR_ARGUMENT);
    ck_assert_int_eq(nncc_csv_read(NULL, NULL, NULL), NN_ERR_ARGUMENT);
}
END_TEST

/* Tensors and calls. */

START_TEST(makes_tensors)
{
    int64_t size[] = {3, 5}, bad[] = {3, -1}, huge[] = {INT64_MAX, 2};
    int64_t count;
    size_t bytes;
    nncc_tensor *t = NULL;

    ck_assert_int_eq(nncc_tensor_new(NN_F64, 2, size, &t), NN_OK);
    ck_assert_uint_eq((uintptr_t)t->data % 64, 0);
    ck_assert_int_eq(nncc_tensor_count(t, &count, &bytes), NN_OK);
    ck_assert_int_eq(count, 15);
    ck_assert_uint_eq(bytes, 120);
    ck_assert_double_eq(((double *)t->data)[14], 0);
    nncc_tensor_free(t);
    nncc_tensor_free(NULL);
    ck_assert_int_eq(nncc_tensor_new(NN_F64, 2, bad, &t), NN_ERR_ARGUMENT);
    ck_assert_int_eq(nncc_tensor_new(NN_F64, 2, huge, &t), NN_ERR_ARGUMENT);
    ck_assert_int_eq(nncc_tensor_new(99, 2, size, &t), NN_ERR_ARGUMENT);
    ck_assert_int_eq(nncc_tensor_new(NN_F64, 17, size, &t), NN_ERR_ARGUMENT);
}
END_TEST

static nncc_tensor over(int dtype, int rank, int64_t a, int64_t b, void *data)
{
    return (nncc_tensor){
        .dtype = dtype, .rank = rank, .size = {a, b}, .data = data};
}

/* outer(x: real[n + 1], z: real[2*h]) has no axis that is n or h itself. */
START_TEST(calls_with_solved_dimensions)
{
    const nn_function *f;
    nncc_model *m = open_blob();
    float xs[] = {1, 2, 3, 4}, zs[] = {5, 0, 7, 0};
    nncc_tensor x = over(NN_F32, 1, 4, 0, xs), z = over(NN_F32, 1, 4, 0, zs);
    nncc_tensor *leaf[] = {&x, &z, NULL};
    int64_t dims[] = {-1, -1};

    ck_assert_int_eq(nncc_find(m, "outer", &f), NN_OK);
    ck_assert_int_eq(nncc_call(m, f, leaf, dims, NULL), NN_OK);
    ck_assert_int_eq(dims[0], 3);
    ck_assert_int_eq(dims[1], 2);
    ck_assert_int_eq(leaf[2]->rank, 2);
    ck_assert_int_eq(leaf[2]->size[0], 3);
    ck_assert_int_eq(leaf[2]->size[1], 2);
    ck_assert_float_eq(((float *)leaf[2]->data)[5], 21);
    nncc_tensor_free(leaf[2]);

    x.size[0] = 1; /* n = 0 */
    leaf[2] = NULL;
    ck_assert_int_eq(nncc_call(m, f, leaf, NULL, NULL), NN_OK);
    ck_assert_int_eq(leaf[2]->size[0], 0);
    nncc_tensor_free(leaf[2]);
    nncc_close(m);
}
END_TEST

START_TEST(explains_shapes_that_do_not_fit)
{
    const nn_function *f;
    nncc_model *m = open_blob();
    float xs[8], zs[8];
    nncc_tensor x = over(NN_F32, 1, 4, 0, xs), z = over(NN_F32, 1, 3, 0, zs);
    nncc_tensor *leaf[] = {&x, &z, NULL};

    ck_assert_int_eq(nncc_find(m, "outer", &f), NN_OK);
    ck_assert_int_eq(nncc_call(m, f, leaf, NULL, NULL), NN_ERR_SHAPE);
    ck_assert(said("outer: dimension 'h' does not follow"));
    int64_t dims[] = {3, 2};
    ck_assert_int_eq(nncc_call(m, f, leaf, dims, NULL), NN_ERR_SHAPE);
    ck_assert(said("outer: 'z' has shape [3]; expected [2*h] = [4]"));
    z = over(NN_F32, 2, 2, 2, zs);
    ck_assert_int_eq(nncc_call(m, f, leaf, NULL, NULL), NN_ERR_SHAPE);
    ck_assert(said("'z' has shape [2, 2]; expected [2*h]"));
    z = over(NN_F64, 1, 2, 0, zs);
    ck_assert_int_eq(nncc_call(m, f, leaf, NULL, NULL), NN_ERR_TYPE);
    ck_assert(said("outer: 'z' is of dtype f64; expected f32"));
    z = over(NN_F32, 1, 2, 0, NULL);
    ck_assert_int_eq(nncc_call(m, f, leaf, NULL, NULL), NN_ERR_NULL);
    leaf[1] = NULL;
    ck_assert_int_eq(nncc_call(m, f, leaf, NULL, NULL), NN_ERR_NULL);
    ck_assert(said("outer: 'z' is missing"));
    ck_assert_ptr_null(leaf[2]);
    nncc_close(m);
}
END_TEST

START_TEST(passes_statuses_on)
{
    const nn_function *f;
    nncc_model *m = open_blob();
    float W[12] = {0}, b[3] = {0}, xs[8] = {0};
    int32_t ys[] = {0, 5};
    nncc_tensor w = over(NN_F32, 2, 4, 3, W), bias = over(NN_F32, 1, 3, 0, b);
    nncc_tensor x = over(NN_F32, 2, 2, 4, xs), y = over(NN_I32, 1, 2, 0, ys);
    nncc_tensor *leaf[] = {&w, &bias, &x, &y, NULL, NULL};

    ck_assert_int_eq(nncc_find(m, "evaluate", &f), NN_OK);
    ck_assert_int_eq(nncc_call(m, f, leaf, NULL, NULL), NN_ERR_INDEX);
    ck_assert(said("evaluate: label or index out of range: blob.nn:7: index 5 "
                   "of 's[y[i]]' is not in 0 ... 2"));
    ck_assert_ptr_null(leaf[4]);
    y.size[0] = 1;
    ck_assert_int_eq(nncc_call(m, f, leaf, NULL, NULL), NN_ERR_SHAPE);
    ck_assert(said("evaluate: 'y' has shape [1]; expected [b] = [2]"));
    y.size[0] = 2;
    ys[1] = 2;
    ck_assert_int_eq(nncc_call(m, f, leaf, NULL, NULL), NN_OK);
    ck_assert_float_eq_tol(*(float *)leaf[4]->data, logf(3), 1e-6f);
    nncc_tensor_free(leaf[4]);
    nncc_tensor_free(leaf[5]);
    nncc_close(m);
}
END_TEST

/* Training. */

/* Three clouds of points around the first three unit vectors of R⁴. */
static nncc_data *clouds(int64_t n, int64_t nfeature)
{
    nncc_data *d = NULL;
    nncc_rng r;

    ck_assert_int_eq(nncc_data_new(n, nfeature, NNCC_LABEL_INT, &d), NN_OK);
    nncc_rng_seed(&r, 3);
    for (int64_t i = 0; i < n; i++) {
        Y(d)[i] = (double)(i % 3);
        for (int64_t k = 0; k < nfeature; k++)
            X(d)
        [i * nfeature + k] =
            (k == i % 3) + 0.3 * ((double)(nncc_rng_next(&r) >> 11) * 0x1p-53);
    }
    return d;
}

typedef struct Log {
    int steps, epochs, stop_at;
    double first, last;
} Log;

static int record(void *context, const nncc_progress *p)
{
    Log *log = context;

    if (p->event == NNCC_EVENT_EPOCH) {
        log->epochs++;
        ck_assert_int_eq(p->epoch, log->epochs);
        ck_assert(p->has_test && p->nmetric == 1);
        return 0;
    }
    if (log->steps++ == 0)
        log->first = p->loss;
    log->last = p->loss;
    ck_assert_int_eq(p->step, log->steps);
    return log->steps == log->stop_at;
}

/* Module file and -D options: f32, f64, one batch size, rows
 * that are images. */
static const char *const variants[][2] = {
    {"train32.so", ""},
    {"train64.so", "-DREAL=double -DREAL_DTYPE=NN_F64"},
    {"fixed.so", "-DFIXED_BATCH=10"},
    {"images.so", "-DIMAGES"},
};

START_TEST(trains)
{
    nncc_data *d = clouds(95, 4), *test = clouds(30, 4);
    Log log = {0};
    nncc_setting lr = {"lr", 0.5};
    nncc_train_options o = {.epochs = 20,
                            .batch = 10,
                            .seed = 1,
                            .setting = &lr,
                            .nsetting = 1,
                            .progress = record,
                            .context = &log};
    nncc_train_result r;
    nncc_model *m;
    const nn_port *port;
    const nncc_tensor *leaf;
    void *block;
    double loss, accuracy = -1;

    ck_assert_int_eq(nncc_open(compile(variants[_i][0], variants[_i][1]), &m),
                     NN_OK);
    ck_assert_int_eq(nncc_params(m, &port, &block, &leaf), NN_ERR_ARGUMENT);
    ck_assert_msg(nncc_train(m, &o, d, test, &r) == NN_OK, "%s",
                  nncc_last_error());
    ck_assert_int_eq(r.epochs, 20);
    ck_assert_int_eq(r.steps, 200);
    ck_assert_int_eq(log.steps, 200);
    ck_assert_int_eq(log.epochs, 20);
    ck_assert_double_lt(log.last, 0.5 * log.first);
    ck_assert(r.has_test && r.nmetric == 1 && !r.stopped);
    ck_assert_double_eq(r.test_metric[0], 1);
    ck_assert_double_lt(r.test_loss, 0.5);
    ck_assert_int_eq(nncc_params(m, &port, &block, &leaf), NN_OK);
    ck_assert_str_eq(port->name, "net");
    ck_assert_ptr_eq(block, leaf[0].data);
    ck_assert_int_eq(leaf[1].size[0], 3);
    ck_assert_int_eq(nncc_evaluate(m, test, 0, NULL, &loss, &accuracy), NN_OK);
    ck_assert_double_eq(accuracy, 1);
    ck_assert_double_eq(loss, r.test_loss);
    nncc_data_free(d);
    nncc_data_free(test);
    nncc_close(m);
}
END_TEST

static double train_once(uint64_t seed, int keep_order)
{
    nncc_data *d = clouds(50, 4);
    nncc_train_options o = {
        .epochs = 3, .seed = seed, .keep_order = keep_order};
    nncc_train_result r;
    nncc_model *m = open_blob();

    ck_assert_int_eq(nncc_train(m, &o, d, NULL, &r), NN_OK);
    ck_assert(!r.has_test);
    nncc_data_free(d);
    nncc_close(m);
    return r.train_loss;
}

START_TEST(same_seed_same_training)
{
    ck_assert_double_eq(train_once(7, 0), train_once(7, 0));
    ck_assert_double_ne(train_once(7, 0), train_once(8, 0));
    ck_assert_double_ne(train_once(7, 0), train_once(7, 1));
}
END_TEST

START_TEST(stops_when_told)
{
    nncc_data *d = clouds(60, 4);
    Log log = {.stop_at = 3};
    nncc_train_options o = {
        .epochs = 5, .batch = 20, .progress = record, .context = &log};
    nncc_train_result r;
    nncc_model *m = open_blob();

    ck_assert_int_eq(nncc_train(m, &o, d, d, &r), NN_OK);
    ck_assert(r.stopped && r.has_test);
    ck_assert_int_eq(r.steps, 3);
    o.epochs = 0;
    ck_assert_int_eq(nncc_train(m, &o, d, NULL, &r), NN_OK);
    ck_assert_double_eq_tol(r.train_loss, log10(3) / log10(exp(1)), 0.02);
    nncc_data_free(d);
    nncc_close(m);
}
END_TEST

/* Ten epochs of two steps: what the setting is in each step shows in how far
 * the biases go, the gradient being constant nearly. */
START_TEST(schedules_are_followed)
{
    nncc_schedule s[] = {
        {.kind = NNCC_SCHEDULE_CONSTANT},
        {.kind = NNCC_SCHEDULE_LINEAR, .factor = 0.5},
        {.kind = NNCC_SCHEDULE_COSINE},
        {.kind = NNCC_SCHEDULE_STEP, .every = 2, .factor = 0.1},
        {.kind = NNCC_SCHEDULE_CONSTANT, .warmup = 20},
    };
    const double share[] = {1, 0.7625, 0.525, 0.22222, 0.525};
    double gone[5];

    for (int i = 0; i < 5; i++) {
        nncc_data *d = clouds(60, 4);
        nncc_setting lr = {"lr", 1e-3};
        nncc_train_options o = {.epochs = 10,
                                .batch = 30,
                                .setting = &lr,
                                .nsetting = 1,
                                .keep_order = 1,
                                .schedule = &s[i]};
        nncc_model *m = open_blob();
        const nncc_tensor *leaf, *start;
        ck_assert_int_eq(nncc_train(m, &o, d, NULL, NULL), NN_OK);
        ck_assert_int_eq(nncc_params(m, NULL, NULL, &leaf), NN_OK);
        gone[i] = ((float *)leaf[0].data)[0];
        o.epochs = 0;
        ck_assert_int_eq(nncc_train(m, &o, d, NULL, NULL), NN_OK);
        ck_assert_int_eq(nncc_params(m, NULL, NULL, &start), NN_OK);
        gone[i] -= ((float *)start[0].data)[0];
        nncc_data_free(d);
        nncc_close(m);
        ck_assert_double_eq_tol(gone[i] / gone[0], share[i], 0.01);
    }
}
END_TEST

START_TEST(patience_ends_and_keeps_the_best)
{
    nncc_data *d = clouds(60, 4), *test = clouds(20, 4);
    nncc_setting lr = {"lr", 0.5};
    nncc_train_options o = {
        .epochs = 40, .patience = 4, .setting = &lr, .nsetting = 1};
    nncc_train_result r;
    nncc_model *m = open_blob();
    double loss, metric[NNCC_MAX_METRICS];

    for (int i = 0; i < 20; i++) /* as it learns it gets worse here */
        Y(test)[i] = (double)((i + 1) % 3);
    ck_assert_int_eq(nncc_train(m, &o, d, test, &r), NN_OK);
    ck_assert(r.out_of_patience && !r.stopped);
    ck_assert_int_eq(r.best_epoch, 1);
    ck_assert_int_eq(r.epochs, 5);
    ck_assert_int_eq(nncc_evaluate(m, test, 0, NULL, &loss, metric), NN_OK);
    ck_assert_double_eq(loss, r.test_loss);
    ck_assert_double_eq(metric[0], r.test_metric[0]);
    o.epochs = 1;
    o.patience = 0;
    ck_assert_int_eq(nncc_train(m, &o, d, test, &r), NN_OK);
    ck_assert_double_eq(loss, r.test_loss);
    ck_assert_int_eq(nncc_metric_count(m), 1);
    ck_assert_str_eq(nncc_metric_name(m, 0), "accuracy");
    ck_assert_ptr_null(nncc_metric_name(m, 1));
    nncc_data_free(d);
    nncc_data_free(test);
    nncc_close(m);
}
END_TEST

static void train_fails(nncc_model *m, const nncc_train_options *o,
                        const nncc_data *d, const nncc_data *test, int status,
                        const char *text)
{
    ck_assert_int_eq(nncc_train(m, o, d, test, NULL), status);
    ck_assert(said(text));
}

START_TEST(explains_data_that_does_not_fit)
{
    nncc_model *m = open_blob();
    nncc_data *d = clouds(9, 3), *good = clouds(9, 4), *real, *none;

    train_fails(m, NULL, d, NULL, NN_ERR_SHAPE,
                "data has 3 features in a row; the model's 'x' [b, 4] takes 4");
    train_fails(m, NULL, good, d, NN_ERR_SHAPE, "data has 3 features in a row");
    Y(good)[5] = 12;
    train_fails(m, NULL, good, NULL, NN_ERR_INDEX,
                "data:6: label 12 is out of range for the model");
    Y(good)[5] = 0.5;
    train_fails(m, NULL, good, NULL, NN_ERR_DATA,
                "data:6: the label is 0.5; the model's 'y' takes int");
    Y(good)[5] = 1;
    X(good)[4] = 1e300;
    train_fails(m, NULL, good, NULL, NN_ERR_DATA, "data:2: feature 0");
    ck_assert_int_eq(nncc_data_new(4, 4, NNCC_LABEL_NONE, &none), NN_OK);
    train_fails(m, NULL, none, NULL, NN_ERR_SHAPE, "data has no labels");
    ck_assert_int_eq(nncc_data_new(0, 4, NNCC_LABEL_INT, &real), NN_OK);
    train_fails(m, NULL, real, NULL, NN_ERR_ARGUMENT, "no rows to train on");
    nncc_data_free(d);
    nncc_data_free(good);
    nncc_data_free(none);
    nncc_data_free(real);
    nncc_close(m);
}
END_TEST

START_TEST(explains_bad_options)
{
    nncc_model *m = open_blob(), *fixed;
    nncc_data *d = clouds(25, 4);
    nncc_setting s = {"rate", 1};
    nncc_train_options o = {.epochs = 50, .setting = &s, .nsetting = 1};

    train_fails(m, &o, d, NULL, NN_ERR_NAME,
                "no setting 'rate'; step takes: lr");
    s = (nncc_setting){"lr", NAN};
    train_fails(m, &o, d, NULL, NN_ERR_ARGUMENT, "setting 'lr' is nan");
    s = (nncc_setting){"lr", 1e38};
    Y(d)[0] = 1; /* so that no weights are right for all */
    train_fails(m, &o, d, NULL, NN_ERR_DIVERGED, "the loss became");
    o = (nncc_train_options){.epochs = -1};
    train_fails(m, &o, d, NULL, NN_ERR_ARGUMENT, "-1 epochs");
    o = (nncc_train_options){.epochs = 1, .patience = 2};
    train_fails(m, &o, d, NULL, NN_ERR_ARGUMENT, "needs a test set");
    nncc_schedule cosine = {.setting = "rate", .kind = NNCC_SCHEDULE_COSINE};
    o = (nncc_train_options){.epochs = 1, .schedule = &cosine};
    train_fails(m, &o, d, NULL, NN_ERR_NAME, "no setting 'rate'");
    cosine = (nncc_schedule){.kind = NNCC_SCHEDULE_LINEAR, .factor = 2};
    train_fails(m, &o, d, NULL, NN_ERR_ARGUMENT, "factor of 2");
    cosine = (nncc_schedule){.kind = NNCC_SCHEDULE_STEP};
    train_fails(m, &o, d, NULL, NN_ERR_ARGUMENT, "every 0 epochs");
    ck_assert_int_eq(nncc_open(compile("ten.so", "-DFIXED_BATCH=10"), &fixed),
                     NN_OK);
    o = (nncc_train_options){.epochs = 1, .batch = 20};
    train_fails(fixed, &o, d, NULL, NN_ERR_ARGUMENT,
                "batches of 20 rows; the model was compiled for 10");
    o.batch = 0;
    train_fails(fixed, &o, d, d, NN_ERR_SHAPE, "25 rows to evaluate on");
    nncc_data_free(d);
    nncc_close(m);
    nncc_close(fixed);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("runtime");
    TCase *t = tcase_create("modules");

    tcase_add_test(t, opens_a_module);
    tcase_add_test(t, opens_under_another_name);
    tcase_add_test(t, opens_longer_structs);
    tcase_add_test(t, describes_a_module);
    tcase_add_test(t, refuses_what_is_no_module);
    tcase_add_test(t, refuses_other_libraries);
    tcase_add_test(t, refuses_other_versions);
    tcase_add_test(t, refuses_unknown_descriptors);
    tcase_add_test(t, tells_modules_apart);
    tcase_add_test(t, refuses_truncated_modules);
    tcase_add_test(t, refuses_null_arguments);
    tcase_add_test(t, makes_tensors);
    tcase_add_test(t, calls_with_solved_dimensions);
    tcase_add_test(t, explains_shapes_that_do_not_fit);
    tcase_add_test(t, passes_statuses_on);
    suite_add_tcase(s, t);
    t = tcase_create("training");
    tcase_add_loop_test(t, trains, 0, sizeof variants / sizeof *variants);
    tcase_add_test(t, same_seed_same_training);
    tcase_add_test(t, stops_when_told);
    tcase_add_test(t, schedules_are_followed);
    tcase_add_test(t, patience_ends_and_keeps_the_best);
    tcase_add_test(t, explains_data_that_does_not_fit);
    tcase_add_test(t, explains_bad_options);
    suite_add_tcase(s, t);
    return s;
}

/* A module that most tests open is compiled once. */
static void set_up(void)
{
    folder_make();
    char command[1024], dir[256];
    here(dir, sizeof dir);
    snprintf(command, sizeof command,
             "${CC:-cc} -std=c11 -O1 -shared -fPIC -I%s/../../runtime "
             "%s/runtime_module.c -o %s/blob.so -lm",
             dir, dir, folder);
    if (system(command) != 0)
        exit(1);
}

int main(void)
{
    set_up();
    return folder_run(suite());
}
