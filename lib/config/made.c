/*
 * Nodes beside those of the files, for checks that stand for many; called by expand.c. Each bears the place
 * of what a person wrote. Whatever is made lives until the loader's end, and shares what need not differ.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { MADE_MAX = 1000000 };

struct node *conf_make(struct conf_loader *l, enum node_kind kind, const struct node *like)
{
	if (l->nmade == l->made_cap && l->nmade < MADE_MAX) {
		size_t cap = l->made_cap ? l->made_cap * 2 : 256;
		struct node **v = realloc(l->made, cap * sizeof *v);
		if (!v)
			return NULL;
		l->made = v;
		l->made_cap = cap;
	}
	struct node *n = l->nmade < l->made_cap ? calloc(1, sizeof *n) : NULL;
	if (!n) {
		if (!l->made_full)
			complaint_add(l->c, &like->key_at, "checks", NULL,
				      "what stands for many makes more than 1,000,000 values");
		l->made_full = true;
		return NULL;
	}
	l->made[l->nmade++] = n;
	*n = (struct node){.kind = kind, .at = like->at, .key_at = like->key_at};
	if (like->key)
		n->key = strdup(like->key);
	return n;
}

void conf_made_free(struct conf_loader *l)
{
	for (size_t i = 0; i < l->nmade; i++) {
		free(l->made[i]->key);
		free(l->made[i]->scalar);
		free(l->made[i]->kids); /* the kids are others' */
		free(l->made[i]);
	}
	free(l->made);
}

char *conf_with_host(const char *text, const char *host)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	for (const char *at; (at = strstr(text, CONF_HOST_MARK)); text = at + strlen(CONF_HOST_MARK)) {
		buf_add(&b, text, (size_t)(at - text));
		buf_puts(&b, host);
	}
	buf_puts(&b, text);
	char *out = b.full ? NULL : strdup(buf_str(&b));
	buf_fini(&b);
	return out;
}

static bool holds_host(const struct node *n)
{
	if (n->scalar && strstr(n->scalar, CONF_HOST_MARK))
		return true;
	for (size_t i = 0; i < n->nkids; i++)
		if (holds_host(n->kids[i]))
			return true;
	return false;
}

struct node *conf_for_host(struct conf_loader *l, struct node *n, const char *host)
{
	if (!host || !holds_host(n))
		return n;
	struct node *m = conf_make(l, n->kind, n);
	if (!m)
		return NULL;
	m->null = n->null;
	if (n->scalar)
		return (m->scalar = conf_with_host(n->scalar, host)) ? m : NULL;
	m->kids = calloc(n->nkids, sizeof *m->kids);
	for (size_t i = 0; m->kids && i < n->nkids; i++) {
		struct node *kid = conf_for_host(l, n->kids[i], host);
		if (!kid)
			return NULL;
		m->kids[m->nkids++] = kid;
	}
	return m->kids ? m : NULL;
}
