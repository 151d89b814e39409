/* Lists on the disk; see listwatch.h. */
#include "listwatch.h"

#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct watched {
	char *source, *path;
	struct conf_list_id taken, told, seen;
};

struct listwatch {
	struct watched v[CONF_LISTS_MAX];
	size_t n;
};

struct listwatch *listwatch_new(void)
{
	return calloc(1, sizeof(struct listwatch));
}

static void drop(struct listwatch *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->v[i].source);
		free(w->v[i].path);
	}
	w->n = 0;
}

void listwatch_free(struct listwatch *w)
{
	if (w)
		drop(w);
	free(w);
}

void listwatch_use(struct listwatch *w, const struct config *conf)
{
	drop(w);
	for (size_t i = 0; i < conf->nlists && i < CONF_LISTS_MAX; i++) {
		const struct conf_list *k = &conf->lists[i];
		struct watched *x = &w->v[w->n];
		*x = (struct watched){.source = strdup(k->source),
				      .path = k->path ? strdup(k->path) : NULL,
				      .taken = k->id,
				      .told = k->id,
				      .seen = k->id};
		if (x->source && x->path) {
			w->n++;
			continue;
		}
		free(x->source);
		free(x->path);
	}
}

static bool same(const struct conf_list_id *a, const struct conf_list_id *b)
{
	return a->ino == b->ino && a->size == b->size && a->ns == b->ns;
}

const char *listwatch_look(struct listwatch *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct watched *x = &w->v[i];
		struct conf_list_id now = config_list_id(x->path);
		bool settled = same(&now, &x->seen);
		x->seen = now;
		if (!settled || same(&now, &x->taken) || same(&now, &x->told))
			continue;
		x->told = now;
		return x->source;
	}
	return NULL;
}
