/*
 * relay: does a relay carry a stranger's mail to a stranger? It must refuse the classic forms
 * (relay/forms.c), at each of its addresses, and tell nobody its users. And the reverse: who logs in to
 * submit mail must be able to. Envelopes only: no message is ever sent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "probe.h"
#include "probes/dns/ask.h"
#include "probes/relay/relay.h"

#define FIELD(f) .offset = offsetof(struct relay_conf, f)

static const struct opt relay_opts[] = {
    {.name = "host",
     .letter = 'H',
     .type = OPT_STRING,
     FIELD(host),
     .flags = OPT_REQUIRED,
     .unit = "ADDRESS",
     .help = "the relay: a name or an address; each address of a name is tested"},
    {.name = "port",
     .letter = 'p',
     .type = OPT_INT,
     FIELD(port),
     .dflt = "25",
     .min = 1,
     .max = 65535,
     .unit = "PORT",
     .help = "its port"},
    {.name = "use_ipv4", .letter = '4', .type = OPT_BOOL, FIELD(four), .help = "only its IPv4 addresses"},
    {.name = "use_ipv6", .letter = '6', .type = OPT_BOOL, FIELD(six), .help = "only its IPv6 addresses"},
    {.name = "dns_servers",
     .type = OPT_LIST,
     FIELD(dns_servers),
     .unit = "ADDRESS[:PORT]",
     .help = "ask these name servers instead of those of this host"},
    {.name = "fqdn",
     .letter = 'F',
     .type = OPT_STRING,
     FIELD(fqdn),
     .unit = "NAME",
     .help = "name given in EHLO; default: this host's full name, else its address in brackets"},
    {.name = "mode",
     .type = OPT_ENUM,
     FIELD(mode),
     .dflt = "open",
     .choices = "open|submission|both",
     .help = "test that strangers are refused, that a login can submit, or both"},
    {.name = "domain",
     .type = OPT_STRING,
     FIELD(domain),
     .unit = "DOMAIN",
     .help = "a domain the relay takes mail for; default: the host's name"},
    {.name = "from",
     .letter = 'f',
     .type = OPT_STRING,
     FIELD(from),
     .dflt = "relay-test@example.org",
     .unit = "MAIL",
     .help = "a sender that is not ours"},
    {.name = "to",
     .type = OPT_STRING,
     FIELD(to),
     .dflt = "relay-test@example.net",
     .unit = "MAIL",
     .help = "a recipient that is not ours"},
    {.name = "allow_vrfy", .type = OPT_BOOL, FIELD(allow_vrfy), .help = "VRFY and EXPN may tell users"},
    {.name = "submission_port",
     .type = OPT_INT,
     FIELD(submission_port),
     .dflt = "587",
     .min = 1,
     .max = 65535,
     .unit = "PORT",
     .help = "where mail is submitted, with STARTTLS; 465: TLS from the first byte"},
    {.name = "sender",
     .type = OPT_STRING,
     FIELD(sender),
     .unit = "MAIL",
     .help = "sender of the submission; default: the user"},
    {.name = "authuser",
     .letter = 'U',
     .type = OPT_STRING,
     FIELD(authuser),
     .unit = "NAME",
     .help = "who logs in"},
    {.name = "password_file",
     .type = OPT_SECRET,
     FIELD(password_file),
     .unit = "FILE",
     .help = "file that holds the password"},
    {.name = "ca_file",
     .type = OPT_PATH,
     FIELD(ca_file),
     .unit = "FILE",
     .help = "PEM file of trusted authorities; default: the system's"},
    {.name = "insecure",
     .type = OPT_BOOL,
     FIELD(insecure),
     .help = "log in whatever the certificate of the submission port is"},
    {.name = NULL}};

static void check_address(struct complaints *c, const char *item, const char *address)
{
	const char *at = address ? strchr(address, '@') : NULL;

	if (address &&
	    (!at || at == address || !at[1] || strpbrk(address, " <>\r\n\"") || strlen(address) > 254))
		complaint_add(c, NULL, item, address, "not a mail address");
}

static void check_conf(const void *conf, struct complaints *c)
{
	const struct relay_conf *o = conf;

	if (o->four && o->six)
		complaint_add(c, NULL, "use_ipv6", NULL, "excludes use_ipv4");
	if (o->domain && (!o->domain[0] || strpbrk(o->domain, " <>@\r\n") || strlen(o->domain) > 253))
		complaint_add(c, NULL, "domain", o->domain, "not a domain");
	if (o->fqdn && (!o->fqdn[0] || strpbrk(o->fqdn, " \r\n") || strlen(o->fqdn) > 255))
		complaint_add(c, NULL, "fqdn", o->fqdn, "not a name for EHLO");
	check_address(c, "from", o->from);
	check_address(c, "to", o->to);
	check_address(c, "sender", o->sender);
	dns_servers_check(&o->dns_servers, "dns_servers", c);
	if (o->mode != RELAY_OPEN && (!o->authuser || !o->password_file))
		complaint_add(c, NULL, "authuser", NULL, "and password_file are required to submit");
	if (o->mode != RELAY_OPEN && !o->sender && o->authuser && !strchr(o->authuser, '@'))
		complaint_add(c, NULL, "sender", NULL, "is required when the user is no mail address");
}

static int family(const struct relay_conf *o)
{
	return o->four ? AF_INET : o->six ? AF_INET6 : AF_UNSPEC;
}

static void test_all(struct probe_run *run, const char *servers)
{
	const struct relay_conf *o = run->conf;
	struct smtp_target t = {.host = o->host,
				.port = (uint16_t)o->port,
				.helo = o->fqdn,
				.deadline = run->deadline,
				.run = run};
	struct smtp_fault fault = {.kind = SMTP_FINE};
	struct net_addresses found;
	struct relay_seen *v;
	size_t i;

	if (!smtp_resolve(&t, family(o), servers, NULL, &found, &fault)) {
		smtp_fault_report(&fault, o->host, run->result);
		return;
	}
	v = calloc(found.n, sizeof(*v));
	if (!v) {
		result_fail(run->result, NAG_UNKNOWN, "local", "out of memory");
		run->result->measured = false;
		return;
	}
	for (i = 0; i < found.n; i++) {
		v[i].address = found.v[i];
		t.deadline = smtp_share(run->deadline, found.n - i);
		relay_test(o, &t, &v[i]);
	}
	relay_report(o, v, found.n, run->result);
	free(v);
}

/* Keeps the worse of what is said already and this. */
static void submission_said(struct probe_run *run, const struct smtp_fault *fault, double ms)
{
	const struct relay_conf *o = run->conf;
	struct result *r = run->result;
	char who[160];

	snprintf(who, sizeof(who), "submission %.80s:%lld", o->host, (long long)o->submission_port);
	result_perf(r, "submission", ms / 1000, "s", NULL, NULL);
	if (fault->kind != SMTP_FINE && (o->mode == RELAY_SUBMISSION || r->state != NAG_CRITICAL))
		smtp_fault_report(fault, who, r);
	else if (fault->kind != SMTP_FINE)
		result_more(r, "%s %s", who, fault->text);
	else if (o->mode == RELAY_SUBMISSION)
		result_set(r, NAG_OK, "%s takes mail of %s in %.3f s", who, o->authuser, ms / 1000);
	else
		result_more(r, "%s takes mail of %s in %.3f s", who, o->authuser, ms / 1000);
}

