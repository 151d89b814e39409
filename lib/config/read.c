/*
 * From nodes to values: what the sections' readers share. Called only by the
 * configuration loader; every refusal becomes a complaint at the node's place.
 */
#include "internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

const char *conf_item(struct conf_loader *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(l->item, sizeof(l->item), fmt, ap);
	va_end(ap);
	return l->item;
}

size_t conf_count(const struct conf_loader *l)
{
	return l->c->n + l->c->dropped + l->c->folded;
}

const char *conf_text(struct conf_loader *l, const struct node *n, const char *item)
{
	if (n->kind != NODE_SCALAR)
		complaint_add(l->c, &n->at, item, NULL, "must be one value, not a %s",
			      n->kind == NODE_SEQ ? "list" : "map");
	else if (n->null)
		complaint_add(l->c, &n->at, item, NULL, "has no value");
	else
		return n->scalar;
	return NULL;
}

/* Why a text cannot be a name; NULL: it can. What is refused would spoil file names, log lines or the page.
 */
static const char *bad_name(const char *s)
{
	size_t len = strlen(s);
	if (!len)
		return "a name must not be empty";
	if (len > CONF_NAME_BYTES)
		return "a name has at most 100 bytes";
	if (s[0] == '.')
		return "a name must not begin with a dot";
	if (s[0] == ' ' || s[len - 1] == ' ')
		return "a name must not begin or end with a space";
	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		if (*p == '/')
			return "a name must not hold a slash";
		if (*p < 32 || *p == 127 || (p[0] == 0xc2 && p[1] < 0xa0))
			return "a name must not hold control characters";
	}
	return NULL;
}

bool conf_good_name(struct conf_loader *l, const struct mark *at, const char *item, const char *name)
{
	const char *why = bad_name(name);
	if (why)
		complaint_add(l->c, at, item, name, "%s", why);
	return !why;
}

bool conf_name(struct conf_loader *l, const struct node *n, const char *item)
{
	return conf_good_name(l, &n->key_at, item, n->key);
}

void conf_unknown(struct conf_loader *l, const struct node *n, const char *item, const char *const *known,
		  size_t nknown)
{
	const char *near = units_nearest(n->key, known, nknown);
	/* the value is not shown: it may be a secret under a mistyped key */
	if (near)
		complaint_add(l->c, &n->key_at, item, NULL, "unknown; did you mean \"%s\"?", near);
	else
		complaint_add(l->c, &n->key_at, item, NULL, "unknown");
}

static void add_name(struct conf_loader *l, const struct node *n, const char *item, char **v, size_t *nv)
{
	const char *s = conf_text(l, n, item);
	if (!s)
		return;
	for (size_t i = 0; i < *nv; i++)
		if (strcmp(v[i], s) == 0) {
			complaint_add(l->c, &n->at, item, s, "is named twice");
			return;
		}
	v[*nv] = strdup(s);
	if (v[*nv])
		++*nv;
	else
		complaint_add(l->c, &n->at, item, NULL, "out of memory");
}

void conf_names(struct conf_loader *l, const struct node *n, const char *item, bool empty_ok, char ***v,
		size_t *nv)
{
	size_t count = n->kind == NODE_SEQ ? n->nkids : 1;
	*v = NULL;
	*nv = 0;
	if (n->kind == NODE_MAP || (n->kind == NODE_SCALAR && n->null)) {
		complaint_add(l->c, &n->at, item, NULL, "must be a list of names%s",
			      empty_ok ? "; write [] for none" : "");
		return;
	}
	if (count > CONF_LIST_MAX) {
		complaint_add(l->c, &n->at, item, NULL, "names %zu; at most %d are taken", count,
			      CONF_LIST_MAX);
		return;
	}
	if (!count) {
		if (!empty_ok)
			complaint_add(l->c, &n->at, item, NULL, "must name at least one");
		return;
	}
	*v = calloc(count, sizeof(**v));
	if (!*v) {
		complaint_add(l->c, &n->at, item, NULL, "out of memory");
		return;
	}
	if (n->kind == NODE_SCALAR)
		add_name(l, n, item, *v, nv);
	for (size_t i = 0; i < n->nkids; i++)
		add_name(l, n->kids[i], item, *v, nv);
}

