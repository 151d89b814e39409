/*
 * ping: how long does a TCP connect take, and how many fail? Without raw sockets: as good as ICMP for telling
 * whether the way to a host is slow or lossy, and no firewall on the way to a server's port drops it. Limits
 * as check_ping has them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>

#include "lib/clock.h"
#include "probe.h"
#include "probes/dns/ask.h"
#include "probes/net/connect.h"

enum { COUNT_MAX = 100 };
enum { REFUSE_CRIT, REFUSE_WARN, REFUSE_OK };

struct ping_conf {
	char *host, *warning, *critical;
	int64_t port, packets, limit_ms, pause_ms;
	bool four, six;
	struct opt_list dns_servers;
	int refuse;
};

struct limit {
	double ms, loss;
};

struct pinged {
	size_t sent, answered, refused;
	double min, max, sum; /* ms */
	int err;	      /* of the last that failed; 0: no answer in time */
};

#define FIELD(f) .offset = offsetof(struct ping_conf, f)

static const struct opt ping_opts[] = {
    {.name = "host",
     .letter = 'H',
     .type = OPT_STRING,
     FIELD(host),
     .flags = OPT_REQUIRED,
     .unit = "ADDRESS",
     .help = "a name or an address; the first address of a name is used"},
    {.name = "port",
     .letter = 'P',
     .type = OPT_INT,
     FIELD(port),
     .dflt = "25",
     .min = 1,
     .max = 65535,
     .unit = "PORT",
     .help = "a port that something listens on"},
    {.name = "packets",
     .letter = 'p',
     .type = OPT_INT,
     FIELD(packets),
     .dflt = "5",
     .min = 1,
     .max = COUNT_MAX,
     .unit = "N",
     .help = "how many connects"},
    {.name = "warning",
     .letter = 'w',
     .type = OPT_STRING,
     FIELD(warning),
     .unit = "MS,LOSS%",
     .help = "WARNING when the mean is above, or so many percent are lost"},
    {.name = "critical",
     .letter = 'c',
     .type = OPT_STRING,
     FIELD(critical),
     .unit = "MS,LOSS%",
     .help = "CRITICAL likewise; all lost is CRITICAL in any case"},
    {.name = "refuse",
     .letter = 'r',
     .type = OPT_ENUM,
     FIELD(refuse),
     .dflt = "crit",
     .choices = "crit|warn|ok",
     .help = "what a refused connect is; with ok it is an answer"},
    {.name = "connect_timeout",
     .type = OPT_DURATION,
     FIELD(limit_ms),
     .dflt = "2s",
     .min = 10,
     .max = 60e3,
     .help = "a connect that takes longer is lost"},
    {.name = "pause",
     .type = OPT_DURATION,
     FIELD(pause_ms),
     .dflt = "100ms",
     .min = 0,
     .max = 10e3,
     .help = "between two connects"},
    {.name = "use_ipv4", .letter = '4', .type = OPT_BOOL, FIELD(four), .help = "only IPv4 addresses"},
    {.name = "use_ipv6", .letter = '6', .type = OPT_BOOL, FIELD(six), .help = "only IPv6 addresses"},
    {.name = "dns_servers",
     .type = OPT_LIST,
     FIELD(dns_servers),
     .unit = "ADDRESS[:PORT]",
     .help = "ask these name servers instead of those of this host"},
    {.name = NULL}};

/* "100,20%"; the % may be left out. */
static bool limit_parse(const char *text, struct limit *out)
{
	char ms[32], loss[32];
	size_t n = strcspn(text, ","), m;

	if (!text[n] || n >= sizeof(ms) || strlen(text + n + 1) >= sizeof(loss))
		return false;
	snprintf(ms, sizeof(ms), "%.*s", (int)n, text);
	snprintf(loss, sizeof(loss), "%s", text + n + 1);
	m = strlen(loss);
	if (m > 0 && loss[m - 1] == '%')
		loss[m - 1] = '\0';
	return units_number(ms, &out->ms, NULL) && units_number(loss, &out->loss, NULL) && out->ms >= 0 &&
	       out->loss >= 0 && out->loss <= 100;
}

static void check_conf(const void *conf, struct complaints *c)
{
	const struct ping_conf *o = conf;
	struct limit scrap;

	if (o->warning && !limit_parse(o->warning, &scrap))
		complaint_add(c, NULL, "warning", o->warning, "must be MILLISECONDS,PERCENT%%");
	if (o->critical && !limit_parse(o->critical, &scrap))
		complaint_add(c, NULL, "critical", o->critical, "must be MILLISECONDS,PERCENT%%");
	if (o->four && o->six)
		complaint_add(c, NULL, "use_ipv6", NULL, "excludes use_ipv4");
	dns_servers_check(&o->dns_servers, "dns_servers", c);
}

static void one(const struct ping_conf *o, const struct net_address *to, int64_t deadline_us,
		struct pinged *p)
{
	int64_t start = clock_boot_us(), end = start + o->limit_ms * 1000;
	int err = 0, fd = net_connect(to, end < deadline_us ? end : deadline_us, &err);
	double ms = (double)(clock_boot_us() - start) / 1000;

