/* Lines of mail logs and what is made of them: each format, each kind, and the places where they differ. */
#include "unit.h"

#include "probes/log/count.h"
#include "probes/log/journal.h"

struct want {
	const char *line;
	enum log_kind kind;
	enum log_reason reason;
	const char *client, *sasl, *sender, *rcpt; /* NULL: not looked at */
};

#define PF "Nov 21 03:12:45 mx1 postfix/"
#define SM "2026-11-21T03:12:45.123456+09:00 mx1 sm-mta[77]: 5AL3CjAB000077: "
#define EX "2026-11-21 03:12:45 "
#define DC "Nov 21 03:12:45 mx1 dovecot: "
#define OS "Nov 21 03:12:45 mx1 smtpd[9]: 5e447a7a "

static const struct want wants[] = {
    {PF "smtpd[9]: 4jX08J6XYcz1cjq1: client=c.example[192.0.2.7], sasl_method=PLAIN, sasl_username=joe",
     LOG_RECEIVED, LOG_WHY_OTHER, "192.0.2.7", "joe", NULL, NULL},
    {PF "submission/smtpd[9]: A1: client=c.example[2001:db8::7]", LOG_RECEIVED, LOG_WHY_OTHER, "2001:db8::7",
     NULL, NULL, NULL},
    {PF "pickup[9]: A1: uid=1000 from=<joe>", LOG_RECEIVED, LOG_WHY_OTHER, NULL, NULL, "joe", NULL},
    {PF "qmgr[9]: A1: from=<>, size=1, nrcpt=1 (queue active)", LOG_QUEUED, LOG_WHY_OTHER, NULL, NULL, "",
     NULL},
    {PF "smtp[9]: A1: to=<x@y.example>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.3, status=deferred "
	"(Host or domain "
	"name not found. Name service error for name=y.example type=MX: Host not found, try again)",
     LOG_DEFERRED, LOG_WHY_DNS, NULL, NULL, NULL, "x@y.example"},
    {PF "smtp[9]: A1: to=<x@y.example>, orig_to=<z>, relay=m[192.0.2.9]:25, delay=1, dsn=2.0.0, status=sent "
	"(250 ok)",
     LOG_SENT, LOG_WHY_OTHER, NULL, NULL, NULL, "x@y.example"},
    {PF "smtp[9]: A1: to=<x@y.example>, relay=m[192.0.2.9]:25, dsn=5.4.6, status=bounced (host m said: 554 "
	"5.4.0 Error: "
	"too many hops)",
     LOG_BOUNCED, LOG_WHY_HOPS, NULL, NULL, NULL, "x@y.example"},
    {PF "smtp[9]: A1: to=<x@y.example>, dsn=4.3.0, status=deferred (452 4.3.1 Insufficient system storage)",
     LOG_DEFERRED, LOG_WHY_DISK, NULL, NULL, NULL, "x@y.example"},
    {PF "qmgr[9]: A1: from=<a@b.example>, status=expired, returned to sender", LOG_BOUNCED, LOG_WHY_EXPIRED,
     NULL, NULL, "a@b.example", NULL},
    {PF
     "smtpd[9]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <x@y.example>: Relay access denied; "
     "from=<a@b.example> to=<x@y.example> proto=ESMTP helo=<c>",
     LOG_REJECTED, LOG_WHY_RELAY, "192.0.2.7", NULL, "a@b.example", "x@y.example"},
    {PF "smtpd[9]: NOQUEUE: reject: RCPT from c[192.0.2.7]: 554 5.7.1 Service unavailable; Client host "
	"[192.0.2.7] "
	"blocked using bl.example.org; https://bl.example.org/q; from=<> to=<x@y.example> proto=ESMTP",
     LOG_REJECTED, LOG_WHY_LISTED, "192.0.2.7", NULL, "", "x@y.example"},
    {PF "smtpd[9]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, "
	"sasl_username=joe",
     LOG_AUTH_FAILED, LOG_WHY_OTHER, "192.0.2.7", "joe", NULL, NULL},
    {PF "cleanup[9]: warning: A1: write queue file: No space left on device", LOG_NOTHING, LOG_WHY_DISK, NULL,
     NULL, NULL, NULL},
    {SM
     "from=<a@b.example>, size=330, class=0, nrcpts=1, msgid=<1@b>, proto=ESMTP, daemon=MTA, relay=c.example "
     "[192.0.2.7]",
     LOG_RECEIVED, LOG_WHY_OTHER, "192.0.2.7", NULL, "a@b.example", NULL},
    {SM "to=<x@y.example>, delay=00:00:01, xdelay=00:00:01, mailer=esmtp, pri=1, relay=m [192.0.2.9], "
	"dsn=2.0.0, "
	"stat=Sent (ok)",
     LOG_SENT, LOG_WHY_OTHER, NULL, NULL, NULL, "x@y.example"},
    {SM "to=<x@y.example>, delay=00:00:01, dsn=4.0.0, stat=Deferred: Connection refused by m", LOG_DEFERRED,
     LOG_WHY_REFUSED, NULL, NULL, NULL, "x@y.example"},
    {SM "ruleset=check_rcpt, arg1=<x@y.example>, relay=c [192.0.2.7], reject=550 5.7.1 <x@y.example>... "
	"Relaying denied",
     LOG_REJECTED, LOG_WHY_RELAY, "192.0.2.7", NULL, NULL, "x@y.example"},
    {SM "<x@y.example>... User unknown", LOG_REJECTED, LOG_WHY_USER_UNKNOWN, NULL, NULL, NULL, "x@y.example"},
    {EX "1abcDE-000001-XY <= a@b.example H=c.example [192.0.2.7]:4000 P=esmtpsa X=TLS1.3 A=plain_server:joe "
	"S=500",
     LOG_RECEIVED, LOG_WHY_OTHER, "192.0.2.7", "joe", "a@b.example", NULL},
    {EX "1abcDE-000001-XY => joe <joe@y.example> R=local T=maildir", LOG_SENT, LOG_WHY_OTHER, NULL, NULL,
     NULL, "joe@y.example"},
    {EX "1abcDE-000001-XY ** x@y.example R=dnslookup T=smtp: host m [192.0.2.9]: 550 Unknown user",
     LOG_BOUNCED, LOG_WHY_USER_UNKNOWN, NULL, NULL, NULL, "x@y.example"},
    {EX "1abcDE-000001-XY == x@y.example R=dnslookup defer (-1): host lookup did not complete", LOG_DEFERRED,
     LOG_WHY_DNS, NULL, NULL, NULL, "x@y.example"},
    {EX "H=c.example (helo) [192.0.2.7] F=<a@b.example> rejected RCPT <x@y.example>: relay not permitted",
     LOG_REJECTED, LOG_WHY_RELAY, "192.0.2.7", NULL, "a@b.example", "x@y.example"},
    {EX
     "login authenticator failed for c.example [192.0.2.7]: 535 Incorrect authentication data (set_id=joe)",
     LOG_AUTH_FAILED, LOG_WHY_OTHER, "192.0.2.7", "joe", NULL, NULL},
    {DC
     "imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<joe>, method=PLAIN, rip=192.0.2.7, "
     "lip=192.0.2.1",
     LOG_AUTH_FAILED, LOG_WHY_OTHER, "192.0.2.7", "joe", NULL, NULL},
    {DC "lmtp(joe@y.example)<12><abc>: msgid=<1@b>: saved mail to INBOX", LOG_SENT, LOG_WHY_OTHER, NULL, NULL,
     NULL, "joe@y.example"},
    {OS "smtp message msgid=1 size=2 nrcpt=1 proto=ESMTP", LOG_RECEIVED, LOG_WHY_OTHER, NULL, NULL, NULL,
     NULL},
    {OS "mta delivery evpid=1 from=<a@b.example> to=<x@y.example> rcpt=<-> source=\"-\" relay=\"m\" delay=1s "
	"result=\"TempFail\" stat=\"Connection refused\"",
     LOG_DEFERRED, LOG_WHY_REFUSED, NULL, NULL, "a@b.example", "x@y.example"},
    /* as real servers wrote them: see test/e2e/test_log_real.py */
    {PF "cleanup[9]: warning: 96439A9035F: message rejected: hopcount exceeded", LOG_REJECTED, LOG_WHY_HOPS,
     NULL, NULL, NULL, NULL},
    {PF
     "error[9]: A1: to=<q@gone.example>, relay=none, delay=0.1, delays=0.1/0/0/0, dsn=5.1.1, status=bounced "
     "(mailbox gone)",
     LOG_BOUNCED, LOG_WHY_USER_UNKNOWN, NULL, NULL, NULL, "q@gone.example"},
    {SM "from=<a@b.example>, size=17, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=c [192.0.2.70]",
     LOG_NOTHING, LOG_WHY_OTHER, NULL, NULL, NULL, NULL},
    {SM "from=joe, size=14, class=0, nrcpts=1, msgid=<1@b>, relay=joe@localhost", LOG_RECEIVED, LOG_WHY_OTHER,
     NULL, NULL, "joe", NULL},
    {SM "SYSERR(root): Too many hops 111 (25 max): from <a@b.example> via localhost, to <x@y.example>",
     LOG_BOUNCED, LOG_WHY_HOPS, NULL, NULL, "a@b.example", "x@y.example"},
    {EX "1xWD4U-0001i9-0A <= <> R=1xWD4U-0001i1-08 U=Debian-exim P=local S=7815", LOG_QUEUED, LOG_WHY_OTHER,
     NULL, NULL, "", NULL},
    {"Nov 21 03:12:45 mx1 exim[7]: [1\\11] 2026-11-25 13:30:07 1xWD4Z-0001yB-1I H=c [192.0.2.70] "
     "F=<a@b.example> "
     "rejected after DATA: spam",
     LOG_NOTHING, LOG_WHY_OTHER, NULL, NULL, NULL, NULL},
    {"Nov 21 03:12:45 mx1 exim[7]: [1/2] 2026-11-25 13:30:07 H=c [192.0.2.70] F=<a@b.example> rejected RCPT "
     "<x@y.example>: relay not permitted",
     LOG_REJECTED, LOG_WHY_RELAY, "192.0.2.70", NULL, "a@b.example", "x@y.example"},
    {"Nov 21 03:12:45 mx1 exim[7]: [2/2]  rejected RCPT <x@y.example>: long", LOG_NOTHING, LOG_WHY_OTHER,
     NULL, NULL, NULL, NULL},
    {"Nov 25 13:30:46 imap-login: Info: Disconnected: Connection closed (auth failed, 1 attempts in 1 secs): "
     "user=<joe>, method=PLAIN, rip=192.0.2.70, lip=192.0.2.1, secured",
     LOG_AUTH_FAILED, LOG_WHY_OTHER, "192.0.2.70", "joe", NULL, NULL},
    {"2026-11-25 13:30:46 lmtp(joe@y.example)<11946><YIx6>: Info: msgid=unspecified: saved mail to INBOX",
     LOG_SENT, LOG_WHY_OTHER, NULL, NULL, NULL, "joe@y.example"},
    {OS "smtp failed-command command=\"rcpt TO:<x@y.example>\" result=\"524 5.2.4 Mailing list expansion "
	"problem: "
	"<x@y.example>\"",
     LOG_REJECTED, LOG_WHY_USER_UNKNOWN, NULL, NULL, NULL, "x@y.example"},
    {OS "smtp envelope evpid=3951e286e36c7ddc from=<a@b.example> to=<x@y.example>", LOG_QUEUED, LOG_WHY_OTHER,
     NULL, NULL, "a@b.example", NULL},
    {OS
     "smtp failed-command command=\"RCPT TO:<x@y.example>\" result=\"550 Invalid recipient: <x@y.example>\"",
     LOG_REJECTED, LOG_WHY_USER_UNKNOWN, NULL, NULL, NULL, "x@y.example"},
};

