/*
 * nrpe: asks an NRPE daemon on another host, by Debian's check_nrpe. Called like every probe; `via: nrpe` in
 * the configuration means it. Whatever check_nrpe itself could not do is UNKNOWN and not measured; what the
 * plugin over there says is what it says.
 */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "probes/exec/nursery.h"
#include "probes/exec/plugin.h"

struct nrpe_conf {
	char *host, *command, *plugin;
	int64_t port;
	struct opt_list args;
	bool no_ssl, v2_packets_only;
	char *ssl_version, *cipher_list, *ca_cert_file, *client_cert, *key_file;
	int use_adh; /* index into "allow|never|force" */
};

enum { WORDS_MAX = 300, ARGS_MAX = 64, ARGS_BYTES_MAX = 2048 };

static const struct opt nrpe_opts[] = {
    {.name = "host",
     .letter = 'H',
     .type = OPT_STRING,
     .offset = offsetof(struct nrpe_conf, host),
     .flags = OPT_REQUIRED,
     .unit = "ADDRESS",
     .help = "where the NRPE daemon is"},
    {.name = "port",
     .letter = 'p',
     .type = OPT_INT,
     .offset = offsetof(struct nrpe_conf, port),
     .min = 1,
     .max = 65535,
     .dflt = "5666",
     .help = "its port"},
    {.name = "command",
     .letter = 'c',
     .type = OPT_STRING,
     .offset = offsetof(struct nrpe_conf, command),
     .flags = OPT_REQUIRED,
     .unit = "NAME",
     .help = "the command, as the daemon's configuration calls it"},
    {.name = "args",
     .letter = 'a',
     .type = OPT_LIST,
     .offset = offsetof(struct nrpe_conf, args),
     .unit = "WORD",
     .help = "an argument for the command; daemons refuse them unless dont_blame_nrpe=1"},
    {.name = "no_ssl",
     .letter = 'n',
     .type = OPT_BOOL,
     .offset = offsetof(struct nrpe_conf, no_ssl),
     .help = "in the clear"},
    {.name = "ssl_version",
     .letter = 'S',
     .type = OPT_STRING,
     .offset = offsetof(struct nrpe_conf, ssl_version),
     .unit = "VERSION",
     .help = "such as TLSv1.2+"},
    {.name = "cipher_list",
     .letter = 'L',
     .type = OPT_STRING,
     .offset = offsetof(struct nrpe_conf, cipher_list),
     .unit = "LIST",
     .help = "ciphers, as OpenSSL has them"},
    {.name = "use_adh",
     .letter = 'd',
     .type = OPT_ENUM,
     .offset = offsetof(struct nrpe_conf, use_adh),
     .dflt = "allow",
     .choices = "allow|never|force",
     .help = "anonymous Diffie-Hellman: a daemon without a certificate"},
    {.name = "ca_cert_file",
     .letter = 'A',
     .type = OPT_PATH,
     .offset = offsetof(struct nrpe_conf, ca_cert_file),
     .help = "who may have signed the daemon's certificate; without it none is checked"},
    {.name = "client_cert",
     .letter = 'C',
     .type = OPT_PATH,
     .offset = offsetof(struct nrpe_conf, client_cert),
     .help = "our own certificate"},
    {.name = "key_file",
     .letter = 'K',
     .type = OPT_PATH,
     .offset = offsetof(struct nrpe_conf, key_file),
     .help = "its key"},
    {.name = "v2_packets_only",
     .letter = '2',
     .type = OPT_BOOL,
     .offset = offsetof(struct nrpe_conf, v2_packets_only),
     .help = "a daemon older than 3: at most 1 KiB of output"},
    {.name = "plugin",
     .type = OPT_PATH,
     .offset = offsetof(struct nrpe_conf, plugin),
     .dflt = "/usr/lib/nagios/plugins/check_nrpe",
     .help = "the check_nrpe that is run"},
    {0},
};

/* What may stand in a request: NRPE itself splits at '!'. */
static bool is_plain(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f || *s == '!')
			return false;
	return true;
}

static void check_args(const struct nrpe_conf *nc, struct complaints *c)
{
	size_t bytes = 0;
	if (nc->args.n > ARGS_MAX)
		complaint_add(c, NULL, "args", NULL, "are %zu; at most %d are taken", nc->args.n, ARGS_MAX);
	for (size_t i = 0; i < nc->args.n; i++) {
		bytes += strlen(nc->args.v[i]);
		if (!is_plain(nc->args.v[i]))
			complaint_add(c, NULL, "args", nc->args.v[i],
				      "holds '!' or a control character, which NRPE cannot pass on");
	}
	if (bytes > ARGS_BYTES_MAX)
		complaint_add(c, NULL, "args", NULL, "take %zu bytes; at most %d are sent", bytes,
			      ARGS_BYTES_MAX);
}

