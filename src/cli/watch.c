/* watch.c: nncc watch: trains, and as the program is saved goes on with what is
 * there now. A training is a process of its own (nncc train in a fork), which
 * leaves a checkpoint when it is asked to end; what of it has the names and
 * shapes of the new program is loaded by the next one. */

#include "cli/call.h"
#include "cli/cli.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct Watch {
    const Args *args;
    const char *folder, *last, *carried; /* of checkpoints, and files there */
    Load load;     /* the program that is trained; its arena is its own */
    uint64_t seen; /* of its files, when they were read */
    bool carries;  /* there is something to go on from */
    pid_t child;   /* or 0 */
} Watch;

static volatile sig_atomic_t ended;

static void end(int sig)
{
    (void)sig;
    ended = 1;
}

static void on_endings(void (*action)(int))
{
    struct sigaction act = {.sa_handler = action};

    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

static void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
}

/* The program's files */

static uint64_t mark_file(uint64_t h, const char *path)
{
    struct stat st = {0};

    if (stat(path, &st) != 0)
        return hash_mix(h, 1);
    h = hash_mix(hash_mix(h, (uint64_t)st.st_ino), (uint64_t)st.st_size);
    return hash_mix(hash_mix(h, (uint64_t)st.st_mtim.tv_sec),
                    (uint64_t)st.st_mtim.tv_nsec);
}

/* Another number once one of them is another. */
static uint64_t mark_files(const Watch *w)
{
    uint64_t h = mark_file(HASH_SEED, w->args->word.at[0]);
    const Source *s;

    for (int i = 0;
         w->load.diags && (s = diags_source_at(w->load.diags, i)) != NULL; i++)
        if (s->path[0] != '<')
            h = mark_file(h, s->path);
    return h;
}

/* What is saved is so for a moment. */
static bool changed(Watch *w)
{
    uint64_t now = mark_files(w);

    if (now == w->seen)
        return false;
    do {
        w->seen = now;
        rest();
    } while ((now = mark_files(w)) != w->seen);
    return true;
}

/* The program as it is now, in an arena of its own; false after messages. */
static bool read_program(const Watch *w, Load *to)
{
    Args own = *w->args;

    own.arena = arena_new();
    *to = (Load){0};
    bool good = driver_load(&own, own.word.at[0], DT_f32, to) == EXIT_SUCCESS;
    if (good && (!to->module->init || to->module->training.n == 0))
        good = cli_fail("%s has no 'train' item, so there is nothing to train",
                        to->path) == EXIT_SUCCESS;
    if (!good) {
        arena_free(own.arena);
        *to = (Load){0};
    }
    return good;
}

/* What is carried over */

typedef struct Carry {
    const nncc_store *from;
    nncc_store *to;
    int found, all;
} Carry;

/* One tensor, if it is there; false after a message. */
static bool carry_leaf(Arena *a, const Port *p, const Leaf *leaf, Carry *c)
{
    const char *name = leaf_name(a, p->name, leaf->path);
    const nncc_tensor *t = nncc_store_find(c->from, name);

    c->all++;
    if (!t || !leaf_fits(leaf, t)) {
        printf("%s %s: begins anew\n", name,
               t ? "has another shape" : "is new");
        return true;
    }
    c->found++;
    if (nncc_store_put(c->to, name, t) == NN_OK)
        return true;
    return cli_failed();
}

static bool carry_program(const Load *l, Carry *c)
{
    const Function *init = l->module->init;
    bool good = true;

    for (int i = 0; i < init->nresult; i++) {
        const Port *p = &init->result[i];
        const Leaf *leaf = type_leaves(l->module->graph, p->type, NULL);
        for (int k = 0; good && k < p->nleaf; k++)
            good = carry_leaf(l->arena, p, &leaf[k], c);
    }
    return good;
}

static bool carry_store(Watch *w, const Load *l, const nncc_store *from)
{
    Carry c = {.from = from};

    if (nncc_store_new(&c.to) != NN_OK)
        return cli_failed();
    bool good = carry_program(l, &c);
    if (good && c.found && nncc_store_write(c.to, w->carried) != NN_OK)
        good = cli_failed();
    nncc_store_free(c.to);
    if (good)
        printf("%d of %d tensors are carried over\n", c.found, c.all);
    w->carries = good && c.found > 0;
    return good;
}

/* From the training that has ended, or the one before it, to what l takes. */
static void carry_over(Watch *w, const Load *l)
{
    nncc_store *from;
    const char *path = access(w->last, R_OK) == 0 ? w->last : w->carried;

    if (access(path, R_OK) != 0)
        return;
    w->carries = false;
    if (nncc_store_read(path, &from) != NN_OK) {
        cli_failed();
        return;
    }
    carry_store(w, l, from);
    nncc_store_free(from);
}