static void is(struct log_span s, const char *want, const char *line)
{
	if (!want)
		return;
	if (!s.s || s.n != strlen(want) || memcmp(s.s, want, s.n) != 0)
		fail_msg("want %s, got %.*s: %s", want, (int)s.n, s.s ? s.s : "", line);
}

static void test_lines(void **state)
{
	struct log_event e;

	(void)state;
	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		const struct want *w = &wants[i];

		if (!log_line_parse(w->line, strlen(w->line), &e))
			fail_msg("not known: %s", w->line);
		if (e.kind != w->kind || e.reason != w->reason)
			fail_msg("kind %d reason %d: %s", (int)e.kind, (int)e.reason, w->line);
		is(e.client, w->client, w->line);
		is(e.sasl, w->sasl, w->line);
		is(e.sender, w->sender, w->line);
		is(e.rcpt, w->rcpt, w->line);
	}
}

static void test_strangers(void **state)
{
	static const char *const lines[] = {"",
					    "x",
					    "Nov 21 03:12:45 mx1 cron[1]: x",
					    "Nov 21 03:12:45",
					    "2026-11-21T",
					    "\0\1\2\3 rubbish",
					    "Nov 21 03:12:45 mx1 postfix"};
	struct log_event e;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(log_line_parse(lines[i], strlen(lines[i]), &e));
}

