/*
 * The key depends_on of a check: what it hangs on beyond its parents, and what that suppresses. Called by
 * checks.c; whether the names exist and make a loop is the proof's (prove.c).
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const keys[] = {"check", "group", "when", "suppress"};
enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

/* A list of words, each of which set() knows. */
static void read_words(struct conf_loader *l, const struct node *n, const char *item, const char *known,
		       bool (*set)(struct conf_depend *d, const char *word), struct conf_depend *d)
{
	char **v;
	size_t nv;
	conf_names(l, n, item, false, &v, &nv);
	for (size_t i = 0; i < nv; i++) {
		if (!set(d, v[i]))
			complaint_add(l->c, &n->at, item, v[i], "is none of %s", known);
		free(v[i]);
	}
	free(v);
}

static bool set_when(struct conf_depend *d, const char *word)
{
	enum nag_state s;
	if (!nag_from_name(word, &s))
		return false;
	d->when |= 1u << s;
	return true;
}

static bool set_suppress(struct conf_depend *d, const char *word)
{
	d->notification |= strcmp(word, "notification") == 0;
	d->execution |= strcmp(word, "execution") == 0;
	return strcmp(word, "notification") == 0 || strcmp(word, "execution") == 0;
}

static void read_key(struct conf_loader *l, struct conf_depend *d, const struct node *n, const char *prefix)
{
	const char *item = conf_item(l, "%s.%s", prefix, n->key), *text;
	if (strcmp(n->key, "check") == 0) {
		if ((text = conf_text(l, n, item)))
			conf_copy(l, d->check, sizeof(d->check), text, n, item);
	} else if (strcmp(n->key, "group") == 0) { /* what is taken apart once all checks are known */
		char named[EVENT_NAME_MAX + 8];
		if ((text = conf_text(l, n, item)) && snprintf(named, sizeof(named), "group:%s", text))
			conf_copy(l, d->check, sizeof(d->check), named, n, item);
	} else if (strcmp(n->key, "when") == 0) {
		read_words(l, n, item, "OK, WARNING, CRITICAL, UNKNOWN", set_when, d);
	} else if (strcmp(n->key, "suppress") == 0) {
		read_words(l, n, item, "notification, execution", set_suppress, d);
	} else {
		conf_unknown(l, n, item, keys, KEYS);
	}
}

static void read_one(struct conf_loader *l, struct conf_depend *d, const struct node *n, const char *prefix)
{
	d->at = n->at;
	if (n->kind == NODE_SCALAR) { /* a name alone: all as by default */
		const char *text = conf_text(l, n, prefix);
		if (text)
			conf_copy(l, d->check, sizeof(d->check), text, n, prefix);
	} else if (n->kind == NODE_MAP) {
		for (size_t i = 0; i < n->nkids; i++)
			read_key(l, d, n->kids[i], prefix);
		if (!tree_get(n, "check") == !tree_get(n, "group"))
			complaint_add(l->c, &n->at, conf_item(l, "%s.check", prefix), NULL,
				      tree_get(n, "check") ? "and group are both there: say one of them"
							   : "is missing: say on which check, or group");
	} else {
		complaint_add(l->c, &n->at, conf_item(l, "%s", prefix), NULL,
			      "must be a check's name or a map, such as {check: NAME}");
	}
	if (!d->when)
		d->when = 1u << NAG_CRITICAL | 1u << NAG_UNKNOWN;
	if (!d->notification && !d->execution)
		d->notification = true;
}

void conf_read_depends(struct conf_loader *l, struct conf_check *k, const struct node *n)
{
	const char *item = conf_item(l, "checks.%s.depends_on", k->name);
	if (n->kind != NODE_SEQ) {
		complaint_add(l->c, &n->at, item, NULL,
			      "must be a list, such as [{check: NAME, when: [CRITICAL], suppress: "
			      "notification}]");
		return;
	}
	if (n->nkids > CONF_LIST_MAX) {
		complaint_add(l->c, &n->at, item, NULL, "are %zu; at most %d are taken", n->nkids,
			      CONF_LIST_MAX);
		return;
	}
	k->depends = n->nkids ? calloc(n->nkids, sizeof(*k->depends)) : NULL;
	if (n->nkids && !k->depends) {
		complaint_add(l->c, &n->at, item, NULL, "out of memory");
		return;
	}
	for (size_t i = 0; i < n->nkids; i++) {
		char prefix[CONF_ITEM_BYTES / 2];
		snprintf(prefix, sizeof(prefix), "checks.%s.depends_on[%zu]", k->name, i + 1);
		read_one(l, &k->depends[k->ndepends++], n->kids[i], prefix);
	}
}
