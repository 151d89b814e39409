/*
 * http: does a web server answer, how fast, and with what? So that a page can say "web is fine, only mail is
 * slow". The common flags of check_http mean the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "probe.h"
#include "probes/dns/ask.h"
#include "probes/web/fetch.h"

/* "follow" is taken for "sticky". */
enum { REDIRECT_OK, REDIRECT_WARNING, REDIRECT_CRITICAL, REDIRECT_STICKY };

struct http_conf {
	char *host, *address, *url, *expect, *string, *agent, *ca_file;
	int64_t port, body_max;
	bool ssl, four, six, no_body, head, sni;
	char *certificate, *regex, *post, *method;
	struct opt_list headers, dns_servers;
	struct range warning, critical;
	int redirect, verify;
};

#define FIELD(f) .offset = offsetof(struct http_conf, f)

static const struct opt http_opts[] = {
    {.name = "host",
     .letter = 'H',
     .type = OPT_STRING,
     FIELD(host),
     .unit = "NAME",
     .help = "the site's name, for the Host header and the certificate"},
    {.name = "address",
     .letter = 'I',
     .type = OPT_STRING,
     FIELD(address),
     .unit = "ADDRESS",
     .help = "connect to this address or name instead"},
    {.name = "port",
     .letter = 'p',
     .type = OPT_INT,
     FIELD(port),
     .min = 1,
     .max = 65535,
     .unit = "PORT",
     .help = "default 80, with ssl 443"},
    {.name = "url",
     .letter = 'u',
     .type = OPT_STRING,
     FIELD(url),
     .dflt = "/",
     .unit = "PATH",
     .help = "what to get"},
    {.name = "ssl", .letter = 'S', .type = OPT_BOOL, FIELD(ssl), .help = "https"},
    {.name = "verify",
     .type = OPT_ENUM,
     FIELD(verify),
     .dflt = "off",
     .choices = "off|chain|full",
     .help = "what of the certificate must be right"},
    {.name = "ca_file",
     .type = OPT_PATH,
     FIELD(ca_file),
     .unit = "FILE",
     .help = "PEM file of trusted authorities; default: the system's"},
    {.name = "expect",
     .letter = 'e',
     .type = OPT_STRING,
     FIELD(expect),
     .unit = "TEXT[,TEXT]",
     .help = "one of these must be in the status line, and then no other status is judged"},
    {.name = "string",
     .letter = 's',
     .type = OPT_STRING,
     FIELD(string),
     .unit = "TEXT",
     .help = "must be in the body; else CRITICAL"},
    {.name = "onredirect",
     .letter = 'f',
     .type = OPT_ENUM,
     FIELD(redirect),
     .dflt = "ok",
     .choices = "ok|warning|critical|sticky|follow",
     .help = "what a redirect is; sticky, follow: followed, at the same address"},
    /* what check_http of the monitoring-plugins takes, and this one says why not */
    {.name = "certificate",
     .letter = 'C',
     .type = OPT_STRING,
     FIELD(certificate),
     .flags = OPT_ARGV_ONLY,
     .unit = "DAYS",
     .help = "not here: check_cert -H HOST -p 443 -D DAYS"},
    {.name = "regex", .letter = 'r', .type = OPT_STRING, FIELD(regex), .flags = OPT_ARGV_ONLY, .help = "not here: -s TEXT, without a pattern"},
    {.name = "post", .letter = 'P', .type = OPT_STRING, FIELD(post), .flags = OPT_ARGV_ONLY, .help = "not here: it changes what is asked"},
    {.name = "method", .letter = 'j', .type = OPT_STRING, FIELD(method), .flags = OPT_ARGV_ONLY, .help = "not here: GET, or HEAD with --head"},
    {.name = "sni", .type = OPT_BOOL, FIELD(sni), .flags = OPT_ARGV_ONLY, .help = "taken for the sake of command definitions: the name is always sent"},
    {.name = "no_body",
     .letter = 'N',
     .type = OPT_BOOL,
     FIELD(no_body),
     .help = "stop reading after the headers"},
    {.name = "head", .type = OPT_BOOL, FIELD(head), .help = "ask with HEAD"},
    {.name = "header",
     .letter = 'k',
     .type = OPT_LIST,
     FIELD(headers),
     .unit = "TEXT",
     .help = "a further header"},
    {.name = "useragent",
     .letter = 'A',
     .type = OPT_STRING,
     FIELD(agent),
     .dflt = "check_http (monitord)",
     .unit = "TEXT",
     .help = "what we call ourselves"},
    {.name = "body_max",
     .type = OPT_SIZE,
     FIELD(body_max),
     .dflt = "1M",
     .min = 1024,
     .max = 64 << 20,
     .help = "no more of a body is read"},
    {.name = "warning",
     .letter = 'w',
     .type = OPT_RANGE,
     FIELD(warning),
     .unit = "SECONDS",
     .help = "WARNING when all of it took longer (a range)"},
    {.name = "critical",
     .letter = 'c',
     .type = OPT_RANGE,
     FIELD(critical),
     .unit = "SECONDS",
     .help = "CRITICAL when all of it took longer (a range)"},
    {.name = "use_ipv4", .letter = '4', .type = OPT_BOOL, FIELD(four), .help = "only IPv4 addresses"},
    {.name = "use_ipv6", .letter = '6', .type = OPT_BOOL, FIELD(six), .help = "only IPv6 addresses"},
    {.name = "dns_servers",
     .type = OPT_LIST,
     FIELD(dns_servers),
     .unit = "ADDRESS[:PORT]",
     .help = "ask these name servers instead of those of this host"},
    {.name = NULL}};

