/* notation.c: plain text, TeX, MathML and the language. */
#include "show/notation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Is v π, or twice that, as far as its type has it: 1, 2; else 0. */
static int times_pi(double v)
{
    const double pi = 3.14159265358979323846;
    for (int k = 1; k <= 2; k++)
        if (v == k * pi || v == (double)(float)(k * pi))
            return k;
    return 0;
}

/* Plain text */

static void text_number(const Form *f, Str *to)
{
    if (signbit(f->number) && !isnan(f->number))
        str_printf(to, "−");
    if (isinf(f->number))
        str_printf(to, "∞");
    else if (isnan(f->number))
        str_printf(to, "NaN");
    else if (times_pi(fabs(f->number)))
        str_printf(to, times_pi(fabs(f->number)) == 2 ? "2π" : "π");
    else
        write_digits(fabs(f->number), is_short(f->number), to);
}

static void text_word(const Shown *s, Str *to)
{
    str_printf(to, "%s", s->text);
}

/* Letters that stand below or above the line, each behind its plain one. */
static const char *const below[] = {
    "0₀", "1₁", "2₂", "3₃", "4₄", "5₅", "6₆", "7₇", "8₈", "9₉", "iᵢ", "jⱼ",
    "kₖ", "lₗ", "pₚ", "rᵣ", "sₛ", "uᵤ", "vᵥ", "tₜ", "mₘ", "nₙ", "+₊", NULL,
};
static const char *const above[] = {
    "0⁰", "1¹", "2²", "3³", "4⁴", "5⁵", "6⁶", "7⁷", "8⁸", "9⁹", "+⁺", "-⁻",
    "(⁽", ")⁾", "tᵗ", "nⁿ", "iⁱ", "kᵏ", "mᵐ", "jʲ", "sˢ", "bᵇ", "hʰ", NULL,
};

static const char *raised(const char *const *table, char c)
{
    for (int i = 0; table[i]; i++)
        if (table[i][0] == c)
            return table[i] + 1;
    return NULL;
}

/* text below or above the line; false: there are no such letters. */
static bool raise(const char *const *table, const char *text, Str *to)
{
    for (const char *c = text; *c; c++)
        if (!raised(table, *c))
            return false;
    for (const char *c = text; *c; c++)
        str_printf(to, "%s", raised(table, *c));
    return true;
}

/* "v₃", "v̄₂→₄": the mark is a letter that stands above the one before. */
static void text_row(const Form *f, const char *mark, Str *to)
{
    str_printf(to, "v%s", mark);
    raise(below, arena_printf(to->arena, "%d", f->row), to);
    if (!f->through)
        return;
    str_printf(to, "→");
    raise(below, arena_printf(to->arena, "%d", f->through), to);
}

/* The last part of "net.hidden.W" has the mark, behind its first letter. */
static void text_name(const Form *f, Str *to)
{
    static const char *const marks[] = {"", "̇", "̄"};
    const char *mark = marks[f->mark];
    if (!f->name) {
        text_row(f, mark, to);
        return;
    }
    const char *dot = strrchr(f->name, '.');
    int before = dot ? (int)(dot + 2 - f->name) : 1;
    str_printf(to, "%.*s%s%s", before, f->name, mark, f->name + before);
}

/* Indices of one letter each. */
static bool text_lower(const Form *f, Str *to)
{
    Str index = str_new(to->arena);
    if (f->arg[0]->kind == FORM_at)
        return false;
    str_printf(&index, "%s", "");
    for (int i = 1; i < f->narg; i++) {
        const Form *x = f->arg[i];
        if (x->kind != FORM_name || !x->name || strlen(x->name) != 1)
            return false;
        str_printf(&index, "%s", x->name);
    }
    return raise(below, index.at, to);
}

