/* test_artefact.c: what is written for C: layout, header, JSON, object, shared
 * library, and the same code in this process. */
#include <check.h>
#include <dlfcn.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "emit/emit.h"
#include "graph/op.h"
#include "harness.h"
#include "suite.h"

/* A module made by hand:
 *   struct Layer { W: real[4, 3], b: real[3] }
 *   struct Net { layer: Layer, on: bool, s: real, int: [Layer; 2] }
 *   struct Rows { x: real[b, 3], s: real }
 *   f(net: Net, x: real[b, 3], flag: bool) -> y: real[b, 3] = x * net.s
 *   step(net: Net, lr: real = 0.5): net.s becomes net.s * lr; loss = lr
 *   rows(r: Rows, t: (real, int)) -> (Rows, real): the rows times t.0, t.0
 *   module() -> zero */
typedef struct Made {
    Arena *arena;
    Graph *graph;
    Module *module;
    ModuleInput input;
} Made;

static const Type *tensor(Made *m, DType t, int rank, const Dim *d0,
                          const Dim *d1, const char *text)
{
    Type *type = NEW(m->arena, Type);
    const Dim **dim = NEWN(m->arena, const Dim *, 2);
    dim[0] = d0;
    dim[1] = d1;
    *type = (Type){TY_tensor, .dtype = t, .rank = rank, .dim = dim};
    type->text = text;
    type->nleaf = 1;
    return type;
}

static const Type *compound(Made *m, TypeKind kind, const char *name, int n,
                            const char *const *field, const Type *const *part)
{
    Type *type = NEW(m->arena, Type);
    *type = (Type){.kind = kind, .name = name, .text = name};
    type->npart = n;
    for (int i = 0; i < n; i++)
        type->nleaf += part[i]->nleaf;
    type->field = arena_copy(m->arena, field, sizeof *field * (size_t)n);
    type->part = arena_copy(m->arena, part, sizeof *part * (size_t)n);
    return type;
}

static const Type *layer_type(Made *m, const char *text)
{
    Graph *g = m->graph;
    const char *field[] = {"W", "b"};
    const Type *part[] = {
        tensor(m, DT_f32, 2, dim_const(g, 4), dim_const(g, 3), "real[4, 3]"),
        tensor(m, DT_f32, 1, dim_const(g, 3), NULL, "real[3]"),
    };
    Type *t = arena_copy(
        m->arena, compound(m, TY_struct, "Layer", 2, field, part), sizeof *t);
    t->text = text;
    return t;
}

static const Type *net_type(Made *m)
{
    const char *field[] = {"layer", "on", "s", "int"};
    const Type *layer = layer_type(m, "Layer[4, 3]");
    Type *stack = NEW(m->arena, Type);
    *stack = (Type){.kind = TY_stack, .text = "[Layer[4, 3]; 2]", .npart = 1};
    stack->part = arena_copy(m->arena, &layer, sizeof layer);
    stack->count = dim_const(m->graph, 2);
    stack->nleaf = layer->nleaf;
    const Type *part[] = {layer, tensor(m, DT_bool, 0, NULL, NULL, "bool"),
                          tensor(m, DT_f32, 0, NULL, NULL, "real"), stack};
    return compound(m, TY_struct, "Net", 4, field, part);
}

static Port param(Made *m, const char *name, const Type *t)
{
    Port p = {.name = name, .type = t, .in_place = -1};
    Leaf *leaf = type_leaves(m->graph, t, &p.nleaf);
    p.leaf = NEWN(m->arena, Node *, p.nleaf);
    for (int i = 0; i < p.nleaf; i++)
        p.leaf[i] = g_param(m->graph, leaf[i].dtype, leaf[i].rank, leaf[i].dim,
                            leaf[i].path);
    return p;
}

static Port result(Made *m, const char *name, const Type *t, int n,
                   Node *const *leaf)
{
    Port p = {.name = name, .type = t, .nleaf = n, .in_place = -1};
    p.leaf = arena_copy(m->arena, leaf, sizeof *leaf * (size_t)n);
    return p;
}

static Function *function(Made *m, const char *name, int nparam, Port *in,
                          int nresult, Port *out)
{
    Function *f = NEW(m->arena, Function);
    *f = (Function){.name = name, .nparam = nparam, .nresult = nresult};
    f->param = arena_copy(m->arena, in, sizeof *in * (size_t)nparam);
    f->result = arena_copy(m->arena, out, sizeof *out * (size_t)nresult);
    list_push(m->arena, &m->module->function, f);
    return f;
}

static void add_var(Made *m, Function *f, const Dim *b)
{
    f->var = arena_copy(m->arena, &b, sizeof b);
    f->nvar = 1;
}

static Node *times(Made *m, Node *a, Node *scalar)
{
    return g2(m->graph, OP_mul, a,
              g_broadcast_to(m->graph, scalar, a->rank, a->dim));
}

