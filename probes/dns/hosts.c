/*
 * Names to all their addresses, asked for in one go. An address literal asks nobody.
 */
#include "hosts.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/config/opts.h"

static void add(struct dns_hosts *out, const struct dns_ip *ip, const char *from)
{
	for (size_t i = 0; i < out->n; i++)
		if (dns_ip_equal(&out->v[i].ip, ip))
			return;
	if (out->n == DNS_HOSTS_MAX)
		return;
	out->v[out->n] = (struct dns_host){.ip = *ip, .from = from};
	dns_ip_text(ip, out->v[out->n].text);
	out->n++;
}

static bool fault(struct dns_hosts *out, const char *name, const struct dns_answer *a)
{
	out->bad_name = name;
	out->bad.outcome = a->outcome;
	snprintf(out->bad.why, sizeof(out->bad.why), "%s", a->why);
	return false;
}

/* Both families of one name. */
static bool take(struct dns_hosts *out, const struct dns_ask two[2])
{
	struct dns_ip ip;
	bool any = false;

	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < two[k].answer.n; i++)
			if (dns_ip_bytes(two[k].answer.v[i].data, two[k].answer.v[i].len, &ip)) {
				add(out, &ip, two[k].name);
				any = true;
			}
	for (int k = 0; k < 2; k++)
		if (!dns_answered(&two[k].answer))
			return fault(out, two[k].name, &two[k].answer);
	return any || fault(out, two[0].name, &two[0].answer);
}

bool dns_hosts_find(struct dns_net *net, const struct opt_list *list, int64_t deadline, struct dns_hosts *out)
{
	struct dns_ask *v = calloc(2 * list->n + 1, sizeof(*v));
	struct dns_ip ip;
	size_t n = 0;
	bool ok = v != NULL;

	*out = (struct dns_hosts){0};
	if (!ok)
		return fault(out, "", &(struct dns_answer){.outcome = DNS_LOCAL, .why = "out of memory"});
	for (size_t i = 0; i < list->n; i++) {
		if (dns_ip_parse(list->v[i], &ip))
			continue;
		v[n++] = (struct dns_ask){.name = list->v[i], .type = DNS_A, .flags = DNS_RD};
		v[n++] = (struct dns_ask){.name = list->v[i], .type = DNS_AAAA, .flags = DNS_RD};
	}
	dns_ask_all(net, v, n, deadline);
	for (size_t i = 0, k = 0; i < list->n && ok; i++) {
		if (dns_ip_parse(list->v[i], &ip)) {
			add(out, &ip, list->v[i]);
		} else {
			ok = take(out, v + k);
			k += 2;
		}
	}
	dns_asks_fini(v, n);
	free(v);
	return ok;
}

void dns_hosts_report(const struct dns_hosts *hosts, struct result *r)
{
	bool said = dns_answered(&hosts->bad);

	result_fail(r, said ? NAG_CRITICAL : NAG_UNKNOWN, said ? "resolve" : "resolver",
		    said ? "%s has no address: %s" : "the addresses of %s are not known: the resolver %s",
		    hosts->bad_name, hosts->bad.why);
	result_fact(r, "resolver_dead", dns_dead(&hosts->bad));
}
