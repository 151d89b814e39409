/*
 * cert: how long is a certificate good, is it for the right name, is its chain trusted? Of a file, or of a
 * port, after STARTTLS where the protocol has it. Days are whole ones, in UTC; the certificate that ends
 * first along the chain counts.
 */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "probe.h"
#include "probes/cert/look.h"
#include "probes/cert/pem.h"
#include "probes/dns/ask.h"
#include "probes/net/cert_days.h"

struct cert_conf {
	char *host, *file, *name, *days, *ca_file;
	int64_t port;
	int protocol, verify;
	bool four, six;
	struct opt_list dns_servers;
};

#define FIELD(f) .offset = offsetof(struct cert_conf, f)

static const struct opt cert_opts[] = {
    {.name = "host",
     .letter = 'H',
     .type = OPT_STRING,
     FIELD(host),
     .unit = "ADDRESS",
     .help = "whose port is looked at: a name or an address"},
    {.name = "port",
     .letter = 'p',
     .type = OPT_INT,
     FIELD(port),
     .min = 1,
     .max = 65535,
     .unit = "PORT",
     .help = "default: 443, smtp 25, imap 143, pop3 110"},
    {.name = "protocol",
     .letter = 'P',
     .type = OPT_ENUM,
     FIELD(protocol),
     .dflt = "tls",
     .choices = CERT_PROTOCOL_CHOICES,
     .help = "tls from the first byte, or STARTTLS of a protocol"},
    {.name = "file",
     .letter = 'f',
     .type = OPT_PATH,
     FIELD(file),
     .unit = "FILE",
     .help = "look at the certificates of this PEM file instead"},
    {.name = "name",
     .letter = 'n',
     .type = OPT_STRING,
     FIELD(name),
     .unit = "NAME",
     .help = "name it must carry; default: the host"},
    {.name = "certificate",
     .letter = 'D',
     .type = OPT_STRING,
     FIELD(days),
     .dflt = "21,7",
     .unit = "DAYS[,DAYS]",
     .help = "WARNING (second: CRITICAL) when it ends within so many days; ended is CRITICAL"},
    {.name = "verify",
     .type = OPT_ENUM,
     FIELD(verify),
     .dflt = "full",
     .choices = "off|chain|full",
     .help = "what else must be right: nothing, a trusted chain, chain and name; of a file only the name, "
	     "when one is given"},
    {.name = "ca_file",
     .type = OPT_PATH,
     FIELD(ca_file),
     .unit = "FILE",
     .help = "PEM file of trusted authorities; default: the system's"},
    {.name = "use_ipv4", .letter = '4', .type = OPT_BOOL, FIELD(four), .help = "only IPv4 addresses"},
    {.name = "use_ipv6", .letter = '6', .type = OPT_BOOL, FIELD(six), .help = "only IPv6 addresses"},
    {.name = "dns_servers",
     .type = OPT_LIST,
     FIELD(dns_servers),
     .unit = "ADDRESS[:PORT]",
     .help = "ask these name servers instead of those of this host"},
    {.name = NULL}};

static void check_conf(const void *conf, struct complaints *c)
{
	const struct cert_conf *o = conf;

	if (!o->host == !o->file)
		complaint_add(c, NULL, "host", NULL, "or file is required, and only one of them");
	if (o->host && (!o->host[0] || strpbrk(o->host, "/@ \r\n?#") || strlen(o->host) > 253))
		complaint_add(c, NULL, "host", o->host, "not a host name");
	cert_days_check(o->days, "certificate", c);
	if (o->four && o->six)
		complaint_add(c, NULL, "use_ipv6", NULL, "excludes use_ipv4");
	dns_servers_check(&o->dns_servers, "dns_servers", c);
}

/* Whether what is wrong with chain or name counts. */
static bool bad(const struct cert_conf *o, const struct tls_report *t)
{
	return (o->verify != TLS_VERIFY_OFF && !t->chain_ok) || (o->verify == TLS_VERIFY_FULL && !t->name_ok);
}

