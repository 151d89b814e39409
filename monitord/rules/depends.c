/* Dependencies; see depends.h. Called before a problem is let page (settle.c) and before a run is started
 * (due.c). */
#include "depends.h"

#include <stdio.h>

/* What counts of the other check. */
static enum nag_state state_of(const struct judge *j)
{
	return j->measured ? j->state : j->hard;
}

bool depends_fails(const struct depend *d)
{
	const struct judge *j = &d->on->judge;
	return j->ever && (d->when >> state_of(j) & 1);
}

const struct depend *depends_mute(const struct check *c)
{
	for (size_t i = 0; i < c->ndepends; i++)
		if (c->depends[i].notification && depends_fails(&c->depends[i]))
			return &c->depends[i];
	return NULL;
}

const struct depend *depends_hold(const struct check *c)
{
	for (size_t i = 0; i < c->ndepends; i++)
		if (c->depends[i].execution && depends_fails(&c->depends[i]))
			return &c->depends[i];
	return NULL;
}

struct check *depends_unsure(const struct check *c)
{
	for (size_t i = 0; i < c->ndepends; i++) {
		struct check *on = c->depends[i].on;
		if (!c->depends[i].notification || on->kind == CHECK_SELF || depends_hold(on))
			continue;
		if (!on->has_run || on->last_run.boot_ms < c->turned_ms)
			return on;
	}
	return NULL;
}

char *depends_text(const struct depend *d, char *out, size_t size)
{
	snprintf(out, size, "depends on %.100s, which is %s", d->on->name, nag_name(state_of(&d->on->judge)));
	return out;
}
