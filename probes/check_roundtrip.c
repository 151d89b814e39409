/*
 * roundtrip: sends a mail through the relay by SMTP, finds it in the store by IMAP, by POP3 or in a Maildir, and tells how
 * long it took, hop by hop. Each run looks first for what is under way, then sends one more and waits a
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

#include "lib/clock.h"
#include "lib/file.h"
#include "probes/dns/ask.h"
#include "probes/roundtrip/roundtrip.h"
#include "probes/roundtrip/message.h"
#include "probes/smtp/session.h"

#define FIELD(f) .offset = offsetof(struct roundtrip_conf, f)
#define DAY 86400e3

enum { CLOSING_MS = 300 /* kept for the end of a run */ };

static const struct opt roundtrip_opts[] = {
	{.name = "smtp_host", .letter = 'H', .type = OPT_STRING, FIELD(smtp_host), .unit = "ADDRESS",
	 .help = "the relay that the mail is handed to: a name or an address"},
	{.name = "each_mx", .type = OPT_STRING, FIELD(each_mx), .unit = "DOMAIN",
	 .help = "instead of smtp_host: a mail is handed to each MX of this domain, at most 8, and each is judged by itself"},
	{.name = "dns_servers", .type = OPT_LIST, FIELD(dns_servers), .unit = "ADDRESS[:PORT]",
	 .help = "ask these name servers for the MX and their addresses instead of those of this host"},
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
	{.name = "imap_host", .type = OPT_STRING, FIELD(imap_host), .unit = "ADDRESS",
	 .help = "the store that the mail must arrive in, when it is looked into by IMAP: a name or an address"},
	{.name = "imap_port", .type = OPT_INT, FIELD(imap_port), .dflt = "0", .min = 0, .max = 65535, .unit = "PORT",
	 .help = "its port; 0: 993 with imaps, else 143"},
	{.name = "imap_tls", .type = OPT_ENUM, FIELD(imap_tls), .dflt = "starttls", .choices = "none|starttls|imaps",
	 .help = "how the store is spoken to; starttls is then required, none sends the password in clear"},
	{.name = "imap_ca_file", .type = OPT_PATH, FIELD(imap_ca_file), .unit = "FILE",
	 .help = "PEM file of the authorities that the store's certificate is checked with; default: the system's"},
	{.name = "imap_verify", .type = OPT_BOOL, FIELD(imap_verify), .dflt = "yes", .flags = OPT_CONF_ONLY,
	 .help = "check the store's certificate, chain and name"},
	{.name = "imap_user", .type = OPT_STRING, FIELD(imap_user), .unit = "NAME",
	 .help = "the user whose mailbox it is"},
	{.name = "imap_password_file", .type = OPT_SECRET, FIELD(imap_password_file), .unit = "FILE",
	 .help = "file that holds the password"},
	{.name = "mailbox", .type = OPT_STRING, FIELD(mailbox), .dflt = "INBOX", .unit = "NAME",
	 .help = "IMAP: the mailbox; a name beyond ASCII in IMAP's modified UTF-7"},
	{.name = "pop3_host", .type = OPT_STRING, FIELD(pop3_host), .unit = "ADDRESS",
	 .help = "the store, when it is looked into by POP3: a name or an address"},
	{.name = "pop3_port", .type = OPT_INT, FIELD(pop3_port), .dflt = "0", .min = 0, .max = 65535, .unit = "PORT",
	 .help = "its port; 0: 995 with pop3s, else 110"},
	{.name = "pop3_tls", .type = OPT_ENUM, FIELD(pop3_tls), .dflt = "starttls", .choices = "none|starttls|pop3s",
	 .help = "how the store is spoken to; starttls (STLS) is then required, none sends the password in clear"},
	{.name = "pop3_ca_file", .type = OPT_PATH, FIELD(pop3_ca_file), .unit = "FILE",
	 .help = "PEM file of the authorities that the store's certificate is checked with; default: the system's"},
	{.name = "pop3_verify", .type = OPT_BOOL, FIELD(pop3_verify), .dflt = "yes", .flags = OPT_CONF_ONLY,
	 .help = "check the store's certificate, chain and name"},
	{.name = "pop3_user", .type = OPT_STRING, FIELD(pop3_user), .unit = "NAME",
	 .help = "the user whose mailbox it is"},
	{.name = "pop3_password_file", .type = OPT_SECRET, FIELD(pop3_password_file), .unit = "FILE",
	 .help = "file that holds the password"},
	{.name = "maildir", .type = OPT_PATH, FIELD(maildir), .unit = "DIRECTORY",
	 .help = "the store is a Maildir on this host: its folders new and cur are looked into"},
	{.name = "look_at_most", .type = OPT_INT, FIELD(look_at_most), .dflt = "500", .min = 1, .max = 5000, .unit = "N",
	 .help = "POP3, Maildir: at most so many messages are looked at, the newest first"},
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

static void want_login(struct complaints *c, const char *host, const char *user, const char *password, const char *items[3])
{
	if (host && !user)
		complaint_add(c, NULL, items[1], NULL, "is required with %s", items[0]);
	if (host && !password)
		complaint_add(c, NULL, items[2], NULL, "is required with %s", items[0]);
}

/* Exactly one store, and what it takes to get in. */
static void want_store(const struct roundtrip_conf *o, struct complaints *c)
{
	const char *imap[] = {"imap_host", "imap_user", "imap_password_file"};
	const char *pop3[] = {"pop3_host", "pop3_user", "pop3_password_file"};

	if (!!o->imap_host + !!o->pop3_host + !!o->maildir != 1)
		complaint_add(c, NULL, "imap_host", o->imap_host,
			      "one of imap_host, pop3_host and maildir must say where the mail arrives");
	want_login(c, o->imap_host, o->imap_user, o->imap_password_file, imap);
	want_login(c, o->pop3_host, o->pop3_user, o->pop3_password_file, pop3);
}

static void check_conf(const void *conf, struct complaints *c)
{
	const struct roundtrip_conf *o = conf;
	struct buf quoted;

	want_store(o, c);
	if (!o->smtp_host == !o->each_mx)
		complaint_add(c, NULL, "smtp_host", o->smtp_host, "one of smtp_host and each_mx must say where the mail goes");
	if (o->each_mx && !dns_name_ok(o->each_mx))
		complaint_add(c, NULL, "each_mx", o->each_mx, "not a domain name");
	dns_servers_check(&o->dns_servers, "dns_servers", c);
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
	r->store = r->conf->maildir ? &rt_maildir : r->conf->pop3_host ? &rt_pop3 : &rt_imap;
	r->found.kind = r->store->name;
	r->mx.on = r->conf->each_mx != NULL;
	r->found.smtp.seconds = r->found.store.seconds = -1;
	for (size_t i = 0; i < RT_WAYS_MAX; i++)
		r->mx.found[i].smtp.seconds = r->mx.found[i].store.seconds = -1;
	return true;
}

/* A mail that is stored and ready to go; NULL: none may go now, and why is in the findings or the result. */
static struct rt_mail *new_mail(struct rt_run *r, size_t way, struct buf *message)
{
	struct rt_letter l = {.from = r->conf->from, .to = r->conf->to, .check = r->run->check, .key = r->key,
			      .key_len = r->key_len};
	struct stamp now = clock_stamp();
	uint8_t random[TOKEN_BYTES];
	struct rt_findings *f = rt_found(r, way);
	struct rt_mail *m;

	f->held_back = rt_outstanding(&r->state, way) >= (size_t)r->conf->max_outstanding;
	if (f->held_back)
		return NULL;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		cannot(r, "%s", "no random bytes for a token");
		return NULL;
	}
	token_make(random, r->state.run + 1, &l.token);
	l.wall_ms = now.wall_ms;
	m = rt_message(&l, message) ? rt_add_by(&r->state, way, &l.token, &now) : NULL;
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
static bool send_one(struct rt_run *r, size_t way, const char *host, int64_t deadline)
{
	struct buf message;
	struct rt_mail *m;

	buf_init(&message, RT_MESSAGE_MAX);
	m = new_mail(r, way, &message);
	if (m)
		rt_send(r, host, m, message.data, message.len, deadline);
	buf_fini(&message);
	return m || rt_found(r, way)->held_back;
}

static bool send_all(struct rt_run *r, int64_t deadline)
{
	if (!r->mx.on)
		return send_one(r, 0, r->conf->smtp_host, deadline);
	for (size_t i = 0; i < r->mx.n; i++) {
		const struct rt_mx_host *h = &r->mx.host[i];

		/* a silent one must not use up the others' time */
		if (h->way < RT_WAYS_MAX && !send_one(r, h->way, h->name, smtp_share(deadline, r->mx.n - i)))
			return false;
	}
	return true;
}

/* Is one of those sent in this run still under way? */
static bool is_waiting(const struct rt_run *r, uint64_t before)
{
	for (size_t i = 0; i < r->state.n; i++)
		if (r->state.mail[i].token.run > before && r->state.mail[i].phase == RT_PENDING)
			return true;
	return false;
}

/* Lets a quick relay be judged within one run. */
static void wait_for_it(struct rt_run *r, uint64_t before, int64_t until, int64_t deadline)
{
	int64_t pause = r->store->poll_first_ms, most = r->store->poll_last_ms, left;

	while (is_waiting(r, before) && !atomic_load(&r->run->cancelled) && (left = until - clock_boot_ms()) > 0) {
		struct timespec t;

		pause = pause < left ? pause : left;
		t = (struct timespec){.tv_sec = pause / 1000, .tv_nsec = pause % 1000 * 1000000};
		probe_at(r->run, "waiting for the mail");
		nanosleep(&t, NULL);
		if (!r->store->poll(r, deadline))
			return;
		pause = pause * 3 / 2 < most ? pause * 3 / 2 : most;
	}
}

static void measure(struct rt_run *r)
{
	int64_t start = clock_boot_ms(), end = r->run->deadline - CLOSING_MS, look_end = start + (end - start) * 2 / 5, now;
	uint64_t before = r->state.run;
	struct stamp stamp;
	bool looked;

	if (r->mx.on && !rt_mx_find(r, smtp_share(end, 4)))
		return;
	/* the store gets at most two fifths of the time, so that a dead one does not hide what the relay does */
	looked = r->store->open(r, look_end) && r->store->look(r, look_end);
	r->found.store.seconds = looked ? (double)(clock_boot_ms() - start) / 1000 : -1;
	if (!send_all(r, end))
		return;
	now = clock_boot_ms();
	if (looked)
		wait_for_it(r, before, now + r->conf->wait < end ? now + r->conf->wait : end, end);
	stamp = clock_stamp();
	if (r->mx.on)
		rt_mx_report(r, &stamp);
	else
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
		r->store->close(r);
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
	dns_global_init();
	smtp_global_init(); /* libcurl and the resolver, for both sides */
}

const struct probe probe_roundtrip = {
	.name = "roundtrip",
	.help = "sends a mail through a relay by SMTP, finds it in the store by IMAP, by POP3 or in a Maildir, and tells the delay "
		"hop by hop",
	.place = PROBE_NET,
	.opts = roundtrip_opts,
	.conf_size = sizeof(struct roundtrip_conf),
	.host_option = "smtp_host",
	.check_conf = check_conf,
	.global_init = global_init,
	.run = run,
};
