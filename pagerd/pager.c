/*
 * The turn; see pager.h. Everything that could be decided without a disk, a clock or a
 * line is decided in incident.c and route.c: here is the order in which it is done.
 */
#include "pager.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/loop.h"
#include "pagerd/rules/escalation.h"
#include "answers.h"
#include "batch.h"
#include "contacts.h"
#include "dispatch.h"
#include "errands.h"
#include "intake.h"
#include "lines.h"
#include "pacing.h"
#include "prover.h"
#include "snapshot.h"
#include "sources.h"
#include "tests.h"
#include "writing.h"

/* --- time ------------------------------------------------------------------------------------------ */

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Late answers that did not come, repeats that are due. */
static int64_t pass_time(struct pager *p, const struct stamp *now)
{
	int64_t next = lines_watch(p->lines, now->boot_ms);
	for (size_t k = 0; k < p->ninc; k++) {
		struct incident *i = p->inc[k];
		bool changed = false;
		for (size_t m = 0; m < i->ncalls; m++) {
			struct call *c = i->calls[m];
			if (call_expire(c, now->boot_ms))
				changed = i->dirty = true;
			if (c->phase == CALL_UNSURE)
				next = sooner(next, c->unsure_until - now->boot_ms);
		}
		if (changed)
			pager_settle(p, i, now);
		next = sooner(next, escalation_pass(i, p->conf, p->views, p->nviews, now));
	}
	return next;
}

/* Forgets the oldest incidents that are over. */
static void trim(struct pager *p, int64_t now)
{
	size_t over = 0;
	if (p->store_trouble) /* a disk that hangs is not to be touched from here */
		return;
	for (size_t k = 0; k < p->ninc; k++)
		over += incident_is_over(p->inc[k]) && !p->inc[k]->ephemeral;
	for (size_t k = 0, gone = 0; k < p->ninc && over > PAGER_CLOSED_KEPT && gone < PAGER_TRIM_MAX;) {
		struct incident *i = p->inc[k];
		/* its event may still be in the spool: it must be known when it is read again */
		if (!incident_is_over(i) || i->dirty || i->owed || i->ephemeral || now - i->seen_ms < 60000) {
			k++;
			continue;
		}
		store_forget(p->store, i);
		pager_drop(p, i);
		over--;
		gone++;
	}
}

/* Writes what changed and lets go of the events that are written. */
static void write_down(struct pager *p)
{
	p->write_owed = false;
	bool written = writing_all(p);
	batches_tidy(p);
	if (intake_pending(p->intake) && written)
		intake_scan(p->intake);
	if (intake_pending(p->intake) && written)
		pager_soon(p, 0); /* came in between */
}

void pager_turn(struct pager *p)
{
	struct stamp now = clock_stamp();
	if (p->stopping) {
		writing_all(p);
		return;
	}
	p->turn_at = 0;
	if (p->write_owed)
		write_down(p);
	int64_t next = pass_time(p, &now);
	next = sooner(next, dispatch(p, &now));
	if (p->write_owed) /* a page was handed over: it leaves when the loop comes round, the rest can wait for that */
		next = 0;
	else
		write_down(p);
	next = sooner(next, tests_watch(p->tests, now.boot_ms));
	next = sooner(next, sources_watch(p->sources, now.boot_ms));
	next = sooner(next, errands_watch(p->errands, now.boot_ms));
	next = sooner(next, answers_watch(p->answers));
	next = sooner(next, prover_watch(p->prover, &now));
	trim(p, now.boot_ms);
	if (p->changed)
		snapshot_soon(p->snapshot);
	p->changed = false;
	pager_soon(p, sooner(next, 5000));
}

static void on_turn(void *arg)
{
	struct pager *p = arg;
	p->turn_at = 0;
	pager_turn(p);
}

/* --- beginning and end ----------------------------------------------------------------------------- */

static void loaded(void *arg, struct incident *i)
{
	struct pager *p = arg;
	for (size_t m = 0; m < i->nchanges; m++)
		if (strncmp(i->check, "self.pagerd", 11) == 0 || strcmp(i->check, "self.monitord") == 0)
			p->last_change = i->changes[m] > p->last_change ? i->changes[m] : p->last_change;
	pager_adopt(p, i);
}

static void unreadable(void *arg, const char *path, const char *why)
{
	struct pager *p = arg;
	char text[600];
	snprintf(text, sizeof text,
		 "the record of an incident cannot be read (%.150s); an alarm may be forgotten, see "
		 "monitorctl status: %.300s",
		 why, path);
	pager_self_notice(p, "self.pagerd-record", pager_next_change(p), text);
}

void pager_use_conf(struct pager *p)
{
	free(p->views);
	p->views = contacts_all(p->conf, &p->nviews);
}

bool pager_start(struct pager *p, char *why, size_t size)
{
	p->turn = loop_timer_new(p->base, on_turn, p);
	p->store = p->turn ? store_open(p->conf->pagerd_state, p->conf->pagerd_run, why, size) : NULL;
	if (!p->store)
		return false;
	pager_use_conf(p);
	p->batches = batches_new();
	p->pacing = pacing_new();
	if (!p->batches || !p->pacing) {
		snprintf(why, size, "out of memory");
		return false;
	}
	store_load(p->store, loaded, unreadable, p);
	batches_load(p, unreadable);
	struct stamp now = clock_stamp();
	for (size_t k = 0; k < p->ninc; k++)
		pager_settle(p, p->inc[k], &now);
	return true;
}

void pager_fini(struct pager *p)
{
	while (p->ninc)
		pager_drop(p, p->inc[p->ninc - 1]);
	free(p->inc);
	free(p->views);
	batches_free(p->batches);
	pacing_free(p->pacing);
	loop_timer_free(p->turn);
	store_close(p->store);
}
