/* plot.c: charts as SVG. */

#include "cli/plot.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { WIDTH = 640, HEIGHT = 300, LEFT = 64, RIGHT = 150, TOP = 28, FOOT = 40 };
enum { CURVES = 12, TICKS = 6 };

static const char *const colour[CURVES] = {
    "#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2",
    "#be185d", "#4d7c0f", "#334155", "#ea580c", "#0d9488", "#9333ea"};

typedef struct Axis {
    double low, high;
    bool log;
} Axis;

typedef struct Chart {
    const Records *records;
    int curve[CURVES]; /* which numbers of a record */
    int n;
    Axis x, y;
    double top; /* where it stands in its file */
    Str *to;
} Chart;

void html_text(const char *text, Str *to)
{
    for (; *text; text++)
        if (*text == '<')
            str_printf(to, "&lt;");
        else if (*text == '&')
            str_printf(to, "&amp;");
        else if (*text == '"')
            str_printf(to, "&quot;");
        else if ((unsigned char)*text >= ' ' || *text == '\n' || *text == '\t')
            str_add(to, text, 1);
}

/* Axes */

/* 1, 2 or 5 times a power of ten: about so many steps in the range. */
static double tick_step(double range)
{
    double rough = range / TICKS, ten = pow(10, floor(log10(rough)));
    double times = rough / ten;

    return ten * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

static double place(const Axis *a, double v)
{
    if (a->log)
        return (log10(v) - log10(a->low)) / (log10(a->high) - log10(a->low));
    return (v - a->low) / (a->high - a->low);
}

static double x_place(const Chart *c, double v)
{
    return LEFT + place(&c->x, v) * (WIDTH - LEFT - RIGHT);
}

static double y_place(const Chart *c, double v)
{
    return HEIGHT - FOOT - place(&c->y, v) * (HEIGHT - TOP - FOOT);
}

/* Around all values, to whole steps. */
static void round_out(Axis *a)
{
    if (a->log) {
        a->low = pow(10, floor(log10(a->low)));
        a->high = pow(10, ceil(log10(a->high)));
        return;
    }
    if (a->high <= a->low) {
        double some = a->low != 0 ? fabs(a->low) / 2 : 1;
        a->low -= some;
        a->high += some;
    }
    double step = tick_step(a->high - a->low);
    a->low = floor(a->low / step) * step;
    a->high = ceil(a->high / step) * step;
}

static double value(const Chart *c, int record, int curve)
{
    return c->records->at[record].at[c->curve[curve]].value;
}

static void find_axes(Chart *c)
{
    const Records *r = c->records;

    c->y = (Axis){DBL_MAX, -DBL_MAX, false};
    for (int i = 0; i < r->n; i++)
        for (int k = 0; k < c->n; k++) {
            double v = value(c, i, k);
            c->y.low = isfinite(v) && v < c->y.low ? v : c->y.low;
            c->y.high = isfinite(v) && v > c->y.high ? v : c->y.high;
        }
    c->y.log = c->y.low > 0 && c->y.high / c->y.low > 50;
    round_out(&c->y);
    c->x = (Axis){(double)r->at[0].step, (double)r->at[r->n - 1].step, false};
    if (c->x.high <= c->x.low)
        c->x.low = c->x.high - 1;
}

static void y_tick(const Chart *c, double v)
{
    double y = y_place(c, v);

    str_printf(c->to,
               "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" "
               "stroke=\"#ddd\"/><text x=\"%d\" y=\"%.1f\" "
               "text-anchor=\"end\">%.4g</text>\n",
               LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, v);
}

static void draw_axes(const Chart *c)
{
    double step = tick_step(c->y.high - c->y.low);

    if (c->y.log) {
        double decades = log10(c->y.high / c->y.low);
        double times = pow(10, ceil(decades / TICKS));
        for (double v = c->y.low; v <= c->y.high * 1.001; v *= times)
            y_tick(c, v);
    } else {
        for (int i = 0; c->y.low + i * step <= c->y.high + step / 2; i++) {
            double v = c->y.low + i * step;
            y_tick(c, fabs(v) < step / 1e6 ? 0 : v);
        }
    }
    step = tick_step(c->x.high - c->x.low);
    step = step < 1 ? 1 : step;
    for (double v = ceil(c->x.low / step) * step; v <= c->x.high; v += step)
        str_printf(c->to,
                   "<text x=\"%.1f\" y=\"%d\" "
                   "text-anchor=\"middle\">%.0f</text>\n",
                   x_place(c, v), HEIGHT - FOOT + 16, v);
    str_printf(c->to,
               "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">step</text>\n",
               (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6);
}

/* Curves */

static void draw_curve(const Chart *c, int k)
{
    const Records *r = c->records;
    int points = 0;
    double x = 0, y = 0;

    str_printf(c->to,
               "<polyline fill=\"none\" stroke=\"%s\" "
               "stroke-width=\"1.5\" points=\"",
               colour[k]);
    for (int i = 0; i < r->n; i++) {
        double v = value(c, i, k);
        if (!isfinite(v))
            continue;
        x = x_place(c, (double)r->at[i].step);
        y = y_place(c, v);
        str_printf(c->to, "%s%.1f,%.1f", points++ ? " " : "", x, y);
    }
    str_printf(c->to, "\"/>\n");
    if (points == 1)
        str_printf(c->to,
                   "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", x,
                   y, colour[k]);
    str_printf(c->to, "<text x=\"%d\" y=\"%d\" fill=\"%s\">", WIDTH - RIGHT + 8,
               TOP + 12 + 16 * k, colour[k]);
    html_text(r->at[0].at[c->curve[k]].name, c->to);
    str_printf(c->to, "</text>\n");
}

static bool is_known(const Records *r, int number)
{
    for (int i = 0; i < r->n; i++)
        if (isfinite(r->at[i].at[number].value))
            return true;
    return false;
}

static void draw(const Records *r, const char *title,
                 bool (*wanted)(const char *name), double top, Str *to)
{
    Chart c = {.records = r, .to = to};

    for (int i = 0; r->n && i < r->at[0].n && c.n < CURVES; i++)
        if (wanted(r->at[0].at[i].name) && is_known(r, i))
            c.curve[c.n++] = i;
    if (!c.n)
        return;
    find_axes(&c);
    str_printf(to,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" y=\"%g\" "
               "width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
               "font-family=\"sans-serif\" font-size=\"11\">\n"
               "<text x=\"%d\" y=\"16\" font-weight=\"bold\">%s</text>\n",
               top, WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT, title);
    draw_axes(&c);
    for (int k = 0; k < c.n; k++)
        draw_curve(&c, k);
    str_printf(to, "</svg>\n");
}

/* Charts */

/* What a number of rows held out is called without that; "": it is of others.
 */
static const char *of_held(const char *name)
{
    return !strncmp(name, "test_", 5)          ? name + 5
           : !strncmp(name, "validation_", 11) ? name + 11
                                               : "";
}

static bool is_loss(const char *name)
{
    return !strcmp(name, "loss") || !strcmp(of_held(name), "loss") ||
           !strcmp(name, "batch_loss");
}

static bool is_metric(const char *name)
{
    return *of_held(name) && !is_loss(name);
}

static bool is_value(const char *name) { return !strncmp(name, "norm.", 5); }
static bool is_output(const char *name)
{
    return !strncmp(name, "activation.", 11);
}
static bool is_gradient(const char *name)
{
    return !strncmp(name, "gradient.", 9);
}
static bool is_update(const char *name) { return !strncmp(name, "update.", 7); }

static const struct {
    const char *title;
    bool (*wanted)(const char *name);
} charts[] = {
    {"loss", is_loss},
    {"metrics of rows held out", is_metric},
    {"norms of what is trained", is_value},
    {"activations, root mean square", is_output},
    {"norms of gradients", is_gradient},
    {"norms of updates", is_update},
};
enum { NCHART = sizeof charts / sizeof *charts };

void plot_all(const Records *r, Str *to)
{
    for (int i = 0; i < NCHART; i++)
        draw(r, charts[i].title, charts[i].wanted, 0, to);
}

void plot_file(const Records *r, Str *to)
{
    Str all = str_new(to->arena);
    int n = 0;

    for (int i = 0; i < NCHART; i++) {
        size_t before = all.n;
        draw(r, charts[i].title, charts[i].wanted, n * HEIGHT, &all);
        n += all.n > before;
    }
    str_printf(to,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
               "height=\"%d\">\n<rect width=\"100%%\" height=\"100%%\" "
               "fill=\"white\"/>\n%s</svg>\n",
               WIDTH, n ? n * HEIGHT : HEIGHT, all.n ? all.at : "");
}
