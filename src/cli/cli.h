/* cli.h: what the commands share.
 *
 * Exit statuses: 0; 1, the input or the machine is at fault; 2, the command
 * line is. Messages go to stderr and begin with "nncc:" or a place in a
 * file. */
#ifndef NNCC_CLI_H
#define NNCC_CLI_H

#include "check/check.h"
#include "emit/emit.h"
#include "nn.h"
#include "syntax/ast.h"

enum {
    EXIT_USAGE = 2,
    TYPICAL_SIZE = 64, /* what dimensions that nobody gives are taken for */
};

/* options.c: the command line */

typedef struct Option {
    const char *name; /* without the dashes */
    int marks;        /* its letter, if it has one, and of the following */
    const char *meta; /* of its value: "N=V"; NULL: a flag */
    const char *help; /* NULL: another's has it */
} Option;
enum {
    OPTION_first = 1 << 8,    /* of several processes only the first does it */
    OPTION_train = 1 << 9,    /* of nncc train, not of nncc watch */
    OPTION_options = 1 << 10, /* where options are, and no such itself */
    OPTION_once = 1 << 11,    /* of one run, not of all with these settings */
};

/* Which options a command takes together. Lists are names with spaces between;
 * those that the command lacks are nobody's. */
typedef struct OptionRule {
    enum {
        RULE_one,     /* at most one of these */
        RULE_needs,   /* each of these with one of those */
        RULE_without, /* none of these with any of those */
    } kind;
    const char *of, *with; /* these and those */
    const char *why;       /* they do not go together; or NULL */
} OptionRule;

/* Is text[0 … n-1] that name? '-' and '_' are the same. */
bool option_is(const char *name, const char *text, size_t n);

typedef struct Given {
    const char *name, *value;
} Given;

typedef struct Args Args;

typedef struct Command {
    const char *name; /* "" is nncc itself */
    const char *usage, *about;
    const Option *option;   /* ends with a row of NULL */
    const OptionRule *rule; /* likewise; or NULL */
    bool settings; /* options that are not listed are settings, --name=value */
    int least, most; /* words: the model, a function, …; 0: 1, any number */
    int (*run)(Args *a);
} Command;

struct Args {
    Arena *arena;
    const Command *command;
    LIST(Given) given;       /* options, in order; a flag's value is "" */
    LIST(Given) setting;     /* where the command takes such */
    LIST(const char *) word; /* what is no option */
    char *input; /* the model that was on standard input, or NULL: it can be */
    size_t ninput; /* read once only */
};

/* Options that all commands which read a model have. */
#define MODEL_OPTIONS                                                          \
    {"dim", 0, "NAME=SIZE", "fix a dimension of the model"},                   \
        {"real", 0, "f32|f64", "what 'real' is (f32)"},                        \
        {"no-simplify", 0, NULL, "values are computed as they are written"}

/* Of those that call functions: how many threads do, for a while or for ever.
 */
#define THREADS_OPTION                                                         \
    {"threads", 0, "N", "that work at once; 0: one for each processor (1)"}
/* Each is false after a message. */
bool threads_option(const Args *a, int *to);
bool threads_use(const Args *a, nncc_model *m);

/* False after a message about the command line. */
bool options_parse(Args *a, int argc, char **argv);
void options_help(const Command *c, FILE *to);
char option_letter(const Option *o); /* or 0 */
/* The last value given, or NULL. */
const char *option_value(const Args *a, const char *name);
/* One that is given and has that mark, or NULL. */
const char *option_marked(const Args *a, int mark);
/* The first of the command's that is given and in the list, or NULL. */
const char *option_among(const Args *a, const char *names);
/* Are those given as the rules want them; a status to exit with. */
int options_agree(const Args *a, const OptionRule *r);
/* Has the command's option of that name the mark? */
bool option_has(const Command *c, const char *name, int mark);
/* Each in turn of one that may be given several times: *at is 0 at first. NULL:
 * no more. */
const char *option_next(const Args *a, const char *name, int *at);
bool option_int(const Args *a, const char *name, int64_t least, int64_t *out);
/* The same of a text that the option has somewhere; NULL: nothing is said. */
bool cli_int(const Args *a, const char *name, const char *text, int64_t least,
             int64_t *out);
/* NAME=VALUE, of an option or a word: the name, and where its value begins.
 * NULL where no name and '=' are there, the value being the whole text. */
