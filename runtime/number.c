/* number.c: numbers, dates and words for nothing in texts. All of it is for the
 * C locale. */
#include "nn_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool nncc_is_decimal(const char *s)
{
    size_t digits;

    s += *s == '+' || *s == '-';
    digits = strspn(s, "0123456789");
    s += digits;
    if (*s == '.') {
        size_t more = strspn(s + 1, "0123456789");
        s += 1 + more;
        digits += more;
    }
    if (digits == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '+' || *s == '-';
        digits = strspn(s, "0123456789");
        if (digits == 0)
            return false;
        s += digits;
    }
    return *s == '\0';
}

static bool is_infinite_word(const char *s)
{
    s += *s == '+' || *s == '-';
    return strcasecmp(s, "nan") == 0 || strcasecmp(s, "inf") == 0 ||
           strcasecmp(s, "infinity") == 0;
}

/* digit* [. digit*] of at most 15 digits: both the digits as an integer and the
 * power of ten are exact, so their quotient is correctly rounded (Clinger,
 * 1990). False for anything else. */
static bool parse_short(const char *s, double *value)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3, 1e4,  1e5,
                                   1e6,  1e7,  1e8,  1e9, 1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15};
    int64_t digits = 0;
    int n = 0, after = 0;
    bool negative = *s == '-', point = false;

    for (s += negative; n <= 15; s++) {
        if (*s >= '0' && *s <= '9') {
            digits = 10 * digits + (*s - '0');
            n++;
            after += point;
        } else if (*s == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    if (*s || n == 0 || n > 15)
        return false;
    *value = (double)digits / power[after];
    if (negative)
        *value = -*value;
    return true;
}

int nncc_number(const char *text, double *value)
{
    if (!*text)
        return NNCC_EMPTY;
    if (parse_short(text, value))
        return NNCC_NUMBER;
    if (!nncc_is_decimal(text))
        return is_infinite_word(text) ? NNCC_NOT_FINITE : NNCC_TEXT;
    *value = strtod(text, NULL);
    return isfinite(*value) ? NNCC_NUMBER : NNCC_NOT_FINITE;
}

bool nncc_is_missing(const char *text)
{
    static const char *const words[] = {"",     "NA",   "N/A", "#N/A", "NaN",
                                        "null", "none", "nil", "?",    "-"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

/* Dates */

/* From *s, which goes on, exactly n digits, or up to n of them. */
static bool digits(const char **s, int least, int most, int *value)
{
    int n = 0;

    for (*value = 0; n < most && **s >= '0' && **s <= '9'; n++, ++*s)
        *value = 10 * *value + (**s - '0');
    return n >= least;
}

static bool is_leap(int y) { return (y % 4 == 0 && y % 100) || y % 400 == 0; }

/* Days since 1970-01-01 in the Gregorian calendar; false where there is no such
 * day. */
static bool days_of(int y, int m, int d, double *days)
{
    static const int before[] = {0,   31,  59,  90,  120, 151,
                                 181, 212, 243, 273, 304, 334};
    static const int length[] = {31, 28, 31, 30, 31, 30,
                                 31, 31, 30, 31, 30, 31};

    if (y < 1 || m < 1 || m > 12 || d < 1 ||
        d > length[m - 1] + (m == 2 && is_leap(y)))
        return false;
    int past = y - 1, leaps = past / 4 - past / 100 + past / 400;
    *days = 365.0 * past + leaps + before[m - 1] + (m > 2 && is_leap(y)) +
            (d - 1) - 719162; /* those before 1970 */
    return true;
}

/* 2024-12-31, 2024/12/31; 31.12.2024; with an order also 31/12/2024 or
 * 12/31/2024. */
static bool parse_day(const char **s, int order, double *days)
{
    int a, b, c;
    const char *from = *s;

    if (digits(s, 4, 4, &a)) {
        char sign = **s;
        if ((sign != '-' && sign != '/') || (++*s, !digits(s, 1, 2, &b)) ||
            *(*s)++ != sign || !digits(s, 1, 2, &c))
            return false;
        return days_of(a, b, c, days);
    }
    *s = from;
    if (!digits(s, 1, 2, &a))
        return false;
    char sign = *(*s)++;
    if ((sign != '.' &&
         (order == NNCC_DATE_ISO || (sign != '/' && sign != '-'))) ||
        !digits(s, 1, 2, &b) || *(*s)++ != sign || !digits(s, 4, 4, &c))
        return false;
    return sign != '.' && order == NNCC_DATE_MDY ? days_of(c, a, b, days)
                                                 : days_of(c, b, a, days);
}

/* "12:30", "12:30:05.25": the share of a day. */
static bool parse_time(const char **s, double *share)
{
    int h, m, second = 0, digit;
    double part = 0, unit = 0.1;

    if (!digits(s, 1, 2, &h) || *(*s)++ != ':' || !digits(s, 2, 2, &m) ||
        h > 23 || m > 59)
        return false;
    if (**s == ':') {
        ++*s;
        if (!digits(s, 2, 2, &second) || second > 60)
            return false;
        if (**s == '.' || **s == ',')
            for (++*s; digits(s, 1, 1, &digit); unit /= 10)
                part += digit * unit;
    }
    *share = (h * 3600 + m * 60 + second + part) / 86400;
    return true;
}

/* "Z", "+01:00", "-0530": what is to be taken away for UTC; nothing for "". */
static bool parse_zone(const char **s, double *share)
{
    int h, m = 0, sign = **s == '-' ? -1 : 1;

    *share = 0;
    if (**s == 'Z' || **s == 'z')
        ++*s;
    if (**s != '+' && **s != '-')
        return true;
    ++*s;
    if (!digits(s, 2, 2, &h))
        return false;
    *s += **s == ':';
    digits(s, 2, 2, &m);
    *share = sign * (h * 60 + m) / 1440.0;
    return true;
}

bool nncc_date(const char *text, int order, double *days)
{
    double time = 0, zone = 0;

    if (!parse_day(&text, order, days))
        return false;
    if (*text == 'T' || *text == 't' || *text == ' ') {
        text += 1 + strspn(text + 1, " ");
        if (!parse_time(&text, &time))
            return false;
        text += strspn(text, " ");
        if (!parse_zone(&text, &zone))
            return false;
    }
    *days += time - zone;
    return *text == '\0';
}
