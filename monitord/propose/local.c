/*
 * Checks of this host's mail transport agent; see local.h. Which one it is the queue probe finds out; here
 * only names of programs, directories and logs are known. Called by propose.c.
 */
#include "local.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "draft.h"
#include "look.h"

/* By the names that the queue probe's fact `mta` has. */
static const struct {
	const char *mta, *title, *process;
} agents[] = {
    {"postfix", "Postfix", "master"},
    {"exim", "Exim", "exim4"},
    {"exim", "Exim", "exim"},
    {"sendmail", "sendmail", "sendmail"},
    {"sendmail", "sendmail", "sendmail-mta"},
    {"opensmtpd", "OpenSMTPD", "smtpd"},
    {"qmail", "qmail", "qmail-send"},
    {"nullmailer", "nullmailer", "nullmailer-send"},
};
enum { AGENTS = sizeof agents / sizeof agents[0] };

static const char *const spools[] = {"/var/spool/postfix",    "/var/spool/exim4", "/var/spool/exim",
				     "/var/spool/mqueue",     "/var/spool/smtpd", "/var/qmail/queue",
				     "/var/spool/nullmailer", "/var/log"};
static const char *const logs[] = {"/var/log/mail.log", "/var/log/maillog", "/var/log/exim4/mainlog",
				   "/var/log/exim/mainlog", "/var/log/exim/main.log"};

static bool there(const char *path, mode_t kind)
{
	struct stat st;
	return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

static struct draft *add(struct drafts *d, const char *host, const char *what, const char *probe,
			 const char *interval)
{
	struct draft *one = draft_add(d, host, what, probe, interval);
	if (one)
		one->section = DRAFT_LOCAL;
	return one;
}

static void draft_disks(struct drafts *d, const char *host)
{
	struct draft *one = add(d, host, "mail disks", "disk", "5m");
	if (!one)
		return;
	for (size_t i = 0; i < sizeof spools / sizeof spools[0]; i++)
		if (there(spools[i], S_IFDIR))
			draft_append(one, "path", spools[i]);
	draft_set(one, "warning", "10%");
	draft_set(one, "critical", "5%");
	draft_set(one, "iwarning", "10%");
	draft_set(one, "icritical", "5%");
	draft_set(one, "full_warning", "1d");
	draft_set(one, "full_critical", "4h");
}

static void draft_load(struct drafts *d, const char *host)
{
	struct draft *one = add(d, host, "load", "load", NULL);
	if (!one)
		return;
	draft_set(one, "percpu", "yes");
	draft_set(one, "warning", "4,3,2");
	draft_set(one, "critical", "8,6,4");
}

static void draft_logs(struct drafts *d, const char *host)
{
	for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
		struct draft *one = there(logs[i], S_IFREG) ? add(d, host, "mail log", "log", NULL) : NULL;
		if (!one)
			continue;
		draft_set(one, "path", logs[i]);
		draft_note(one, "counts, and alerts only on a full disk until limits are set: what is normal "
				"differs; watch the figures for a week");
		return;
	}
}

static void draft_processes(struct drafts *d, const char *host)
{
	for (size_t i = 0; i < AGENTS; i++) {
		char what[64];
		snprintf(what, sizeof what, "%s %s", agents[i].title, agents[i].process);
		struct draft *one = add(d, host, what, "process", NULL);
		if (!one)
			return;
		draft_set(one, "command", agents[i].process);
		draft_set(one, "critical", "1:");
	}
}

void local_draft(struct drafts *d)
{
	char host[65] = "";
	gethostname(host, sizeof host - 1);
	host[strcspn(host, ".")] = '\0';
	for (char *p = host; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", *p))
			*p = '_';
	add(d, *host ? host : "this host", "mail queue", "queue", NULL);
	draft_logs(d, host);
	draft_disks(d, host);
	draft_load(d, host);
	draft_processes(d, host);
}

/* --- after they were tried --- */

static size_t agent_of(const struct draft *one)
{
	size_t first = 0;
	const char *process = one->variants[0] ? look_option(one->variants[0], "command") : "";
	while (first < AGENTS && strcmp(agents[first].process, process) != 0)
		first++;
	return first;
}

/* The agent whose queue it is; if that cannot be read, whichever runs. */
static bool is_ours(const struct draft *one, const char *mta)
{
	size_t i = agent_of(one);
	if (i == AGENTS)
		return false;
	return *mta ? strcmp(agents[i].mta, mta) == 0
		    : look_ok(draft_result(one)) && strcmp(agents[i].mta, "opensmtpd") != 0;
}

/* Of several names that an agent's process may have, the one that runs; else the first. */
static void choose_process(struct drafts *d, const char *mta)
{
	struct draft *kept = NULL;
	for (size_t i = 0; i < d->n; i++) {
		struct draft *one = &d->v[i];
		if (one->section != DRAFT_LOCAL || strcmp(one->probe, "process") != 0)
			continue;
		bool ours = is_ours(one, mta);
		one->fate = DRAFT_GONE;
		if (ours && (!kept || (look_ok(draft_result(one)) && !look_ok(draft_result(kept)))))
			kept = one;
	}
	if (kept)
		kept->fate = DRAFT_CHECK;
}

void local_choose(struct drafts *d)
{
	const struct draft *queue = NULL;
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].section == DRAFT_LOCAL && strcmp(d->v[i].probe, "queue") == 0)
			queue = &d->v[i];
	if (!queue)
		return;
	if (strcmp(look_layer(draft_result(queue)), "absent") == 0) {
		for (size_t i = 0; i < d->n; i++)
			if (d->v[i].section == DRAFT_LOCAL)
				d->v[i].fate = DRAFT_GONE;
		return;
	}
	choose_process(d, look_fact(draft_result(queue), "mta"));
}
