/* When a line is tried between its pages; see trial.h. */
#include "trial.h"

#include "lib/clock.h"

enum { WAIT_MAX_MS = 3600000 };

void trial_done(struct trial *t)
{
	t->next = clock_boot_ms() + t->every_ms;
}

bool trial_due(const struct trial *t)
{
	return clock_boot_ms() >= trial_next(t);
}

int64_t trial_next(const struct trial *t)
{
	return t->every_ms > 0 ? t->next : INT64_MAX;
}

int trial_wait_ms(int64_t next)
{
	int64_t now = clock_boot_ms();

	return next <= now ? 0 : next - now > WAIT_MAX_MS ? WAIT_MAX_MS : (int)(next - now);
}