static void add_f(Made *m)
{
    const Dim *b = dim_var(m->graph, "b"), *three = dim_const(m->graph, 3);
    const Type *x = tensor(m, DT_f32, 2, b, three, "real[b, 3]");
    Port in[] = {param(m, "net", net_type(m)), param(m, "x", x),
                 param(m, "flag", tensor(m, DT_bool, 0, NULL, NULL, "bool"))};
    Node *y = times(m, in[1].leaf[0], in[0].leaf[3]);
    Port out[] = {result(m, "y", x, 1, &y)};
    Function *f = function(m, "f", 3, in, 1, out);
    add_var(m, f, b);
}

static void add_step(Made *m)
{
    const Type *real = tensor(m, DT_f32, 0, NULL, NULL, "real");
    Port in[] = {param(m, "net", net_type(m)), param(m, "lr", real)};
    in[1].has_default = true;
    in[1].value = 0.5;
    Node *leaf[6];
    memcpy(leaf, in[0].leaf, sizeof leaf);
    ck_assert_int_eq(in[0].nleaf, 6);
    leaf[3] = g2(m->graph, OP_mul, leaf[3], in[1].leaf[0]);
    Port out[] = {result(m, "net", in[0].type, 6, leaf),
                  result(m, "loss", real, 1, in[1].leaf)};
    out[0].in_place = 0;
    function(m, "step", 2, in, 2, out)->kind = FN_step;
}

static void add_rows(Made *m)
{
    const Dim *b = dim_var(m->graph, "b"), *three = dim_const(m->graph, 3);
    const Type *real = tensor(m, DT_f32, 0, NULL, NULL, "real");
    const Type *part[] = {tensor(m, DT_f32, 2, b, three, "real[b, 3]"), real};
    const char *field[] = {"x", "s"};
    const Type *rows = compound(m, TY_struct, "Rows", 2, field, part);
    const Type *pair[] = {real, tensor(m, DT_i32, 0, NULL, NULL, "int")};
    const Type *in_tuple = compound(m, TY_tuple, "(real, int)", 2, field, pair);
    const Type *both[] = {rows, real};
    const Type *out_tuple =
        compound(m, TY_tuple, "(Rows, real)", 2, field, both);
    Port in[] = {param(m, "r", rows), param(m, "t", in_tuple)};
    Node *leaf[] = {times(m, in[0].leaf[0], in[1].leaf[0]), in[0].leaf[1],
                    in[1].leaf[0]};
    Port out[] = {result(m, "rows", out_tuple, 3, leaf)};
    Function *f = function(m, "rows", 2, in, 1, out);
    add_var(m, f, b);
}

static void add_zero(Made *m)
{
    Node *zero = g_const(m->graph, DT_f64, 0);
    Port out[] = {
        result(m, "value", tensor(m, DT_f64, 0, NULL, NULL, "f64"), 1, &zero)};
    function(m, "module", 0, NULL, 1, out);
}

static Made make(void)
{
    Made m = {.arena = arena_new()};
    m.graph = graph_new(m.arena, DT_f32);
    m.module = NEW(m.arena, Module);
    *m.module = (Module){.name = "made", .path = "some/where/made.nn"};
    m.module->graph = m.graph;
    m.module->real = DT_f32;
    m.module->hash = 0xfeed;
    add_f(&m);
    add_step(&m);
    add_rows(&m);
    add_zero(&m);
    m.input = (ModuleInput){.module = m.module, .nschedule = 4};
    Schedule **s = NEWN(m.arena, Schedule *, 4);
    for (int i = 0; i < 4; i++)
        s[i] = schedule(m.arena, m.graph, m.module->function.at[i]);
    m.input.schedule = s;
    return m;
}

/* A struct of every difficult kind: members that C has words for, no members,
 * no elements, more elements than memory has. */
static const Type *odd_type(Made *m, int64_t size, const char *text)
{
    Graph *g = m->graph;
    const char *const digits[] = {"a", "b"};
    const Type *real = tensor(m, DT_f64, 0, NULL, NULL, "real");
    const Type *flat =
        tensor(m, DT_u8, 2, dim_const(g, size), dim_const(g, 7), "u8[n, 7]");
    const Type *pair[] = {real, flat};
    const Type *empty = compound(m, TY_struct, "None", 0, digits, pair);
    const char *field[] = {"class", "class_", "template", "int64_t", "none"};
    const Type *part[] = {
        real, flat, compound(m, TY_tuple, "(real, u8[n, 7])", 2, digits, pair),
        tensor(m, DT_i64, 0, NULL, NULL, "i64"), empty};
    Type *t = arena_copy(
        m->arena, compound(m, TY_struct, "Odd", 5, field, part), sizeof *t);
    t->text = text;
    return t;
}

/* A function of parameters only, for the texts. */
static void add_odd(Made *m, const char *name, int n, Port *in)
{
    function(m, name, n, in, 0, NULL);
    Schedule *s = NEW(m->arena, Schedule);
    s->function = m->module->function.at[m->module->function.n - 1];
    s->workspace = dim_const(m->graph, 64);
    Schedule **all = NEWN(m->arena, Schedule *, m->module->function.n);
    for (int i = 0; i < m->input.nschedule; i++)
        all[i] = m->input.schedule[i];
    all[m->input.nschedule++] = s;
    m->input.schedule = all;
}

