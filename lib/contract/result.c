/* Results of checks: filling, printing, JSON; see result.h. */
#include "result.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"

static const char *const names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

void result_init(struct result *r)
{
	r->state = NAG_UNKNOWN;
	r->measured = true;
	r->layer[0] = '\0';
	buf_init(&r->text, RESULT_TEXT_MAX);
	buf_init(&r->more, RESULT_LONG_MAX);
	buf_init(&r->facts, RESULT_FACTS_MAX);
	r->nperf = 0;
	r->perf_dropped = 0;
}

void result_fini(struct result *r)
{
	buf_fini(&r->text);
	buf_fini(&r->more);
	buf_fini(&r->facts);
}

/* Length of the valid UTF-8 sequence at p (n bytes left), 0 when invalid. */
static size_t utf8_len(const unsigned char *p, size_t n)
{
	if (p[0] < 0x80)
		return 1;
	size_t k = p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : 0;
	if (!k || k > n)
		return 0;
	for (size_t i = 1; i < k; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* overlong, surrogates, beyond U+10FFFF */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return k;
}

/* Adds text as one harmless line, whole characters only; trailing blanks are left out. */
static void add_clean(struct buf *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n = strlen(text);
	while (n && (p[n - 1] <= ' ' || p[n - 1] == 0x7f))
		n--;
	while (n) {
		size_t k = utf8_len(p, n);
		char c = *p == '|' ? '/' : ' ';
		bool ok;
		if (k == 0)
			ok = buf_add(out, "?", 1), k = 1;
		else if (k == 1 && (*p < 0x20 || *p == 0x7f || *p == '|'))
			ok = buf_add(out, &c, 1);
		else
			ok = buf_add(out, p, k);
		if (!ok)
			return;
		p += k;
		n -= k;
	}
}

static void set_text(struct result *r, enum nag_state s, const char *fmt, va_list ap)
{
	char text[RESULT_TEXT_MAX * 2];
	vsnprintf(text, sizeof text, fmt, ap);
	r->state = s;
	buf_reset(&r->text);
	add_clean(&r->text, text);
}

void result_set(struct result *r, enum nag_state s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	set_text(r, s, fmt, ap);
	va_end(ap);
}

void result_fail(struct result *r, enum nag_state s, const char *layer, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	set_text(r, s, fmt, ap);
	va_end(ap);
	snprintf(r->layer, sizeof r->layer, "%s", layer);
}

void result_more(struct result *r, const char *fmt, ...)
{
	char text[RESULT_LONG_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	add_clean(&r->more, text);
	buf_puts(&r->more, "\n");
}

struct perf *result_perf(struct result *r, const char *label, double value, const char *uom, const struct range *warn,
			 const struct range *crit)
{
	if (r->nperf == RESULT_PERF_MAX) {
		r->perf_dropped++;
		return NULL;
	}
	struct perf *p = &r->perf[r->nperf++];
	*p = (struct perf){ .value = value };
	struct buf clean;
	buf_init(&clean, PERF_LABEL_MAX - 1);
	add_clean(&clean, label);
	/* a label of nothing but control bytes is still a value's label */
	snprintf(p->label, sizeof p->label, "%s", clean.len ? buf_str(&clean) : "_");
	buf_fini(&clean);
	for (char *s = p->label; *s; s++)
		if (*s == '=' || *s == '\'')
			*s = '_';
	snprintf(p->uom, sizeof p->uom, "%s", uom ? uom : "");
	if (warn)
		p->warn = *warn;
	if (crit)
		p->crit = *crit;
	return p;
}

static bool fact_name_ok(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return n && n <= FACT_NAME_MAX && !name[n];
}

/* Adds one member whole, or leaves it out. */
static void add_fact(struct result *r, const char *name, const struct buf *value)
{
	if (fact_name_ok(name))
		buf_printf(&r->facts, "%s\"%s\":%s", r->facts.len ? "," : "", name, buf_str(value));
}

void result_fact(struct result *r, const char *name, double value)
{
	struct buf text;
	buf_init(&text, 64);
	if (isfinite(value) && json_put_number(&text, value))
		add_fact(r, name, &text);
	buf_fini(&text);
}

void result_fact_text(struct result *r, const char *name, const char *text)
{
	struct buf clean, quoted;
	buf_init(&clean, FACT_TEXT_MAX);
	buf_init(&quoted, FACT_TEXT_MAX * 6 + 3);
	add_clean(&clean, text);
	if (json_put_string(&quoted, buf_str(&clean)))
		add_fact(r, name, &quoted);
	buf_fini(&clean);
	buf_fini(&quoted);
}

enum nag_state nag_worse(enum nag_state a, enum nag_state b)
{
	static const int rank[] = { [NAG_OK] = 0, [NAG_UNKNOWN] = 1, [NAG_WARNING] = 2, [NAG_CRITICAL] = 3 };
	return rank[b] > rank[a] ? b : a;
}

enum nag_state nag_judge(double v, const struct range *warn, const struct range *crit)
{
	if (crit && range_alerts(crit, v))
		return NAG_CRITICAL;
	return warn && range_alerts(warn, v) ? NAG_WARNING : NAG_OK;
}

const char *nag_name(enum nag_state s)
{
	return names[s & 3];
}

bool nag_from_name(const char *name, enum nag_state *s)
{
	for (int i = 0; i < 4; i++) {
		if (strcmp(name, names[i]) == 0) {
			*s = (enum nag_state)i;
			return true;
		}
	}
	return false;
}

static const char *behind_state(const char *text, const char *state)
{
	size_t n = strlen(state);
	if (n == 0 || strncmp(text, state, n) != 0)
		return NULL;
	text += n;
	text += strspn(text, " ");
	if (*text != ':' && *text != '-')
		return NULL;
	text++;
	if (*text != ' ')
		return NULL;
	text += strspn(text, " ");
	return *text && *text != '\n' ? text : NULL;
}

const char *result_words(const char *text, const char *state)
{
	size_t name = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	const char *words = behind_state(text, state);
	if (!words && name && text[name] == ' ')
		words = behind_state(text + name + 1, state);
	return words ? words : text;
}

/* No exponent, at most six decimals, no trailing zeros. */
static void add_number(struct buf *out, double v)
{
	char text[400];
	if (!isfinite(v)) {
		buf_puts(out, "U");
		return;
	}
	snprintf(text, sizeof text, "%.6f", v);
	char *e = text + strlen(text);
	while (e[-1] == '0')
		*--e = '\0';
	if (e[-1] == '.')
		*--e = '\0';
	buf_puts(out, strcmp(text, "-0") == 0 ? "0" : text);
}

static void perf_print(const struct perf *p, struct buf *out)
{
	char range[96];
	bool quote = strchr(p->label, ' ') != NULL;
	buf_printf(out, quote ? "'%s'=" : "%s=", p->label);
	add_number(out, p->value);
	if (isfinite(p->value))
		buf_puts(out, p->uom);
	buf_printf(out, ";%s", range_text(&p->warn, range, sizeof range));
	buf_printf(out, ";%s;", range_text(&p->crit, range, sizeof range));
	if (p->has_min)
		add_number(out, p->min);
	buf_puts(out, ";");
	if (p->has_max)
		add_number(out, p->max);
	while (out->len && out->data[out->len - 1] == ';')
		out->data[--out->len] = '\0';
}

void result_perfdata(const struct result *r, struct buf *out)
{
	struct buf one;
	buf_init(&one, 1024);
	for (size_t i = 0; i < r->nperf; i++) {
		buf_reset(&one);
		if (i)
			buf_puts(&one, " ");
		perf_print(&r->perf[i], &one);
		if (!buf_add(out, one.data, one.len))
			break;
	}
	buf_fini(&one);
}

void result_print(const struct result *r, const char *name, struct buf *out)
{
	if (name)
		buf_printf(out, "%s %s: ", name, nag_name(r->state));
	buf_add_cut(out, buf_str(&r->text), r->text.len);
	if (r->nperf) {
		buf_puts(out, " | ");
		result_perfdata(r, out);
	}
	buf_add_cut(out, "\n", 1);
	buf_add_cut(out, buf_str(&r->more), r->more.len);
	if (r->more.full)
		buf_puts(out, "(truncated)\n");
}

static bool put_text(struct buf *out, const char *name, const char *text)
{
	return buf_puts(out, name) && json_put_string(out, text);
}

static bool put_limit(struct buf *out, const char *name, bool has, double v)
{
	return !has || (buf_puts(out, name) && json_put_number(out, v));
}

static bool put_range(struct buf *out, const char *name, const struct range *range)
{
	char text[96];
	return !range->set || put_text(out, name, range_text(range, text, sizeof text));
}

static bool perf_write(const struct perf *p, struct buf *out)
{
	return put_text(out, "{\"label\":", p->label) && put_limit(out, ",\"value\":", true, p->value) &&
	       (!p->uom[0] || put_text(out, ",\"uom\":", p->uom)) && put_range(out, ",\"warn\":", &p->warn) &&
	       put_range(out, ",\"crit\":", &p->crit) && put_limit(out, ",\"min\":", p->has_min, p->min) &&
	       put_limit(out, ",\"max\":", p->has_max, p->max) && buf_puts(out, "}");
}

bool result_write_perf(const struct result *r, struct buf *out)
{
	bool ok = buf_puts(out, "[");
	for (size_t i = 0; i < r->nperf && ok; i++)
		ok = (i == 0 || buf_puts(out, ",")) && perf_write(&r->perf[i], out);
	return ok && buf_puts(out, "]");
}

bool result_write(const struct result *r, struct buf *out)
{
	return put_text(out, "\"state\":", nag_name(r->state)) &&
	       buf_puts(out, r->measured ? ",\"measured\":true" : ",\"measured\":false") &&
	       put_text(out, ",\"layer\":", r->layer) && put_text(out, ",\"text\":", buf_str(&r->text)) &&
	       (!r->more.len || put_text(out, ",\"more\":", buf_str(&r->more))) &&
	       (!r->nperf || (buf_puts(out, ",\"perf\":") && result_write_perf(r, out))) &&
	       (!r->facts.len || (buf_puts(out, ",\"facts\":{") && buf_puts(out, r->facts.data) && buf_puts(out, "}")));
}

void result_to_json(const struct result *r, cJSON *obj)
{
	struct buf text;
	cJSON *all = NULL, *m;
	buf_init(&text, JSON_LINE_MAX);
	if (buf_puts(&text, "{") && result_write(r, &text) && buf_puts(&text, "}"))
		all = json_parse(text.data, text.len, JSON_LINE_MAX, NULL);
	while ((m = all ? cJSON_DetachItemViaPointer(all, all->child) : NULL))
		cJSON_AddItemToObject(obj, m->string, m);
	cJSON_Delete(all);
	buf_fini(&text);
}

static bool limit_from_json(const cJSON *o, const char *key, bool *has, double *v)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, key);
	if (!cJSON_IsNumber(n) || !isfinite(n->valuedouble))
		return false;
	*has = true;
	*v = n->valuedouble;
	return true;
}

