/*
 * mx: does each way by which a domain's mail comes in take mail? All MX, all their addresses, both families,
 * and the fallback smarthosts by which mail goes out when the first way is shut: a backup is found dead
 * before it is needed. An envelope is opened and reset; nothing is sent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"
#include "probes/dns/ask.h"
#include "probes/mx/mx.h"

#define FIELD(f) .offset = offsetof(struct mx_conf, f)

static const struct opt mx_opts[] = {
    {.name = "domain",
     .letter = 'H',
     .type = OPT_STRING,
     FIELD(domain),
     .unit = "DOMAIN",
     .help = "the domain whose MX are tried; without MX records the domain itself"},
    {.name = "port",
     .letter = 'p',
     .type = OPT_INT,
     FIELD(port),
     .dflt = "25",
     .min = 1,
     .max = 65535,
     .unit = "PORT",
     .help = "their port"},
    {.name = "require",
     .letter = 'r',
     .type = OPT_ENUM,
     FIELD(require),
     .dflt = "all",
     .choices = "all|quorum|any",
     .help = "how many addresses must take mail: all, more than half, one; fewer are CRITICAL, a dead one is "
	     "a WARNING"},
    {.name = "fallback",
     .letter = 'b',
     .type = OPT_LIST,
     FIELD(fallback),
     .unit = "HOST[:PORT]",
     .help = "a fallback smarthost, tried too"},
    {.name = "from",
     .letter = 'f',
     .type = OPT_STRING,
     FIELD(from),
     .unit = "MAIL",
     .help = "sender of the envelope; default: the empty one"},
    {.name = "to",
     .type = OPT_STRING,
     FIELD(to),
     .unit = "MAIL",
     .help = "recipient; default: postmaster of the domain"},
    {.name = "fallback_to",
     .type = OPT_STRING,
     FIELD(fallback_to),
     .unit = "MAIL",
     .help = "recipient at the fallback smarthosts, which take mail for elsewhere; default: as to"},
    {.name = "starttls",
     .letter = 'S',
     .type = OPT_BOOL,
     FIELD(starttls),
     .help = "each must offer STARTTLS and do it"},
    {.name = "use_ipv4", .letter = '4', .type = OPT_BOOL, FIELD(four), .help = "only IPv4 addresses"},
    {.name = "use_ipv6", .letter = '6', .type = OPT_BOOL, FIELD(six), .help = "only IPv6 addresses"},
    {.name = "fqdn",
     .letter = 'F',
     .type = OPT_STRING,
     FIELD(fqdn),
     .unit = "NAME",
     .help = "name given in EHLO; default: this host's full name, else its address in brackets"},
    {.name = "dns_servers",
     .type = OPT_LIST,
     FIELD(dns_servers),
     .unit = "ADDRESS[:PORT]",
     .help = "ask these name servers instead of those of this host"},
    {.name = NULL}};

static void check_address(struct complaints *c, const char *item, const char *address)
{
	if (address && (strpbrk(address, " <>\r\n") || strlen(address) > 500))
		complaint_add(c, NULL, item, address, "not a mail address");
}

static void check_conf(const void *conf, struct complaints *c)
{
	const struct mx_conf *o = conf;
	struct mx_host scrap;
	size_t i;

	if (!o->domain && o->fallback.n == 0)
		complaint_add(c, NULL, "domain", NULL, "is required when there is no fallback");
	if (o->domain && !dns_name_ok(o->domain))
		complaint_add(c, NULL, "domain", o->domain, "not a domain name");
	if (!o->domain && !o->to && !o->fallback_to)
		complaint_add(c, NULL, "fallback_to", NULL, "is required without a domain");
	if (o->four && o->six)
		complaint_add(c, NULL, "use_ipv6", NULL, "excludes use_ipv4");
	if (o->fqdn && (!o->fqdn[0] || strpbrk(o->fqdn, " \r\n") || strlen(o->fqdn) > 255))
		complaint_add(c, NULL, "fqdn", o->fqdn, "not a name for EHLO");
	for (i = 0; i < o->fallback.n; i++)
		if (!mx_fallback(o->fallback.v[i], 25, &scrap))
			complaint_add(c, NULL, "fallback", o->fallback.v[i], "must be HOST or HOST:PORT");
	check_address(c, "from", o->from);
	check_address(c, "to", o->to);
	check_address(c, "fallback_to", o->fallback_to);
	dns_servers_check(&o->dns_servers, "dns_servers", c);
}

static void global_init(void)
{
	dns_global_init();
	smtp_global_init();
}

static void run_mx(struct probe_run *run)
{
	const struct mx_conf *o = run->conf;
	struct mx_found *found = calloc(1, sizeof(*found));
	struct smtp_target t = {.helo = o->fqdn,
				.tls = o->starttls ? SMTP_TLS_STARTTLS : SMTP_TLS_OFF,
				.deadline = run->deadline,
				.run = run};
	char servers[1024];

	if (!found) {
		result_fail(run->result, NAG_UNKNOWN, "local", "out of memory");
		run->result->measured = false;
		return;
	}
	dns_servers_join(&o->dns_servers, servers, sizeof(servers));
	probe_at_name(run, "DNS", o->domain ? o->domain : "fallback");
	if (mx_find(o, servers[0] ? servers : NULL, smtp_share(run->deadline, 2), found, run->result)) {
		mx_try(o, found, &t);
		mx_report(o, found, run->result);
	}
	free(found);
}

const struct probe probe_mx = {
    .name = "mx",
    .help = "all MX of a domain and fallback smarthosts: each address must take an envelope; nothing is sent",
    .place = PROBE_NET,
    .opts = mx_opts,
    .conf_size = sizeof(struct mx_conf),
    .host_option = "domain",
    .check_conf = check_conf,
    .global_init = global_init,
    .run = run_mx,
};
