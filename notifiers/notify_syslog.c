/*
 * syslog: a page as a log message, for whoever reads logs: RFC 5424 over UDP, TCP (RFC 6587) or TLS (RFC
 * 5425), or this host's journal with a field for each thing a page says. Severity follows from the state.
 * Over UDP nobody knows whether a message came, and the line says so; over TCP the other host has it; none of
 * them tells whether a person has seen it.
 */
#include "notifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/literal.h"
#include "notifiers/syslog/format.h"
#include "notifiers/syslog/way.h"
#include "trial.h"

enum { TRY_LIMIT_MS = 10000, APP_MAX = 48, SD_MAX = 32, PORT_PLAIN = 514, PORT_TLS = 6514 };

enum transport { WAY_JOURNAL, WAY_UDP, WAY_TCP, WAY_TLS };

struct syslog_conf {
	char *server, *socket, *hostname, *app_name, *sd_id, *tls_name, *ca_file, *cert_file, *key_file;
	int64_t port, max_bytes, connect_limit, test_interval;
	int transport, facility;
};

struct syslog {
	char host[256];
	struct trial trial;
};

#define FIELD(f) .offset = offsetof(struct syslog_conf, f)
#define FACILITIES                                                                                           \
	"kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|ntp|audit|alert|clock|local0|"    \
	"local1|local2|"                                                                                     \
	"local3|local4|local5|local6|local7"

static const struct opt syslog_opts[] = {
    {.name = "transport",
     .type = OPT_ENUM,
     FIELD(transport),
     .dflt = "journal",
     .choices = "journal|udp|tcp|tls",
     .help = "this host's journal, or a server"},
    {.name = "server",
     .type = OPT_STRING,
     FIELD(server),
     .unit = "ADDRESS",
     .help = "IPv4 or IPv6 address of the server; no name, as name service may be down"},
    {.name = "port",
     .type = OPT_INT,
     FIELD(port),
     .min = 1,
     .max = 65535,
     .help = "its port; default: 514, for TLS 6514"},
    {.name = "socket",
     .type = OPT_PATH,
     FIELD(socket),
     .dflt = "/run/systemd/journal/socket",
     .help = "where the journal listens"},
    {.name = "facility",
     .type = OPT_ENUM,
     FIELD(facility),
     .dflt = "daemon",
     .choices = FACILITIES,
     .help = "of the messages"},
    {.name = "hostname",
     .type = OPT_STRING,
     FIELD(hostname),
     .unit = "NAME",
     .help = "who says it; default: this host's name"},
    {.name = "app_name",
     .type = OPT_STRING,
     FIELD(app_name),
     .dflt = "monitord",
     .unit = "NAME",
     .help = "which program says it"},
    {.name = "sd_id",
     .type = OPT_STRING,
     FIELD(sd_id),
     .dflt = "monitord@32473",
     .unit = "NAME@NUMBER",
     .help = "name of the structured data; NUMBER: your enterprise's own, the default is the one kept for "
	     "examples"},
    {.name = "max_bytes",
     .type = OPT_SIZE,
     FIELD(max_bytes),
     .dflt = "2048",
     .min = 480,
     .max = 65000,
     .help = "of one message; a receiver must take 480 and should take 2048"},
    {.name = "tls_name",
     .type = OPT_STRING,
     FIELD(tls_name),
     .unit = "NAME",
     .help = "the name its certificate must have; default: the address"},
    {.name = "ca_file",
     .type = OPT_PATH,
     FIELD(ca_file),
     .help = "certificates of the authorities to trust; default: the system's"},
    {.name = "cert_file",
     .type = OPT_PATH,
     FIELD(cert_file),
     .help = "certificate to show to the server (PEM)"},
    {.name = "key_file",
     .type = OPT_SECRET,
     FIELD(key_file),
     .help = "its key (PEM); default: in the same file"},
    {.name = "connect_limit",
     .type = OPT_DURATION,
     FIELD(connect_limit),
     .dflt = "10s",
     .min = 100,
     .max = 300e3,
     .help = "for connecting and TLS"},
    {.name = "test_interval",
     .type = OPT_DURATION,
     FIELD(test_interval),
     .dflt = "5m",
     .min = 0,
     .max = 86400e3,
     .help = "TCP and TLS: connect so often without sending anything; 0: never"},
    {0},
};