static void perf_from_json(struct result *r, const cJSON *o)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, "value");
	struct range warn = { 0 }, crit = { 0 };
	const char *w = json_str(o, "warn", NULL), *c = json_str(o, "crit", NULL);
	if (w)
		units_range(w, &warn, NULL);
	if (c)
		units_range(c, &crit, NULL);
	struct perf *p = result_perf(r, json_str(o, "label", "?"), cJSON_IsNumber(v) ? v->valuedouble : NAN,
				     json_str(o, "uom", ""), &warn, &crit);
	if (!p)
		return;
	limit_from_json(o, "min", &p->has_min, &p->min);
	limit_from_json(o, "max", &p->has_max, &p->max);
}

static void lines_from_json(struct result *r, const char *more)
{
	while (*more) {
		size_t n = strcspn(more, "\n");
		result_more(r, "%.*s", (int)n, more);
		more += n + (more[n] == '\n');
	}
}

static void facts_from_json(struct result *r, const cJSON *facts)
{
	const cJSON *f;
	buf_reset(&r->facts);
	cJSON_ArrayForEach(f, facts) {
		if (cJSON_IsNumber(f))
			result_fact(r, f->string, f->valuedouble);
		else if (cJSON_IsString(f))
			result_fact_text(r, f->string, f->valuestring);
	}
}