bool conf_copy(struct conf_loader *l, char *field, size_t size, const char *text, const struct node *n,
	       const char *item)
{
	if (!*text) {
		complaint_add(l->c, &n->at, item, text, "must not be empty");
		return false;
	}
	if (strlen(text) >= size) {
		complaint_add(l->c, &n->at, item, text, "is longer than %zu bytes", size - 1);
		return false;
	}
	if (strchr(text, '\n')) {
		complaint_add(l->c, &n->at, item, text, "must be one line");
		return false;
	}
	memcpy(field, text, strlen(text) + 1);
	return true;
}

static bool in_limits(const struct conf_setting *s, int64_t v, char *why, size_t size)
{
	char low[32], high[32];
	if (v >= s->min && v <= s->max)
		return true;
	if (s->type == SET_DURATION)
		snprintf(why, size, "must be between %s and %s", units_duration_text(s->min, low, sizeof(low)),
			 units_duration_text(s->max, high, sizeof(high)));
	else
		snprintf(why, size, "must be between %lld and %lld", (long long)s->min, (long long)s->max);
	return false;
}

/* An absolute path without what would make two spellings of one place; trailing slashes are dropped. */
static bool parse_path(const struct conf_setting *s, const char *text, char **field, char *why, size_t size)
{
	size_t len = strlen(text);
	while (len > 1 && text[len - 1] == '/')
		len--;
	if (text[0] != '/')
		snprintf(why, size, "must be an absolute path");
	else if ((int64_t)len > s->max)
		snprintf(why, size, "is longer than %lld bytes", (long long)s->max);
	else if (strchr(text, '\n'))
		snprintf(why, size, "must be one line");
	else {
		char *copy = strndup(text, len);
		if (copy) {
			free(*field);
			*field = copy;
			return true;
		}
		snprintf(why, size, "out of memory");
	}
	return false;
}

/* "08:00": minutes since midnight. */
static bool parse_clock(const char *s, int64_t *v, const char **why)
{
	size_t n = strspn(s, "0123456789");
	int64_t hour, minute;
	char h[3] = "";
	*why = "not a time of day; write 08:00";
	if (n < 1 || n > 2 || s[n] != ':' || strspn(s + n + 1, "0123456789") != 2 || s[n + 3])
		return false;
	memcpy(h, s, n);
	if (!units_int(h[0] == '0' && h[1] ? h + 1 : h, &hour, NULL) ||
	    !units_int(s[n + 1] == '0' ? s + n + 2 : s + n + 1, &minute, NULL) || hour > 23 || minute > 59)
		return false;
	*v = hour * 60 + minute;
	return true;
}

static bool parse_setting(const struct conf_setting *s, void *base, const char *text, char *why, size_t size)
{
	void *field = (char *)base + s->offset;
	const char *reason = NULL;
	int64_t v = 0;

	if (s->type == SET_PATH)
		return parse_path(s, text, field, why, size);
	if (s->type == SET_BOOL) {
		if (units_bool(text, field, &reason))
			return true;
	} else if (s->type == SET_DURATION ? units_duration(text, &v, &reason)
		   : s->type == SET_CLOCK  ? parse_clock(text, &v, &reason)
					   : units_int(text, &v, &reason)) {
		if (s->type != SET_CLOCK && !in_limits(s, v, why, size))
			return false;
		if (s->type == SET_DURATION)
			*(int64_t *)field = v;
		else if (s->type == SET_INT || s->type == SET_CLOCK)
			*(int *)field = (int)v;
		else
			*(size_t *)field = (size_t)v;
		return true;
	}
	snprintf(why, size, "%s", reason ? reason : "not understood");
	return false;
}

bool conf_settings_defaults(const struct conf_setting *table, void *base)
{
	char why[160];
	bool ok = true;
	for (; table->key; table++)
		if (table->dflt && !parse_setting(table, base, table->dflt, why, sizeof(why)))
			ok = false;
	return ok;
}

const struct conf_setting *conf_setting_find(const struct conf_setting *table, const char *key)
{
	for (; table->key; table++)
		if (strcmp(table->key, key) == 0)
			return table;
	return NULL;
}

void conf_setting_read(struct conf_loader *l, const struct conf_setting *s, void *base, const struct node *n,
		       const char *item)
{
	char why[160];
	const char *text = conf_text(l, n, item);
	if (text && !parse_setting(s, base, text, why, sizeof(why)))
		complaint_add(l->c, &n->at, item, text, "%s", why);
}
