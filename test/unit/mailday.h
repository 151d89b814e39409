/*
 * A mail host's day, made up: the log that its Postfix would write, minute by minute, and what then lies in
 * its queue, as the probe queue would see it. Kinds of days and incidents are drawn with a seed; the lines
 * are those of Postfix 3.7. Used by test_days.c only.
 */
#ifndef TEST_MAILDAY_H
#define TEST_MAILDAY_H

#include "unit.h"

enum {
	CLIENTS = 512,
	SENDERS = 4096,
	RCPTS = 8192,
	DOMAINS = 400,
	WAIT_MAX = 60000,
	OLD_MAIL = 8000,
	MINUTES = 1440
};
enum day { QUIET, MONDAY, NEWSLETTER, OLD_QUEUE, DAYS };
enum incident {
	NONE,
	BOMB,
	BOMB_AT_ONE,
	LOOP,
	HARVEST,
	BOUNCES,
	STOLEN,
	THROTTLED,
	NO_DNS,
	LISTED,
	NO_SPF,
	NO_ROOM,
	INCIDENTS
};

/* A message: who, from where, to whom. Sender 0 is the null sender, client 0 this host itself. */
struct mail {
	int client, sender, rcpt, domain, born, next, tries;
	bool old; /* its next tries fail, too */
};

struct mailday {
	FILE *log;
	unsigned seed;
	enum day day;
	enum incident incident;
	int minute, second, from, until; /* of the incident */
	unsigned id;
	struct mail wait[WAIT_MAX]; /* deferred */
	int nwait, before;
	int nyoung[MINUTES + 1]; /* waiting, by the minute they came */
	int nclient[CLIENTS], nsender[SENDERS], nrcpt[RCPTS], ndomain[DOMAINS];
};

static inline unsigned md_draw(struct mailday *w, unsigned below)
{
	w->seed = w->seed * 1664525u + 1013904223u;
	return below ? (unsigned)((uint64_t)w->seed * below >> 32) : 0;
}

static inline bool md_chance(struct mailday *w, unsigned percent)
{
	return md_draw(w, 100) < percent;
}

/* Skewed: low numbers come far more often, as big domains and busy people do. */
static inline int md_skewed(struct mailday *w, int below)
{
	double u = md_draw(w, 1u << 20) / (double)(1 << 20);
	return (int)(u * u * u * below);
}

static inline const char *md_domain(int d, char *out, size_t size)
{
	static const char *const big[] = {"gmail.example", "docomo.example", "ezweb.example",
					  "yahoo.example"};
	if (d < 4)
		snprintf(out, size, "%s", big[d]);
	else
		snprintf(out, size, "company%d.example", d);
	return out;
}

static inline const char *md_sender(int s, char *out, size_t size)
{
	if (s)
		snprintf(out, size, "person%d@big.example", s);
	else
		*out = 0;
	return out;
}

static inline const char *md_client(int c, char *out, size_t size)
{
	if (c)
		snprintf(out, size, "%s.%d", c < 256 ? "192.0.2" : "198.51.100", c % 256);
	else
		snprintf(out, size, "127.0.0.1");
	return out;
}

__attribute__((format(printf, 3, 4))) static inline void md_line(struct mailday *w, const char *who,
								 const char *fmt, ...)
{
	va_list ap;
	fprintf(w->log, "Nov 23 %02d:%02d:%02d mx1 postfix/%s[%u]: ", w->minute / 60 % 24, w->minute % 60,
		w->second, who, 900 + w->id % 50);
	va_start(ap, fmt);
	vfprintf(w->log, fmt, ap);
	va_end(ap);
	putc('\n', w->log);
}

