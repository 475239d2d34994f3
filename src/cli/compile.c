/* compile.c: nncc model.nn -o model.so: what to write follows from the name. */

#include "cli/with.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef enum Kind {
    KIND_so,
    KIND_o,
    KIND_a,
    KIND_s,
    KIND_ll,
    KIND_bc,
    KIND_h,
    KIND_json,
    NKINDS
} Kind;

static const char *const kind_names[NKINDS] = {
    [KIND_so] = "so", [KIND_o] = "o",   [KIND_a] = "a", [KIND_s] = "s",
    [KIND_ll] = "ll", [KIND_bc] = "bc", [KIND_h] = "h", [KIND_json] = "json",
};

static const char *const stages[] = {
    "ast",     "graph",    "simplified", "expanded",
    "kernels", "schedule", "ir",         "asm",
};
enum { NSTAGE = sizeof stages / sizeof *stages };

/* One -o, and the header beside it, where it has one. */
typedef struct Product {
    const char *path;
    Kind kind;
    NewFile file, header;
    bool with_header;
} Product;

typedef LIST(Product) Products;

/* As the name ends, unless --as says what it is. Status 0, or what to exit
 * with. */
static int output_kind(const Args *a, const char *path, Kind *kind)
{
    struct stat st;
    int k = 0;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return cli_fail("cannot write %s: %s", path,
                        file_error(a->arena, EISDIR));
    int status = cli_format(a, path, kind_names, NKINDS, &k);
    *kind = (Kind)k;
    return status;
}

static int find_outputs(const Args *a, Products *to)
{
    const char *path;

    for (int i = 0; (path = option_next(a, "output", &i));) {
        Product o = {.path = path};
        int status = output_kind(a, o.path, &o.kind);
        if (status)
            return status;
        o.with_header =
            o.kind <= KIND_a && strcmp(o.path, "-") && *cli_extension(o.path);
        list_push(a->arena, to, o);
    }
    return EXIT_SUCCESS;
}

/* DIR/m.so -> DIR/m.h */
static const char *header_path(Arena *a, const char *path)
{
    int n = (int)(cli_extension(path) - path);

    return arena_printf(a, "%.*sh", n, path);
}

static void drop_output(Product *o)
{
    file_drop(&o->file);
    if (o->with_header)
        file_drop(&o->header);
}

/* All of them, before the work starts. False after a message. */
static bool begin_outputs(Arena *a, Products *all)
{
    for (int i = 0; i < all->n; i++) {
        Product *o = &all->at[i];
        bool begun =
            file_begin(a, o->path, o->kind == KIND_so ? 0777 : 0666, &o->file);
        if (begun && o->with_header &&
            !file_begin(a, header_path(a, o->path), 0666, &o->header)) {
            file_drop(&o->file);
            begun = false;
        }
        while (!begun && --i >= 0)
            drop_output(&all->at[i]);
        if (!begun)
            return false;
    }
    return true;
}

static int check_dump(const Args *a, const char *dump)
{
    for (int i = 0; i < NSTAGE; i++)
        if (!dump || !strcmp(dump, stages[i]))
            return EXIT_SUCCESS;
    return cli_usage(a,
                     "no stage '%s'%s: there are ast, graph, simplified, "
                     "expanded, kernels, schedule, ir and asm",
                     dump, cli_suggest(a->arena, dump, stages, NSTAGE));
}

static bool read_effort(const Args *a, TargetOptions *o)
{
    const char *text = option_value(a, "optimise");

    if (!text)
        return true;
    bool size = text[0] == 's';
    if (!text[0] || text[1] || (!size && (text[0] < '0' || text[0] > '3'))) {
        cli_usage(a, "'-O' is 0, 1, 2, 3 or s, not '%s'", text);
        return false;
    }
    o->optimise = size ? EFFORT_size : text[0] - '0';
    return true;
}

/* The folder that the paths of sources are relative to, where that is to be in
 * the code. False after a message. */
static bool read_debug(const Args *a, TargetOptions *o)
{
    char *folder;

    if (!option_value(a, "debug"))
        return true;
    folder = getcwd(NULL, 0);
    if (!folder) {
        cli_fail("cannot tell the folder: %s", file_error(a->arena, errno));
        return false;
    }
    o->folder = arena_printf(a->arena, "%s", folder);
    free(folder);
    return true;
}

/* "portable": every machine of the architecture, the best code for each chosen
 * when it is loaded. Unless told otherwise code is for this machine, or if it
 * is for another for all of that kind; what is for reading is for one. */
static const char *cpu_option(Arena *a, const TargetOptions *o, bool binary)
{
    bool portable = o->cpu && !strcmp(o->cpu, "portable");

    if (o->cpu && !portable)
        return o->cpu;
    if (!portable && !o->target)
        return "native";
    return target_default_cpu(a, o->target, portable || binary);
}