/* --- configuration --------------------------------------------------------------------------------- */

static void check_names(const struct syslog_conf *conf, struct complaints *c)
{
	if (conf->hostname && !syslog_name_ok(conf->hostname, 255, false))
		complaint_add(c, NULL, "hostname", conf->hostname,
			      "must be printable ASCII without blanks, at most 255");
	if (!conf->app_name || !syslog_name_ok(conf->app_name, APP_MAX, false))
		complaint_add(c, NULL, "app_name", conf->app_name,
			      "must be printable ASCII without blanks, at most %d", APP_MAX);
	if (!conf->sd_id || !syslog_name_ok(conf->sd_id, SD_MAX, true) || !strchr(conf->sd_id, '@'))
		complaint_add(c, NULL, "sd_id", conf->sd_id, "must be NAME@NUMBER, at most %d characters",
			      SD_MAX);
	if (conf->socket && strlen(conf->socket) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		complaint_add(c, NULL, "socket", conf->socket, "is too long for a socket's address");
}

static void syslog_check_conf(const void *arg, struct complaints *c)
{
	const struct syslog_conf *conf = arg;
	bool journal = conf->transport == WAY_JOURNAL;
	bool tls_things = conf->tls_name || conf->ca_file || conf->cert_file || conf->key_file;

	if (journal && conf->server)
		complaint_add(c, NULL, "server", conf->server,
			      "means nothing to the journal; give transport: udp, tcp or tls");
	if (!journal && !conf->server)
		complaint_add(c, NULL, "server", NULL, "is missing");
	if (conf->server && !literal_is_address(conf->server))
		complaint_add(c, NULL, "server", conf->server,
			      "must be an IPv4 or IPv6 address, because name service may be what is down");
	if (conf->transport != WAY_TLS && tls_things)
		complaint_add(c, NULL, "transport", NULL,
			      "is not tls, so tls_name, ca_file, cert_file and key_file mean nothing");
	if (conf->key_file && !conf->cert_file)
		complaint_add(c, NULL, "cert_file", NULL, "is missing: a key alone shows nothing");
	if (conf->key_file && conf->key_file[0] != '/')
		complaint_add(c, NULL, "key_file", NULL, "must be the path of a file");
	check_names(conf, c);
}

/* --- */

static bool syslog_start(struct notifier_run *run, char *why, size_t size)
{
	const struct syslog_conf *conf = run->conf;
	struct syslog *own = calloc(1, sizeof(*own));

	if (own == NULL || !syslog_global_init()) {
		snprintf(why, size, "out of memory");
		free(own);
		return false;
	}
	if (conf->hostname)
		snprintf(own->host, sizeof(own->host), "%s", conf->hostname);
	else if (gethostname(own->host, sizeof(own->host) - 1) != 0)
		own->host[0] = '\0';
	/* a datagram cannot be tried without being sent */
	if (conf->transport == WAY_TCP || conf->transport == WAY_TLS)
		own->trial.every_ms = conf->test_interval;
	if (conf->transport == WAY_UDP)
		notifier_confirms_nothing();
	run->own = own;
	return true;
}

static void syslog_stop(struct notifier_run *run)
{
	free(run->own);
	run->own = NULL;
}

static struct syslog_server server_of(const struct syslog_conf *conf)
{
	bool tls = conf->transport == WAY_TLS;

	return (struct syslog_server){.host = conf->server,
				      .port = conf->port ? (int)conf->port
					      : tls	 ? PORT_TLS
							 : PORT_PLAIN,
				      .tls = tls,
				      .tls_name = conf->tls_name,
				      .ca_file = conf->ca_file,
				      .cert_file = conf->cert_file,
				      .key_file = conf->key_file,
				      .connect_ms = conf->connect_limit};
}

static enum outcome hand_over(const struct syslog_conf *conf, const struct buf *m, int64_t deadline,
			      char *detail, size_t size)
{
	struct syslog_server sv = server_of(conf);

	switch ((enum transport)conf->transport) {
	case WAY_UDP:
		return syslog_udp(&sv, m->data, m->len, deadline, detail, size);
	case WAY_TCP:
	case WAY_TLS:
		return syslog_stream(&sv, m->data, m->len, deadline, detail, size);
	case WAY_JOURNAL:
		break;
	}
	return syslog_socket(conf->socket, m->data, m->len, deadline, detail, size);
}

static enum outcome syslog_send(struct notifier_run *run, const struct page *p, char *detail, size_t size)
{
	const struct syslog_conf *conf = run->conf;
	struct syslog *own = run->own;
	const struct syslog_origin from = {.facility = conf->facility,
					   .host = own->host,
					   .app = conf->app_name,
					   .sd_id = conf->sd_id,
					   .line = run->line,
					   .pid = getpid(),
					   .now_wall_ms = clock_wall_ms()};
	enum outcome o = OUTCOME_RETRY;
	struct buf m;
	bool ok;

	buf_init(&m, SYSLOG_ENTRY_MAX);
	ok = conf->transport == WAY_JOURNAL ? syslog_journal(&m, &from, p)
					    : syslog_message(&m, &from, p, (size_t)conf->max_bytes);
	if (ok)
		o = hand_over(conf, &m, clock_boot_ms() + p->deadline_ms, detail, size);
	else
		snprintf(detail, size, "the message does not fit");
	buf_fini(&m);
	notifier_health(o == OUTCOME_SENT, "%s", detail);
	trial_done(&own->trial);
	return o;
}

/* --- between pages --- */

static int syslog_fd(struct notifier_run *run, int *wait_ms)
{
	const struct syslog *own = run->own;

	*wait_ms = trial_wait_ms(trial_next(&own->trial));
	return -1;
}

static void syslog_idle(struct notifier_run *run)
{
	const struct syslog_conf *conf = run->conf;
	struct syslog *own = run->own;
	struct syslog_server sv = server_of(conf);
	char why[300] = "";
	bool ok;

	if (!trial_due(&own->trial))
		return;
	ok = syslog_try(&sv, clock_boot_ms() + TRY_LIMIT_MS, why, sizeof(why));
	notifier_health(ok, "%s", ok ? "the server can be reached" : why);
	trial_done(&own->trial);
}

static void syslog_preview(const void *arg, const struct page *p, struct preview *out)
{
	const struct syslog_conf *conf = arg;
	const struct syslog_origin from = {.facility = conf->facility,
					   .host = conf->hostname,
					   .app = conf->app_name,
					   .sd_id = conf->sd_id,
					   .line = "LINE"};
	bool journal = conf->transport == WAY_JOURNAL;
	struct buf m;

	buf_init(&m, SYSLOG_ENTRY_MAX);
	if (journal ? syslog_journal(&m, &from, p) : syslog_message(&m, &from, p, (size_t)conf->max_bytes))
		out->shows = strdup(buf_str(&m));
	out->units = m.len;
	out->max = journal ? SYSLOG_ENTRY_MAX : (size_t)conf->max_bytes;
	snprintf(out->note, sizeof(out->note), "bytes of the %s",
		 journal ? "entry; the journal adds its own fields" : "message");
	buf_fini(&m);
}

const struct notifier notifier_syslog = {
    .name = "syslog",
    .help = "a log message: RFC 5424 over UDP, TCP or TLS, or this host's journal",
    .opts = syslog_opts,
    .conf_size = sizeof(struct syslog_conf),
    .check_conf = syslog_check_conf,
    .start = syslog_start,
    .send = syslog_send,
    .fd = syslog_fd,
    .idle = syslog_idle,
    .stop = syslog_stop,
    .preview = syslog_preview,
};