static void text_power(const Notation *n, const Form *f, Str *to)
{
    Str e = str_new(to->arena);
    const Form *x = f->arg[1];
    write_form(n, f->arg[0], PREC_postfix, to);
    bool whole = x->kind == FORM_number && fabs(x->number) < 1e6 &&
                 x->number == floor(x->number);
    if (whole) {
        str_printf(&e, "%.0f", x->number);
        raise(above, e.at, to);
    } else {
        str_printf(to, "^");
        write_form(n, x, PREC_whole, to);
    }
}

/* Without blanks. */
static void plain(const Notation *n, const Form *f, Str *to)
{
    Str s = str_new(to->arena);
    write_form(n, f, PREC_all, &s);
    for (const char *c = s.at; *c; c++)
        if (*c != ' ')
            str_add(to, c, 1);
}

static void text_lift(const Notation *n, const Form *f, Str *to)
{
    Str step = str_new(to->arena);
    write_form(n, f->arg[0], PREC_postfix, to);
    plain(n, f->arg[1], &step);
    const char *all = arena_printf(to->arena, "(%s)", step.at);
    if (!raise(above, all, to))
        str_printf(to, "^%s", all);
}

/* Σᵢ; Σ[i < k: c] where there is more to say. */
static void text_over(const Notation *n, const Form *f, Str *to)
{
    Str index = str_new(to->arena);
    bool plain = !f->conditional;
    n->word(f->shown, to);
    str_printf(&index, "%s", "");
    for (int i = 0; i < f->nvar; i++) {
        plain = plain && f->arg[2 * i + 1]->implied;
        str_printf(&index, "%s", f->arg[2 * i]->name);
    }
    if (!plain || !raise(below, index.at, to)) {
        for (int i = 0; i < f->nvar; i++) {
            const Form *bound = f->arg[2 * i + 1];
            str_printf(to, "%s%s", i ? ", " : "[", f->arg[2 * i]->name);
            str_printf(to, bound->implied ? "" : " < ");
            if (!bound->implied)
                write_form(n, bound, PREC_all, to);
        }
        str_printf(to, f->conditional ? ": " : "");
        if (f->conditional)
            write_form(n, f->arg[f->narg - 2], PREC_all, to);
        str_printf(to, "]");
    }
    str_printf(to, " ");
    write_form(n, f->arg[f->narg - 1], PREC_product, to);
}

const Notation notation_text = {
    .paren = {"(", "", ")"},
    .fraction = {"", " / ", ""},
    .power = {"", "^", ""},
    .list = {"[", "", "]"},
    .plus = " + ",
    .minus = " − ",
    .negative = "−",
    .times = "·",
    .elementwise = " ∘ ",
    .juxtaposed = " ",
    .comma = ", ",
    .begin = "",
    .between = " = ",
    .end = "\n",
    .indent = "  ",
    .root = {"√(", "", ")"},
    .bars = {"|", "", "|"},
    .floor = {"⌊", "", "⌋"},
    .ceil = {"⌈", "", "⌉"},
    .transpose = {"", "", "ᵀ"},
    .and_ = " ∧ ",
    .or_ = " ∨ ",
    .not_ = "¬",
    .mod = " mod ",
    .at = {"", "[", "]"},
    .cases = {"{", " if ", ", else ", "}"},
    .partial = {"∂", "∂²", "/∂", "", "²", "∂", ""},
    .steps = {"for ", " = 0 … ", " = ", " − 1", " − 1 … 0", ", until ", ":"},
    .name = text_name,
    .number = text_number,
    .word = text_word,
    .over = text_over,
    .raise = text_power,
    .lift = text_lift,
    .lower = text_lower,
};

/* TeX */

/* A letter is italic, what follows a letter and is a number stands below; the
 * rest is a word. */
static void tex_word_name(const char *name, const char *mark, Str *to)
{
    size_t tail = 1 + strspn(name + 1, "0123456789");
    if (strcmp(name, "…") == 0) {
        str_printf(to, "\\dots");
        return;
    }
    if (name[tail] == 0) {
        str_printf(to, "%s%c%s", mark, name[0], *mark ? "}" : "");
        str_printf(to, name[1] ? "_{%s}" : "%s", name + 1);
        return;
    }
    str_printf(to, "%s\\mathrm{", mark);
    for (const char *c = name; *c; c++)
        str_printf(to, *c == '_' ? "\\%c" : "%c", *c);
    str_printf(to, *mark ? "}}" : "}");
}

