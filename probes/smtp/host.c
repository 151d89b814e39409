/*
 * From a host's name to sessions with its addresses. Called by check_smtp and by the round trip.
 */
#include "lib/clock.h"
#include "probes/probe.h"
#include "session_private.h"

bool smtp_resolve(const struct smtp_target *t, int family, const char *dns_servers, struct smtp_seen *seen,
		  struct net_addresses *out, struct smtp_fault *fault)
{
	int64_t start = clock_boot_us(), deadline = start / 1000 + smtp_limit_ms(t, SMTP_RESOLVE);
	enum resolve_outcome outcome;
	char why[120];

	smtp_global_init();
	if (t->deadline && t->deadline < deadline)
		deadline = t->deadline;
	if (t->run)
		probe_at(t->run, smtp_where(SMTP_RESOLVE));
	outcome = resolve_host(t->host, t->port, family, dns_servers, deadline, out, why, sizeof(why));
	if (seen)
		seen->ms[SMTP_RESOLVE] = (double)(clock_boot_us() - start) / 1000;
	if (outcome == RESOLVE_OK)
		return true;
	if (outcome == RESOLVE_LOCAL)
		return smtp_fault_set(fault, SMTP_FAULT_LOCAL, SMTP_RESOLVE, "cannot be measured: %s", why);
	if (outcome == RESOLVE_NO_NAME)
		return smtp_fault_set(fault, SMTP_FAULT_NAME, SMTP_RESOLVE, "cannot be found: %s", why);
	return smtp_fault_set(fault, SMTP_FAULT_RESOLVER, SMTP_RESOLVE, "cannot be looked up: %s", why);
}

struct smtp_session *smtp_open_host(const struct smtp_target *t, int family, const char *dns_servers,
				    struct smtp_seen *seen, struct smtp_fault *fault)
{
	struct net_addresses found;
	struct smtp_session *s = NULL;
	struct smtp_target one = *t;
	size_t i;

	*fault = (struct smtp_fault){.kind = SMTP_FINE};
	if (!smtp_resolve(t, family, dns_servers, seen, &found, fault))
		return NULL;
	for (i = 0; i < found.n && !s; i++) {
		one.deadline = smtp_share(t->deadline, found.n - i);
		s = smtp_open(&one, &found.v[i], seen, fault);
	}
	if (s)
		s->t.deadline = t->deadline;
	return s;
}

int64_t smtp_share(int64_t deadline, size_t left)
{
	int64_t now = clock_boot_ms();

	return deadline && left > 1 && deadline > now ? now + (deadline - now) / (int64_t)left : deadline;
}