bool result_facts_text(struct result *r, const char *text, size_t len)
{
	cJSON *facts = json_parse(text, len, RESULT_FACTS_TEXT_MAX, NULL);
	bool ok = cJSON_IsObject(facts);
	if (ok)
		facts_from_json(r, facts);
	cJSON_Delete(facts);
	return ok;
}

bool result_from_json(struct result *r, const cJSON *obj, const char **why)
{
	const char *state = json_str(obj, "state", NULL), *text = json_str(obj, "text", NULL), *reason = NULL;
	enum nag_state s;
	if (!state || !nag_from_name(state, &s))
		reason = "no valid \"state\"";
	else if (!text)
		reason = "no \"text\"";
	else if (!cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(obj, "measured")))
		reason = "no \"measured\"";
	if (reason) {
		if (why)
			*why = reason;
		return false;
	}
	result_fail(r, s, json_str(obj, "layer", ""), "%s", text);
	r->measured = json_bool(obj, "measured", true);
	buf_reset(&r->more);
	r->nperf = r->perf_dropped = 0;
	lines_from_json(r, json_str(obj, "more", ""));
	const cJSON *p, *array = cJSON_GetObjectItemCaseSensitive(obj, "perf");
	cJSON_ArrayForEach(p, array)
		perf_from_json(r, p);
	const cJSON *facts = cJSON_GetObjectItemCaseSensitive(obj, "facts");
	facts_from_json(r, cJSON_IsObject(facts) ? facts : NULL);
	return true;
}
