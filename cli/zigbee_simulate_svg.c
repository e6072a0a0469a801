/* zigbee simulate: the picture. Above, the share of all bytes that the devices have; below, a
 * band for each device, filled from its first byte to its last. One file, no parts elsewhere;
 * light or dark as the reader's screen is. */
#include <math.h>
#include <stdlib.h>

#include "cli/zigbee_simulate.h"

#define WIDTH       960.0
#define LEFT        96.0
#define RIGHT       24.0
#define TOP         76.0
#define TOTAL       150.0 /* height of the upper part */
#define GAP         44.0
#define BANDS       560.0 /* height of the lower part, for many devices */
#define BAND_MOST   22.0
#define BAND_LEAST  2.0
#define HOP_COLOURS 4
#define LABEL_HIGH  12.0

/* Plain colours for readers that know no variables; dark ones for those that ask. */
static const char style[] =
    "text{font:12px system-ui,sans-serif;fill:#1c2430}.h{font-size:17px;font-weight:600}"
    ".p{fill:#fff}.s{fill:#5b6675}.g{stroke:#d9dee5}.e{text-anchor:end}.m{text-anchor:middle}"
    ".b{fill:#f1f3f6}.t{fill:none;stroke:#0b5cad;stroke-width:2}.a{fill:#0b5cad;opacity:.15}"
    ".h1{fill:#0b5cad}.h2{fill:#2f8f83}.h3{fill:#8a63b8}.h4{fill:#b3741f}.x{fill:#c53030}"
    "@media(prefers-color-scheme:dark){text{fill:#e8ecf1}.p{fill:#12171e}.s{fill:#9aa7b6}"
    ".g{stroke:#2c3642}.b{fill:#1a212a}.t{stroke:#5aa9f5}.a{fill:#5aa9f5}.h1{fill:#5aa9f5}"
    ".h2{fill:#54c1b2}.h3{fill:#b795e6}.h4{fill:#dea450}.x{fill:#ff7b6b}}";

struct picture {
    const struct zigbee_simulation *s;
    FILE *out;
    double seconds; /* that the axis shows */
    double row;     /* height of a band */
    double lower;   /* y of the first band */
    double height;
    const unsigned *order;
};

static double x_of(const struct picture *p, double us)
{
    return LEFT + us / 1e6 / p->seconds * (WIDTH - LEFT - RIGHT);
}

static double share(const struct picture *p, unsigned sample, unsigned device)
{
    const struct zigbee_course *c = &p->s->course;
    return (double)c->bytes[(size_t)sample * c->devices + device] / (double)p->s->config.size;
}

static double total(const struct picture *p, unsigned sample)
{
    double sum = 0;
    for (unsigned i = 0; i < p->s->course.devices; i++) sum += share(p, sample, i);
    return sum / p->s->result.clients;
}

static void escape(FILE *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '&' || c == '<' || c == '>' || c == '"' || c < 0x20 || c >= 0x7f)
            fprintf(out, "&#%d;", c < 0x20 ? '?' : c);
        else
            fputc(c, out);
    }
}

/* ---- Axes ---- */