/* Writing */

typedef struct Build {
    const Args *args;
    Load *load;
    ModuleInput in;
    TargetOptions options;
} Build;

static TargetOptions machine(const Build *b, bool binary)
{
    TargetOptions o = b->options;

    o.cpu = cpu_option(b->load->arena, &o, binary);
    return o;
}

static bool machine_code(const Build *b, EmitKind kind, char **bytes, size_t *n)
{
    TargetOptions o = machine(b, kind == EMIT_object);
    const char *error = NULL;

    if (emit_module(b->load->arena, &b->in, kind, &o, bytes, n, &error))
        return true;
    cli_fail("%s", error);
    return false;
}

static bool run_ar(Arena *a, const char *archive, const char *object)
{
    char *const argv[] = {arena_printf(a, "ar"), arena_printf(a, "rcsD"),
                          arena_printf(a, "%s", archive),
                          arena_printf(a, "%s", object), NULL};
    pid_t pid;
    int status;
    int error = posix_spawnp(&pid, "ar", NULL, NULL, argv, environ);

    if (error) {
        cli_fail("cannot run ar: %s", file_error(a, error));
        return false;
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    if (status != 0)
        cli_fail("ar could not make %s", archive);
    return status == 0;
}

/* A static library of one object, made where the file's bytes go. */
static bool make_archive(const Build *b, const NewFile *to, const char *bytes,
                         size_t n)
{
    Arena *a = b->load->arena;
    const char *folder = folder_begin(a, to->path);

    if (!folder)
        return false;
    const char *object =
        arena_printf(a, "%s/%s.o", folder, b->load->module->name);
    bool made = file_write(a, object, bytes, n) && unlink(to->temporary) == 0 &&
                run_ar(a, to->temporary, object);
    unlink(object);
    folder_end(folder);
    return made;
}

static bool make_library(const Build *b, const NewFile *to)
{
    TargetOptions o = machine(b, true);
    const char *error = NULL;
    Object *object;
    int n;

    if (emit_objects(b->load->arena, &b->in, &o, &object, &n, &error) &&
        link_objects(to->temporary, to->path, option_value(b->args, "soname"),
                     object, n, option_value(b->args, "linker"), &error))
        return true;
    cli_fail("%s", error);
    return false;
}

static bool make_code(const Build *b, EmitKind kind, Product *o)
{
    char *bytes;
    size_t n;

    if (!machine_code(b, kind, &bytes, &n))
        return false;
    if (o->kind == KIND_a)
        return make_archive(b, &o->file, bytes, n);
    file_put(&o->file, bytes, n);
    return true;
}

static void make_text(const Build *b, NewFile *to,
                      void (*emit)(const ModuleInput *in, Str *to))
{
    Str s = str_new(b->load->arena);

    emit(&b->in, &s);
    file_put(to, s.at, s.n);
}

static bool make_output(const Build *b, Product *o)
{
    if (o->with_header)
        make_text(b, &o->header, header_text);
    switch (o->kind) {
    case KIND_so:
        return make_library(b, &o->file);
    case KIND_o:
    case KIND_a:
        return make_code(b, EMIT_object, o);
    case KIND_s:
        return make_code(b, EMIT_assembly, o);
    case KIND_ll:
        return make_code(b, EMIT_ir, o);
    case KIND_bc:
        return make_code(b, EMIT_bitcode, o);
    case KIND_h:
        make_text(b, &o->file, header_text);
        return true;
    case KIND_json:
        make_text(b, &o->file, interface_json);
        return true;
    case NKINDS:
        break;
    }
    return false;
}

/* The file and its header, or neither. */
static bool keep_output(Arena *a, Product *o)
{
    if (!file_keep(a, &o->file))
        return false;
    if (!o->with_header || file_keep(a, &o->header))
        return true;
    if (o->file.at)
        unlink(o->file.at);
    return false;
}

static bool write_outputs(const Build *b, Products *all)
{
    Arena *a = b->load->arena;
    bool good = true;

    for (int i = 0; i < all->n && good; i++)
        good = make_output(b, &all->at[i]) && keep_output(a, &all->at[i]);
    return good;
}

static bool is_of_code(const char *stage)
{
    return stage && (!strcmp(stage, "ir") || !strcmp(stage, "asm") ||
                     !strcmp(stage, "schedule"));
}

static bool schedule_text(const Build *b, char **bytes, size_t *n)
{
    TargetOptions o = machine(b, false);
    const char *error = NULL;
    Str to = str_new(b->load->arena);

    if (!emit_schedules(b->load->arena, &b->in, &o, &to, &error)) {
        cli_fail("%s", error);
        return false;
    }
    *bytes = to.at;
    *n = to.n;
    return true;
}

static bool dump_code(const Build *b, const char *dump)
{
    char *bytes;
    size_t n;

    if (!is_of_code(dump))
        return true;
    if (!strcmp(dump, "schedule")
            ? !schedule_text(b, &bytes, &n)
            : !machine_code(b, !strcmp(dump, "ir") ? EMIT_ir : EMIT_assembly,
                            &bytes, &n))
        return false;
    fwrite(bytes, 1, n, stdout);
    return true;
}

/* Up to schedules, and what is to be printed; outputs are begun. */
static int compile_loaded(Build *b, Products *out)
{
    Load *l = b->load;

    if (out->n && l->module->function.n == 0)
        return cli_fail("%s exports nothing, so there is nothing to write",
                        l->path);
    if (!l->dump && !l->explain && !out->n)
        return EXIT_SUCCESS;
    l->dump_only = !out->n;
    Schedule **s =
        driver_schedule(l, l->module->function.at, l->module->function.n);
    if (!s)
        return EXIT_FAILURE;
    if (l->dump_only && !is_of_code(l->dump))
        return EXIT_SUCCESS;
    b->in = (ModuleInput){l->module, s, l->module->function.n};
    b->in = *emit_formed(l->arena, &b->in, &b->options);
    return dump_code(b, l->dump) && write_outputs(b, out) ? EXIT_SUCCESS
                                                          : EXIT_FAILURE;
}

static bool read_schedule(const Args *a, TargetOptions *o)
{
    enum { LIMIT = 1 << 24 };
    const char *path = option_value(a, "schedule");
    size_t n;

    if (!path)
        return true;
    o->schedule_name = path;
    o->schedule = file_read(a->arena, path, LIMIT, &n);
    return o->schedule;
}

static int compile(Args *a)
{
    Load l = {.dump = option_value(a, "dump"),
              .explain = option_value(a, "explain") != NULL};
    Build b = {.args = a, .load = &l};
    Products out = {0};
    int status = check_dump(a, l.dump);

    b.options = (TargetOptions){.cpu = option_value(a, "cpu"),
                                .target = option_value(a, "target"),
                                .optimise = EFFORT_default};
    if (!status && !read_effort(a, &b.options))
        status = EXIT_USAGE;
    if (!status &&
        (!read_debug(a, &b.options) || !read_schedule(a, &b.options)))
        status = EXIT_FAILURE;
    if (!status)
        status = find_outputs(a, &out);
    if (!status && !begin_outputs(a->arena, &out))
        status = EXIT_FAILURE;
    if (status)
        return status;
    status = driver_load(a, a->word.at[0], DT_f32, &l);
    if (!status && l.module && !with_apply(a, &l))
        status = EXIT_FAILURE;
    if (!status && l.module)
        status = compile_loaded(&b, &out);
    for (int i = 0; i < out.n; i++)
        drop_output(&out.at[i]);
    return status;
}

static const Option options[] = {
    {"output", 'o', "FILE", "write .so .o .a (and a .h), .s .ll .bc .h .json"},
    {"as", 0, "KIND", "what -o writes, where its name does not end so"},
    MODEL_OPTIONS,
    {"max", 0, "NAME=SIZE", "bound a dimension: the workspace is a constant"},
    {"with", 0, "[NAME=]FILE",
     "parameters that nncc train saved become part of it"},
    {"name", 0, "PREFIX", "of all names in C, instead of the file's name"},
    {"cpu", 0, "NAME", "native, portable, x86-64-v3 or a list: choose at load"},
    {"target", 0, "TRIPLE", "compile for another machine"},
    {"targets", 0, NULL, "print which machines there is code for"},
    {"optimise", 'O', "0-3, s", "effort of code generation (2); s: least code"},
    {"debug", 'g', NULL, "line tables: what runs is a line of the model's"},
    {"soname", 0, "NAME", "the name by which the loader is to look for a .so"},
    {"linker", 0, "PROGRAM", "for .so: ld, ld.lld, cc or another"},
    {"dump", 0, "STAGE",
     "print after ast, graph, simplified, expanded,\n"
     "kernels, schedule, ir or asm"},
    {"schedule", 0, "FILE",
     "settings for kernels, as --dump=schedule prints them"},
    {"explain", 0, NULL,
     "tell which simplifications were made where, and what is slow"},
    {"man", 0, NULL, "print the manual page, for man"},
    {"completion", 0, "bash|zsh", "print what completes command lines there"},
    {"version", 0, NULL, "print the version"},
    {NULL, 0, NULL, NULL},
};

const Command command_compile = {
    .name = "",
    .usage = "MODEL.nn [-o FILE]… [options]",
    .about = "Compiles a model with its derivatives to machine code. Without "
             "-o and --dump\nit is only checked. MODEL.nn may be '-', standard "
             "input.",
    .option = options,
    .most = 1,
    .run = compile,
};