/* TeX takes a group of an accent alone for the accent, which may have an index
 * or a power already: {} keeps the group. */
static void tex_name(const Form *f, Str *to)
{
    static const char *const marks[] = {"", "\\dot{", "\\bar{"};
    const char *mark = marks[f->mark];
    str_printf(to, *mark ? "{}" : "");
    if (f->name) {
        tex_word_name(f->name, mark, to);
        return;
    }
    str_printf(to, *mark ? "%sv}_{%d" : "%sv_{%d", mark, f->row);
    if (f->through)
        str_printf(to, " \\to %d", f->through);
    str_printf(to, "}");
}

static void tex_number(const Form *f, Str *to)
{
    Str s = str_new(to->arena);
    if (isnan(f->number) || isinf(f->number)) {
        str_printf(to, isnan(f->number) ? "\\mathrm{NaN}"
                       : f->number < 0  ? "-\\infty"
                                        : "\\infty");
        return;
    }
    if (times_pi(fabs(f->number))) {
        str_printf(to, "%s%s", signbit(f->number) ? "-" : "",
                   times_pi(fabs(f->number)) == 2 ? "2\\pi" : "\\pi");
        return;
    }
    write_digits(f->number, is_short(f->number), &s);
    char *e = strchr(s.at, 'e');
    if (e)
        str_printf(to, "%.*s \\cdot 10^{%d}", (int)(e - s.at), s.at,
                   atoi(e + 1));
    else
        str_printf(to, "%s", s.at);
}

static void tex_word(const Shown *s, Str *to)
{
    str_printf(to, "%s", s->tex ? s->tex : "\\operatorname{");
    for (const char *c = s->tex ? "" : s->text; *c; c++)
        str_printf(to, *c == '_' ? "\\%c" : "%c", *c);
    str_printf(to, s->tex ? "" : "}");
}

static void tex_over(const Notation *n, const Form *f, Str *to)
{
    n->word(f->shown, to);
    str_printf(to, "_{");
    write_indices(n, f, ",\\,", " < ", ",\\,", to);
    str_printf(to, "} ");
    write_form(n, f->arg[f->narg - 1], PREC_product, to);
}

const Notation notation_tex = {
    .paren = {"\\left(", "", "\\right)"},
    .fraction = {"\\frac{", "}{", "}"},
    .power = {"{", "}^{", "}"},
    .list = {"\\left[", "", "\\right]"},
    .plus = " + ",
    .minus = " - ",
    .negative = "-",
    .times = " \\cdot ",
    .elementwise = " \\circ ",
    .juxtaposed = " \\, ",
    .comma = ", ",
    .begin = "",
    .between = " &= ",
    .end = " \\\\\n",
    .indent = "",
    .stacked = true,
    .root = {"\\sqrt{", "", "}"},
    .bars = {"\\left|", "", "\\right|"},
    .floor = {"\\left\\lfloor ", "", " \\right\\rfloor"},
    .ceil = {"\\left\\lceil ", "", " \\right\\rceil"},
    .transpose = {"{", "", "}^{\\top}"},
    .and_ = " \\wedge ",
    .or_ = " \\vee ",
    .not_ = "\\neg ",
    .mod = " \\bmod ",
    .at = {"{", "}_{", "}"},
    .step = {"{", "}^{(", ")}"},
    .cases = {"\\begin{cases} ", " & \\text{if } ", " \\\\ ",
              " & \\text{otherwise} \\end{cases}"},
    .partial = {"\\frac{\\partial ", "\\frac{\\partial^2 ", "}{\\partial ", "{",
                "}^2", "\\,\\partial ", "}"},
    .steps = {"&\\text{for } ", " = 0, \\dots, ", " = ", "-1", "-1, \\dots, 0",
              " \\text{ until } ", ""},
    .name = tex_name,
    .number = tex_number,
    .word = tex_word,
    .over = tex_over,
};

