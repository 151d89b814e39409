/* main.cf, read as text; see postfix_conf.h. Called by the queue probe to find the queue directories. */
#include "postfix_conf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"

enum { VALUE_MAX = 4096, DEPTH_MAX = 8 };

struct lookup {
	const char *text, *dir;
	int depth;
	char *why;
	size_t why_size;
};

static bool expand(struct lookup *l, const char *value, struct buf *out);

static bool same_name(const char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(line, name, n) != 0)
		return false;
	line += n;
	while (*line == ' ' || *line == '\t')
		line++;
	return *line == '=';
}

static const char *next_line(const char *p)
{
	const char *nl = strchr(p, '\n');

	return nl ? nl + 1 : p + strlen(p);
}

static bool is_comment(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\r')
		p++;
	return *p == '#' || *p == '\n' || !*p;
}

static void trim(struct buf *b)
{
	while (b->len && isspace((unsigned char)b->data[b->len - 1]))
		b->data[--b->len] = '\0';
}

/* The raw value behind the = of the line at p, its continuations joined by one blank each. */
static void raw_value(const char *p, struct buf *out)
{
	buf_reset(out);
	p = strchr(p, '=') + 1;
	for (;;) {
		const char *end = next_line(p);

		while (p < end && isspace((unsigned char)*p))
			p++;
		if (p < end)
			buf_add_cut(out, p, (size_t)(end - p));
		trim(out);
		while (*end && is_comment(end)) /* comments may stand between a line and its continuation */
			end = next_line(end);
		if (*end != ' ' && *end != '\t')
			return;
		p = end;
		if (out->len)
			buf_puts(out, " ");
	}
}

static bool find_raw(const char *text, const char *name, struct buf *out)
{
	bool found = false;

	for (const char *p = text; *p; p = next_line(p)) {
		if (same_name(p, name)) {
			raw_value(p, out);
			found = true;
		}
	}
	return found;
}

static bool too_long(struct lookup *l)
{
	snprintf(l->why, l->why_size, "it is too long");
	return false;
}

static bool expand_name(struct lookup *l, const char *name, struct buf *out)
{
	struct buf raw;
	bool ok;

	if (!strcmp(name, "config_directory"))
		return buf_puts(out, l->dir) || too_long(l);
	buf_init(&raw, VALUE_MAX);
	if (!find_raw(l->text, name, &raw)) {
		snprintf(l->why, l->why_size, "it refers to $%s, which the file does not define", name);
		ok = false;
	} else if (l->depth >= DEPTH_MAX) {
		snprintf(l->why, l->why_size, "it refers to others more than %d deep", DEPTH_MAX);
		ok = false;
	} else {
		l->depth++;
		ok = expand(l, buf_str(&raw), out);
		l->depth--;
	}
	buf_fini(&raw);
	return ok;
}

/* The name of a reference whose $ stands before p, to name; where to go on, NULL when it is more than a name.
 */
static const char *reference(const char *p, char *name, size_t size)
{
	char close = *p == '{' ? '}' : *p == '(' ? ')' : '\0';
	size_t n;

	if (close)
		p++;
	n = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	if (!n || n >= size || (close && p[n] != close))
		return NULL;
	memcpy(name, p, n);
	name[n] = '\0';
	return p + n + (close ? 1 : 0);
}

static bool expand(struct lookup *l, const char *value, struct buf *out)
{
	while (*value) {
		char name[128];

		if (*value != '$') {
			if (!buf_add(out, value++, 1))
				break;
			continue;
		}
		if (value[1] == '$') {
			buf_puts(out, "$");
			value += 2;
			continue;
		}
		value = reference(value + 1, name, sizeof(name));
		if (!value) {
			snprintf(l->why, l->why_size, "it holds more than plain references such as $name");
			return false;
		}
		if (!expand_name(l, name, out))
			return false;
	}
	return !out->full || too_long(l);
}

enum postfix_conf_found postfix_conf_get(const char *text, const char *dir, const char *name, char *out,
					 size_t size)
{
	struct lookup l = {.text = text, .dir = dir, .why = out, .why_size = size};
	enum postfix_conf_found found = POSTFIX_CONF_ABSENT;
	struct buf raw, value;

	buf_init(&raw, VALUE_MAX);
	buf_init(&value, VALUE_MAX < size - 1 ? VALUE_MAX : size - 1);
	out[0] = '\0';
	if (find_raw(text, name, &raw)) {
		found = expand(&l, buf_str(&raw), &value) ? POSTFIX_CONF_FOUND : POSTFIX_CONF_BEYOND;
		if (found == POSTFIX_CONF_FOUND)
			snprintf(out, size, "%s", buf_str(&value));
	}
	buf_fini(&value);
	buf_fini(&raw);
	return found;
}
