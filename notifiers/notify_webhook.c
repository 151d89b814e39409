/*
 * webhook: a page as an HTTP request. Its body is a template, JSON unless told otherwise; it may be signed,
 * so that the receiver knows it is ours and no replay. Where to connect is a literal address, as name service
 * may be what is down. Outcomes: 2xx sent; 408, 425, 429, 5xx, no connection retry (not before Retry-After
 * says so); redirects and other 4xx refused; the request left and no answer came doubtful. Between pages it
 * connects now and then, so that a dead receiver is known before it is needed.
 */
#include "notifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/literal.h"
#include "notifiers/webhook/headers.h"
#include "notifiers/webhook/post.h"
#include "notifiers/webhook/template.h"
#include "trial.h"

enum { TRY_LIMIT_MS = 10000, RETRY_AFTER_MAX_S = 900 };

struct webhook_conf {
	char *url, *address, *body, *content_type, *secret, *token, *ca_file, *pin, *proxy;
	struct opt_list headers;
	int method, escape;
	int64_t connect_limit, test_interval;
};

struct webhook {
	struct trial trial;
	int64_t not_before; /* the receiver asked to be left alone until then; 0: it did not */
};

#define FIELD(f) .offset = offsetof(struct webhook_conf, f)
#define METHODS "POST|PUT"

static const struct opt webhook_opts[] = {
    {.name = "url",
     .type = OPT_STRING,
     FIELD(url),
     .flags = OPT_REQUIRED,
     .unit = "URL",
     .help = "http:// or https://, where pages go"},
    {.name = "address",
     .type = OPT_STRING,
     FIELD(address),
     .unit = "ADDRESS",
     .help = "IPv4 or IPv6 address to connect to; needed when the URL's host is a name, as name service may "
	     "be down"},
    {.name = "method",
     .type = OPT_ENUM,
     FIELD(method),
     .dflt = "POST",
     .choices = METHODS,
     .help = "of the request"},
    {.name = "body",
     .type = OPT_STRING,
     FIELD(body),
     .unit = "TEMPLATE",
     .help = "{id} {line} {to} {kind} {resend} {incident} {check} {host} {state} {text} {more} {lang} {code} "
	     "{number} {since} "
	     "{at} {summary} stand for what the page says; default: a JSON object of these"},
    {.name = "escape",
     .type = OPT_ENUM,
     FIELD(escape),
     .dflt = "json",
     .choices = "json|form|none",
     .help = "how what is put into the body is escaped"},
    {.name = "content_type",
     .type = OPT_STRING,
     FIELD(content_type),
     .unit = "TYPE",
     .help = "default: after escape: application/json, application/x-www-form-urlencoded, text/plain"},
    {.name = "headers",
     .type = OPT_LIST,
     FIELD(headers),
     .unit = "NAME: VALUE",
     .help = "more headers; no secrets, see token"},
    {.name = "token",
     .type = OPT_SECRET,
     FIELD(token),
     .help = "file that holds a token, sent as Authorization: Bearer; only over https or to this host"},
    {.name = "secret",
     .type = OPT_SECRET,
     FIELD(secret),
     .help = "file that holds the key of the signature (headers webhook-id, webhook-timestamp, "
	     "webhook-signature: HMAC-SHA256 of "
	     "ID.TIMESTAMP.BODY)"},
    {.name = "ca_file",
     .type = OPT_PATH,
     FIELD(ca_file),
     .help = "certificates of the authorities to trust; default: the system's"},
    {.name = "pin",
     .type = OPT_STRING,
     FIELD(pin),
     .unit = "sha256//BASE64",
     .help = "the certificate's public key must be this one as well"},
    {.name = "proxy",
     .type = OPT_STRING,
     FIELD(proxy),
     .unit = "URL",
     .help = "default: none, whatever the environment says"},
    {.name = "connect_limit",
     .type = OPT_DURATION,
     FIELD(connect_limit),
     .dflt = "10s",
     .min = 100,
     .max = 300e3,
     .help = "for connecting and TLS; the whole has the page's own limit"},
    {.name = "test_interval",
     .type = OPT_DURATION,
     FIELD(test_interval),
     .dflt = "5m",
     .min = 0,
     .max = 86400e3,
     .help = "connect so often without sending anything; 0: never"},
    {0},
};

