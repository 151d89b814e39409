/* Writing down; see writing.h. */
#include "writing.h"

#include <stdio.h>

#include "lib/log.h"

static void disk_failed(struct pager *p, const char *why, enum store_where where)
{
	char text[512];
	p->store_retry = clock_boot_ms() + PAGER_STORE_RETRY_MS;
	if (p->store_trouble)
		return;
	p->store_trouble = true;
	snprintf(text, sizeof text,
		 "the pager cannot write down what it does (%.300s): pages still go out; after a restart "
		 "some may come twice%s",
		 why, where == STORE_TWIN ? "" : " without saying so");
	log_err("%s", text);
	pager_self_problem(p, "self.pagerd-state", NAG_CRITICAL, text);
}

void writing_save(struct pager *p, struct incident *i)
{
	char why[300] = "";
	if (i->ephemeral) {
		i->dirty = false;
		return;
	}
	/* while the disk is known to be in trouble nothing waits for it */
	if (p->store_trouble && clock_boot_ms() < p->store_retry && store_save_aside(p->store, i))
		return;
	enum store_where where = store_save(p->store, i, why, sizeof why);
	if (where != STORE_DISK)
		disk_failed(p, why, where);
}

bool writing_note(struct pager *p, const char *name, const struct cJSON *v)
{
	char why[300] = "";
	bool aside = p->store_trouble && clock_boot_ms() < p->store_retry;
	enum store_where where = store_note(p->store, name, v, aside, why, sizeof why);
	if (where != STORE_DISK && !aside)
		disk_failed(p, why, where);
	return where != STORE_NOWHERE;
}

bool writing_all(struct pager *p)
{
	int64_t begin = clock_boot_ms();
	bool retry = p->store_trouble && begin >= p->store_retry;
	for (size_t k = 0; k < p->ninc; k++) {
		struct incident *i = p->inc[k];
		if (!i->dirty && !(i->owed && (retry || !p->store_trouble)))
			continue;
		writing_save(p, i);
		if (retry && i->owed)
			return false; /* still in trouble; the rest is in the twin */
		if (clock_boot_ms() - begin > PAGER_SAVE_MS) {
			pager_soon(p, 0);
			return false;
		}
	}
	if (retry) {
		p->store_trouble = false;
		pager_self_over(p, "self.pagerd-state",
				"the pager can write again; all it did meanwhile is written down");
		pager_soon(p, 0);
	}
	return !p->store_trouble;
}