/* A million clients: memory stays, and one that makes a tenth of it is found. */
static void test_many(void **state)
{
	struct log_counts *c = log_counts_new(NULL);
	struct top_item best;
	char line[200];
	int n;

	(void)state;
	assert_non_null(c);
	for (int i = 0; i < 100000; i++) {
		n = snprintf(line, sizeof(line), PF "smtpd[9]: A%d: client=c[10.%d.%d.%d]", i, i >> 16 & 255,
			     i >> 8 & 255, i % 10 ? i & 255 : 256);
		if (i % 10 == 0)
			n = snprintf(line, sizeof(line), PF "smtpd[9]: A%d: client=c[192.0.2.7]", i);
		log_counts_line(c, line, (size_t)n);
	}
	assert_int_equal(c->kind[LOG_RECEIVED], 100000);
	assert_int_equal(top_best(c->top[LOG_TOP_CLIENT], &best, 1), 1);
	assert_string_equal(best.name, "192.0.2.7");
	assert_true(best.count <= 10000 && best.count + top_short(c->top[LOG_TOP_CLIENT]) >= 10000);
	log_counts_free(c);
}

static void test_leave_out(void **state)
{
	char *ours[] = {"192.0.2.7", "probe@ops.example"};
	struct opt_list l = {ours, 2};
	struct log_counts *c = log_counts_new(&l);

	(void)state;
	assert_non_null(c);
	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
		log_counts_line(c, wants[i].line, strlen(wants[i].line));
	assert_int_equal(c->kind[LOG_AUTH_FAILED], 1); /* of another client */
	assert_int_equal(c->ours, 10);
	log_counts_free(c);
}