/* --- configuration --------------------------------------------------------------------------------- */

static bool is_local(const struct webhook_conf *conf)
{
	const char *at = conf->address ? conf->address : conf->url;

	return strstr(at, "127.0.0.1") != NULL || strstr(at, "::1") != NULL;
}

static void check_url(const struct webhook_conf *conf, struct complaints *c)
{
	bool literal = false, secure = false;
	char why[200];

	if (!webhook_url_ok(conf->url, &literal, &secure, why, sizeof(why))) {
		complaint_add(c, NULL, "url", conf->url, "%s", why);
		return;
	}
	if (conf->address && !literal_is_address(conf->address))
		complaint_add(c, NULL, "address", conf->address, "must be an IPv4 or IPv6 address");
	if (!literal && !conf->address && !conf->proxy)
		complaint_add(c, NULL, "address", NULL,
			      "is missing: the URL's host is a name, and name service may be what is down");
	if (conf->token && !secure && !is_local(conf))
		complaint_add(c, NULL, "token", NULL, "must not travel in the clear: use https");
	if (!secure && (conf->ca_file || conf->pin))
		complaint_add(c, NULL, "url", conf->url, "is http, so ca_file and pin mean nothing");
}

static void webhook_check_conf(const void *arg, struct complaints *c)
{
	const struct webhook_conf *conf = arg;
	char why[200];

	check_url(conf, c);
	if (conf->body &&
	    !webhook_template_check(conf->body, (enum webhook_escape)conf->escape, why, sizeof(why)))
		complaint_add(c, NULL, "body", conf->body, "%s", why);
	if (!conf->body && conf->escape != WEBHOOK_JSON)
		complaint_add(c, NULL, "escape", NULL, "needs a body of your own: the default one is JSON");
	if (conf->headers.n > WEBHOOK_HEADERS_MAX)
		complaint_add(c, NULL, "headers", NULL, "more than %d", WEBHOOK_HEADERS_MAX);
	for (size_t i = 0; i < conf->headers.n; i++)
		if (!webhook_header_ok(conf->headers.v[i]))
			complaint_add(c, NULL, "headers", NULL, "number %zu is not \"Name: value\"", i + 1);
	if (conf->content_type && strpbrk(conf->content_type, "\r\n"))
		complaint_add(c, NULL, "content_type", NULL, "is more than one line");
	if (conf->pin && strncmp(conf->pin, "sha256//", 8) != 0)
		complaint_add(c, NULL, "pin", conf->pin, "must be sha256//BASE64 of the public key");
}

/* --- starting -------------------------------------------------------------------------------------- */

static bool webhook_start(struct notifier_run *run, char *why, size_t size)
{
	const struct webhook_conf *conf = run->conf;

	/* read anew for each page, so that a changed one needs no restart; but a missing one is said now */
	if (!file_secret_there(conf->secret, why, size) || !file_secret_there(conf->token, why, size))
		return false;
	struct webhook *own = calloc(1, sizeof(*own));
	run->own = own;
	if (own == NULL || !webhook_global_init()) {
		snprintf(why, size, "out of memory");
		return false;
	}
	own->trial.every_ms = conf->test_interval;
	return true;
}

static void webhook_stop(struct notifier_run *run)
{
	free(run->own);
	run->own = NULL;
}

static struct webhook_server server_of(const struct webhook_conf *conf)
{
	return (struct webhook_server){.url = conf->url,
				       .method = conf->method == 0 ? "POST" : "PUT",
				       .address = conf->address,
				       .ca_file = conf->ca_file,
				       .pin = conf->pin,
				       .proxy = conf->proxy,
				       .connect_ms = conf->connect_limit};
}

/* --- sending --------------------------------------------------------------------------------------- */

static void note(struct notifier_run *run, const struct webhook_answer *a)
{
	struct webhook *own = run->own;
	int64_t after = a->retry_after_s > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : a->retry_after_s;

	trial_done(&own->trial);
	own->not_before = after > 0 ? clock_boot_ms() + after * 1000 : 0;
	/* refused is about that page, not about the line */
	if (a->outcome != OUTCOME_REFUSED)
		notifier_health(a->outcome == OUTCOME_SENT, "%s", a->detail);
}