static Made make_odd(void)
{
    Made m = {.arena = arena_new()};
    m.graph = graph_new(m.arena, DT_f64);
    m.module = NEW(m.arena, Module);
    *m.module = (Module){.name = "made", .path = "*/ # \\"};
    m.module->graph = m.graph;
    m.module->real = DT_f64;
    m.input.module = m.module;
    const Type *none = compound(&m, TY_struct, "None", 0, NULL, NULL);
    Port in[] = {param(&m, "exec", odd_type(&m, 5, "Odd[5]")),
                 param(&m, "exec_", odd_type(&m, 5, "Odd[5]")),
                 param(&m, "while", odd_type(&m, 0, "Odd(5)")),
                 param(&m, "made_Odd_5", odd_type(&m, INT64_C(1) << 61, "Odd")),
                 param(&m, "workspace", none)};
    add_odd(&m, "f", 5, in);
    add_odd(&m, "f_workspace", 1, in);
    add_odd(&m, "F", 2, in);
    add_odd(&m, "Odd", 2, in + 1);
    add_odd(&m, "my_module", 1, in + 3);
    return m;
}

static const TargetOptions here = {.cpu = "native", .optimise = 2};

/* A folder of this test's own, made by main. */
static char own_folder[] = "/tmp/nncc-artefact-XXXXXX";

static const char *folder(void) { return own_folder; }

static char *in_folder(Arena *a, const char *name)
{
    return arena_printf(a, "%s/%s", folder(), name);
}

