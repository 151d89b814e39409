/* Flapping; see flapping.h. Called by the core for each result that counts. */
#include "flapping.h"

#include <string.h>

/* The weights of the oldest and the newest change. */
static const double weight_low = 0.75, weight_high = 1.25;

double flapping_percent(const struct flapping *f)
{
	double changes = 0;
	for (int i = 1; i < FLAPPING_SAMPLES; i++)
		if (f->states[i] != f->states[i - 1])
			changes += weight_low + (weight_high - weight_low) * (i - 1) / (FLAPPING_SAMPLES - 2);
	return changes * 100 / (FLAPPING_SAMPLES - 1);
}

bool flapping_sample(struct flapping *f, enum nag_state state, const struct flapping_limits *limits)
{
	bool was = f->on;
	memmove(f->states, f->states + 1, FLAPPING_SAMPLES - 1);
	f->states[FLAPPING_SAMPLES - 1] = (unsigned char)state;
	double percent = flapping_percent(f);
	if (limits->high <= 0 || percent <= limits->low)
		f->on = false;
	else if (percent >= limits->high)
		f->on = true;
	return f->on != was;
}

enum nag_state flapping_worst(const struct flapping *f)
{
	enum nag_state worst = NAG_OK;
	for (int i = 0; i < FLAPPING_SAMPLES; i++)
		worst = nag_worse(worst, (enum nag_state)f->states[i]);
	return worst == NAG_OK ? NAG_UNKNOWN : worst;
}

char *flapping_text(const struct flapping *f, char *out, size_t size)
{
	size_t n = 0;
	for (; n < FLAPPING_SAMPLES && n + 1 < size; n++)
		out[n] = (char)('0' + f->states[n]);
	out[n] = '\0';
	return out;
}

bool flapping_from_text(struct flapping *f, const char *text)
{
	if (strlen(text) != FLAPPING_SAMPLES || strspn(text, "0123") != FLAPPING_SAMPLES)
		return false;
	for (int i = 0; i < FLAPPING_SAMPLES; i++)
		f->states[i] = (unsigned char)(text[i] - '0');
	return true;
}