/* What the other side says: of sent, of deferred, of bounced. */
static inline const char *md_reply(struct mailday *w, const struct mail *m, char kind, char *out, size_t size)
{
	static const char *const later[] = {
	    "host mx.%s[203.0.113.9] said: 450 4.2.0 <r>: Recipient address rejected: Greylisted (in reply "
	    "to RCPT TO command)",
	    "connect to mx.%s[203.0.113.9]:25: Connection timed out",
	    "host mx.%s[203.0.113.9] said: 452 4.2.2 mailbox is over quota (in reply to RCPT TO command)",
	    "conversation with mx.%s[203.0.113.9] timed out while receiving the initial server greeting",
	    "Host or domain name not found. Name service error for name=%s type=MX: Host not found, try "
	    "again"};
	static const char *const never[] = {"host mx.%s[203.0.113.9] said: 550 5.1.1 <r>: Recipient address "
					    "rejected: User unknown (in reply to RCPT TO command)",
					    "host mx.%s[203.0.113.9] said: 554 5.7.1 message content "
					    "rejected as spam (in reply to end of DATA command)"};
	char domain[64];
	md_domain(m->domain, domain, sizeof domain);
	snprintf(out, size,
		 kind == 's'   ? "250 2.0.0 Ok: queued as 4F%s"
		 : kind == 'd' ? later[md_draw(w, 5)]
			       : never[md_draw(w, 2)],
		 domain);
	return out;
}

static inline void md_delivery(struct mailday *w, unsigned id, const struct mail *m, char kind,
			       const char *why)
{
	char domain[64];
	int age = (w->minute - m->born) * 60 + 1;
	md_domain(m->domain, domain, sizeof domain);
	md_line(w, "smtp",
		"4Zq%07X: to=<r%d@%s>, relay=mx.%s[203.0.113.9]:25, delay=%d.4, delays=%d.1/0/0.1/0.2, "
		"dsn=%s, status=%s (%s)",
		id, m->rcpt, domain, domain, age, age,
		kind == 's'   ? "2.0.0"
		: kind == 'd' ? "4.0.0"
			      : "5.0.0",
		kind == 's'   ? "sent"
		: kind == 'd' ? "deferred"
			      : "bounced",
		why);
}

static inline void md_count(struct mailday *w, const struct mail *m, int by)
{
	w->nclient[m->client] += by;
	w->nsender[m->sender] += by;
	w->nrcpt[m->rcpt] += by;
	w->ndomain[m->domain] += by;
	if (m->born >= 0)
		w->nyoung[m->born] += by;
}

/* Its next try, as Postfix doubles the pause from 5 to 66 minutes. */
static inline void md_keep(struct mailday *w, struct mail m)
{
	if (w->nwait == WAIT_MAX)
		return;
	m.next = w->minute + (m.tries > 3 ? 66 : 5 << m.tries);
	m.tries++;
	md_count(w, &m, 1);
	w->wait[w->nwait++] = m;
}

static const char md_no_dns[] = "Host or domain name not found. Name service error for name=company9.example "
				"type=MX: Host not found, try again";

/* Without DNS nothing is delivered elsewhere. */
static inline bool md_blind(const struct mailday *w)
{
	return w->incident == NO_DNS && w->minute >= w->from && w->minute < w->until;
}

/* One message comes and is delivered, put off or given up: all its lines. forced: 0, or the reply's kind. */
static inline void md_mail(struct mailday *w, struct mail m, const char *sasl, char forced, const char *why)
{
	char c[32], s[64], text[300];
	unsigned id = ++w->id;
	char kind = forced ? forced : md_chance(w, 95) ? 's' : md_chance(w, 75) ? 'd' : 'b';
	if (md_blind(w)) {
		kind = 'd';
		why = md_no_dns;
	}
	md_client(m.client, c, sizeof c);
	md_sender(m.sender, s, sizeof s);
	m.born = w->minute;
	if (m.client) {
		md_line(w, "smtpd", "connect from host%d.example[%s]", m.client, c);
		md_line(w, "smtpd", "4Zq%07X: client=host%d.example[%s]%s%s", id, m.client, c,
			sasl ? ", sasl_method=PLAIN, sasl_username=" : "", sasl ? sasl : "");
	} else {
		md_line(w, "pickup", "4Zq%07X: uid=%u from=<%s>", id, 1000 + md_draw(w, 8), s);
	}
	md_line(w, "cleanup", "4Zq%07X: message-id=<%u.%u@big.example>", id, id, md_draw(w, 100000));
	md_line(w, "qmgr", "4Zq%07X: from=<%s>, size=%u, nrcpt=1 (queue active)", id, s,
		900 + md_draw(w, 90000));
	md_delivery(w, id, &m, kind, why ? why : md_reply(w, &m, kind, text, sizeof text));
	if (kind == 'd')
		md_keep(w, m);
	else
		md_line(w, "qmgr", "4Zq%07X: removed", id);
	if (m.client)
		md_line(w, "smtpd",
			"disconnect from host%d.example[%s] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5",
			m.client, c);
}

