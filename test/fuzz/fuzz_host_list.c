/*
 * Fuzzes a file of hosts (`hosts_from: /path`): the input is the file. Beyond not crashing: a configuration comes
 * out exactly when nothing was complained about; then each check is of one host that may stand as one, and hosts are
 * unique; and a complaint about the file names a line that it has.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/config/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIST "/hosts"

static const char text[] =
    "checks: {'{host} up': {probe: disk, hosts_from: [" LIST "], groups: ['at {host}'], parents: []}}\n"
    "lines: {l: {notifier: x}, z: {notifier: x}}\ncontacts: {a: {routes: [{line: l, to: a}]}}\n"
    "last_resort: {line: z, to: z}\n";

struct input {
	const uint8_t *data;
	size_t size, lines;
};

static bool answer(void *arg, const char *libexec, const char *program, const char *option, const struct buf *input,
		   struct buf *out, char *why, size_t size)
{
	(void)arg;
	(void)libexec;
	(void)why;
	(void)size;
	if (strcmp(option, "--describe") == 0)
		return buf_puts(out, strcmp(program, "prober") == 0
					 ? "{\"v\":1,\"probes\":[{\"name\":\"disk\",\"place\":\"local\",\"host_option\":null,"
					   "\"options\":[]}]}"
					 : "{\"v\":1,\"name\":\"x\",\"options\":[]}");
	for (size_t i = 0; i < input->len; i++)
		if (input->data[i] == '\n')
			buf_puts(out, "{\"ok\":true}\n");
	return true;
}

static void lists(void *arg, const struct config *conf, struct conf_listed *got)
{
	const struct input *in = arg;
	assert(conf->nlists == 1 && strcmp(conf->lists[0].source, LIST) == 0);
	got[0].ok = buf_add(&got[0].bytes, in->data, in->size);
	got[0].path = strdup(LIST);
	got[0].why[0] = '\0';
}

static int by_name(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static void promises(const struct config *conf)
{
	const char **hosts = calloc(conf->nchecks + 1, sizeof *hosts);
	assert(hosts && conf->nchecks > 0 && conf->nchecks <= CONF_CHECKS_MAX);
	for (size_t i = 0; i < conf->nchecks; i++) {
		const struct conf_check *k = &conf->checks[i];
		size_t n = strlen(k->host);
		assert(!conf_bad_host(k->host));
		assert(strncmp(k->name, k->host, n) == 0 && strcmp(k->name + n, " up") == 0);
		assert(k->ngroups == 1 && strcmp(k->groups[0] + 3, k->host) == 0);
		hosts[i] = k->host;
	}
	qsort(hosts, conf->nchecks, sizeof *hosts, by_name);
	for (size_t i = 1; i < conf->nchecks; i++)
		assert(strcmp(hosts[i - 1], hosts[i]) != 0);
	free(hosts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size < CONF_LIST_BYTES_MAX ? size : CONF_LIST_BYTES_MAX, 1};
	struct conf_programs programs = {.run = answer, .arg = &in, .lists = lists};
	struct conf_files *files = calloc(1, sizeof *files);
	struct complaints c;

	for (size_t i = 0; i < in.size; i++)
		in.lines += data[i] == '\n';
	complaints_init(&c);
	struct conf_file *f = conf_files_add(files, "m.yaml", "m.yaml");
	assert(f);
	buf_puts(&f->bytes, text);
	struct config *conf = config_build(files, "/nowhere", &programs, &c);
	assert(!conf == (c.n > 0));
	if (conf)
		promises(conf);
	for (size_t i = 0; i < c.n; i++)
		if (c.v[i].file && strcmp(c.v[i].file, LIST) == 0)
			assert(c.v[i].line > 0 && (size_t)c.v[i].line <= in.lines);
	config_free(conf);
	complaints_fini(&c);
	return 0;
}