const char *cli_name(Arena *a, const char *text, const char **value);
/* What `text` gives for that name; NULL: it is another's. */
const char *cli_value_of(const char *text, const char *name);
/* Is all of the text a real number, or an integer? */
bool cli_is_real(const char *text, double *v);
bool cli_is_int(const char *text, int64_t *v);
/* Messages; they give EXIT_USAGE and EXIT_FAILURE. */
int cli_usage(const Args *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int cli_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool cli_failed(void); /* why the last call of libnn failed; false */
/* Which of n words the text is, to *out; NULL: nothing is said, and nothing
 * done. A status to exit with. */
int cli_choice(const Args *a, const char *name, const char *text,
               const char *const *word, int n, int *out);
/* Behind the last dot of the file's name, or "". */
const char *cli_extension(const char *path);
/* Which of n words a file's name ends in, unless --as says which. A status to
 * exit with. */
int cli_format(const Args *a, const char *path, const char *const *word, int n,
               int *out);
/* " (did you mean 'x'?)" or "". */
const char *cli_suggest(Arena *a, const char *name, const char *const *among,
                        int n);
/* "f has no parameter 'z'; it has x, y"; EXIT_FAILURE. */
int cli_unknown(Arena *a, const char *of, const char *what, const char *name,
                const char *const *among, int n);

/* file.c: reading and writing files */

/* "no such file or directory": an errno as the end of a message. */
const char *file_error(Arena *a, int error);
/* The whole file, NUL-terminated, "-" being standard input; NULL after a
 * message. */
char *file_read(Arena *a, const char *path, size_t limit, size_t *n);

/* A file being written. What is a regular file, or none yet, is replaced as a
 * whole, with its permissions kept, beside where it is (a link stays a link);
 * devices, FIFOs and "-", standard output, get the bytes at the end. What is
 * unfinished leaves nothing, nor does a signal that ends the program. */
typedef struct NewFile {
    const char *path;
    const char *temporary; /* its bytes so far, or NULL */
    FILE *to;              /* the temporary file */
    const char *at;        /* what is replaced, or NULL */
    int through;           /* what is written to instead, or -1 */
    unsigned mode;
    int error; /* why writing failed, where that is known */
} NewFile;
/* Before the work starts, so that what cannot be written is told then. mode: of
 * a new file, less the umask. False after a message. file_keep drops what could
 * not be written whole. */
bool file_begin(Arena *a, const char *path, unsigned mode, NewFile *f);
void file_put(NewFile *f, const char *bytes, size_t n);
bool file_keep(Arena *a, NewFile *f);
/* What was kept or dropped before is no more to be dropped. */
void file_drop(NewFile *f);
/* A new folder for what other programs make, taken away by folder_end when it
 * is empty, and by signals; NULL after a message. */
const char *folder_begin(Arena *a, const char *for_what);
void folder_end(const char *folder);
/* Does the name end so: ".json". */
bool file_ends(const char *path, const char *end);
/* All at once. */
bool file_write(Arena *a, const char *path, const char *bytes, size_t n);
/* To --output, or standard output; what to exit with. */
int cli_output(const Args *a, const Str *text);
/* Closes *f, if it is open, and makes it NULL: has all of it been written? */
bool stream_close(FILE **f);
/* That what was printed has arrived. */
bool cli_flush(Arena *a);
bool cli_colour(FILE *to);

/* driver.c: from a file to schedules */

typedef struct Load {
    Arena *arena;
    Diags *diags;
    Program *program;
    Module *module;
    const char *path;
    const char *dump; /* stage to print, or NULL */
    bool dump_only;   /* nothing is wanted beyond it */
    bool labels;      /* what is called how is kept: see CheckOptions */
    bool named;       /* functions are named: likewise */
    bool written;     /* the graph is as the program has it */
    bool explain;     /* tell which rules of simplification fired where */
    bool accumulates; /* see CheckOptions */
} Load;

/* Reads and checks the model that is the first word. Status 0, or what to exit
 * with; the messages are out then. */
int driver_load(Args *a, const char *path, DType real, Load *to);
/* "grad(loss, W)" for the name that a derivative is exported under; else text.
 */
const char *driver_expression(const Load *l, const char *text);
/* The exported function of that name, or what an expression denotes; NULL after
 * messages. */
Function *driver_function(const Load *l, const char *text);
/* Those named, or where there are no names all that are exported. NULL after a
 * message. */
Function **driver_functions(const Load *l, const char *const *name, int n,
                            int *count);
/* Messages recorded so far. */
void driver_diags(const Load *l);
/* requires checked functions; leaves them simplified and expanded, and gives a
 * schedule for each, or none where the dump of a stage before was all. NULL
 * after a message. */
Schedule **driver_schedule(Load *l, Function *const *f, int n);
/* The n functions as a module of this process; NULL after a message. */
Jit *driver_jit(Load *l, Function *const *f, int n);

/* value.c: values of the command line */

/* Which of the n elements from `at` on is the largest: the first such. */
int64_t tensor_largest(const nncc_tensor *t, int64_t at, int64_t n);

/* Fills the leaves of parameter p from text: a number, JSON, @file. False after
 * a message; leaves that were made are in leaf then, too. */
bool value_read(Arena *a, const nn_port *p, const char *text,
                nncc_tensor **leaf);
/* stored.c: files of arrays, by the ends of their names */
bool stored_is(const char *path);
/* As value_read, from such a file; of: what of it is meant, or NULL. */
bool stored_read(Arena *a, const nn_port *p, const char *path, const char *of,
                 nncc_tensor **leaf);
/* One result as JSON. */
void value_print(const nn_port *p, nncc_tensor *const *leaf, Str *to);
/* Element number i, in as few digits as give it back. */
void value_print_element(const nncc_tensor *t, int64_t i, Str *to);

/* the commands */

extern const Command command_bench, command_compile, command_run, command_check,
    command_train, command_eval, command_predict, command_fmt, command_diff,
    command_equal, command_cost, command_graph, command_trace, command_fit,
    command_watch;
/* Of nncc train, which nncc watch runs; the rules are also those of others that
 * read such data. */
extern const Option train_options[];
extern const OptionRule train_rules[];

#endif
