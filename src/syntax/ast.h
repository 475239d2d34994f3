/* ast.h: the program as it was written.
 *
 * Everything here lives in the arena the parser was given. Names are interned:
 * compare with ==. */
#ifndef NNCC_AST_H
#define NNCC_AST_H

#include "base/base.h"

typedef struct Expr Expr;
typedef struct TypeEx TypeEx;
typedef struct Block Block;
typedef struct Item Item;
typedef struct FnItem FnItem;

typedef enum UnaryOp { UN_neg, UN_not, UN_transpose } UnaryOp;

typedef enum BinaryOp {
    BI_add,
    BI_sub,
    BI_mul,
    BI_div,
    BI_mod,
    BI_pow,
    BI_matmul,
    BI_lt,
    BI_le,
    BI_gt,
    BI_ge,
    BI_eq,
    BI_ne,
    BI_and,
    BI_or,
} BinaryOp;

typedef enum ExprKind {
    EX_int,   /* 12 */
    EX_real,  /* 1.5e-3 */
    EX_bool,  /* true */
    EX_text,  /* "bij,bjk->bik"; its letters are name */
    EX_name,  /* x, or n.x after `use name as n` (an EX_field then) */
    EX_field, /* e.name */
    EX_part,  /* e.0 */
    EX_call,  /* e(args); x |> f(a) arrives as f(x, a) */
    EX_index, /* e[subs] */
    EX_unary,
    EX_binary,
    EX_tensor, /* [a, b] */
    EX_tuple,  /* (a, b) */
    EX_if,     /* if c { a } else { b } */
    EX_block,  /* { let …; e } */
    EX_fn,     /* fn(y) = e, fn(y: T) -> U { … } */
    EX_comp,   /* [i < n, j | e] */
    EX_reduce, /* sum(k < n | e): the checker knows what takes binders */
    EX_loop,   /* fold(t < T, h = h0 | e), scan(…) */
    EX_error,  /* where the parser recovered: a message exists already */
} ExprKind;

/* One argument of a call; name is NULL for a positional one. */
typedef struct Arg {
    const char *name;
    Span name_span;
    Expr *value;
} Arg;

/* One subscript: an index (lo only, !range) or lo:hi with either end absent; or
 * .. for a range without ends of each dimension that no other one is of. */
typedef struct Sub {
    bool range, rest;
    Expr *lo, *hi, *step;
    Span span;
} Sub;

/* i, i < n, h = h0 (loops), until = cond (name is "until"). */
typedef struct Binder {
    const char *name;
    Expr *bound; /* after '<', or NULL */
    Expr *init;  /* after '=', or NULL */
    Span span;
} Binder;

struct Expr {
    ExprKind kind;
    /* 1 + deepest operand, at most 256. A chain of binary operators along
     * `left` counts once, however long: walk it with a loop. */
    int depth;
    bool paren; /* written in parentheses, which the span takes in */
    Span span;
    union {
        int64_t integer;  /* EX_int */
        double real;      /* EX_real */
        bool boolean;     /* EX_bool */
        const char *name; /* EX_name, EX_text */
        struct {
            Expr *of;
            const char *name; /* EX_field */
            Span name_span;
            int part; /* EX_part */
        } field;
        struct {
            Expr *fn;
            Arg *arg;
            int narg;
        } call;
        struct {
            Expr *of;
            Sub *sub;
            int nsub;
        } index;
        struct {
            UnaryOp op;
            Expr *of;
        } unary;
        struct {
            BinaryOp op;
            Span op_span;
            Expr *left, *right;
        } binary;
        struct {
            Expr **at;
            int n;
        } list; /* EX_tensor, EX_tuple */
        struct {
            Expr *cond, *then, *other; /* blocks, or an EX_if as other */
        } cond;
        Block *block; /* EX_block */
        FnItem *fn;   /* EX_fn */
        struct {
            Expr *fn; /* EX_reduce, EX_loop; else NULL */
            Binder *binder;
            int nbinder;
            Expr *body;
        } comp; /* EX_comp, EX_reduce, EX_loop */
    };
};

/* A type as written: `real[b, 64]`, `Net`, `Linear[n, m]`, `AdamState[T]`,
 * `(A, B)`, `[T; n]`, `fn(real[n]) -> real`. The bracketed arguments of a name
 * are expressions; one that stands for a type is a name, or a name indexed. */
typedef enum TypeExKind { TE_name, TE_tuple, TE_stack, TE_fn } TypeExKind;

