/*
 * exec: runs a foreign Nagios plugin, unmodified. Called like every probe; what it promises is told in
 * exec/plugin.h, which does the work.
 */
#include <stdio.h>
#include <string.h>

#include "probes/exec/nursery.h"
#include "probes/exec/plugin.h"

struct exec_conf {
	struct opt_list command, env;
	char *directory;
};

enum { WORDS_MAX = 300 };

static const struct opt exec_opts[] = {
	{ .name = "command", .type = OPT_LIST, .offset = offsetof(struct exec_conf, command),
	  .flags = OPT_REQUIRED,
	  .unit = "WORD",
	  .help = "the plugin's absolute path, then its arguments, one each; no shell is involved" },
	{ .name = "env", .type = OPT_LIST, .offset = offsetof(struct exec_conf, env), .unit = "NAME=VALUE",
	  .help = "environment beside PATH, LANG=C and TZ; nothing else is passed on" },
	{ .name = "directory", .type = OPT_PATH, .offset = offsetof(struct exec_conf, directory), .dflt = "/",
	  .help = "working directory" },
	{ 0 },
};

static void exec_check_conf(const void *conf, struct complaints *c)
{
	const struct exec_conf *ec = conf;

	if (ec->command.n == 0)
		complaint_add(c, NULL, "command", NULL, "must name a program");
	else if (ec->command.v[0][0] != '/')
		complaint_add(c, NULL, "command", ec->command.v[0], "the program must be an absolute path");
	for (size_t i = 0; i < ec->env.n; i++) {
		size_t name = strcspn(ec->env.v[i], "=");
		/* the value may be confidential: only the name is shown */
		char shown[64];
		snprintf(shown, sizeof shown, "%.*s", (int)name, ec->env.v[i]);
		if (name == 0 || ec->env.v[i][name] == '\0')
			complaint_add(c, NULL, "env", shown, "must be NAME=VALUE");
		else if (strcmp(shown, "NOTIFY_SOCKET") == 0)
			complaint_add(c, NULL, "env", shown,
				      "a plugin must not speak to the service manager");
	}
}

static void exec_run(struct probe_run *run)
{
	const struct exec_conf *ec = run->conf;
	char *argv[WORDS_MAX];

	for (size_t i = 0; i < ec->command.n; i++)
		argv[i] = ec->command.v[i];
	argv[ec->command.n] = NULL; /* a list has at most 256 items */
	plugin_run(run, argv, &ec->env, ec->directory ? ec->directory : "/");
}

const struct probe probe_exec = {
	.name = "exec",
	.help = "a foreign Nagios plugin, run as it is",
	.place = PROBE_NET,
	.opts = exec_opts,
	.conf_size = sizeof(struct exec_conf),
	.check_conf = exec_check_conf,
	.global_init = nursery_init,
	.run = exec_run,
};
