/*
 * email: mail through a second route, a bypass host given by its literal address, so that neither the relay
 * that is watched nor name service is needed. Outcomes: accepted sent; 4xx, no connection, TLS trouble retry;
 * 5xx refused; no answer to the final dot unknown. Between pages it tries the host now and then (connect,
 * EHLO, TLS, AUTH, QUIT), so that a dead bypass is known before it is needed.
 */
#include "notifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/literal.h"
#include "notifiers/email/message.h"
#include "notifiers/email/smtp.h"
#include "trial.h"

enum { TEST_LIMIT_MS = 10000 };

struct email_conf {
	char *host, *helo, *from, *tls_name, *ca_file, *user, *password;
	int64_t port, test_interval;
	int tls;
};

struct email {
	char helo[256];
	struct trial trial;
};

#define FIELD(f) .offset = offsetof(struct email_conf, f)

static const struct opt email_opts[] = {
    {.name = "host",
     .type = OPT_STRING,
     FIELD(host),
     .flags = OPT_REQUIRED,
     .unit = "ADDRESS",
     .help = "IPv4 or IPv6 address of a mail server that is not part of what is watched; no name, as name "
	     "service may be down"},
    {.name = "port", .type = OPT_INT, FIELD(port), .dflt = "25", .min = 1, .max = 65535, .help = "its port"},
    {.name = "from",
     .type = OPT_STRING,
     FIELD(from),
     .flags = OPT_REQUIRED,
     .unit = "ADDRESS",
     .help = "the sender's address"},
    {.name = "helo",
     .type = OPT_STRING,
     FIELD(helo),
     .unit = "NAME",
     .help = "name to greet with; default: this host's"},
    {.name = "tls",
     .type = OPT_ENUM,
     FIELD(tls),
     .dflt = "opportunistic",
     .choices = "none|opportunistic|required|wrapped",
     .help = "STARTTLS when offered, without looking at the certificate unless ca_file is given; only with; "
	     "TLS from the first byte"},
    {.name = "tls_name",
     .type = OPT_STRING,
     FIELD(tls_name),
     .unit = "NAME",
     .help = "the name its certificate must have; default: the address"},
    {.name = "ca_file",
     .type = OPT_PATH,
     FIELD(ca_file),
     .help = "certificates of the authorities to trust; default: the system's"},
    {.name = "user", .type = OPT_STRING, FIELD(user), .help = "log in as"},
    {.name = "password",
     .type = OPT_SECRET,
     FIELD(password),
     .help = "file that holds the password, or credential:NAME"},
    {.name = "test_interval",
     .type = OPT_DURATION,
     FIELD(test_interval),
     .dflt = "5m",
     .min = 0,
     .max = 86400e3,
     .help = "try the server so often without sending anything; 0: never"},
    {0},
};

static bool name_ok(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");

	return n > 0 && n < 254 && !name[n];
}

static void email_check_conf(const void *arg, struct complaints *c)
{
	const struct email_conf *conf = arg;
	char why[200];

	if (conf->host && !literal_is_address(conf->host))
		complaint_add(c, NULL, "host", conf->host,
			      "must be an IPv4 or IPv6 address, because name service may be what is down");
	if (conf->from && !email_address_ok(conf->from, why, sizeof(why)))
		complaint_add(c, NULL, "from", conf->from, "%s", why);
	if (conf->helo && !name_ok(conf->helo))
		complaint_add(c, NULL, "helo", conf->helo, "must be a host name");
	if (conf->tls_name && !name_ok(conf->tls_name))
		complaint_add(c, NULL, "tls_name", conf->tls_name, "must be a host name");
	if (!conf->user != !conf->password)
		complaint_add(c, NULL, conf->user ? "password" : "user", NULL,
			      "user and password go together");
	if (conf->password && (conf->tls == EMAIL_TLS_NONE || conf->tls == EMAIL_TLS_OPPORTUNISTIC))
		complaint_add(c, NULL, "tls", NULL,
			      "must be required or wrapped: the password must not travel in the clear");
	if (conf->tls == EMAIL_TLS_NONE && (conf->tls_name || conf->ca_file))
		complaint_add(c, NULL, "tls", NULL, "is none, so tls_name and ca_file mean nothing");
}

static bool email_check_address(const char *to, char *why, size_t size)
{
	return email_address_ok(to, why, size);
}

