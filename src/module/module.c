/* module.c: modes of differentiation; bounds of a function's dimensions; what C
 * would not take as a name. */

#include "module/module.h"

#include <string.h>

const DerivMode deriv_modes[NDERIVS] = {
    [DERIV_grad] = {.name = "grad", .result = "d_%s", .scalar = true},
    [DERIV_value_and_grad] = {.name = "value_and_grad",
                              .result = "d_%s",
                              .value = true,
                              .scalar = true},
    [DERIV_jvp] = {.name = "jvp",
                   .result = "%s_dot",
                   .whole = true,
                   .value = true,
                   .tangent = "%s_dot"},
    [DERIV_vjp] = {.name = "vjp",
                   .result = "%s_bar",
                   .value = true,
                   .adjoint = "y_bar"},
    [DERIV_jacobian] = {.name = "jacobian", .result = "jac_%s", .matrix = true},
    [DERIV_hessian] = {.name = "hessian",
                       .result = "hess_%s",
                       .matrix = true,
                       .scalar = true,
                       .second = true},
    [DERIV_hvp] = {.name = "hvp",
                   .result = "hv_%s",
                   .scalar = true,
                   .second = true,
                   .tangent = "v_%s",
                   .only_tangent = "v"},
    [DERIV_sparse_jacobian] = {.name = "sparse_jacobian",
                               .result = "jac_%s",
                               .sparse = true},
    [DERIV_sparse_hessian] = {.name = "sparse_hessian",
                              .result = "hess_%s",
                              .sparse = true,
                              .scalar = true,
                              .second = true},
};

DerivKind deriv_named(const char *name)
{
    for (DerivKind k = DERIV_none + 1; k < NDERIVS; k++)
        if (strcmp(deriv_modes[k].name, name) == 0)
            return k;
    return DERIV_none;
}

static void add_leaves(Arena *a, int n, const Port *p, Nodes *to)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < p[i].nleaf; j++)
            list_push(a, to, p[i].leaf[j]);
}

Nodes function_inputs(Arena *a, const Function *f)
{
    Nodes input = {0};
    add_leaves(a, f->nparam, f->param, &input);
    return input;
}

Nodes functions_roots(Arena *a, Function *const *f, int n)
{
    Nodes root = {0};
    for (int i = 0; i < n; i++)
        add_leaves(a, f[i]->nresult, f[i]->result, &root);
    return root;
}

bool function_bound(const Function *f, const Dim *d, int64_t *most)
{
    *most = dim_ends(d, f->var_max ? f->nvar : 0, f->var, f->var_max).hi;
    return *most < INT64_MAX;
}

const char *deriv_text(Arena *a, const char *mode, const char *of,
                       const Function *f, int nby, const int *by)
{
    Str s = str_new(a);
    str_printf(&s, "%s(%s", mode, of);
    for (int i = 0; i < nby; i++)
        str_printf(&s, ", %s", f->param[by[i]].name);
    str_printf(&s, ")");
    return s.at;
}

Function *module_function(const Module *m, const char *name)
{
    for (int i = 0; i < m->function.n; i++)
        if (strcmp(m->function.at[i]->name, name) == 0)
            return m->function.at[i];
    return NULL;
}

int ports_named(const Port *p, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(p[i].name, name) == 0)
            return i;
    return -1;
}

bool function_overwrites(const Function *f, int i)
{
    for (int k = 0; k < f->nresult; k++)
        if (f->result[k].in_place == i)
            return true;
    return false;
}

bool function_takes_data(const Function *f, int i)
{
    const Port *p = &f->param[i];

    return p->type->kind == TY_tensor && p->leaf[0]->rank > 0 &&
           !function_overwrites(f, i);
}

int ports_leaves(const Port *p, int n)
{
    int leaves = 0;
    for (int i = 0; i < n; i++)
        leaves += p[i].nleaf;
    return leaves;
}

bool port_uses(const Port *p, const Dim *var)
{
    for (int k = 0; k < p->nleaf; k++)
        for (int d = 0; d < p->leaf[k]->rank; d++)
            if (dim_uses(p->leaf[k]->dim[d], var))
                return true;
    return false;
}

static bool ports_use(const Port *p, int n, const Dim *var)
{
    for (int i = 0; i < n; i++)
        if (port_uses(&p[i], var))
            return true;
    return false;
}

bool function_takes_size(const Function *f, int i)
{
    return ports_use(f->param, f->nparam, f->var[i]);
}

bool function_has_size(const Function *f, int i)
{
    return function_takes_size(f, i) ||
           ports_use(f->result, f->nresult, f->var[i]);
}

bool name_is_keyword(const char *name)
{
    static const char *const word[] = {
        "alignas",  "alignof",  "asm",      "auto",      "bool",   "break",
        "case",     "catch",    "char",     "class",     "const",  "constexpr",
        "continue", "decltype", "default",  "delete",    "do",     "double",
        "else",     "enum",     "explicit", "export",    "extern", "false",
        "float",    "for",      "friend",   "goto",      "if",     "inline",
        "int",      "long",     "mutable",  "namespace", "new",    "noexcept",
        "nullptr",  "operator", "private",  "protected", "public", "register",
        "restrict", "return",   "short",    "signed",    "sizeof", "static",
        "struct",   "switch",   "template", "this",      "throw",  "true",
        "try",      "typedef",  "typeid",   "typename",  "union",  "unsigned",
        "using",    "virtual",  "void",     "volatile",  "while",
    };
    size_t n = sizeof word / sizeof *word;

    for (size_t i = 0; i < n; i++)
        if (strcmp(word[i], name) == 0)
            return true;
    return false;
}