static inline struct mail md_anyone(struct mailday *w)
{
	struct mail m = {.client = 10 + md_skewed(w, 60),
			 .sender = 1 + md_skewed(w, SENDERS - 1),
			 .rcpt = (int)md_draw(w, RCPTS)};
	m.domain = md_chance(w, 55) ? (int)md_draw(w, 4) : md_skewed(w, DOMAINS);
	if (md_chance(w, 6))
		m.sender = 0;
	return m;
}

/* What any host in the Internet refuses in a minute: spammers on lists, unknown users, bad names, logins that
 * fail. */
static inline void md_refused(struct mailday *w, unsigned n)
{
	static const char *const why[] = {
	    "554 5.7.1 Service unavailable; Client host [%s] blocked using zen.list.example; "
	    "https://list.example/query/ip",
	    "550 5.1.1 <x%u@big.example>: Recipient address rejected: User unknown in local recipient table",
	    "450 4.7.1 <pc>: Helo command rejected: Host not found",
	    "450 4.1.8 <a@b.invalid>: Sender address rejected: Domain not found",
	    "454 4.7.1 <x@else.example>: Relay access denied"};
	for (unsigned i = 0; i < n; i++) {
		char c[32], text[200];
		unsigned k = md_chance(w, 50) ? 0 : md_draw(w, 5);
		md_client(256 + (int)md_draw(w, 256), c, sizeof c);
		if (k == 1)
			snprintf(text, sizeof text, why[1], md_draw(w, 10000));
		else
			snprintf(text, sizeof text, k ? "%s" : why[0], k ? why[k] : c);
		md_line(w, "smtpd",
			"NOQUEUE: reject: RCPT from unknown[%s]: %s; from=<s@b.invalid> to=<x@big.example> "
			"proto=ESMTP helo=<pc>",
			c, text);
		if (md_chance(w, 20))
			md_line(w, "smtpd",
				"warning: unknown[%s]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, "
				"sasl_username=info",
				c);
	}
}

/* Between 3 and 45 a minute over the day; a Monday has up to 400. */
static inline unsigned md_usual(struct mailday *w)
{
	int hour = w->minute / 60;
	unsigned top = hour < 6 ? 6 : hour < 8 ? 20 : hour < 19 ? 45 : 15;
	if (w->day == MONDAY && hour >= 8 && hour < 11)
		top = hour == 9 ? 400 : 250;
	return top / 2 + md_draw(w, top / 2 + 1);
}

/* Twenty thousand from one host between two and three, in bursts, as a list manager hands them over. */
static inline void md_letter(struct mailday *w)
{
	unsigned n = 250 + md_draw(w, 200) - (w->minute % 10 == 0 ? 150 : 0);
	for (unsigned i = 0; i < n; i++) {
		struct mail m = md_anyone(w);
		m.client = 9;
		m.sender = 77;
		md_mail(w, m, NULL, 0, NULL);
	}
}