static void write_file(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fwrite(bytes, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

/* The exit status and output of a command. */
static int command(const char *text, char *said, size_t size)
{
    FILE *p = popen(text, "r");
    ck_assert_ptr_nonnull(p);
    size_t n = fread(said, 1, size - 1, p);
    said[n] = 0;
    while (fgetc(p) != EOF)
        ;
    return pclose(p);
}

static void write_header(Made *m)
{
    Str s = str_new(m->arena);
    header_text(&m->input, &s);
    write_file(in_folder(m->arena, "made.h"), s.at, s.n);
}

static char *write_library(Made *m, const char *cpu)
{
    char *path = in_folder(m->arena, "made.so");
    Object *object;
    int n;
    const char *error = "";
    TargetOptions o = here;
    o.cpu = cpu;
    ck_assert_msg(emit_objects(m->arena, &m->input, &o, &object, &n, &error),
                  "%s", error);
    ck_assert_msg(link_objects(path, path, NULL, object, n, NULL, &error), "%s",
                  error);
    return path;
}

START_TEST(arrays_in_structs_are_aligned)
{
    Made m = make();
    const Type *net = m.module->function.at[0]->param[0].type;
    Layout l = type_layout(m.arena, net);
    const int64_t want[] = {0, 64, 128, 132, 192, 320};
    ck_assert_int_eq(l.nleaf, 6);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(l.offset[i], want[i]);
    ck_assert_uint_eq(l.size, 384);
    ck_assert_uint_eq(l.align, 64);
    arena_free(m.arena);
}
END_TEST

START_TEST(free_structs_hold_pointers)
{
    Made m = make();
    const Function *rows = m.module->function.at[2];
    Layout l = type_layout(m.arena, rows->param[0].type);
    ck_assert_int_eq(l.nleaf, 2);
    ck_assert_int_eq(l.offset[0], -1);
    ck_assert_int_eq(l.offset[1], -1);
    ck_assert_uint_eq(l.size, 0);
    l = type_layout(m.arena, rows->param[1].type);
    ck_assert_int_eq(l.offset[1], 4);
    ck_assert_uint_eq(l.size, 8);
    arena_free(m.arena);
}
END_TEST

static const struct {
    const char *compiler, *flags;
} compilers[] = {
    {"gcc", "-x c -std=c99"},
    {"gcc", "-x c -std=c11"},
    {"g++", "-x c++ -std=c++11"},
    {"g++", "-x c++ -std=c++20"},
    {"clang-19", "-x c -std=c99"},
    {"clang-19", "-x c -std=c17"},
    {"clang-19", "-x c++ -std=c++11"},
    {"clang-19", "-x c++ -std=c++20"},
    {"gcc", "-x c -std=gnu17 -Wshadow"},
};
enum { NCOMPILER = sizeof compilers / sizeof *compilers };

/* The header's own assertions compare the layout with the compiler's. */
START_TEST(header_compiles_everywhere)
{
    Made m = _i < NCOMPILER ? make() : make_odd();
    char text[512], said[3000];
    const char *cc = compilers[_i % NCOMPILER].compiler;
    snprintf(text, sizeof text, "command -v %s >/dev/null", cc);
    write_header(&m);
    if (system(text) == 0) {
        snprintf(text, sizeof text,
                 "echo '#include \"%s/made.h\"\n#include \"%s/made.h\"' | %s "
                 "%s -Wall -Wextra -pedantic -Werror -c - -o /dev/null 2>&1",
                 folder(), folder(), cc, compilers[_i % NCOMPILER].flags);
        int status = command(text, said, sizeof said);
        ck_assert_msg(status == 0, "%s: %s", text, said);
    }
    arena_free(m.arena);
}
END_TEST

START_TEST(header_says_what_is_there)
{
    static const char *const has[] = {
        "typedef struct made_Net {\n",
        "NN_ALIGN(64) float W[4][3];",
        "} int_;",
        "int made_f(const made_Net *net, const float *x, uint8_t flag, "
        "int64_t b,\n           float *NN_RESTRICT y, void *NN_RESTRICT "
        "workspace,\n           const nn_exec *exec)\n    NN_SYMBOL(\"made_f.",
        "size_t made_f_workspace(int64_t b)\n    NN_SYMBOL(\"made_f_workspace.",
        "int made_step(made_Net *NN_RESTRICT net, float lr, "
        "float *NN_RESTRICT loss,",
        "int made_rows(const made_Rows_in *r, float t_0, int32_t t_1, "
        "int64_t b,",
        "made_Rows *NN_RESTRICT rows_0, float *NN_RESTRICT rows_1,",
        "typedef struct made_Rows_in {\n    const float *x; /* [b, 3] */\n"
        "    float s;\n} made_Rows_in;",
        "typedef struct made_Rows {\n    float *x; /* [b, 3] */\n",
        "#define MADE_STEP_LR ((float)0.5)\n",
        "#define MADE_INTERFACE UINT64_C(0x",
        "size_t made_module__workspace(void)\n",
        "const nn_module *made_module(void);",
        "made by nncc from made.nn",
        "#define NN_ABI_VERSION",
    };
    Made m = make();
    Str s = str_new(m.arena);
    header_text(&m.input, &s);
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        ck_assert_msg(strstr(s.at, has[i]), "no '%s' in:\n%.3000s", has[i],
                      strstr(s.at, "NN_ASSERT(sizeof"));
    arena_free(m.arena);
}
END_TEST

START_TEST(names_do_not_clash)
{
    static const char *const has[] = {
        "typedef struct made_Odd_5 {",
        "typedef struct made_Odd_5_ {",
        "NN_ALIGN(8) double class_;\n    NN_ALIGN(64) uint8_t class__[5][7];",
        "NN_ALIGN(64) uint8_t _1[1];",
        "    struct {\n        char unused;\n    } none;",
        "uint8_t *class__; /* [2305843009213693952, 7] */",
        "int made_f(const made_Odd_5 *exec_, const made_Odd_5 *exec__,\n",
        "           const made_Odd_5_ *while_, const made_Odd_in *made_Odd_5_,",
        "const made_None *workspace_, void *NN_RESTRICT workspace,\n",
        "size_t made_f_workspace_(void)\n",
        "#define MADE_F_WORKSPACE_ 64",
        "#define MADE_F_WORKSPACE 64",
        "int made_my_module_(",
    };
    Made m = make_odd();
    Str s = str_new(m.arena);
    header_text(&m.input, &s);
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        ck_assert_msg(strstr(s.at, has[i]), "no '%s' in:\n%.3000s", has[i],
                      strstr(s.at, "typedef struct made_"));
    arena_free(m.arena);
}
END_TEST

START_TEST(json_of_odd_types)
{
    Made m = make_odd();
    Str s = str_new(m.arena);
    interface_json(&m.input, &s);
    json_t *j = json_loads(s.at, 0, NULL);
    ck_assert(j);
    json_decref(j);
    arena_free(m.arena);
}
END_TEST

START_TEST(json_says_the_same)
{
    Made m = make();
    Str s = str_new(m.arena);
    json_error_t where;
    interface_json(&m.input, &s);
    json_t *j = json_loads(s.at, 0, &where);
    ck_assert_msg(j, "%s", where.text);
    json_t *functions = json_object_get(j, "functions");
    ck_assert_uint_eq(json_array_size(functions), 4);
    json_t *f = json_array_get(functions, 0);
    json_t *net = json_array_get(json_object_get(f, "params"), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(net, "bytes")), 384);
    json_t *leaf = json_array_get(json_object_get(net, "leaves"), 4);
    ck_assert_str_eq(json_string_value(json_object_get(leaf, "path")), "int.W");
    ck_assert_int_eq(json_integer_value(json_object_get(leaf, "offset")), 192);
    json_decref(j);
    arena_free(m.arena);
}
END_TEST

START_TEST(same_source_same_bytes)
{
    char *bytes[2];
    size_t n[2];
    const char *error = "";
    Made m[2];
    for (int i = 0; i < 2; i++) {
        m[i] = make();
        ck_assert_msg(emit_module(m[i].arena, &m[i].input, (EmitKind)_i, &here,
                                  &bytes[i], &n[i], &error),
                      "%s", error);
    }
    ck_assert_uint_gt(n[0], 0);
    ck_assert_uint_eq(n[0], n[1]);
    ck_assert_mem_eq(bytes[0], bytes[1], n[0]);
    arena_free(m[0].arena);
    arena_free(m[1].arena);
    emit_shutdown();
}
END_TEST

static const char *const cpus[] = {"native", "x86-64-v2",
                                   "x86-64-v2,x86-64-v3,x86-64-v4"};

START_TEST(same_source_same_objects)
{
    Object *object[2];
    int n[2];
    const char *error = "";
    TargetOptions o = here;
    Made m = make();
    o.cpu = cpus[_i];
    for (int i = 0; i < 2; i++)
        ck_assert_msg(
            emit_objects(m.arena, &m.input, &o, &object[i], &n[i], &error),
            "%s", error);
    ck_assert_int_eq(n[0], n[1]);
    for (int i = 0; i < n[0]; i++) {
        ck_assert_uint_eq(object[0][i].n, object[1][i].n);
        ck_assert_mem_eq(object[0][i].bytes, object[1][i].bytes,
                         object[0][i].n);
    }
    arena_free(m.arena);
    emit_shutdown();
}
END_TEST

static void call_f(int (*f)(const void *, const float *, uint8_t, int64_t,
                            float *, void *, const nn_exec *))
{
    _Alignas(64) unsigned char net[384] = {0};
    _Alignas(64) static char workspace[65536];
    float s = 2, x[] = {1, 2, 3, 4, 5, 6}, y[6] = {0};
    memcpy(net + 132, &s, sizeof s);
    ck_assert_int_eq(f(net, x, 1, 2, y, workspace, NULL), NN_OK);
    for (int i = 0; i < 6; i++)
        ck_assert_float_eq(y[i], 2 * x[i]);
    ck_assert_int_eq(f(NULL, x, 1, 2, y, workspace, NULL), NN_ERR_NULL);
    ck_assert_int_eq(f(net, NULL, 1, 2, y, workspace, NULL), NN_ERR_NULL);
    ck_assert_int_eq(f(net, x, 1, -1, y, workspace, NULL), NN_ERR_DIM);
}

static void call_rows(int (*f)(const void *, float, int32_t, int64_t, void *,
                               float *, void *, const nn_exec *))
{
    struct {
        float *x, s;
    } in, out;
    _Alignas(64) static char workspace[65536];
    float x[] = {1, 2, 3}, y[3] = {0}, t = 0;
    in.x = x;
    in.s = 7;
    out.x = y;
    out.s = 0;
    ck_assert_int_eq(f(&in, 3, 9, 1, &out, &t, workspace, NULL), NN_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_float_eq(y[i], 3 * x[i]);
    ck_assert_float_eq(out.s, 7);
    ck_assert_float_eq(t, 3);
}

static void call_step(int (*f)(void *, float, float *, void *, const nn_exec *))
{
    _Alignas(64) unsigned char net[384] = {0};
    _Alignas(64) static char workspace[65536];
    float s = 8, loss = 0;
    memcpy(net + 132, &s, sizeof s);
    ck_assert_int_eq(f(net, 0.25f, &loss, workspace, NULL), NN_OK);
    memcpy(&s, net + 132, sizeof s);
    ck_assert_float_eq(s, 2);
    ck_assert_float_eq(loss, 0.25f);
}

static void check_descriptor(const nn_module *d)
{
    ck_assert_uint_eq(d->magic, NN_ABI_MAGIC);
    ck_assert_uint_eq(d->abi_version, NN_ABI_VERSION);
    ck_assert_uint_eq(d->source_hash, 0xfeed);
    ck_assert_str_eq(d->name, "made");
    ck_assert_int_eq(d->nfunction, 4);
    ck_assert_int_eq(d->real, NN_F32);
    ck_assert_ptr_null(d->metric);
    const nn_function *f = d->function[0];
    ck_assert_str_eq(f->name, "f");
    ck_assert_int_eq(f->nparam, 3);
    ck_assert_int_eq(f->ndim, 1);
    ck_assert_str_eq(f->dim[0], "b");
    ck_assert_str_eq(f->param[0]->leaf[3]->path, "s");
    ck_assert_int_eq(f->param[0]->leaf[3]->offset, 132);
    ck_assert_uint_eq(f->param[0]->bytes, 384);
    ck_assert_str_eq(f->param[1]->leaf[0]->shape, "[b, 3]");
    f = d->function[1];
    ck_assert_int_eq(f->kind, NN_STEP);
    ck_assert_int_eq(f->result[0]->in_place, 0);
    ck_assert_int_eq(f->param[1]->has_value, 1);
    ck_assert_double_eq(f->param[1]->value, 0.5);
    f = d->function[2];
    int64_t dims[] = {5}, size[16] = {0};
    f->sizes(dims, size);
    ck_assert_int_eq(size[0], 5);
    ck_assert_int_eq(size[1], 3);
    ck_assert_uint_lt(f->workspace(dims), 65536);
    f = d->function[3];
    double v = 1;
    void *leaf[] = {&v};
    ck_assert_int_eq(f->call(leaf, NULL, NULL, NULL), NN_OK);
    ck_assert_double_eq(v, 0);
}

START_TEST(library_runs)
{
    const char *cpu = strchr(cpus[_i], ',') ? portable_here() : cpus[_i];
    if (!strchr(cpu, ',') && lacks(cpu))
        return;
    Made m = make();
    void *lib = dlopen(write_library(&m, cpu), RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(lib, "%s", dlerror());
    void *at[4];
    static const char *const name[] = {"made_f", "made_rows", "made_step",
                                       "made_module"};
    for (int i = 0; i < 4; i++) {
        at[i] = dlsym(lib, name[i]);
        ck_assert_msg(at[i], "no %s", name[i]);
    }
    int (*f)(const void *, const float *, uint8_t, int64_t, float *, void *,
             const nn_exec *);
    int (*rows)(const void *, float, int32_t, int64_t, void *, float *, void *,
                const nn_exec *);
    int (*step)(void *, float, float *, void *, const nn_exec *);
    const nn_module *(*get)(void);
    memcpy(&f, &at[0], sizeof f);
    memcpy(&rows, &at[1], sizeof rows);
    memcpy(&step, &at[2], sizeof step);
    memcpy(&get, &at[3], sizeof get);
    call_f(f);
    call_rows(rows);
    call_step(step);
    check_descriptor(get());
    dlclose(lib);
    arena_free(m.arena);
    emit_shutdown();
}
END_TEST

/* Each function under its name and that of its interface, and no other symbol.
 */
static void only_the_interface(Arena *a, const char *nm, const char *path)
{
    static const char *const name[] = {
        "made_f",       "made_f_workspace",
        "made_rows",    "made_rows_workspace",
        "made_step",    "made_step_workspace",
        "made_module_", "made_module__workspace"};
    char said[4096];
    Str want = str_new(a);
    str_printf(&want, "made_module\n");
    for (int i = 0; i < 8; i++)
        str_printf(&want, "%s\n%s.#\n", name[i], name[i]);
    command(arena_printf(a,
                         "{ printf '%s'; echo; %s %s | grep ' [A-TV-Z] ' | cut "
                         "-d' ' -f3 | sed 's/[.][0-9a-f]\\{8\\}$/.#/'; } | "
                         "LC_ALL=C sort | uniq -u",
                         want.at, nm, path),
            said, sizeof said);
    ck_assert_str_eq(said, "\n");
}

/* No library is needed, nothing is undefined, nothing but the interface is
 * exported, no data can be written. */
START_TEST(library_stands_alone)
{
    Made m = make();
    char *path = write_library(&m, cpus[_i]), said[16384];
    command(arena_printf(m.arena, "readelf -dW %s", path), said, sizeof said);
    ck_assert_msg(!strstr(said, "NEEDED"), "%s", said);
    ck_assert_msg(!strstr(said, "TEXTREL"), "%s", said);
    command(arena_printf(m.arena, "nm -uD %s", path), said, sizeof said);
    ck_assert_str_eq(said, "");
    only_the_interface(m.arena, "nm -D", path);
    command(arena_printf(m.arena, "nm %s | grep -i ' [bdg] '", path), said,
            sizeof said);
    ck_assert_msg(!strstr(said, "made") && !strstr(said, ".table"), "%s", said);
    arena_free(m.arena);
    emit_shutdown();
}
END_TEST

START_TEST(jit_runs)
{
    Made m = make();
    const char *error = "";
    Jit *j = jit_open(&m.input, &here, &error);
    ck_assert_msg(j, "%s", error);
    check_descriptor(jit_module(j));
    jit_close(j);
    arena_free(m.arena);
    emit_shutdown();
}
END_TEST

static const struct {
    const char *cpu, *target, *said;
} bad[] = {
    {"haswel", NULL, "unknown CPU 'haswel': did you mean 'haswell'?"},
    {"", NULL, "unknown CPU ''"},
    {"help", NULL, "unknown CPU 'help'"},
    {"x86-64-v3,zen", NULL, "'zen' in a list of CPUs"},
    {"x86-64-v3,", NULL, "'' in a list of CPUs"},
    {"native", "vax-dec-bsd", "unknown target 'vax-dec-bsd'"},
    {"native", "", "unknown target ''"},
    {"native", "avr",
     "no code for target 'avr'; there is for x86_64-linux-gnu,"},
    {"native", "x86_64-pc-windows-msvc", "no code for target 'x86_64-pc-win"},
    {"native", "arm64-apple-macosx", "no code for target 'arm64-apple-mac"},
    {"native", "x86_64-linux-gnux32", "no code for target 'x86_64-"},
    {"native", "aarch64_be-linux-gnu", "no code for target 'aarch64_be-"},
    {"cortex-m3", "thumbv7em-none-eabihf",
     "CPU 'cortex-m3' of target 'thumbv7em-none-eabihf' lacks the FPU"},
    {"sifive-s21", "riscv64-linux-gnu",
     "CPU 'sifive-s21' of target 'riscv64-linux-gnu' lacks the FPU"},
    {"i686", "i686-linux-gnu",
     "CPU 'i686' of target 'i686-linux-gnu' lacks SSE2"},
    {"x86-64-v2,x86-64-v3", "x86_64-none-elf",
     "a list of CPUs: nothing is chosen when a program for x86_64-none-elf"},
    {"haswell", "aarch64-linux", "unknown CPU 'haswell'; known for"},
    {"cortex-a73x", "aarch64-linux", "did you mean 'cortex-a73'?"},
};
enum { NBAD = sizeof bad / sizeof *bad };

START_TEST(unknown_machines_are_told)
{
    Made m = make();
    char *bytes;
    size_t n;
    const char *error = "";
    TargetOptions o = here;
    o.cpu = bad[_i].cpu;
    o.target = bad[_i].target;
    ck_assert(
        !emit_module(m.arena, &m.input, EMIT_object, &o, &bytes, &n, &error));
    ck_assert_msg(strstr(error, bad[_i].said), "%s", error);
    arena_free(m.arena);
    emit_shutdown();
}
END_TEST

static const char *const targets[] = {
    "aarch64-linux-gnu",      "riscv64-linux-gnu", "powerpc64le-linux-gnu",
    "armv7-linux-gnueabihf",  "i686-linux-gnu",    "s390x-linux-gnu",
    "wasm32-unknown-unknown",
};
enum { NTARGET = sizeof targets / sizeof *targets };

START_TEST(objects_for_other_machines)
{
    Made m = make();
    char *bytes;
    size_t n = 0;
    const char *error = "";
    TargetOptions o = here;
    o.target = targets[_i];
    ck_assert_msg(
        emit_module(m.arena, &m.input, EMIT_object, &o, &bytes, &n, &error),
        "%s", error);
    ck_assert_uint_gt(n, 0);
    arena_free(m.arena);
    emit_shutdown();
}
END_TEST

static bool link_one(const char *path, const char *object, size_t n,
                     const char *linker, const char **error)
{
    return link_objects(path, path, NULL, &(Object){object, n}, 1, linker,
                        error);
}

static void expect_failure(const char *path, const char *object,
                           const char *linker, const char *said)
{
    const char *error = "";
    ck_assert(!link_one(path, object, strlen(object), linker, &error));
    ck_assert_msg(strstr(error, said), "%s", error);
}

START_TEST(linking_fails_cleanly)
{
    Arena *a = arena_new();
    char said[4096], *own = in_folder(a, "failing");
    ck_assert_int_eq(mkdir(own, 0777), 0);
    char *path = arena_printf(a, "%s/x.so", own);
    expect_failure(arena_printf(a, "%s/none/x.so", own), "", NULL,
                   "No such file or directory");
    expect_failure(own, "", NULL, "it is no regular file");
    expect_failure(path, "no object", NULL, "failed to link");
    expect_failure(path, "no object", "no-such-linker",
                   "cannot run 'no-such-linker'");
    expect_failure("/proc/x.so", "", NULL, "cannot write '/proc/x.so'");
    expect_failure("/dev/null", "", NULL, "it is no regular file");
    command(arena_printf(a, "ls -A %s", own), said, sizeof said);
    ck_assert_str_eq(said, "");
    arena_free(a);
}
END_TEST

#ifdef __x86_64__
/* Without a linker's process, and what is not an object is no crash. */
START_TEST(objects_are_linked_here)
{
    enum { EVERY = 7, SPOILED = 13 };
    Made m = make();
    char *path = in_folder(m.arena, "own.so");
    const char *error = "";
    Object *object, to, part;
    int n;
    ck_assert_msg(emit_objects(m.arena, &m.input, &here, &object, &n, &error),
                  "%s", error);
    ck_assert(elf_link(m.arena, object, n, "own.so.1", &to));
    for (size_t size = 0; size < object[0].n; size += EVERY) {
        part = (Object){object[0].bytes, size};
        ck_assert(!elf_link(m.arena, &part, 1, NULL, &to));
    }
    char *spoiled = arena_copy(m.arena, object[0].bytes, object[0].n);
    part = (Object){spoiled, object[0].n};
    for (size_t i = 0; i < part.n; i += SPOILED) {
        Arena *own = arena_new();
        spoiled[i] ^= 0x7f;
        if (elf_link(own, &part, 1, NULL, &to))
            ck_assert_int_gt((int)to.n, 0);
        spoiled[i] ^= 0x7f;
        arena_free(own);
    }
    ck_assert(
        !elf_link(m.arena, (Object[]){object[0], object[0]}, 2, NULL, &to));
    ck_assert_msg(link_objects(path, path, "own.so.1", object, n, NULL, &error),
                  "%s", error);
    void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(lib, "%s", dlerror());
    ck_assert(dlsym(lib, "made_module"));
    ck_assert(!dlsym(lib, "made_none"));
    dlclose(lib);
    arena_free(m.arena);
    emit_shutdown();
}
END_TEST

#endif

START_TEST(any_linker_does)
{
    static const char *const linkers[] = {"ld", "ld.lld", "cc", "clang-19"};
    Made m = make();
    char *bytes, text[128], *path = in_folder(m.arena, "any.so");
    size_t n;
    const char *error = "";
    snprintf(text, sizeof text, "command -v %s >/dev/null", linkers[_i]);
    if (system(text) == 0) {
        ck_assert(emit_module(m.arena, &m.input, EMIT_object, &here, &bytes, &n,
                              &error));
        ck_assert_msg(link_one(path, bytes, n, linkers[_i], &error), "%s",
                      error);
        void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        ck_assert_msg(lib, "%s", dlerror());
        dlclose(lib);
    }
    arena_free(m.arena);
    emit_shutdown();
}
END_TEST

/* op_name(x: T[b], …), for every T that the operator takes. */
static void add_operator(Made *m, OpId op, DType t)
{
    const Op *row = op_table[op];
    const Dim *b = dim_var(m->graph, "b");
    Port in[8];
    Node *arg[8];
    for (int i = 0; i < row->arity; i++) {
        bool condition = op == OP_where && i == 0;
        in[i] = param(m, arena_printf(m->arena, "x%d", i),
                      tensor(m, condition ? DT_bool : t, 1, b, NULL, "T[b]"));
        arg[i] = in[i].leaf[0];
    }
    Attr none = {0};
    Node *y = graph_make(m->graph, op, t, row->arity, arg, &none);
    Port out[] = {
        result(m, "y", tensor(m, y->dtype, 1, b, NULL, "T[b]"), 1, &y)};
    const char *name =
        arena_printf(m->arena, "%s_%s", row->name, dtype_name(t));
    add_var(m, function(m, name, row->arity, in, 1, out), b);
}

/* Elementwise, and without a shape or key of its own. */
static bool compiled(OpId op, DType t)
{
    const Op *row = op_table[op];
    return row->cls == OPC_ewise && op_has_lower(row) && !row->expand &&
           !row->infer && (row->takes & 1u << t);
}

static const char *const all_cpus[] = {"x86-64",    "x86-64-v2", "x86-64-v3",
                                       "x86-64-v4", "native",    NULL};
enum { NALL_CPUS = sizeof all_cpus / sizeof *all_cpus };

/* No operator is compiled to a call of libm or libc; the last time round for
 * another architecture. */
START_TEST(operators_need_no_library)
{
    Made m = {.arena = arena_new()};
    m.graph = graph_new(m.arena, DT_f32);
    m.module = NEW(m.arena, Module);
    *m.module = (Module){.name = "made", .path = "made.nn", .real = DT_f32};
    m.module->graph = m.graph;
    for (int op = 0; op < NOPS; op++)
        for (int t = 0; t < NDTYPES; t++)
            if (compiled(op, (DType)t))
                add_operator(&m, op, (DType)t);
    int n = m.module->function.n;
    Schedule **s = NEWN(m.arena, Schedule *, n);
    for (int i = 0; i < n; i++)
        s[i] = schedule(m.arena, m.graph, m.module->function.at[i]);
    m.input = (ModuleInput){m.module, s, n};
    ck_assert_int_gt(n, 50);
    TargetOptions o = here;
    o.cpu = all_cpus[_i] ? all_cpus[_i] : "native";
    o.target = all_cpus[_i] ? NULL : "aarch64-linux-gnu";
    char *bytes, *path = in_folder(m.arena, "operators.o"), said[4096];
    size_t size;
    const char *error = "";
    ck_assert_msg(
        emit_module(m.arena, &m.input, EMIT_object, &o, &bytes, &size, &error),
        "%s", error);
    write_file(path, bytes, size);
    command(arena_printf(m.arena, "nm -u %s", path), said, sizeof said);
    ck_assert_str_eq(said, "");
    arena_free(m.arena);
    emit_shutdown();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("artefact");
    TCase *t = tcase_create("text");
    tcase_add_test(t, arrays_in_structs_are_aligned);
    tcase_add_test(t, free_structs_hold_pointers);
    tcase_add_loop_test(t, header_compiles_everywhere, 0, 2 * NCOMPILER);
    tcase_add_test(t, names_do_not_clash);
    tcase_add_test(t, json_of_odd_types);
    tcase_add_test(t, header_says_what_is_there);
    tcase_add_test(t, json_says_the_same);
    suite_add_tcase(s, t);
    t = tcase_create("code");
    tcase_add_loop_test(t, same_source_same_bytes, 0, 4);
    tcase_add_loop_test(t, same_source_same_objects, 0, 3);
    tcase_add_loop_test(t, library_runs, 0, 3);
    tcase_add_loop_test(t, library_stands_alone, 0, 3);
    tcase_add_loop_test(t, operators_need_no_library, 0, NALL_CPUS);
    tcase_add_test(t, jit_runs);
    tcase_add_loop_test(t, unknown_machines_are_told, 0, NBAD);
    tcase_add_loop_test(t, objects_for_other_machines, 0, NTARGET);
    tcase_add_test(t, linking_fails_cleanly);
#ifdef __x86_64__
    tcase_add_test(t, objects_are_linked_here);
#endif
    tcase_add_loop_test(t, any_linker_does, 0, 4);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    char clean[64];
    if (!mkdtemp(own_folder))
        return 1;
    int failed = run_suite(suite());
    snprintf(clean, sizeof clean, "rm -rf %s", own_folder);
    return system(clean) == 0 && failed == 0 ? 0 : 1;
}