static uint64_t one_kind(const char *const *lines, size_t n, enum log_kind kind, enum log_reason why)
{
	struct log_counts *c = log_counts_new(NULL);
	uint64_t got;

	assert_non_null(c);
	for (size_t i = 0; i < n; i++)
		log_counts_line(c, lines[i], strlen(lines[i]));
	got = c->kind[kind];
	if (why)
		assert_int_equal(c->reason[why], 1);
	log_counts_free(c);
	return got;
}

/* What servers say more than once is counted once. */
static void test_repeated(void **state)
{
	static const char *const hops[] = {PF "cleanup[9]: warning: A1: message rejected: hopcount exceeded",
					   PF "cleanup[9]: warning: A1: message rejected: hopcount exceeded",
					   PF "cleanup[9]: A1: to=<x@y.example>, relay=none, delay=1, "
					      "dsn=5.4.0, status=bounced (too many hops)"};
	static const char *const exim[] = {
	    "Nov 21 03:12:45 mx1 exim[7]: 2026-11-21 03:12:45 H=c [192.0.2.7] F=<> rejected RCPT <x@y>: no",
	    "Nov 21 03:12:45 mx1 exim[7]: 2026-11-21 03:12:45 H=c [192.0.2.7] F=<> rejected RCPT <x@y>: no",
	    "Nov 21 03:12:45 mx1 exim[8]: 2026-11-21 03:12:45 H=c [192.0.2.7] F=<> rejected RCPT <x@y>: no"};
	static const char *const logins[] = {
	    DC "imap-login: Disconnected (auth failed, 3 attempts in 9 secs): user=<joe>, rip=192.0.2.7",
	    DC "imap-login: Disconnected (auth failed, 99999999999 attempts in 9 secs): user=<joe>, "
	       "rip=192.0.2.7"};

	(void)state;
	assert_int_equal(one_kind(hops, 2, LOG_REJECTED, LOG_WHY_HOPS), 1);
	assert_int_equal(one_kind(hops, 3, LOG_REJECTED, LOG_WHY_HOPS), 0);
	assert_int_equal(one_kind(hops, 3, LOG_BOUNCED, LOG_WHY_HOPS), 1);
	assert_int_equal(one_kind(exim, 3, LOG_REJECTED, LOG_WHY_OTHER), 2);
	assert_int_equal(one_kind(logins, 1, LOG_AUTH_FAILED, LOG_WHY_OTHER), 3);
	assert_int_equal(one_kind(logins, 2, LOG_AUTH_FAILED, LOG_WHY_OTHER), 1003);
}

