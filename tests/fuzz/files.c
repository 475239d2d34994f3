/* files.c: any bytes as a file of each kind that is read: none may crash, hang
 * or use memory without bound. The first byte says which reader it is for, the
 * second one how. Under libFuzzer: make fuzz. */
#define _GNU_SOURCE
#include "cli/cli.h"
#include "nn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);
const nn_module *blob_module(void); /* of tests/unit/runtime_module.c */

static char path[64]; /* of a file in memory, for the bytes at hand */
static int file = -1; /* it */
static char folder[64] = "/tmp/nn_fuzz_XXXXXX"; /* for checkpoints */

static void write_file(const uint8_t *data, size_t n)
{
    if (ftruncate(file, 0) != 0 || pwrite(file, data, n, 0) != (ssize_t)n)
        abort();
}

/* What was read is used: every number, and on other data. */
static void use(nncc_data *d, nncc_csv_options *o)
{
    nncc_store *s;
    nncc_data *fit = NULL, *later;
    double v;

    for (int64_t i = 0; i < d->n; i++)
        for (int64_t k = 0; k < d->nfeature; k++)
            nncc_data_features(d, i, k, 1, &v);
    nncc_data_fill(d, NULL, NNCC_FILL_MEDIAN, 0);
    nncc_data_classes(d);
    nncc_data_standardise(d, NULL);
    if (nncc_store_new(&s) == NN_OK) {
        if (nncc_fit_write(d, s) == NN_OK && nncc_fit_read(s, &fit) == NN_OK) {
            o->like = fit;
            if (nncc_csv_read(path, o, &later) == NN_OK) {
                nncc_data_fit(later, fit);
                nncc_data_free(later);
            }
        }
        nncc_store_free(s);
    }
    nncc_data_free(fit);
}

/* Each bit of how says something else of the columns, all of them whether the
 * numbers go to a file. */
static void read_csv(uint8_t how)
{
    static const nncc_column_option columns[] = {{"0", NNCC_COLUMN_CATEGORY, 0},
                                                 {"1", NNCC_COLUMN_ONE_HOT, 0},
                                                 {"2:", NNCC_COLUMN_DATE, 0}};
    static const char *const field[] = {"x=0:", "y=1"};
    nncc_csv_options o = NNCC_CSV_DEFAULTS;
    nncc_data *d;

    o.max_bytes = 64 << 20;
    o.memory_bytes = how % 3 == 0 ? 100 : 0;
    o.no_label = how & 1;
    o.ncolumn = how >> 1 & 3;
    o.column = columns;
    o.missing = how >> 3 & 3;
    o.missing -= o.missing == 3;
    o.classes = how >> 5 & 1;
    o.date_order = how >> 5 & 1;
    o.ragged = how & 64 ? "length" : NULL;
    o.label = how & 64 ? "0" : NULL;
    o.header = how & 128 ? 0 : -1;
    if (nncc_csv_read(path, &o, &d) != NN_OK)
        return;
    nncc_data_columns(d, 2, field);
    use(d, &o);
    nncc_data_free(d);
}

static void read_array(uint8_t how)
{
    nncc_tensor *t;
    nncc_data *d;

    if (nncc_array_read(path, &t) == NN_OK)
        nncc_tensor_free(t);
    if (nncc_data_read(path, how & 1 ? path : NULL, NULL, &d) == NN_OK) {
        nncc_data_standardise(d, NULL);
        nncc_data_free(d);
    }
}

static void read_store(uint8_t how)
{
    nncc_store *s;
    nncc_data *fit;
    void *bytes;
    size_t n;

    if (how & 2 && nncc_data_new(0, 0, NNCC_LABEL_NONE, &fit) == NN_OK) {
        nncc_data_add_store(fit, path);
        nncc_data_free(fit);
    }
    if (nncc_store_read(path, &s) != NN_OK)
        return;
    if (nncc_fit_read(s, &fit) == NN_OK)
        nncc_data_free(fit);
    if ((how & 1 ? nncc_store_npz : nncc_store_bytes)(s, &bytes, &n) == NN_OK)
        free(bytes);
    nncc_store_free(s);
}

static void read_text(uint8_t how)
{
    nncc_text_options o = {
        .length = 1 + how % 16, .stride = how / 16 % 8, .bytes = how >> 7};
    nncc_data *d;
    double v;

    if (nncc_text_read(path, &o, &d) != NN_OK)
        return;
    nncc_data_labels(d, d->n - 1, d->nlabel - 1, 1, &v);
    nncc_data_free(d);
}

/* A training that goes on from any file. */
static nncc_data *rows(void)
{
    nncc_data *d;

    if (nncc_data_new(6, 4, NNCC_LABEL_INT, &d) != NN_OK)
        abort();
    for (int i = 0; i < 24; i++)
        ((double *)d->x)[i] = i % 7;
    for (int i = 0; i < 6; i++)
        ((double *)d->y)[i] = i % 3;
    return d;
}

static int train(bool resume)
{
    nncc_checkpoints c = {
        .folder = folder, .resume = resume, .overwrite = !resume};
    nncc_train_options o = NNCC_TRAIN_DEFAULTS;
    nncc_data *d = rows();
    nncc_model *m;

    o.epochs = 2;
    o.batch = 4;
    o.patience = 1;
    o.checkpoints = &c;
    int status = nncc_wrap(blob_module(), &m);
    if (!status)
        status = nncc_train(m, &o, d, d, NULL);
    nncc_close(m);
    nncc_data_free(d);
    return status;
}

