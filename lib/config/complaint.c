/* Complaints about inputs; see complaint.h. */
#include "complaint.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void complaints_init(struct complaints *c)
{
	*c = (struct complaints){ 0 };
}

void complaints_fini(struct complaints *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].file);
		free(c->v[i].item);
		free(c->v[i].value);
		free(c->v[i].reason);
	}
	free(c->v);
	*c = (struct complaints){ 0 };
}

static char *copy(const char *s)
{
	return s ? strdup(s) : NULL;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* A line that stands for many checks is wrong once, not fifty times. */
static bool fold(struct complaints *c, const struct mark *at, const char *item, const char *value, const char *reason)
{
	if (!at || !at->file || !at->line || !item || strncmp(item, "checks.", 7) != 0)
		return false;
	for (size_t i = 0; i < c->n; i++) {
		struct complaint *k = &c->v[i];
		if (k->line != at->line || k->column != at->column || !same(k->file, at->file) || !k->item ||
		    strncmp(k->item, "checks.", 7) != 0 || strcmp(k->item, item) == 0 || !same(k->value, value) ||
		    !same(k->reason, reason))
			continue;
		k->more++;
		c->folded++;
		return true;
	}
	return false;
}

void complaint_add(struct complaints *c, const struct mark *at, const char *item, const char *value,
		   const char *fmt, ...)
{
	char reason[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof reason, fmt, ap);
	va_end(ap);
	if (fold(c, at, item, value, reason))
		return;
	struct complaint *v = c->n < COMPLAINTS_MAX ? realloc(c->v, (c->n + 1) * sizeof *v) : NULL;
	if (!v) {
		c->dropped++;
		return;
	}
	c->v = v;
	c->v[c->n++] = (struct complaint){
		.file = copy(at ? at->file : NULL),
		.line = at ? at->line : 0,
		.column = at ? at->column : 0,
		.item = copy(item),
		.value = copy(value),
		.reason = strdup(reason),
	};
}

/* A value as written, made printable, cut at 200 bytes. */
static void add_value(struct buf *out, const char *value)
{
	size_t n = 0;
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (n++ == 200) {
			buf_puts(out, "...");
			break;
		}
		if (*p < 0x20 || *p == 0x7f)
			buf_printf(out, "\\x%02x", *p);
		else
			buf_add(out, p, 1);
	}
}

void complaint_format(const struct complaint *c, struct buf *out)
{
	if (c->file) {
		buf_puts(out, c->file);
		if (c->line)
			buf_printf(out, ":%d", c->line);
		if (c->line && c->column)
			buf_printf(out, ":%d", c->column);
		buf_puts(out, ": ");
	}
	if (c->item)
		buf_puts(out, c->item);
	if (c->value) {
		buf_puts(out, c->item ? " \"" : "\"");
		add_value(out, c->value);
		buf_puts(out, "\"");
	}
	if (c->item || c->value)
		buf_puts(out, ": ");
	buf_puts(out, c->reason ? c->reason : "(out of memory)");
	if (c->more)
		buf_printf(out, " (and %zu more check%s of this line)", c->more, c->more == 1 ? "" : "s");
}

void complaints_print(const struct complaints *c, FILE *out)
{
	struct buf b;
	buf_init(&b, 8192);
	for (size_t i = 0; i < c->n; i++) {
		buf_reset(&b);
		complaint_format(&c->v[i], &b);
		fprintf(out, "%s\n", buf_str(&b));
	}
	if (c->dropped)
		fprintf(out, "and %zu more\n", c->dropped);
	buf_fini(&b);
}
