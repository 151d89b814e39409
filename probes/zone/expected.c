/*
 * Values as an administrator writes them, against those of an answer: an MX with or without its preference,
 * an address in any spelling or the network it is in, several with commas between them. Pure; called by check_dns.c.
 */
#include <stdio.h>
#include <string.h>

#include "lib/config/units.h"
#include "probes/dns/ip.h"
#include "zone.h"

void zone_value_text(const struct dns_value *v, char *out, size_t size)
{
	if (v->type == DNS_MX)
		snprintf(out, size, "%u %s", v->number, v->text);
	else
		snprintf(out, size, "%s", v->text);
}

/* 192.0.2.0/24 */
static bool within(const char *want, const struct dns_ip *ip)
{
	const char *slash = strchr(want, '/');
	struct dns_ip net;
	char text[64];
	int64_t bits;

	if (!slash || (size_t)(slash - want) >= sizeof(text) || !units_int(slash + 1, &bits, NULL))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)(slash - want), want);
	return dns_ip_parse(text, &net) && net.six == ip->six && bits >= 0 && bits <= (net.six ? 128 : 32) &&
	       dns_ip_within(ip, &net, (unsigned)bits);
}

bool zone_value_equal(const char *want, const struct dns_value *v)
{
	struct dns_ip a, b;
	char text[ZONE_VALUE_MAX];

	zone_value_text(v, text, sizeof(text));
	if (dns_ip_parse(v->text, &b) && (dns_ip_parse(want, &a) ? dns_ip_equal(&a, &b) : within(want, &b)))
		return true;
	return dns_name_equal(want, text) || dns_name_equal(want, v->text);
}

bool zone_next_wanted(struct zone_wanted *w)
{
	size_t n;

	if (!w->at || !*w->at) {
		if (w->at)
			w->i++;
		if (w->i >= w->list->n)
			return false;
		w->at = w->list->v[w->i];
	}
	n = w->whole ? strlen(w->at) : strcspn(w->at, ",");
	snprintf(w->now, sizeof(w->now), "%.*s", (int)n, w->at);
	w->at += n + (w->at[n] == ',');
	return true;
}

bool zone_is_wanted(struct zone_wanted w, const struct dns_value *v)
{
	while (zone_next_wanted(&w))
		if (zone_value_equal(w.now, v))
			return true;
	return false;
}