/* MathML */

static void html_escaped(const char *s, Str *to)
{
    for (; *s; s++)
        if (*s == '<' || *s == '>' || *s == '&')
            str_printf(to, *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : "&amp;");
        else
            str_add(to, s, 1);
}

static void html_marked(char letter, FormMark mark, Str *to)
{
    static const char *const marks[] = {"", "˙", "¯"};
    if (mark == MARK_none)
        str_printf(to, "<mi>%c</mi>", letter);
    else
        str_printf(to, "<mover><mi>%c</mi><mo>%s</mo></mover>", letter,
                   marks[mark]);
}

static void html_row(const Form *f, Str *to)
{
    str_printf(to, "<msub>");
    html_marked('v', f->mark, to);
    if (f->through)
        str_printf(to, "<mrow><mn>%d</mn><mo>→</mo><mn>%d</mn></mrow>", f->row,
                   f->through);
    else
        str_printf(to, "<mn>%d</mn>", f->row);
    str_printf(to, "</msub>");
}

static void html_name(const Form *f, Str *to)
{
    const char *name = f->name;
    size_t tail = name ? 1 + strspn(name + 1, "0123456789") : 0;
    if (!name) {
        html_row(f, to);
    } else if (name[1] && name[tail] == 0) {
        str_printf(to, "<msub>");
        html_marked(name[0], f->mark, to);
        str_printf(to, "<mn>%s</mn></msub>", name + 1);
    } else if (f->mark == MARK_none) {
        str_printf(to, "<mi>%s</mi>", name);
    } else {
        str_printf(to, "<mover><mi>%s</mi><mo>%s</mo></mover>", name,
                   f->mark == MARK_dot ? "˙" : "¯");
    }
}

static void html_number(const Form *f, Str *to)
{
    Str s = str_new(to->arena);
    text_number(f, &s);
    str_printf(to, "<mn>%s</mn>", s.at);
}

static void html_word(const Shown *s, Str *to)
{
    bool sign = s->kind == FORM_compare;
    str_printf(to, sign ? "<mo>" : "<mi>");
    html_escaped(s->text, to);
    str_printf(to, sign ? "</mo>" : "</mi>");
}

static void html_over(const Notation *n, const Form *f, Str *to)
{
    str_printf(to, "<munder><mo>%s</mo><mrow>", f->shown->text);
    write_indices(n, f, "<mo>,</mo>", "<mo>&lt;</mo>", "<mo>,</mo>", to);
    str_printf(to, "</mrow></munder>");
    write_form(n, f->arg[f->narg - 1], PREC_product, to);
}

