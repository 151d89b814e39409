/*
 * The simulated modem's faults: which are on, how often they still happen, what cures a hang.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simstate.h"

static const char *const names[SIM_NFAULTS] = {
	"slow", "cms", "cme", "late", "hang", "vanish", "vanish_cmgs", "vanish_prompt", "noprompt", "garbage",
	"urc", "lost",
	"swallow",
};

bool sim_faulty(struct sim *s, enum sim_fault_name f, long *value)
{
	struct sim_fault_state *x = &s->fault[f];

	if (!x->on || x->skip-- > 0)
		return false;
	x->skip = 0;
	if (value != NULL)
		*value = x->value;
	if (x->left > 0 && --x->left == 0)
		x->on = false;
	return true;
}

bool sim_hangs(const struct sim *s)
{
	return s->fault[SIM_HANG].on;
}

void sim_cure(struct sim *s, const char *by)
{
	if (s->fault[SIM_HANG].on && strcmp(s->fault[SIM_HANG].text, by) == 0)
		s->fault[SIM_HANG].on = false;
}

static int find(const char *spec, size_t n)
{
	for (int i = 0; i < SIM_NFAULTS; i++)
		if (strlen(names[i]) == n && strncmp(names[i], spec, n) == 0)
			return i;
	return -1;
}

bool sim_fault(struct sim *s, const char *spec, int64_t now, const char **why)
{
	size_t n = strcspn(spec, "=*+ \n");
	int f = find(spec, n);
	const char *value = spec[n] == '=' ? spec + n + 1 : "", *star = strchr(spec, '*'),
		   *plus = strchr(spec, '+');
	struct sim_fault_state *x;

	*why = "no such fault";
	if (f < 0)
		return false;
	x = &s->fault[f];
	x->value = strtol(value, NULL, 10);
	snprintf(x->text, sizeof(x->text), "%.*s", (int)strcspn(value, "*+ \n"), value);
	x->left = star != NULL ? strtol(star + 1, NULL, 10) : -1;
	x->skip = plus != NULL ? strtol(plus + 1, NULL, 10) : 0;
	x->on = x->left != 0;
	if (f == SIM_VANISH && x->on) {
		x->on = false;
		sim_power_on(s, now);
		s->calls.vanish(s->arg, x->value);
	}
	return true;
}