/* Trainings */

static int train_here(const Watch *w)
{
    Args own = *w->args;

    own.arena = arena_new();
    own.given.at = NULL;
    own.given.n = own.given.cap = 0;
    for (int i = 0; i < w->args->given.n; i++)
        if (!w->carries || strcmp(w->args->given.at[i].name, "load") != 0)
            list_push(own.arena, &own.given, w->args->given.at[i]);
    list_push(own.arena, &own.given, ((Given){"checkpoint", w->folder}));
    if (w->carries)
        list_push(own.arena, &own.given, ((Given){"load", w->carried}));
    int status = options_agree(&own, train_rules);
    if (!status)
        status = command_train.run(&own);
    if (!cli_flush(own.arena) && status == EXIT_SUCCESS)
        status = EXIT_FAILURE;
    return status;
}

/* In a group of its own: what a terminal sends reaches it through us. */
static bool start(Watch *w)
{
    unlink(w->last);
    fflush(NULL);
    w->child = fork();
    if (w->child == 0) {
        setpgid(0, 0);
        on_endings(SIG_DFL);
        _exit(train_here(w));
    }
    if (w->child > 0)
        return true;
    w->child = 0;
    cli_fail("cannot start a training: %s", file_error(w->args->arena, errno));
    return false;
}

/* With its checkpoint. */
static void stop(Watch *w)
{
    if (w->child == 0)
        return;
    kill(w->child, SIGTERM);
    while (waitpid(w->child, NULL, 0) < 0 && errno == EINTR)
        ;
    w->child = 0;
}

/* Has it come to its end by itself? */
static void look_after(Watch *w)
{
    if (w->child == 0 || waitpid(w->child, NULL, WNOHANG) != w->child)
        return;
    w->child = 0;
    printf("waiting for %s to change\n", w->args->word.at[0]);
    fflush(stdout);
}

static void take(Watch *w, const Load *l)
{
    if (w->load.arena)
        arena_free(w->load.arena);
    w->load = *l;
    w->seen = mark_files(w); /* of its files, which may be others now */
}

static bool go_on(Watch *w)
{
    Load l;

    if (!read_program(w, &l)) {
        fprintf(stderr, w->child ? "nncc: training goes on as before\n" : "");
        return true;
    }
    if (w->load.module && l.module->hash == w->load.module->hash) {
        take(w, &l);
        return true;
    }
    if (w->load.module)
        printf("%s has changed\n", w->args->word.at[0]);
    stop(w);
    carry_over(w, &l);
    take(w, &l);
    return start(w);
}

static bool watch_on(Watch *w)
{
    bool good = go_on(w);

    while (good && !ended) {
        rest();
        look_after(w);
        if (!ended && changed(w))
            good = go_on(w);
    }
    stop(w);
    return good;
}

/* The folder with what is in it. */
static void clear_folder(Arena *a, const char *folder)
{
    DIR *d = opendir(folder);

    for (struct dirent *e; d && (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            unlink(arena_printf(a, "%s/%s", folder, e->d_name));
    if (d)
        closedir(d);
    folder_end(folder);
}

static int watch(Args *a)
{
    const char *own = option_marked(a, OPTION_train);
    Watch w = {.args = a};

    if (!strcmp(a->word.at[0], "-"))
        return cli_usage(a, "standard input is not saved again");
    if (own)
        return cli_usage(a, "'--%s' belongs to 'nncc train'", own);
    w.folder = folder_begin(a->arena, "checkpoints");
    if (!w.folder)
        return EXIT_FAILURE;
    w.last = arena_printf(a->arena, "%s/last.safetensors", w.folder);
    w.carried = arena_printf(a->arena, "%s/carried.safetensors", w.folder);
    w.seen = mark_files(&w);
    on_endings(end);
    bool good = watch_on(&w);
    clear_folder(a->arena, w.folder);
    if (w.load.arena)
        arena_free(w.load.arena);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

const Command command_watch = {
    .name = "watch",
    .usage =
        "watch MODEL.nn --data=FILE|--text=FILE [options] [--SETTING=VALUE]…",
    .about = "Trains as 'nncc train' does, with its options, and whenever the "
             "model is saved\nchecks it, carries over what is trained by names "
             "and shapes, and goes on with it.\nSIGINT ends it: --save is "
             "written then, too.",
    .option = train_options,
    .settings = true,
    .most = 1,
    .run = watch,
};
