/*
 * roundtrip: sends a mail through the relay by SMTP, finds it in the store by IMAP, and tells how long it
 * took, hop by hop. Each run looks first for what is under way, then sends one more and waits a
 * little for it; what has not come by then is settled by a later run.
 *
 * Promises: a token is stored before its mail is sent, at most RT_OUTSTANDING_MAX are
 * under way, and only mail that its HMAC proves ours is read or deleted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "../lib/clock.h"
#include "../lib/file.h"
#include "roundtrip.h"
#include "rt_message.h"
#include "smtp_session.h"

#define FIELD(f) .offset = offsetof(struct roundtrip_conf, f)
#define DAY 86400e3

enum {
	CLOSING_MS = 300,  /* kept for the end of a run */
	POLL_FIRST_MS = 20,
	POLL_LAST_MS = 500
};

static const struct opt roundtrip_opts[] = {
	{.name = "smtp_host", .letter = 'H', .type = OPT_STRING, FIELD(smtp_host), .flags = OPT_REQUIRED,
	 .unit = "ADDRESS", .help = "the relay that the mail is handed to: a name or an address"},
	{.name = "smtp_port", .letter = 'p', .type = OPT_INT, FIELD(smtp_port), .dflt = "25", .min = 1, .max = 65535,
	 .unit = "PORT", .help = "its port"},
	{.name = "smtp_tls", .type = OPT_ENUM, FIELD(smtp_tls), .dflt = "none", .choices = "none|starttls|smtps",
	 .help = "how the relay is spoken to; starttls is then required"},
	{.name = "smtp_ca_file", .type = OPT_PATH, FIELD(smtp_ca_file), .unit = "FILE",
	 .help = "PEM file of the authorities that the relay's certificate is checked with; default: the system's"},
	{.name = "smtp_verify", .type = OPT_BOOL, FIELD(smtp_verify), .dflt = "yes", .flags = OPT_CONF_ONLY,
	 .help = "check the relay's certificate, chain and name"},
	{.name = "smtp_user", .type = OPT_STRING, FIELD(smtp_user), .unit = "NAME", .help = "SMTP AUTH: the user"},
	{.name = "smtp_password_file", .type = OPT_SECRET, FIELD(smtp_password_file), .unit = "FILE",
	 .help = "SMTP AUTH: file that holds the password"},
	{.name = "smtp_helo", .type = OPT_STRING, FIELD(smtp_helo), .unit = "NAME",
	 .help = "name given in EHLO; default: this host's"},
	{.name = "imap_host", .type = OPT_STRING, FIELD(imap_host), .flags = OPT_REQUIRED, .unit = "ADDRESS",
	 .help = "the store that the mail must arrive in: a name or an address"},
	{.name = "imap_port", .type = OPT_INT, FIELD(imap_port), .dflt = "0", .min = 0, .max = 65535, .unit = "PORT",
	 .help = "its port; 0: 993 with imaps, else 143"},
	{.name = "imap_tls", .type = OPT_ENUM, FIELD(imap_tls), .dflt = "starttls", .choices = "none|starttls|imaps",
	 .help = "how the store is spoken to; starttls is then required, none sends the password in clear"},
	{.name = "imap_ca_file", .type = OPT_PATH, FIELD(imap_ca_file), .unit = "FILE",
	 .help = "PEM file of the authorities that the store's certificate is checked with; default: the system's"},
	{.name = "imap_verify", .type = OPT_BOOL, FIELD(imap_verify), .dflt = "yes", .flags = OPT_CONF_ONLY,
	 .help = "check the store's certificate, chain and name"},
	{.name = "imap_user", .type = OPT_STRING, FIELD(imap_user), .flags = OPT_REQUIRED, .unit = "NAME",
	 .help = "the user whose mailbox it is"},
	{.name = "imap_password_file", .type = OPT_SECRET, FIELD(imap_password_file), .flags = OPT_REQUIRED,
	 .unit = "FILE", .help = "file that holds the password"},
	{.name = "mailbox", .type = OPT_STRING, FIELD(mailbox), .dflt = "INBOX", .unit = "NAME",
	 .help = "the mailbox; a name beyond ASCII in IMAP's modified UTF-7"},
	{.name = "from", .type = OPT_STRING, FIELD(from), .flags = OPT_REQUIRED, .unit = "MAIL",
	 .help = "sender of the mail; bounces go there"},
	{.name = "to", .type = OPT_STRING, FIELD(to), .flags = OPT_REQUIRED, .unit = "MAIL",
	 .help = "recipient of the mail: its mailbox is the one that is looked into"},
	{.name = "key_file", .type = OPT_SECRET, FIELD(key_file), .flags = OPT_REQUIRED, .unit = "FILE",
	 .help = "file that holds the key, a text of 16 bytes or more, by which our mail is known from forged mail"},
	{.name = "warning", .letter = 'w', .type = OPT_DURATION, FIELD(warning), .dflt = "1m", .min = 1, .max = 7 * DAY,
	 .help = "WARNING when a mail takes longer, and it is late when it is under way for longer"},
	{.name = "critical", .letter = 'c', .type = OPT_DURATION, FIELD(critical), .dflt = "5m", .min = 1, .max = 7 * DAY,
	 .help = "CRITICAL when a mail takes or is under way for longer"},
	{.name = "lost_after", .type = OPT_DURATION, FIELD(lost_after), .dflt = "30m", .min = 1, .max = 7 * DAY,
	 .help = "a mail under way for longer counts as lost: CRITICAL until a later one arrives, then WARNING"},
	{.name = "lost_critical", .type = OPT_INT, FIELD(lost_critical), .dflt = "2", .min = 1, .max = 1e6, .unit = "N",
	 .help = "so many lost ones are CRITICAL though later mail arrives"},
	{.name = "hold", .type = OPT_DURATION, FIELD(hold), .dflt = "30m", .min = 0, .max = 7 * DAY,
	 .help = "how long a lost or doubled mail is told"},
	{.name = "wait", .type = OPT_DURATION, FIELD(wait), .dflt = "5s", .min = 0, .max = 300e3,
	 .help = "how long a run waits for the mail it just sent; what comes later is found by the next run"},
	{.name = "max_outstanding", .type = OPT_INT, FIELD(max_outstanding), .dflt = "5", .min = 1,
	 .max = RT_OUTSTANDING_MAX, .unit = "N", .help = "no new mail is sent while so many are under way"},
	{.name = NULL}
};