static const char *checkpoint(void)
{
    static char name[96];

    snprintf(name, sizeof name, "%s/last.safetensors", folder);
    return name;
}

static void read_checkpoint(const uint8_t *data, size_t n)
{
    FILE *f = fopen(checkpoint(), "wb");

    if (!f || fwrite(data, 1, n, f) != n || fclose(f) != 0)
        abort();
    train(true);
}

/* Values of the command line, as JSON. */
static void read_value(const uint8_t *data, size_t n)
{
    const nn_module *m = blob_module();
    Arena *a = arena_new();
    char *text = arena_printf(a, "%.*s", (int)n, (const char *)data);

    for (int i = 0; i < m->nfunction && *text != '@'; i++)
        for (int k = 0; k < m->function[i]->nparam; k++) {
            const nn_port *p = m->function[i]->param[k];
            nncc_tensor **leaf = NEWN(a, nncc_tensor *, p->nleaf + 1);
            value_read(a, p, text, leaf);
            for (int l = 0; l < p->nleaf; l++)
                nncc_tensor_free(leaf[l]);
        }
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    uint8_t how = data[1];
    write_file(data + 2, n - 2);
    switch (data[0]) {
    case 'c':
        read_csv(how);
        break;
    case 'a':
        read_array(how);
        break;
    case 's':
        read_store(how);
        break;
    case 't':
        read_text(how);
        break;
    case 'k':
        read_checkpoint(data + 2, n - 2);
        break;
    case 'j':
        read_value(data + 2, n - 2);
        break;
    }
    return 0;
}

/* Seeds */

static void seed(const char *to, char reader, uint8_t how, const void *bytes,
                 size_t n)
{
    static int count;
    char name[256];

    snprintf(name, sizeof name, "%s/file-%03d", to, count++);
    FILE *f = fopen(name, "wb");
    if (!f || fputc(reader, f) == EOF || fputc(how, f) == EOF ||
        fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
        abort();
}

static void seed_texts(const char *to)
{
    static const char *const csv[] = {
        "a,b,c,y\n1,x,2024-01-01,0\n2,y,31.12.1999 8:30,1\n,?,NA,0\n",
        "# no\n1,5;a;2/1/2020;x\n-2;\"b\"\"c\";;y\n",
        "2,3,red,blue\n1,2,3,0\n4,5,6,1\n",
        "1,2\n0,5,6,7\n1\n2,,\n",
    };
    static const char *const json[] = {
        "[[1, 2, 3, 4]]", "{\"W\": [[1], [2]], \"b\": [1e3]}", "0.5", "[true]"};

    for (size_t i = 0; i < sizeof csv / sizeof *csv; i++)
        for (int how = 0; how < 256; how += 5)
            seed(to, 'c', (uint8_t)how, csv[i], strlen(csv[i]));
    for (size_t i = 0; i < sizeof json / sizeof *json; i++)
        seed(to, 'j', 0, json[i], strlen(json[i]));
    seed(to, 't', 2, "a\xc3\xa4 text\n", 9);
}

static void seed_arrays(const char *to)
{
    static const unsigned char idx[] = {0, 0, 8, 2, 0, 0, 0, 2, 0,
                                        0, 0, 3, 1, 2, 3, 4, 5, 6};
    static float x[2][3] = {{1, 2, 3}, {4, 5, 6}};
    nncc_tensor t = {NN_F32, 2, {2, 3}, x};
    nncc_data *d = rows();
    nncc_store *s;
    void *bytes;
    size_t n;

    seed(to, 'a', 0, idx, sizeof idx);
    if (nncc_array_bytes(&t, &bytes, &n) || nncc_store_new(&s))
        abort();
    seed(to, 'a', 1, bytes, n);
    free(bytes);
    if (nncc_store_put(s, "x", &t) || nncc_data_standardise(d, NULL) ||
        nncc_fit_write(d, s) || nncc_store_bytes(s, &bytes, &n))
        abort();
    seed(to, 's', 0, bytes, n);
    free(bytes);
    if (nncc_store_npz(s, &bytes, &n))
        abort();
    seed(to, 's', 1, bytes, n);
    free(bytes);
    nncc_store_free(s);
    nncc_data_free(d);
}

static void seed_checkpoint(const char *to)
{
    static char bytes[1 << 16];

    if (train(false) != NN_OK)
        abort();
    FILE *f = fopen(checkpoint(), "rb");
    size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f)
        fclose(f);
    seed(to, 'k', 0, bytes, n);
}

static void clean(void)
{
    static const char *const names[] = {"last", "best"};
    char name[128];

    for (size_t i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s/%s.safetensors", folder, names[i]);
        unlink(name);
    }
    rmdir(folder);
}

/* With NNCC_FUZZ_SEEDS seeds are written to that folder, and that is all. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *to = getenv("NNCC_FUZZ_SEEDS");

    (void)argc;
    (void)argv;
    file = memfd_create("fuzz", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (file < 0 || !mkdtemp(folder) || atexit(clean) != 0)
        abort();
    if (!to)
        return 0;
    seed_texts(to);
    seed_arrays(to);
    seed_checkpoint(to);
    exit(0);
}