/* In one line each, for command definitions that are switched by their path. */
static void check_refused(const struct http_conf *o, struct complaints *c)
{
	if (o->certificate)
		complaint_add(c, NULL, "certificate", o->certificate,
			      "not looked at here: check_cert -H HOST -p 443 -D DAYS does that alone");
	if (o->regex)
		complaint_add(c, NULL, "regex", o->regex, "not taken: -s TEXT looks for a text in the body");
	if (o->post)
		complaint_add(c, NULL, "post", NULL, "not taken: this check only asks, with GET or HEAD");
	if (o->method)
		complaint_add(c, NULL, "method", o->method, "not taken: this check asks with GET, or HEAD with --head");
}

static void check_conf(const void *conf, struct complaints *c)
{
	const struct http_conf *o = conf;
	size_t i;

	check_refused(o, c);
	if (!o->host && !o->address)
		complaint_add(c, NULL, "host", NULL, "or address is required");
	if (o->host && (!o->host[0] || strpbrk(o->host, "/@ \r\n?#") || strlen(o->host) > 253))
		complaint_add(c, NULL, "host", o->host, "not a host name");
	if (o->url[0] != '/' || strpbrk(o->url, " \r\n") || strlen(o->url) > 2000)
		complaint_add(c, NULL, "url", o->url, "must begin with / and have no space");
	for (i = 0; i < o->headers.n; i++)
		if (strpbrk(o->headers.v[i], "\r\n") || !strchr(o->headers.v[i], ':'))
			complaint_add(c, NULL, "header", o->headers.v[i], "must be NAME: VALUE");
	if (o->headers.n > FETCH_HEADERS_MAX)
		complaint_add(c, NULL, "header", NULL, "more than %d", FETCH_HEADERS_MAX);
	if (o->four && o->six)
		complaint_add(c, NULL, "use_ipv6", NULL, "excludes use_ipv4");
	dns_servers_check(&o->dns_servers, "dns_servers", c);
}

/* "HTTP/1.1 200 OK" */
static void status_line(const struct fetch *f, char *out, size_t size)
{
	const char *text = buf_str(&f->header);

	snprintf(out, size, "%.*s", (int)strcspn(text, "\r\n"), text);
}

static bool expected(const char *list, const char *line)
{
	char one[200];
	size_t n;

	for (; *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		snprintf(one, sizeof(one), "%.*s", (int)n, list);
		if (one[0] && strstr(line, one))
			return true;
	}
	return false;
}

static enum nag_state judge_status(const struct http_conf *o, const struct fetch *f, const char *line)
{
	if (o->expect)
		return expected(o->expect, line) ? NAG_OK : NAG_CRITICAL;
	if (f->code >= 300 && f->code < 400 && o->redirect < REDIRECT_STICKY)
		return o->redirect == REDIRECT_OK	 ? NAG_OK
		       : o->redirect == REDIRECT_WARNING ? NAG_WARNING
							 : NAG_CRITICAL;
	return f->code >= 500 || f->code < 200 ? NAG_CRITICAL : f->code >= 400 ? NAG_WARNING : NAG_OK;
}

static bool has_string(const struct http_conf *o, const struct fetch *f)
{
	return !o->string || (f->body.len && memmem(f->body.data, f->body.len, o->string, strlen(o->string)));
}