const Notation notation_html = {
    .paren = {"<mrow><mo>(</mo>", "", "<mo>)</mo></mrow>"},
    .fraction = {"<mfrac><mrow>", "</mrow><mrow>", "</mrow></mfrac>"},
    .power = {"<msup><mrow>", "</mrow><mrow>", "</mrow></msup>"},
    .list = {"<mrow><mo>[</mo>", "", "<mo>]</mo></mrow>"},
    .plus = "<mo>+</mo>",
    .minus = "<mo>−</mo>",
    .negative = "<mo>−</mo>",
    .times = "<mo>·</mo>",
    .elementwise = "<mo>∘</mo>",
    .juxtaposed = "<mspace width=\"0.2em\"/>",
    .comma = "<mo>,</mo>",
    .begin = "<p><math display=\"block\"><mrow>",
    .between = "<mo>=</mo>",
    .end = "</mrow></math></p>\n",
    .indent = "",
    .stacked = true,
    .root = {"<msqrt><mrow>", "", "</mrow></msqrt>"},
    .bars = {"<mrow><mo>|</mo>", "", "<mo>|</mo></mrow>"},
    .floor = {"<mrow><mo>⌊</mo>", "", "<mo>⌋</mo></mrow>"},
    .ceil = {"<mrow><mo>⌈</mo>", "", "<mo>⌉</mo></mrow>"},
    .transpose = {"<msup><mrow>", "", "</mrow><mo>⊤</mo></msup>"},
    .and_ = "<mo>∧</mo>",
    .or_ = "<mo>∨</mo>",
    .not_ = "<mo>¬</mo>",
    .mod = "<mo>mod</mo>",
    .at = {"<msub><mrow>", "</mrow><mrow>", "</mrow></msub>"},
    .step = {"<msup><mrow>", "</mrow><mrow><mo>(</mo>",
             "<mo>)</mo></mrow></msup>"},
    .cases = {"<mrow><mo>{</mo><mtable><mtr><mtd>",
              "</mtd><mtd><mtext>if </mtext>", "</mtd></mtr><mtr><mtd>",
              "</mtd><mtd><mtext>otherwise</mtext></mtd></mtr></mtable>"
              "</mrow>"},
    .partial = {"<mfrac><mrow><mo>∂</mo>",
                "<mfrac><mrow><msup><mo>∂</mo><mn>2</mn></msup>",
                "</mrow><mrow><mo>∂</mo>", "<msup><mrow>",
                "</mrow><mn>2</mn></msup>", "<mo>∂</mo>", "</mrow></mfrac>"},
    .steps = {"<mtext>for </mtext>", "<mo>=</mo><mn>0</mn><mo>…</mo>",
              "<mo>=</mo>", "<mo>−</mo><mn>1</mn>",
              "<mo>−</mo><mn>1</mn><mo>…</mo><mn>0</mn>",
              "<mtext>, until </mtext>", ""},
    .name = html_name,
    .number = html_number,
    .word = html_word,
    .over = html_over,
};

/* The language */

static void nn_name(const Form *f, Str *to)
{
    for (const char *name = f->name; *name; name++)
        str_printf(to, "%c", *name == '.' ? '_' : *name);
}

static void nn_number(const Form *f, Str *to)
{
    Str s = str_new(to->arena);
    double v = f->number;
    if (isnan(v) || isinf(v)) {
        str_printf(to, isnan(v) ? "nan" : v < 0 ? "-inf" : "inf");
        return;
    }
    if (f->integer) {
        str_printf(to, "%.0f", v);
        return;
    }
    write_digits(v, f->f32, &s);
    str_printf(to, strpbrk(s.at, ".e") ? "%s" : "%s.0", s.at);
}

static void nn_word(const Shown *s, Str *to)
{
    str_printf(to, "%s", s->nn ? s->nn : s->text);
}

static void nn_over(const Notation *n, const Form *f, Str *to)
{
    n->word(f->shown, to);
    str_printf(to, "(");
    write_indices(n, f, ", ", " < ", " | if ", to);
    str_printf(to, f->conditional ? " { " : " | ");
    write_form(n, f->arg[f->narg - 1], PREC_all, to);
    str_printf(to, !f->conditional ? ")"
                   : f->integer    ? " } else { 0 })"
                                   : " } else { 0.0 })");
}

const Notation notation_nn = {
    .paren = {"(", "", ")"},
    .fraction = {"", " / ", ""},
    .power = {"", "^", ""},
    .list = {"[", "", "]"},
    .plus = " + ",
    .minus = " - ",
    .negative = "-",
    .times = " * ",
    .elementwise = " * ",
    .juxtaposed = " @ ",
    .comma = ", ",
    .begin = "  let ",
    .between = " = ",
    .end = ";\n",
    .indent = "  ",
    .program = true,
    .transpose = {"", "", "'"},
    .and_ = " && ",
    .or_ = " || ",
    .not_ = "!",
    .mod = " % ",
    .at = {"", "[", "]"},
    .name = nn_name,
    .number = nn_number,
    .word = nn_word,
    .over = nn_over,
};
