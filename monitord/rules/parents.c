/* Parents; see parents.h. Called by the core before it lets a problem page. */
#include "parents.h"

#include <string.h>

/* The configuration allows no loops; this bounds the walk all the same. */
enum { DEPTH_MAX = 64 };

static bool blocked(const struct checks *t, const struct check *c, const struct check **by, int depth)
{
	if (c->below_self && t->self && judge_down(&t->self->judge)) {
		*by = t->self;
		return true;
	}
	const struct check *remote = c->remote;
	if (remote && (blocked(t, c->remote, &remote, depth + 1) || judge_down(&remote->judge))) {
		*by = remote;
		return true;
	}
	if (c->nparents == 0 || depth > DEPTH_MAX)
		return false;
	const struct check *first = NULL;
	for (size_t i = 0; i < c->nparents; i++) {
		const struct check *p = c->parents[i], *why = p;
		/* what blocks the parent explains more than the parent does */
		if (!blocked(t, p, &why, depth + 1) && !judge_down(&p->judge))
			return false;
		if (!first)
			first = why;
	}
	*by = first;
	return true;
}

bool parents_block(const struct checks *t, const struct check *c, const struct check **by)
{
	return blocked(t, c, by, 0);
}

struct check *parents_unsure(const struct check *c)
{
	for (size_t i = 0; i < c->nparents; i++) {
		struct check *p = c->parents[i];
		if (judge_down(&p->judge) || p->kind == CHECK_SELF)
			continue;
		if (!p->has_run || p->last_run.boot_ms < c->turned_ms)
			return p;
	}
	return NULL;
}