static inline void md_incident(struct mailday *w)
{
	static const unsigned rate[INCIDENTS] = {
	    [BOMB] = 1200,   [BOMB_AT_ONE] = 400, [LOOP] = 120,	     [HARVEST] = 400,
	    [BOUNCES] = 200, [STOLEN] = 250,	  [THROTTLED] = 150, [NO_DNS] = 120,
	    [LISTED] = 40,   [NO_SPF] = 30,	  [NO_ROOM] = 10};
	for (unsigned i = 0; i < rate[w->incident]; i++) {
		struct mail m = md_anyone(w);
		w->second = (int)(i * 60 / rate[w->incident]);
		switch (w->incident) {
		case BOMB:
			m.client = 7;
			m.sender = 666;
			md_mail(w, m, NULL, md_chance(w, 70) ? 'd' : 's', NULL);
			break;
		case BOMB_AT_ONE:
			m = (struct mail){
			    .client = 7, .sender = (int)md_draw(w, SENDERS), .rcpt = 13, .domain = 44};
			md_mail(w, m, NULL, 'd', NULL);
			break;
		case LOOP:
			m = (struct mail){
			    .client = 0, .sender = md_chance(w, 50) ? 0 : 99, .rcpt = 99, .domain = 50};
			md_mail(w, m, NULL, i % 40 ? 's' : 'b',
				i % 40 ? NULL
				       : "host mx[203.0.113.9] said: 554 5.4.6 Error: too many hops (in "
					 "reply to end of DATA command)");
			break;
		case HARVEST:
			md_line(w, "smtpd",
				"NOQUEUE: reject: RCPT from unknown[192.0.2.%u]: 550 5.1.1 "
				"<u%u@big.example>: Recipient address rejected: User unknown in "
				"local recipient table; from=<a@b.example> to=<u%u@big.example> proto=ESMTP "
				"helo=<pc>",
				200 + md_draw(w, 2), i, i);
			break;
		case BOUNCES:
			m.client = 0;
			m.sender = 0;
			md_mail(w, m, NULL, md_chance(w, 80) ? 'd' : 'b', NULL);
			break;
		case STOLEN:
			m.client = 300 + (int)md_draw(w, 40);
			md_mail(w, m, "bob", md_chance(w, 40) ? 'd' : 's', NULL);
			break;
		case THROTTLED:
			m.domain = 1;
			md_mail(w, m, NULL, 'd',
				"host mx.docomo.example[203.0.113.9] said: 421 4.7.0 try again later (in "
				"reply to MAIL FROM command)");
			break;
		case NO_DNS:
			md_mail(w, m, NULL, 'd', md_no_dns);
			break;
		case LISTED:
			md_mail(w, m, NULL, 'b',
				"host mx.example[203.0.113.9] said: 554 5.7.1 Service unavailable; Client "
				"host [192.0.2.1] blocked using bl.example; "
				"https://bl.example/q (in reply to RCPT TO command)");
			break;
		case NO_SPF:
			md_mail(w, m, NULL, 'b',
				"host mx.example[203.0.113.9] said: 550 5.7.23 SPF validation failed: "
				"192.0.2.99 is not allowed to send mail for "
				"big.example (in reply to MAIL FROM command)");
			break;
		default:
			md_line(
			    w, "cleanup",
			    "warning: mail_queue_enter: create file incoming/%u.%u: No space left on device",
			    md_draw(w, 999999), 800 + i);
		}
	}
}

/* Those whose time has come are tried again; of the old ones none gets through. */
static inline void md_retries(struct mailday *w)
{
	char text[300];
	for (int i = 0; i < w->nwait; i++) {
		struct mail m = w->wait[i];
		if (m.next > w->minute)
			continue;
		bool again = m.old || md_blind(w) || !md_chance(w, 70);
		unsigned id = ++w->id;
		md_line(w, "qmgr", "4Zq%07X: from=<%s>, size=4000, nrcpt=1 (queue active)", id,
			md_sender(m.sender, text, sizeof text));
		md_delivery(w, id, &m, again ? 'd' : 's',
			    md_blind(w) ? md_no_dns : md_reply(w, &m, again ? 'd' : 's', text, sizeof text));
		if (again) {
			w->wait[i].next = w->minute + (m.tries > 3 ? 66 : 5 << m.tries);
			w->wait[i].tries++;
			continue;
		}
		md_count(w, &m, -1);
		w->wait[i--] = w->wait[--w->nwait];
	}
}