static void judge(const struct http_conf *o, const struct fetch *f, struct result *r)
{
	char line[120];
	enum nag_state state, slow = nag_judge(f->seconds, &o->warning, &o->critical);

	status_line(f, line, sizeof(line));
	state = judge_status(o, f, line);
	if (state != NAG_OK)
		result_fail(r, state, "answer", "%s answers %s%s%s", o->host ? o->host : o->address, line,
			    o->expect ? ", expected " : "", o->expect ? o->expect : "");
	else if (!has_string(o, f))
		result_fail(r, NAG_CRITICAL, "content",
			    "%s: \"%.60s\" is not in the %s%zu bytes of the answer",
			    o->host ? o->host : o->address, o->string, f->cut ? "first " : "", f->body.len);
	else if (slow != NAG_OK)
		result_fail(r, slow, "slow", "%s answers slowly, in %.3f s: %s",
			    o->host ? o->host : o->address, f->seconds, line);
	else
		result_set(r, NAG_OK, "%s: %s, %llu bytes in %.3f s", o->host ? o->host : o->address, line,
			   (unsigned long long)f->received + f->header.len, f->seconds);
	if (f->cut && !o->no_body)
		result_more(r, "we stopped reading the body after %zu bytes", f->body.len);
}

static void figures(const struct http_conf *o, const struct fetch *f, struct result *r)
{
	struct perf *p = result_perf(r, "time", f->seconds, "s", &o->warning, &o->critical);

	if (p)
		p->has_min = true;
	if (f->code)
		result_perf(r, "size", (double)f->received + (double)f->header.len, "B", NULL, NULL);
	result_fact(r, "time_s", f->seconds);
	result_fact(r, "refused", strcmp(f->layer, "refused") == 0);
	result_fact(r, "timed_out", strcmp(f->layer, "timeout") == 0);
	if (strcmp(f->layer, "tls") == 0)
		result_fact_text(r, "tls_error", f->why);
}

static void fetch(struct probe_run *run, const struct net_address *to)
{
	const struct http_conf *o = run->conf;
	struct result *r = run->result;
	const char *name = o->host ? o->host : o->address;
	static const enum tls_verify verify[] = {TLS_VERIFY_OFF, TLS_VERIFY_CHAIN, TLS_VERIFY_FULL};
	struct fetch f = {.scheme = o->ssl ? "https" : "http",
			  .host = name,
			  .path = o->url,
			  .to = to,
			  .port = (uint16_t)(o->port  ? o->port
					     : o->ssl ? 443
						      : 80),
			  .follow = o->redirect >= REDIRECT_STICKY,
			  .head = o->head,
			  .no_body = o->no_body,
			  .agent = o->agent,
			  .headers = (const char *const *)o->headers.v,
			  .nheaders = o->headers.n,
			  .body_max = (size_t)o->body_max,
			  .deadline = run->deadline - 100,
			  .check = {.verify = verify[o->verify], .ca_file = o->ca_file}};

	if (fetch_run(&f)) {
		judge(o, &f, r);
	} else {
		result_fail(r, strcmp(f.layer, "local") == 0 ? NAG_UNKNOWN : NAG_CRITICAL, f.layer, "%s: %s",
			    name, f.why);
		r->measured = strcmp(f.layer, "local") != 0;
	}
	figures(o, &f, r);
	fetch_fini(&f);
}

static void run_http(struct probe_run *run)
{
	const struct http_conf *o = run->conf;
	const char *host = o->address ? o->address : o->host;
	struct net_addresses found;
	char servers[1024], why[120];
	enum resolve_outcome outcome;

	dns_servers_join(&o->dns_servers, servers, sizeof(servers));
	probe_at_name(run, "resolve", host);
	outcome = resolve_host(host, (uint16_t)o->port,
			       o->four	? AF_INET
			       : o->six ? AF_INET6
					: AF_UNSPEC,
			       servers[0] ? servers : NULL, run->deadline, &found, why, sizeof(why));
	if (outcome != RESOLVE_OK) {
		result_fail(run->result, outcome == RESOLVE_NO_NAME ? NAG_CRITICAL : NAG_UNKNOWN, "resolve",
			    "%s: %s", host, why);
		run->result->measured = outcome != RESOLVE_LOCAL;
		return;
	}
	probe_at_name(run, "http", host);
	fetch(run, &found.v[0]);
}

const struct probe probe_http = {
    .name = "http",
    .help = "a web server: status, time, a text in the body; bounded",
    .place = PROBE_NET,
    .opts = http_opts,
    .conf_size = sizeof(struct http_conf),
    .host_option = "host",
    .check_conf = check_conf,
    .global_init = fetch_global_init,
    .run = run_http,
};