	if (fd >= 0)
		close(fd);
	p->sent++;
	p->refused += fd < 0 && err == ECONNREFUSED;
	if (fd < 0)
		p->err = err;
	if (fd < 0 && !(err == ECONNREFUSED && o->refuse == REFUSE_OK))
		return;
	p->min = p->answered == 0 || ms < p->min ? ms : p->min;
	p->max = ms > p->max ? ms : p->max;
	p->sum += ms;
	p->answered++;
}

static void ping(struct probe_run *run, const struct net_address *to, struct pinged *p)
{
	const struct ping_conf *o = run->conf;
	/* what is left for the report */
	int64_t deadline = run->deadline - 50;
	int64_t i;

	probe_at_name(run, "connect", o->host);
	for (i = 0; i < o->packets && clock_boot_ms() < deadline && !run->cancelled; i++) {
		if (i > 0 && clock_boot_ms() + o->pause_ms < deadline)
			usleep((useconds_t)o->pause_ms * 1000);
		one(o, to, deadline * 1000, p);
	}
}

static bool beyond(const char *text, double ms, double loss)
{
	struct limit l;

	return text && limit_parse(text, &l) && (ms > l.ms || loss >= l.loss) && (loss > 0 || ms > l.ms);
}

static enum nag_state judge(const struct ping_conf *o, const struct pinged *p, double rta, double loss)
{
	if (p->answered == 0)
		return p->refused == p->sent && o->refuse == REFUSE_WARN ? NAG_WARNING : NAG_CRITICAL;
	if (beyond(o->critical, rta, loss))
		return NAG_CRITICAL;
	return beyond(o->warning, rta, loss) ? NAG_WARNING : NAG_OK;
}

static void perf(const char *label, const char *uom, double v, double warn, double crit, double max,
		 struct result *r)
{
	struct range w = {.set = !isnan(warn), .end = warn}, c = {.set = !isnan(crit), .end = crit};
	struct perf *p = result_perf(r, label, v, uom, &w, &c);

	if (!p)
		return;
	p->has_min = true;
	p->has_max = !isnan(max);
	p->max = p->has_max ? max : 0;
}

static void figures(const struct ping_conf *o, const struct pinged *p, double rta, double loss,
		    struct result *r)
{
	struct limit w = {NAN, NAN}, c = {NAN, NAN};

	if (o->warning)
		limit_parse(o->warning, &w);
	if (o->critical)
		limit_parse(o->critical, &c);
	perf("rta", "ms", rta, w.ms, c.ms, NAN, r);
	perf("pl", "%", loss, w.loss, c.loss, 100, r);
	if (p->answered) {
		perf("rtmin", "ms", p->min, NAN, NAN, NAN, r);
		perf("rtmax", "ms", p->max, NAN, NAN, NAN, r);
		result_fact(r, "time_s", rta / 1000);
	}
	result_fact(r, "refused", p->refused > 0);
	result_fact(r, "timed_out", p->answered + p->refused < p->sent && p->err == 0);
}

static void report(const struct ping_conf *o, const struct net_address *to, const struct pinged *p,
		   struct result *r)
{
	double rta = p->answered ? p->sum / (double)p->answered : NAN;
	double loss = p->sent ? 100.0 * (double)(p->sent - p->answered) / (double)p->sent : 100;
	enum nag_state state = judge(o, p, rta, loss);
	const char *why = p->err ? strerrordesc_np(p->err) : "no answer";
	char who[200];

	snprintf(who, sizeof(who), "%.100s port %lld", o->host, (long long)o->port);
	if (p->answered == 0)
		result_fail(r, state,
			    p->refused ? "refused"
			    : p->err   ? "unreachable"
				       : "timeout",
			    "%s: %s, %zu of %zu lost", who, why, p->sent, p->sent);
	else if (state != NAG_OK)
		result_fail(r, state, loss > 0 ? "lossy" : "slow", "%s: %.2f ms, %.0f %% lost", who, rta,
			    loss);
	else
		result_set(r, NAG_OK, "%s: %.2f ms, %.0f %% lost", who, rta, loss);
	result_more(r, "%s: %zu of %zu connects answered%s%s", to->text, p->answered, p->sent,
		    p->sent > p->answered ? ", the last failure: " : "", p->sent > p->answered ? why : "");
	figures(o, p, rta, loss, r);
}

static void run_ping(struct probe_run *run)
{
	const struct ping_conf *o = run->conf;
	struct net_addresses found;
	struct pinged p = {0};
	char servers[1024], why[120];
	enum resolve_outcome outcome;

	dns_servers_join(&o->dns_servers, servers, sizeof(servers));
	probe_at_name(run, "resolve", o->host);
	outcome = resolve_host(o->host, (uint16_t)o->port,
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
	ping(run, &found.v[0], &p);
	report(o, &found.v[0], &p, run->result);
}

const struct probe probe_ping = {
    .name = "ping",
    .help = "the way to a host by TCP connects: mean time and loss, no raw sockets",
    .place = PROBE_NET,
    .opts = ping_opts,
    .conf_size = sizeof(struct ping_conf),
    .host_option = "host",
    .check_conf = check_conf,
    .global_init = resolve_global_init,
    .run = run_ping,
};