struct TypeEx {
    TypeExKind kind;
    int depth;
    Span span;
    const char *module; /* n of n.Name, or NULL */
    const char *name;   /* TE_name */
    bool has_args;      /* brackets were written */
    bool leading;       /* `..` stands first among the brackets */
    Expr **arg;         /* TE_name's brackets after any `..`; TE_stack's n */
    int narg;
    TypeEx **part; /* TE_tuple's, TE_fn's parameters; TE_stack's element */
    int npart;
    TypeEx *result; /* TE_fn */
};

/* What `let` gives names to: a value, or the parts of a tuple, (p, (q, r)). */
typedef struct Pattern Pattern;

struct Pattern {
    const char *name; /* NULL: a tuple */
    Span span;
    Pattern *part;
    int npart; /* 2 or more, as deep as brackets nest */
};

/* let pattern: type = value, or a function in a block. */
typedef struct Stmt {
    Span span;
    Pattern pattern;
    TypeEx *type; /* or NULL */
    Expr *value;  /* NULL when fn is set */
    FnItem *fn;   /* or NULL */
} Stmt;

struct Block {
    Stmt *stmt;
    int nstmt;
    Expr *value; /* never NULL; EX_error after a syntax error */
    Span span;
};

typedef struct ParamEx {
    const char *name;
    Span span;
    TypeEx *type; /* NULL only in anonymous functions */
    Expr *init;   /* default, or NULL */
} ParamEx;

/* [T] after a function's name, or [T: real]: of reals only. */
typedef struct TypeParam {
    const char *name;
    bool real;
} TypeParam;

struct FnItem {
    const char *name; /* NULL: anonymous */
    Span span, name_span;
    TypeParam *type_param;
    int ntype_param;
    ParamEx *param;
    int nparam;
    TypeEx *result; /* or NULL */
    Expr *body;     /* an expression; a block is an EX_block */
};

typedef struct FieldEx {
    const char *name;
    Span span;
    TypeEx *type;
    Expr *init;  /* after '=' or '~', or NULL */
    bool random; /* '~' */
} FieldEx;

typedef struct StructItem {
    const char *name;
    Span name_span;
    const char **param;
    Span *param_span;
    int nparam;
    FieldEx *field;
    int nfield;
} StructItem;

/* name = expr inside train { } */
typedef struct Setting {
    const char *name;
    Span span;
    Expr *value;
} Setting;

typedef enum ItemKind {
    IT_use,
    IT_const,
    IT_struct,
    IT_fn,
    IT_derivative, /* derivative f(x, …; y, y_bar) { … } */
    IT_export,
    IT_train,
} ItemKind;

struct Item {
    ItemKind kind;
    Span span;
    union {
        struct {
            const char *name, *as; /* as: or NULL */
            Span name_span;
        } use;
        struct {
            const char *name;
            Span name_span;
            TypeEx *type; /* or NULL */
            Expr *value;
        } constant;
        StructItem *structure;
        FnItem *fn;
        struct {
            FnItem *fn;     /* its parameters before the ';' */
            ParamEx *given; /* those after it: result and adjoints */
            int ngiven;
        } derivative;
        struct {
            Expr *value;    /* f, grad(f, x), init(Net) */
            const char *as; /* or NULL */
        } export;           /* `export a, b;` arrives as two items */
        struct {
            const char *loss;
            Span loss_span;
            const char *by; /* the parameter that is trained */
            Span by_span;
            const char *as; /* what it is called, or NULL: as the loss is */
            /* (net; frozen = …): what is called so, as a rule; or NULL. */
            const char *held;
            Span held_span;
            Expr **frozen;
            int nfrozen;
            Setting *setting;
            int nsetting;
        } train;
    };
};

/* walk.c: the expressions that e is made of, NULL where one is left out; a
 * chain of operators has its last one first. */
typedef void ExprSeen(void *u, const Expr *e);
void expr_each(const Expr *e, ExprSeen *see, void *u);

typedef struct Ast {
    const Source *source;
    LIST(Item *) item;
} Ast;

/* parse.c, grammar/ */

/* Parse a registered source. Errors are recorded in d; the result holds what
 * could be read and is never NULL. */
Ast *parse(Arena *a, Intern *names, Diags *d, const Source *source);
/* Parse one expression, for `nncc run model.nn 'grad(f, x)'`; NULL after an
 * error. */
Expr *parse_expression(Arena *a, Intern *names, Diags *d, const Source *source);

/* print.c */

/* The tree, one node a line, indented: --dump=ast. */
void ast_dump(const Ast *ast, FILE *to);
/* An expression or type in one line, as a person would write it, with no more
 * parentheses than needed. */
void expr_print(const Expr *e, Str *to);
void type_print(const TypeEx *t, Str *to);

#endif