static enum outcome post_page(struct notifier_run *run, const struct page *p, struct webhook_headers *h,
			      const struct buf *body, char *detail, size_t size)
{
	static const char *const types[] = {"application/json", "application/x-www-form-urlencoded",
					    "text/plain; charset=utf-8"};
	const struct webhook_conf *conf = run->conf;
	const struct webhook_header_conf hc = {.content_type = conf->content_type ? conf->content_type
										  : types[conf->escape],
					       .more = &conf->headers,
					       .token = conf->token,
					       .secret = conf->secret};
	struct webhook_server sv = server_of(conf);
	struct webhook_answer a;

	if (!webhook_make_headers(h, &hc, p->id, body, detail, size)) {
		notifier_health(false, "%s", detail);
		return OUTCOME_RETRY;
	}
	webhook_post(&sv, h->v, h->n, buf_str(body), body->len, clock_boot_ms() + p->deadline_ms, &a);
	explicit_bzero(h, sizeof(*h));
	note(run, &a);
	snprintf(detail, size, "%s", a.detail);
	return a.outcome;
}

static enum outcome webhook_send(struct notifier_run *run, const struct page *p, char *detail, size_t size)
{
	const struct webhook_conf *conf = run->conf;
	struct webhook *own = run->own;
	const char *template = conf->body ? conf->body : webhook_default_body;
	int64_t wait = own->not_before - clock_boot_ms();
	struct webhook_headers *h = calloc(1, sizeof(*h));
	enum outcome o = OUTCOME_RETRY;
	struct buf body;

	buf_init(&body, WEBHOOK_BODY_MAX);
	if (wait > 0)
		snprintf(detail, size, "the receiver asked to be left alone for %lld s more",
			 (long long)(wait + 999) / 1000);
	else if (h == NULL ||
		 !webhook_render(template, (enum webhook_escape)conf->escape, p, run->line, &body))
		snprintf(detail, size, "out of memory, or a body of more than %d bytes", WEBHOOK_BODY_MAX);
	else
		o = post_page(run, p, h, &body, detail, size);
	buf_fini(&body);
	free(h);
	return o;
}

/* --- between pages --------------------------------------------------------------------------------- */

static int webhook_fd(struct notifier_run *run, int *wait_ms)
{
	const struct webhook *own = run->own;
	int64_t next = trial_next(&own->trial);

	if (own->not_before > 0 && own->not_before < next)
		next = own->not_before;
	*wait_ms = trial_wait_ms(next);
	return -1;
}

static void webhook_idle(struct notifier_run *run)
{
	const struct webhook_conf *conf = run->conf;
	struct webhook *own = run->own;
	struct webhook_server sv = server_of(conf);
	int64_t now = clock_boot_ms();
	char why[300] = "";
	bool ok;

	if (own->not_before > now || (!own->not_before && !trial_due(&own->trial)))
		return;
	/* the time it asked for is over: it may be asked again */
	own->not_before = 0;
	ok = webhook_try(&sv, now + TRY_LIMIT_MS, why, sizeof(why));
	notifier_health(ok, "%s", ok ? "the receiver can be reached" : why);
	trial_done(&own->trial);
}

static void webhook_preview(const void *arg, const struct page *p, struct preview *out)
{
	const struct webhook_conf *conf = arg;
	struct buf body;

	buf_init(&body, WEBHOOK_BODY_MAX);
	if (webhook_render(conf->body ? conf->body : webhook_default_body, (enum webhook_escape)conf->escape,
			   p, "LINE", &body))
		out->shows = strdup(buf_str(&body));
	out->units = body.len;
	out->max = WEBHOOK_BODY_MAX;
	snprintf(out->note, sizeof(out->note), "bytes of the request's body");
	buf_fini(&body);
}

const struct notifier notifier_webhook = {
    .name = "webhook",
    .help = "an HTTP request with a body of your own, signed if you wish",
    .opts = webhook_opts,
    .conf_size = sizeof(struct webhook_conf),
    .check_conf = webhook_check_conf,
    .start = webhook_start,
    .send = webhook_send,
    .fd = webhook_fd,
    .idle = webhook_idle,
    .stop = webhook_stop,
    .preview = webhook_preview,
};