static void submit(struct probe_run *run, const char *servers)
{
	const struct relay_conf *o = run->conf;
	struct relay_conf with = *o;
	struct smtp_fault fault = {.kind = SMTP_FINE};
	char why[160], *password = file_secret(o->password_file, why, sizeof(why));
	int64_t start = clock_boot_us();
	struct smtp_target t = {.host = o->host,
				.port = (uint16_t)o->submission_port,
				.helo = o->fqdn,
				.tls = o->submission_port == 465 ? SMTP_TLS_IMPLICIT : SMTP_TLS_STARTTLS,
				.verify = o->insecure ? TLS_VERIFY_OFF : TLS_VERIFY_FULL,
				.ca_file = o->ca_file,
				.user = o->authuser,
				.password = password,
				.deadline = run->deadline,
				.run = run};

	if (!o->sender)
		with.sender = o->authuser;
	if (password)
		relay_submit(&with, &t, servers, family(o), &fault);
	else
		smtp_fault_set(&fault, SMTP_FAULT_LOCAL, SMTP_AUTH, "cannot be logged in to: %s", why);
	submission_said(run, &fault, (double)(clock_boot_us() - start) / 1000);
	file_secret_free(password);
}

static void run_relay(struct probe_run *run)
{
	const struct relay_conf *o = run->conf;
	char servers[1024];

	dns_servers_join(&o->dns_servers, servers, sizeof(servers));
	if (o->mode != RELAY_SUBMISSION)
		test_all(run, servers[0] ? servers : NULL);
	if (o->mode != RELAY_OPEN)
		submit(run, servers[0] ? servers : NULL);
}

const struct probe probe_relay = {
    .name = "relay",
    .help = "open-relay test: strangers' mail must be refused in every form, users must not be told, "
	    "submission with a "
	    "login must work; nothing is ever sent",
    .place = PROBE_NET,
    .opts = relay_opts,
    .conf_size = sizeof(struct relay_conf),
    .host_option = "host",
    .check_conf = check_conf,
    .global_init = smtp_global_init,
    .run = run_relay,
};