static void want_address(struct complaints *c, const char *name, const char *value)
{
	if (value && !rt_address_ok(value))
		complaint_add(c, NULL, name, value, "not a plain mail address (LOCAL@DOMAIN, ASCII, nothing quoted)");
}

static void want_order(struct complaints *c, const char *name, int64_t value, int64_t least, const char *other)
{
	if (value < least)
		complaint_add(c, NULL, name, NULL, "must not be less than %s", other);
}

static void check_conf(const void *conf, struct complaints *c)
{
	const struct roundtrip_conf *o = conf;
	struct buf quoted;

	want_address(c, "from", o->from);
	want_address(c, "to", o->to);
	want_order(c, "critical", o->critical, o->warning, "warning");
	want_order(c, "lost_after", o->lost_after, o->critical, "critical");
	if (!o->smtp_user != !o->smtp_password_file)
		complaint_add(c, NULL, "smtp_user", NULL, "smtp_user and smtp_password_file go together");
	if (o->smtp_user && o->smtp_tls == RT_SMTP_NONE)
		complaint_add(c, NULL, "smtp_tls", "none", "a password is not sent in clear: use starttls or smtps");
	buf_init(&quoted, 1000);
	if (o->mailbox && (!*o->mailbox || !imap_quote(o->mailbox, &quoted)))
		complaint_add(c, NULL, "mailbox", o->mailbox, "not a mailbox name in printable ASCII");
	buf_fini(&quoted);
}

bool rt_keep(struct rt_run *r)
{
	struct buf text;
	bool ok;

	probe_at(r->run, "storing the state");
	buf_init(&text, PROBE_STATE_MAX);
	ok = rt_dump(&r->state, &text) && r->run->store(r->run, text.data, text.len);
	buf_fini(&text);
	return ok;
}

/* Not a fault of the mail system but of this check's set-up. */
static void cannot(struct rt_run *r, const char *fmt, const char *what)
{
	result_fail(r->run->result, NAG_UNKNOWN, "local", fmt, what);
	r->run->result->measured = false;
}

static bool prepare(struct rt_run *r)
{
	char why[200];

	r->key = file_secret(r->conf->key_file, why, sizeof(why));
	if (!r->key) {
		cannot(r, "key_file: %s", why);
		return false;
	}
	r->key_len = strlen(r->key);
	if (r->key_len < TOKEN_KEY_MIN) {
		cannot(r, "%s", "key_file: the key is shorter than 16 bytes");
		return false;
	}
	rt_load(&r->state, r->run->state, r->run->state_len, &r->found.state_lost);
	r->limits = (struct rt_thresholds){
		.warning_ms = r->conf->warning, .critical_ms = r->conf->critical,
		.lost_critical = (size_t)r->conf->lost_critical,
		.limits = {.late_ms = r->conf->warning, .lost_ms = r->conf->lost_after, .hold_ms = r->conf->hold},
	};
	r->found.smtp.seconds = r->found.imap.seconds = -1;
	return true;
}

