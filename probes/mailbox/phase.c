/*
 * Times the phases of a session with a mail store (see phase.h). Called by link.c and the sessions above it.
 */
#include "phase.h"

#include <math.h>
#include <string.h>

#include "lib/clock.h"
#include "probes/probe.h"

void mailbox_clock_init(struct mailbox_clock *c, struct probe_run *run, int64_t deadline)
{
	*c = (struct mailbox_clock){.run = run, .deadline = deadline};
	for (int i = 0; i < MAILBOX_PHASES; i++)
		c->ms[i] = NAN;
}

const char *mailbox_phase_name(enum mailbox_phase phase)
{
	static const char *const names[MAILBOX_PHASES] = {"resolve", "connect", "greeting",
							  "TLS",     "login",	"command"};

	return names[phase];
}

void mailbox_end(struct mailbox_clock *c)
{
	double *ms = &c->ms[c->phase];

	if (c->since_us)
		*ms = (isnan(*ms) ? 0 : *ms) + (double)(clock_boot_us() - c->since_us) / 1000;
	c->since_us = 0;
}

void mailbox_begin(struct mailbox_clock *c, enum mailbox_phase phase)
{
	mailbox_end(c);
	c->phase = phase;
	c->since_us = clock_boot_us();
	if (c->run)
		probe_at(c->run, mailbox_phase_name(phase));
}

int64_t mailbox_until(const struct mailbox_clock *c)
{
	int64_t limit = c->limit_ms[c->phase], all = c->deadline * 1000;

	return limit > 0 && c->since_us && c->since_us + limit * 1000 < all ? c->since_us + limit * 1000
									    : all;
}