static void report(const struct cert_conf *o, const char *who, const struct tls_report *t, struct result *r)
{
	int64_t now = clock_wall_ms() / 1000, days = cert_days_left(t->not_after, now);
	struct perf *p = result_perf(r, "cert_days", (double)days, "", NULL, NULL);
	enum nag_state state = cert_days_judge(o->days, days, p);
	char date[32], when[96], left[40];

	result_fact(r, "days_left", (double)days);
	clock_iso(t->not_after * 1000, date, sizeof(date));
	date[10] = '\0';
	snprintf(when, sizeof(when), "%s (%s UTC)", cert_days_say(days, left, sizeof(left)), date);
	if (t->not_before > now)
		result_fail(r, NAG_CRITICAL, "certificate", "%s: %s is not valid yet", who, t->subject);
	else if (days < 0 || (state != NAG_OK && !bad(o, t)))
		result_fail(r, state, "certificate", "%s: %s %s", who, t->subject, when);
	else if (bad(o, t))
		result_fail(r, NAG_CRITICAL, "certificate", "%s: %s", who, t->why);
	else
		result_set(r, NAG_OK, "%s: %s %s", who, t->subject, when);
	result_more(r, "%s by %s, %s%s%s%s", t->subject, t->issuer, when, t->protocol[0] ? ", " : "",
		    t->protocol, t->chain_ok ? ", chain is trusted" : "");
	if (t->why[0])
		result_more(r, "%s%s", t->why, bad(o, t) ? "" : " (not judged)");
}

static void look_at_file(struct probe_run *run)
{
	const struct cert_conf *o = run->conf;
	struct tls_report t = {0};
	char why[200];

	probe_at_name(run, "read", o->file);
	switch (pem_look(o->file, o->name, &t, why, sizeof(why))) {
	case PEM_GOOD:
		report(o, o->file, &t, run->result);
		break;
	case PEM_NONE:
		result_fail(run->result, NAG_CRITICAL, "certificate", "%s: %s", o->file, why);
		break;
	default:
		result_fail(run->result, NAG_UNKNOWN, "local", "%s: %s", o->file, why);
		run->result->measured = false;
		break;
	}
}

static void look_at_port(struct probe_run *run, const struct net_address *to, uint16_t port)
{
	const struct cert_conf *o = run->conf;
	struct result *r = run->result;
	struct cert_look l = {.protocol = (enum cert_protocol)o->protocol,
			      .host = o->host,
			      .name = o->name,
			      .to = to,
			      .port = port,
			      .ca_file = o->ca_file,
			      .deadline = run->deadline - 100,
			      .run = run};
	char who[200];

	snprintf(who, sizeof(who), "%.120s:%u", o->host, port);
	cert_look(&l);
	if (l.report.seen) {
		report(o, who, &l.report, r);
	} else {
		result_fail(r, strcmp(l.layer, "local") == 0 ? NAG_UNKNOWN : NAG_CRITICAL, l.layer, "%s: %s", who,
			    l.why[0] ? l.why : "shows no certificate");
		r->measured = strcmp(l.layer, "local") != 0;
	}
	result_perf(r, "time", l.seconds, "s", NULL, NULL);
	result_fact(r, "time_s", l.seconds);
}

static void run_cert(struct probe_run *run)
{
	const struct cert_conf *o = run->conf;
	struct net_addresses found;
	char servers[1024], why[120];
	enum resolve_outcome outcome;
	uint16_t port = o->port ? (uint16_t)o->port : cert_port((enum cert_protocol)o->protocol);

	if (o->file) {
		look_at_file(run);
		return;
	}
	dns_servers_join(&o->dns_servers, servers, sizeof(servers));
	probe_at_name(run, "resolve", o->host);
	outcome = resolve_host(o->host, port,
			       o->four	? AF_INET
			       : o->six ? AF_INET6
					: AF_UNSPEC,
			       servers[0] ? servers : NULL, run->deadline, &found, why, sizeof(why));
	if (outcome != RESOLVE_OK) {
		result_fail(run->result, outcome == RESOLVE_NO_NAME ? NAG_CRITICAL : NAG_UNKNOWN, "resolve",
			    "%s: %s", o->host, why);
		run->result->measured = outcome != RESOLVE_LOCAL;
		return;
	}
	probe_at_name(run, "TLS", o->host);
	look_at_port(run, &found.v[0], port);
}

const struct probe probe_cert = {
    .name = "cert",
    .help = "a certificate, of a port or a file: days left, name, chain",
    .place = PROBE_NET,
    .opts = cert_opts,
    .conf_size = sizeof(struct cert_conf),
    .host_option = "host",
    .check_conf = check_conf,
    .global_init = cert_global_init,
    .run = run_cert,
};
