/*
 * pop3: does a mail store answer by POP3, and what waits there? One session: connect, greeting, TLS, CAPA,
 * and with a user the login and STAT, which changes nothing. The dialogue is pop3/session.c's, what all mail
 * stores have in common mailbox/'s. The letters are those of monitoring-plugins' check_pop.
 */
#include "probe.h"
#include "probes/mailbox/visit.h"
#include "probes/net/resolve.h"
#include "probes/pop3/session.h"

struct pop3_conf {
	struct mailbox_conf common; /* first */
	int login;		    /* enum pop3_login */
};

static const struct opt pop3_opts[] = {
    MAILBOX_OPTIONS("110, with tls 995", "+OK"),
    {.name = "login",
     .type = OPT_ENUM,
     .offset = offsetof(struct pop3_conf, login),
     .dflt = "best",
     .choices = "best|user|plain|apop",
     .help = "USER and PASS, AUTH PLAIN, APOP; best: what a listener learns least from of what is offered"},
    {.name = NULL}};

static void check_conf(const void *conf, struct complaints *c)
{
	mailbox_conf_check(conf, c);
}

static bool open_session(struct mailbox_visit *v)
{
	const struct pop3_conf *o = (const struct pop3_conf *)v->o;

	return pop3_open(v->session, &v->target, (enum pop3_login)o->login);
}

static bool look(struct mailbox_visit *v)
{
	const struct pop3_conf *o = (const struct pop3_conf *)v->o;
	struct pop3_session *s = v->session;

	if (!pop3_ask_stat(s))
		return false;
	v->counted = v->sized = true;
	v->mailbox = o->common.user;
	v->messages = s->messages;
	v->bytes = s->octets;
	return true;
}

static void close_session(struct mailbox_visit *v)
{
	pop3_close(v->session);
}

static const struct mailbox_kind kind = {
    .name = "POP3",
    .words = {.expect = "+OK", .quit = "QUIT\r\n", .port = 110, .tls_port = 995},
    .open = open_session,
    .look = look,
    .close = close_session,
};

static void run_pop3(struct probe_run *run)
{
	struct pop3_session s = {0};
	struct mailbox_visit v = {.kind = &kind, .session = &s, .link = &s.link};

	mailbox_run(&v, run);
}

const struct probe probe_pop3 = {
    .name = "pop3",
    .help = "a POP3 store: reachable, greeting, TLS and certificate, login, how many messages wait",
    .place = PROBE_NET,
    .opts = pop3_opts,
    .conf_size = sizeof(struct pop3_conf),
    .host_option = "host",
    .check_conf = check_conf,
    .global_init = resolve_global_init,
    .run = run_pop3,
};
