/* fmt_tokens.h: what the formatter works on: tokens, their brackets matched,
 * comments beside them. Only fmt*.c include it. */
#ifndef NNCC_FMT_TOKENS_H
#define NNCC_FMT_TOKENS_H

#include "nn.tab.h"
#include "syntax/ast_build.h"

typedef struct Comment {
    const char *s;
    int n;
    bool own;   /* it begins its line */
    bool blank; /* after an empty line */
} Comment;

typedef struct Tok {
    int kind; /* as the parser has it; YYEOF after the last */
    const char *s;
    int n;
    int end;      /* of an opening bracket: the one that closes it; of an 'if':
                     what follows the whole of it, once asked for */
    bool newline; /* begins a line, or its comments do */
    bool blank;   /* after an empty line, and its comments */
    int comment, ncomment; /* those before it */
} Tok;

typedef struct Toks {
    Tok *at;
    int n; /* without the last, which is YYEOF */
    Comment *comment;
    int ncomment;
} Toks;

/* False after messages. */
bool toks_read(Arena *a, Diags *d, const Source *source, Toks *to);
/* The same program with the same comments, commas before brackets aside. */
bool toks_same(const Toks *x, const Toks *y);

/* How loosely an operator between two operands binds; 0: is none. '^' is none
 * here: a power is never taken apart. */
enum { LOOSEST = 1, TIGHTEST = 6 };
int tok_level(int kind);
/* What follows the operand or expression that begins at i. */
int toks_operand(const Toks *t, int i);
int toks_expr(const Toks *t, int i);
/* What follows an 'if' with all its 'else's. */
int toks_if(const Toks *t, int i);
/* The first token of the kind from i on, before j, in no bracket; or j. */
int toks_find(const Toks *t, int i, int j, int kind);

#endif
