/*
 * imap: does a mail store answer, is the mailbox there, and is there room in it? One session: connect,
 * greeting, TLS, and with a user the login, a look at one mailbox that changes nothing in it, and its quota.
 * The dialogue is imap/session.c's, what all mail stores have in common mailbox/'s. The letters are those of
 * monitoring-plugins' check_imap.
 */
#include <string.h>

#include "probe.h"
#include "probes/imap/session.h"
#include "probes/mailbox/visit.h"
#include "probes/net/resolve.h"

struct imap_conf {
	struct mailbox_conf common; /* first */
	char *mailbox;
	struct range quota_warning, quota_critical;
};

#define FIELD(f) .offset = offsetof(struct imap_conf, f)

static const struct opt imap_opts[] = {
    MAILBOX_OPTIONS("143, with tls 993", "* OK"),
    {.name = "mailbox",
     .type = OPT_STRING,
     FIELD(mailbox),
     .dflt = "INBOX",
     .unit = "NAME",
     .help = "after the login this mailbox must exist; it is only looked at"},
    {.name = "quota_warning",
     .type = OPT_RANGE,
     FIELD(quota_warning),
     .unit = "PERCENT",
     .help = "WARNING when more of the fullest quota of the mailbox is used (a range)"},
    {.name = "quota_critical",
     .type = OPT_RANGE,
     FIELD(quota_critical),
     .unit = "PERCENT",
     .help = "CRITICAL when more of the fullest quota of the mailbox is used (a range)"},
    {.name = NULL}};

static void check_conf(const void *conf, struct complaints *c)
{
	const struct imap_conf *o = conf;
	struct buf quoted;

	mailbox_conf_check(&o->common, c);
	buf_init(&quoted, 1000);
	if (o->mailbox && (!*o->mailbox || !imap_quote(o->mailbox, &quoted)))
		complaint_add(c, NULL, "mailbox", o->mailbox, "not a mailbox name in printable ASCII");
	buf_fini(&quoted);
	if ((o->quota_warning.set || o->quota_critical.set) && !o->common.user)
		complaint_add(c, NULL, "quota_warning", NULL,
			      "needs a user: a quota is told after the login");
}

static bool open_session(struct mailbox_visit *v)
{
	return imap_open(v->session, &v->target);
}

/* A limit that was asked for and is not told is no OK. */
static bool quota(struct mailbox_visit *v, const struct imap_conf *o)
{
	struct imap_session *s = v->session;
	bool wanted = o->quota_warning.set || o->quota_critical.set;

	v->quota_warning = o->quota_warning;
	v->quota_critical = o->quota_critical;
	if (!s->can.quota)
		return !wanted ||
		       mailbox_fail(&s->link, "answer", "the server tells no quotas (no QUOTA capability)");
	if (!imap_quota(s, o->mailbox)) {
		if (wanted || strcmp(s->link.layer, "answer") != 0)
			return false;
		s->link.layer[0] = '\0'; /* nobody asked for it */
		return true;
	}
	v->limited = s->quota.found;
	v->quota.used = s->quota.used;
	v->quota.limit = s->quota.limit;
	v->quota.share = s->quota.share;
	memcpy(v->quota.of, s->quota.resource, sizeof(v->quota.of));
	return v->limited || !wanted ||
	       mailbox_fail(&s->link, "answer", "the mailbox \"%.60s\" has no quota", o->mailbox);
}

static bool look(struct mailbox_visit *v)
{
	const struct imap_conf *o = (const struct imap_conf *)v->o;
	struct imap_session *s = v->session;

	if (!imap_examine(s, o->mailbox))
		return false;
	v->counted = true;
	v->mailbox = o->mailbox;
	v->messages = s->exists;
	return quota(v, o);
}

static void close_session(struct mailbox_visit *v)
{
	imap_close(v->session);
}

static const struct mailbox_kind kind = {
    .name = "IMAP",
    .words = {.expect = "* OK", .quit = "a1 LOGOUT\r\n", .port = 143, .tls_port = 993},
    .open = open_session,
    .look = look,
    .close = close_session,
};

static void run_imap(struct probe_run *run)
{
	struct imap_session s = {0};
	struct mailbox_visit v = {.kind = &kind, .session = &s, .link = &s.link};

	mailbox_run(&v, run);
}

const struct probe probe_imap = {
    .name = "imap",
    .help = "an IMAP store: reachable, greeting, TLS and certificate, login, the mailbox, how many "
	    "messages it holds and how full its quota is",
    .place = PROBE_NET,
    .opts = imap_opts,
    .conf_size = sizeof(struct imap_conf),
    .host_option = "host",
    .check_conf = check_conf,
    .global_init = resolve_global_init,
    .run = run_imap,
};