/* A mail that is stored and ready to go; NULL: none may go now, and why is in the findings or the result. */
static struct rt_mail *new_mail(struct rt_run *r, struct buf *message)
{
	struct rt_letter l = {.from = r->conf->from, .to = r->conf->to, .check = r->run->check, .key = r->key,
			      .key_len = r->key_len};
	struct stamp now = clock_stamp();
	uint8_t random[TOKEN_BYTES];
	struct rt_counts c;
	struct rt_mail *m;

	rt_count(&r->state, &now, &r->limits.limits, &c);
	r->found.held_back = c.outstanding >= (size_t)r->conf->max_outstanding;
	if (r->found.held_back)
		return NULL;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		cannot(r, "%s", "no random bytes for a token");
		return NULL;
	}
	token_make(random, r->state.run + 1, &l.token);
	l.wall_ms = now.wall_ms;
	m = rt_message(&l, message) ? rt_add(&r->state, &l.token, &now) : NULL;
	if (!m) {
		cannot(r, "%s", "the mail could not be made");
		return NULL;
	}
	if (!rt_keep(r)) {
		rt_answered(&r->state, m, RT_REFUSED);
		cannot(r, "%s", "the token could not be stored, so nothing was sent");
		return NULL;
	}
	return m;
}

/* False: the run is over, the result is set. */
static bool send_one(struct rt_run *r, int64_t deadline)
{
	struct buf message;
	struct rt_mail *m;

	buf_init(&message, RT_MESSAGE_MAX);
	m = new_mail(r, &message);
	if (m)
		rt_send(r, m, message.data, message.len, deadline);
	buf_fini(&message);
	return m || r->found.held_back;
}

static bool is_waiting(const struct rt_run *r, uint64_t run)
{
	for (size_t i = 0; i < r->state.n; i++)
		if (r->state.mail[i].token.run == run)
			return r->state.mail[i].phase == RT_PENDING;
	return false;
}

/* Lets a quick relay be judged within one run. */
static void wait_for_it(struct rt_run *r, int64_t until)
{
	uint64_t mine = r->state.run;
	int64_t pause = POLL_FIRST_MS, left;

	while (is_waiting(r, mine) && !atomic_load(&r->run->cancelled) && (left = until - clock_boot_ms()) > 0) {
		struct timespec t = {.tv_sec = 0, .tv_nsec = (pause < left ? pause : left) * 1000000};

		probe_at(r->run, "waiting for the mail");
		nanosleep(&t, NULL);
		if (!rt_poll(r))
			return;
		pause = pause * 3 / 2 < POLL_LAST_MS ? pause * 3 / 2 : POLL_LAST_MS;
	}
}

static void measure(struct rt_run *r)
{
	int64_t start = clock_boot_ms(), end = r->run->deadline - CLOSING_MS, now;
	struct stamp stamp;
	bool looked;

	/* the store gets at most two fifths of the time, so that a dead one does not hide what the relay does */
	looked = rt_open_mailbox(r, start + (end - start) * 2 / 5) && rt_look(r);
	r->found.imap.seconds = looked ? (double)(clock_boot_ms() - start) / 1000 : -1;
	if (!send_one(r, end))
		return;
	now = clock_boot_ms();
	if (looked) {
		int64_t until = now + r->conf->wait < end ? now + r->conf->wait : end;

		r->imap.deadline = end;
		wait_for_it(r, until);
	}
	stamp = clock_stamp();
	rt_report(&r->state, &r->found, &r->limits, &stamp, r->run->result);
}

static void run(struct probe_run *run)
{
	struct rt_run *r = calloc(1, sizeof(*r));

	if (!r) {
		result_fail(run->result, NAG_UNKNOWN, "local", "out of memory");
		run->result->measured = false;
		return;
	}
	r->run = run;
	r->conf = run->conf;
	if (prepare(r)) {
		measure(r);
		imap_close(&r->imap);
		buf_reset(&run->newstate);
		rt_dump(&r->state, &run->newstate);
	}
	if (r->key)
		explicit_bzero(r->key, r->key_len);
	free(r->key);
	free(r);
}

static void global_init(void)
{
	smtp_global_init(); /* libcurl and the resolver, for both sides */
}

const struct probe probe_roundtrip = {
	.name = "roundtrip",
	.help = "sends a mail through a relay by SMTP, finds it in the store by IMAP, and tells the delay hop by hop",
	.place = PROBE_NET,
	.opts = roundtrip_opts,
	.conf_size = sizeof(struct roundtrip_conf),
	.host_option = "smtp_host",
	.check_conf = check_conf,
	.global_init = global_init,
	.run = run,
};