static inline void md_begin(struct mailday *w, FILE *log, enum day day, enum incident what, unsigned seed)
{
	memset(w, 0, sizeof *w);
	w->log = log;
	w->day = day;
	w->incident = what;
	w->seed = seed * 2654435761u + (unsigned)day * 977u + (unsigned)what * 31337u + 1;
	w->from = what ? 60 + (int)md_draw(w, MINUTES - 120) : MINUTES;
	w->until = w->from + 20;
	for (int i = 0; day == OLD_QUEUE && i < OLD_MAIL; i++) {
		struct mail m = md_anyone(w);
		m.domain = 4 + md_skewed(w, DOMAINS - 4);
		m.sender = md_chance(w, 60) ? 0 : m.sender;
		m.old = true;
		m.born = -1 - (int)md_draw(w, 5 * MINUTES);
		m.tries = 9;
		md_keep(w, m);
		w->wait[w->nwait - 1].next = (int)md_draw(w, 66);
	}
	w->before = w->nwait;
}

static inline void md_minute(struct mailday *w, int minute)
{
	w->minute = minute;
	w->second = 5;
	w->before = w->nwait;
	for (unsigned i = 0, n = md_usual(w); i < n; i++) {
		char account[32];
		struct mail m = md_anyone(w);
		w->second = (int)(i * 60 / n);
		snprintf(account, sizeof account, "person%d", m.sender);
		md_mail(w, m, m.client > 40 ? account : NULL, 0, NULL);
	}
	md_refused(w, 5 + md_draw(w, 40));
	md_retries(w);
	if (w->day == NEWSLETTER && minute >= 120 && minute < 180)
		md_letter(w);
	if (minute >= w->from && minute < w->until)
		md_incident(w);
	fflush(w->log);
}

static inline int md_most(const int *v, int n)
{
	int best = 0;
	for (int i = 1; i < n; i++)
		best = v[i] > v[best] ? i : best;
	return best;
}

/* What the probe queue says of it, as members of a JSON object. */
static inline void md_queue(const struct mailday *w, char *out, size_t size)
{
	char c[32], s[64], d[64], rd[64];
	int client = md_most(w->nclient, CLIENTS), sender = md_most(w->nsender, SENDERS),
	    rcpt = md_most(w->nrcpt, RCPTS);
	int domain = md_most(w->ndomain, DOMAINS), young = 0;
	double n = w->nwait ? w->nwait : 1;
	for (int m = w->minute > 10 ? w->minute - 10 : 0; m <= w->minute; m++)
		young += w->nyoung[m];
	md_sender(sender, s, sizeof s);
	md_domain(domain, d, sizeof d);
	snprintf(out, size,
		 "\"total\":%d,\"deferred\":%d,\"growth_per_min\":%d,\"young_share\":%f,\"null_sender_"
		 "share\":%f,\"top_sender\":\"%s\","
		 "\"top_sender_share\":%f,\"top_client\":\"%s\",\"top_client_share\":%f,\"top_rcpt\":\"r%d@%"
		 "s\",\"top_rcpt_share\":%f,\"top_domain\":\"%s\","
		 "\"top_domain_share\":%f",
		 w->nwait, w->nwait, w->nwait - w->before, young / n, w->nsender[0] / n, *s ? s : "<>",
		 w->nsender[sender] / n, md_client(client, c, sizeof c), w->nclient[client] / n, rcpt,
		 md_domain(44, rd, sizeof rd), w->nrcpt[rcpt] / n, d, w->ndomain[domain] / n);
}

#endif