static double tick_of(double seconds)
{
    static const double steps[] = {1,   2,   5,    10,   15,   30,    60,    120,   300,
                                   600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (seconds / steps[i] <= 8) return steps[i];
    return ceil(seconds / 8 / 86400) * 86400;
}

static void tick_label(double seconds, double step, char *out, size_t size)
{
    if (step < 60)
        snprintf(out, size, "%.0f s", seconds);
    else if (step < 3600)
        snprintf(out, size, "%.0f min", seconds / 60);
    else
        snprintf(out, size, "%.0f h", seconds / 3600);
}

static void draw_axes(const struct picture *p)
{
    double step = tick_of(p->seconds), foot = p->height - 30;
    char label[32];
    for (unsigned tick = 0; tick * step <= p->seconds; tick++) {
        double t = tick * step, x = x_of(p, t * 1e6);
        tick_label(t, step, label, sizeof label);
        fprintf(p->out, "<path class=\"g\" d=\"M%.1f %.0fV%.0fM%.1f %.0fV%.1f\"/>", x, TOP,
                TOP + TOTAL, x, p->lower, foot);
        fprintf(p->out, "<text class=\"s m\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", x, foot + 18,
                label);
    }
    for (int percent = 0; percent <= 100; percent += 50) {
        double y = TOP + TOTAL * (1 - percent / 100.0);
        fprintf(p->out, "<path class=\"g\" d=\"M%.0f %.1fH%.0f\"/>", LEFT, y, WIDTH - RIGHT);
        fprintf(p->out, "<text class=\"s e\" x=\"%.0f\" y=\"%.1f\">%d %%</text>\n", LEFT - 8, y + 4,
                percent);
    }
}

/* ---- The whole ---- */

static void total_line(const struct picture *p)
{
    fprintf(p->out, "M%.1f %.1f", LEFT, TOP + TOTAL);
    for (unsigned i = 0; i < p->s->course.count; i++)
        fprintf(p->out, "L%.1f %.1f", x_of(p, (double)p->s->course.at[i]),
                TOP + TOTAL * (1 - total(p, i)));
}

static void draw_total(const struct picture *p)
{
    const struct zigbee_course *c = &p->s->course;
    double end = c->count ? x_of(p, (double)c->at[c->count - 1]) : LEFT;
    fprintf(p->out, "<path class=\"a\" d=\"");
    total_line(p);
    fprintf(p->out, "L%.1f %.1fZ\"/>\n<path class=\"t\" d=\"", end, TOP + TOTAL);
    total_line(p);
    fprintf(p->out, "\"/>\n<text class=\"s\" x=\"%.0f\" y=\"%.0f\">of all bytes</text>\n", LEFT + 8,
            TOP + 14);
}

/* ---- A band a device ---- */

static const char *colour_of(const struct zb_rollout_device *d)
{
    static const char *const names[] = {"h1", "h2", "h3", "h4"};
    if (!d->correct) return "x";
    unsigned hops = d->hops ? d->hops : 1;
    return names[hops <= HOP_COLOURS ? hops - 1 : HOP_COLOURS - 1];
}

static void draw_band(const struct picture *p, unsigned place, unsigned index)
{
    const struct zb_rollout_device *d = &p->s->result.device[index];
    const struct zigbee_course *c = &p->s->course;
    double foot = p->lower + (place + 1) * p->row - (p->row > 4 ? 1 : 0);
    double high = p->row - (p->row > 4 ? 2 : 0);
    char time[32];
    fprintf(p->out, "<g><title>%016llx, %u hop%s", (unsigned long long)d->ext, d->hops,
            d->hops == 1 ? "" : "s");
    if (d->correct) fprintf(p->out, ": after %s", zigbee_duration((double)d->finished / 1e6, time));
    fprintf(p->out,
            "</title><rect class=\"b\" x=\"%.0f\" y=\"%.1f\" width=\"%.0f\" height=\"%.1f\"/>",
            LEFT, foot - high, WIDTH - LEFT - RIGHT, high);
    fprintf(p->out, "<path class=\"%s\" d=\"M%.1f %.1f", colour_of(d), x_of(p, (double)d->started),
            foot);
    double before = 0;
    for (unsigned i = 0; i < c->count; i++) {
        double now = share(p, i, index);
        bool last = i + 1 == c->count;
        /* Where it does not change no point is needed. */
        bool flat = now == before && !last && share(p, i + 1, index) == now;
        before = now;
        if (flat || (double)c->at[i] < (double)d->started) continue;
        if (d->finished && c->at[i] > d->finished) break;
        fprintf(p->out, "L%.1f %.1f", x_of(p, (double)c->at[i]), foot - high * now);
    }
    double end = d->finished ? (double)d->finished : (c->count ? (double)c->at[c->count - 1] : 0);
    double reached = (double)d->bytes / (double)p->s->config.size;
    fprintf(p->out, "L%.1f %.1fV%.1fZ\"/></g>\n", x_of(p, end), foot - high * reached, foot);
}

/* The bands of as many hops have one name beside them. */
static void draw_label(const struct picture *p, unsigned from, unsigned to)
{
    const struct zb_rollout_device *d = &p->s->result.device[p->order[from]];
    double top = p->lower + from * p->row, high = (to - from) * p->row;
    if (high < LABEL_HIGH) return;
    fprintf(p->out, "<text class=\"e\" x=\"%.0f\" y=\"%.1f\">", LEFT - 8,
            top + (high < 40 ? high / 2 + 4 : 14));
    if (!d->joined)
        fprintf(p->out, "not joined");
    else
        fprintf(p->out, "%u hop%s", d->hops, d->hops == 1 ? "" : "s");
    fprintf(p->out, "</text>\n");
    if (from) fprintf(p->out, "<path class=\"g\" d=\"M%.0f %.1fH%.0f\"/>\n", LEFT - 80, top, LEFT);
}

static unsigned group_of(const struct zb_rollout_device *d)
{
    return d->joined ? d->hops : UINT8_MAX + 1u;
}

static void draw_bands(const struct picture *p)
{
    const struct zb_rollout_device *d = p->s->result.device;
    unsigned n = p->s->result.clients, from = 0;
    for (unsigned i = 0; i < n; i++) {
        draw_band(p, i, p->order[i]);
        if (i + 1 < n && group_of(&d[p->order[i]]) == group_of(&d[p->order[i + 1]])) continue;
        draw_label(p, from, i + 1);
        from = i + 1;
    }
}

/* ---- All ---- */

static bool later(const struct zb_rollout_device *a, const struct zb_rollout_device *b)
{
    if (group_of(a) != group_of(b)) return group_of(a) > group_of(b);
    return a->finished > b->finished;
}

/* The clients by hops, then by their end. */
static void sort(const struct zb_rollout_result *r, unsigned devices, unsigned *order)
{
    unsigned n = 0;
    for (unsigned i = 0; i < devices; i++) {
        unsigned at = n;
        if (!r->device[i].client) continue;
        for (; at && later(&r->device[order[at - 1]], &r->device[i]); at--)
            order[at] = order[at - 1];
        order[at] = i;
        n++;
    }
}

static void draw_head(const struct picture *p)
{
    const struct zb_rollout_config *c = &p->s->config;
    char text[200];
    zigbee_simulation_sentence(p->s, text, sizeof text);
    fprintf(p->out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n"
            "<title>%s</title>\n<style>%s</style>\n<rect class=\"p\" width=\"100%%\" "
            "height=\"100%%\"/>\n",
            WIDTH, p->height, text, style);
    fprintf(p->out, "<text class=\"h\" x=\"%.0f\" y=\"28\">%s</text>\n", LEFT, text);
    fprintf(p->out, "<text class=\"s\" x=\"%.0f\" y=\"48\">", LEFT);
    escape(p->out, p->s->file);
    fprintf(p->out, ", %zu bytes; %u routers; ", c->size, c->chain ? c->devices : c->routers);
    if (c->page_size)
        fprintf(p->out, "pages of %u bytes", c->page_size);
    else
        fprintf(p->out, "blocks of %u bytes", c->max_block);
    if (c->loss > 0) fprintf(p->out, "; %g %% of frames lost", 100 * c->loss);
    fprintf(p->out, "; %.0f bytes/s together</text>\n", p->s->result.rate);
}

void zigbee_simulation_svg(const struct zigbee_simulation *s, FILE *out)
{
    unsigned n = s->result.clients;
    unsigned *order = calloc(n, sizeof *order);
    struct picture p = {.s = s, .out = out, .lower = TOP + TOTAL + GAP, .order = order};
    if (!order) return;
    sort(&s->result, s->config.devices, order);
    p.row = fmin(BAND_MOST, fmax(BAND_LEAST, BANDS / n));
    p.height = p.lower + n * p.row + 36;
    uint64_t last = s->course.count ? s->course.at[s->course.count - 1] : 1;
    p.seconds = fmax((double)(s->result.us > last ? s->result.us : last) / 1e6, 1e-3);
    draw_head(&p);
    draw_axes(&p);
    draw_bands(&p);
    draw_total(&p);
    fprintf(out, "</svg>\n");
    free(order);
}
