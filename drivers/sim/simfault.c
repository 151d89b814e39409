/*
 * The simulated modem's faults: which are on, how often they still happen, what cures a hang.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simstate.h"

const char *const sim_fault_names[SIM_NFAULTS] = {
	"slow", "slowbytes", "halfecho", "cms", "cms_cmd", "cme", "late", "hang", "hang_cmgs",
	"hang_sent", "vanish", "vanish_cmgs", "vanish_prompt", "unplug", "newname", "locked",
	"noprompt", "lostprompt", "garbage", "urc", "lost", "swallow", "full",
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
		if (strlen(sim_fault_names[i]) == n && strncmp(sim_fault_names[i], spec, n) == 0)
			return i;
	return -1;
}

/* VALUE is a number, a word, or WORD:NUMBER. */
int sim_fault_set(struct sim *s, const char *spec)
{
	size_t n = strcspn(spec, "=*+ \n");
	int f = find(spec, n);
	const char *value = spec[n] == '=' ? spec + n + 1 : "", *star = strchr(spec, '*'),
		   *plus = strchr(spec, '+');
	struct sim_fault_state *x;
	size_t word;

	if (f < 0)
		return -1;
	x = &s->fault[f];
	word = strcspn(value, ":*+ \n");
	snprintf(x->text, sizeof(x->text), "%.*s", (int)word, value);
	x->value = strtol(value[word] == ':' ? value + word + 1 : value, NULL, 10);
	x->left = star != NULL ? strtol(star + 1, NULL, 10) : -1;
	x->skip = plus != NULL ? strtol(plus + 1, NULL, 10) : 0;
	x->on = x->left != 0;
	return f;
}