static void test_texts(void **state)
{
	static const char refused[] = "554 5.7.1 Client host [192.0.2.7] blocked using bl.example.org; x";
	static const char url[] = "550 see (https://bl.example.org/q?a=1) for why";
	static const char spf[] = "550 5.7.23 SPF fail: 203.0.113.8 is not allowed to send for b.example";

	static const char postfix[] =
	    "(host m.example[192.0.2.9] said: 550 5.7.23 SPF fail. See http://x.example/?ip=203.0.113.8";
	static const char exim[] = "SMTP error from remote mail server after RCPT TO:<a@b>: host m "
				   "[192.0.2.9]: 550 SPF: 203.0.113.8";
	static const char none[] = "host m.example[192.0.2.9] said: 550 SPF fail";

	(void)state;
	is(log_spf_address(postfix, strlen(postfix)), "203.0.113.8", postfix);
	is(log_spf_address(exim, strlen(exim)), "203.0.113.8", exim);
	assert_int_equal(log_spf_address(none, strlen(none)).n, 0);
	is(log_listed_by(refused, strlen(refused)), "bl.example.org", refused);
	is(log_listed_by(url, strlen(url)), "https://bl.example.org/q?a=1", url);
	is(log_spf_address(spf, strlen(spf)), "203.0.113.8", spf);
	assert_int_equal(log_reason_of(spf, strlen(spf)), LOG_WHY_SPF);
}

static void test_own_hop(void **state)
{
	static const struct {
		const char *text, *hop;
	} rows[] = {
	    {"(connect to 127.0.0.1[127.0.0.1]:10024: Connection refused)", "127.0.0.1:10024"},
	    {"(delivery temporarily suspended: connect to ::1[::1]:10024: Connection refused)", "[::1]:10024"},
	    {"(connect to lab.test[private/dovecot-lmtp]: No such file or directory)", "private/dovecot-lmtp"},
	    {"(lost connection with 127.0.0.1[127.0.0.1] while sending end of data)", "127.0.0.1"},
	    {"Deferred: Connection refused by [127.0.0.1]", "127.0.0.1"},
	    {"(connect to mx.example[192.0.2.7]:25: Connection refused)", ""},
	    {"(connect to mx.example[2001:db8::1]:25: Connection refused)", ""},
	    {"[127.", ""},
	    {"[127.0.0.1]:", "127.0.0.1"},
	    {"", ""},
	};
	char out[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(log_own_hop(rows[i].text, strlen(rows[i].text), out, sizeof(out)), rows[i].hop);
	assert_string_equal(log_own_hop("[127.0.0.1]:10024", 17, out, 6), "127.0");
}

/* Cursors as libsystemd writes them; the sequence numbers are hexadecimal. */
static void test_cursors(void **state)
{
#define CURSOR(s, i) "s=" s ";i=" i ";b=9c;m=1f;t=64a;x=ab"
	uint64_t n = 7;

	(void)state;
	assert_true(log_journal_between(CURSOR("a1", "ff"), CURSOR("a1", "10a"), &n));
	assert_int_equal(n, 10);
	assert_true(log_journal_between(CURSOR("a1", "1"), CURSOR("a1", "2"), &n));
	assert_int_equal(n, 0);
	assert_false(log_journal_between(CURSOR("a1", "2"), CURSOR("a1", "2"), &n)); /* the same */
	assert_false(log_journal_between(CURSOR("a1", "2"), CURSOR("a1", "1"), &n)); /* the other way round */
	assert_false(log_journal_between(CURSOR("a1", "2"), CURSOR("b1", "9"), &n)); /* a journal made anew */
	assert_false(log_journal_between("", CURSOR("a1", "2"), &n));
	assert_false(log_journal_between("s=;i", "rubbish;s", &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),   cmocka_unit_test(test_strangers),
	    cmocka_unit_test(test_many),    cmocka_unit_test(test_leave_out),
	    cmocka_unit_test(test_texts),   cmocka_unit_test(test_own_hop),  cmocka_unit_test(test_repeated),
	    cmocka_unit_test(test_cursors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