static void nrpe_check_conf(const void *conf, struct complaints *c)
{
	const struct nrpe_conf *nc = conf;
	if (nc->host && (!*nc->host || *nc->host == '-' || !is_plain(nc->host)))
		complaint_add(c, NULL, "host", nc->host, "is no host");
	if (nc->command && (!*nc->command || *nc->command == '-' || !is_plain(nc->command)))
		complaint_add(c, NULL, "command", nc->command, "is no name of a command");
	if (!nc->client_cert != !nc->key_file)
		complaint_add(c, NULL, nc->client_cert ? "client_cert" : "key_file", NULL,
			      "client_cert and key_file go together");
	if (nc->no_ssl && (nc->ssl_version || nc->cipher_list || nc->ca_cert_file || nc->client_cert))
		complaint_add(c, NULL, "no_ssl", NULL, "leaves no use for the other options of TLS");
	if (nc->ca_cert_file && nc->use_adh == 2)
		complaint_add(c, NULL, "use_adh", "force",
			      "means that there is no certificate; ca_cert_file wants one");
	check_args(nc, c);
}

/* --- the command line ------------------------------------------------------------------------------------
 */

struct words {
	char *v[WORDS_MAX];
	size_t n;
};

static void add(struct words *w, const char *word)
{
	if (w->n + 1 < WORDS_MAX)
		w->v[w->n++] = (char *)word;
}

static void add_option(struct words *w, const char *option, const char *value)
{
	if (!value)
		return;
	add(w, option);
	add(w, value);
}

/* A pinned authority is worth nothing where an anonymous daemon may answer. */
static const char *adh(const struct nrpe_conf *nc)
{
	static const char *const by[] = {"1", "0", "2"};
	return nc->ca_cert_file ? "0" : by[nc->use_adh];
}

static void build(const struct nrpe_conf *nc, const char *port, const char *timeout, struct words *w)
{
	add(w, nc->plugin);
	add_option(w, "-H", nc->host);
	add_option(w, "-p", port);
	add(w, "-u");
	add_option(w, "-t", timeout);
	if (nc->no_ssl)
		add(w, "-n");
	else
		add_option(w, "-d", adh(nc));
	add_option(w, "-S", nc->ssl_version);
	add_option(w, "-L", nc->cipher_list);
	add_option(w, "-A", nc->ca_cert_file);
	add_option(w, "-C", nc->client_cert);
	add_option(w, "-K", nc->key_file);
	if (nc->v2_packets_only)
		add(w, "-2");
	add_option(w, "-c", nc->command);
	if (nc->args.n)
		add(w, "-a"); /* the last option: all that follows is the command's */
	for (size_t i = 0; i < nc->args.n; i++)
		add(w, nc->args.v[i]);
	w->v[w->n] = NULL;
}

/* --- what it means -----------------------------------------------------------------------------------------
 */

/* Its own words, not those of the plugin over there. */
static bool is_its_own(const char *text)
{
	static const char *const begins[] = {"CHECK_NRPE",
					     "connect to address",
					     "connect to host",
					     "Error:",
					     "ERROR:",
					     "Invalid host name",
					     "the plugin said UNKNOWN and nothing else"};
	for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
		if (strncmp(text, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

static const char *layer_of(const char *text)
{
	if (strstr(text, "refused"))
		return "refused";
	if (strstr(text, "imeout") || strstr(text, "timed out"))
		return "timeout";
	return strstr(text, "SSL") ? "tls" : strstr(text, "onnect") ? "connect" : "nrpe";
}

static void judge(const struct nrpe_conf *nc, struct result *r)
{
	static const char ours[] = "the plugin said UNKNOWN: ";
	const char *said = buf_str(&r->text);
	char text[RESULT_TEXT_MAX];
	if (!r->measured || r->state != NAG_UNKNOWN)
		return;
	if (strncmp(said, ours, sizeof ours - 1) == 0)
		said += sizeof ours - 1;
	if (!is_its_own(said))
		return;
	snprintf(text, sizeof text, "%s: NRPE was not asked: %.800s", nc->host, said);
	if (nc->args.n && strstr(said, " 0 bytes"))
		result_more(r,
			    "a daemon without dont_blame_nrpe=1 refuses arguments in this way; so does one "
			    "that knows no command \"%s\"",
			    nc->command);
	result_fail(r, NAG_UNKNOWN, layer_of(said), "%s", text);
	r->measured = false;
}

static void nrpe_run(struct probe_run *run)
{
	const struct nrpe_conf *nc = run->conf;
	struct words w = {.n = 0};
	char port[16], timeout[40];
	/* check_nrpe is to give up before it is killed: it then says where it was */
	int64_t left = (run->deadline - clock_boot_ms()) / 1000;
	snprintf(port, sizeof port, "%lld", (long long)nc->port);
	snprintf(timeout, sizeof timeout, "%lld:UNKNOWN", (long long)(left > 2 ? left - 1 : 1));
	build(nc, port, timeout, &w);
	plugin_run(run, w.v, NULL, "/");
	judge(nc, run->result);
}

const struct probe probe_nrpe = {
    .name = "nrpe",
    .help = "a plugin on another host, by its NRPE daemon",
    .place = PROBE_NET,
    .opts = nrpe_opts,
    .conf_size = sizeof(struct nrpe_conf),
    .host_option = "host",
    .check_conf = nrpe_check_conf,
    .global_init = nursery_init,
    .run = nrpe_run,
};
