/* See open.h. */
#include "open.h"

struct dns_net *dns_open_for(struct probe_run *run, const struct opt_list *resolver, int64_t answer_limit_ms)
{
	char servers[1024], why[DNS_WHY_MAX];
	struct dns_net *net =
		dns_open(dns_servers_join(resolver, servers, sizeof(servers)), answer_limit_ms, why, sizeof(why));

	if (!net) {
		result_fail(run->result, NAG_UNKNOWN, "local", "%s", why);
		run->result->measured = false;
	}
	return net;
}