/* This host's name if it can be one in EHLO. */
static void own_name(char *out, size_t size)
{
	char name[240] = "";

	if (gethostname(name, sizeof(name) - 1) < 0 || !name_ok(name))
		snprintf(name, sizeof(name), "localhost");
	snprintf(out, size, "%s%s", name, strchr(name, '.') ? "" : ".localdomain");
}

static bool email_start(struct notifier_run *run, char *why, size_t size)
{
	const struct email_conf *conf = run->conf;
	struct email *own = calloc(1, sizeof(*own));

	if (!own || !email_smtp_global_init()) {
		snprintf(why, size, "out of memory");
		free(own);
		return false;
	}
	run->own = own;
	own->trial.every_ms = conf->test_interval;
	if (conf->helo)
		snprintf(own->helo, sizeof(own->helo), "%s", conf->helo);
	else
		own_name(own->helo, sizeof(own->helo));
	/* read anew for each connection, so that a changed password needs no restart; but a missing one is
	 * said now */
	if (file_secret_there(conf->password, why, size))
		return true;
	free(own);
	run->own = NULL;
	return false;
}

static struct email_smtp *connect_to(const struct notifier_run *run, int64_t limit_ms, enum outcome *o,
				     char *detail, size_t size)
{
	const struct email_conf *conf = run->conf;
	const struct email *own = run->own;
	char *secret = NULL;
	struct email_smtp *s;
	struct email_server sv = {.host = conf->host,
				  .port = (int)conf->port,
				  .helo = own->helo,
				  .tls = (enum email_tls)conf->tls,
				  .tls_name = conf->tls_name,
				  .ca_file = conf->ca_file,
				  .user = conf->user};

	if (conf->password) {
		secret = file_secret(conf->password, detail, size);
		if (!secret) {
			*o = OUTCOME_RETRY;
			return NULL;
		}
		sv.password = secret;
	}
	s = email_smtp_open(&sv, clock_boot_ms() + limit_ms, o, detail, size);
	file_secret_free(secret);
	return s;
}

static enum outcome email_send(struct notifier_run *run, const struct page *p, char *detail, size_t size)
{
	const struct email_conf *conf = run->conf;
	struct email *own = run->own;
	enum outcome o = OUTCOME_RETRY;
	struct email_smtp *s = NULL;
	struct buf text;

	buf_init(&text, EMAIL_MESSAGE_MAX);
	if (!email_message(&text, p, conf->from, own->helo, clock_wall_ms()))
		snprintf(detail, size, "out of memory");
	else
		s = connect_to(run, p->deadline_ms, &o, detail, size);
	if (s)
		o = email_smtp_send(s, conf->from, p->to, text.data, text.len, detail, size);
	buf_fini(&text);
	/* what is refused on a good connection is about that mail, not about the line */
	if (!s || o != OUTCOME_REFUSED)
		notifier_health(o == OUTCOME_SENT, "%s port %d: %s", conf->host, (int)conf->port, detail);
	email_smtp_close(s);
	trial_done(&own->trial);
	return o;
}

static int email_fd(struct notifier_run *run, int *wait_ms)
{
	const struct email *own = run->own;

	*wait_ms = trial_wait_ms(trial_next(&own->trial));
	return -1;
}

static void email_idle(struct notifier_run *run)
{
	const struct email_conf *conf = run->conf;
	struct email *own = run->own;
	char detail[400];
	enum outcome o;
	struct email_smtp *s;

	if (!trial_due(&own->trial))
		return;
	s = connect_to(run, TEST_LIMIT_MS, &o, detail, sizeof(detail));
	notifier_health(s != NULL, "%s port %d: %s", conf->host, (int)conf->port, s ? "ready" : detail);
	email_smtp_close(s);
	trial_done(&own->trial);
}

static void email_stop(struct notifier_run *run)
{
	free(run->own);
	run->own = NULL;
}

static void email_preview(const void *conf, const struct page *p, struct preview *out)
{
	(void)conf;
	out->shows = email_subject(p);
	out->units = out->shows ? strlen(out->shows) : 0;
	out->max = EMAIL_SUBJECT_MAX;
	snprintf(out->note, sizeof(out->note), "bytes of subject; the mail itself says all of it");
}

const struct notifier notifier_email = {
    .name = "email",
    .help = "mail through a bypass host, given by its literal address",
    .opts = email_opts,
    .conf_size = sizeof(struct email_conf),
    .check_conf = email_check_conf,
    .check_address = email_check_address,
    .start = email_start,
    .send = email_send,
    .fd = email_fd,
    .idle = email_idle,
    .stop = email_stop,
    .preview = email_preview,
};
