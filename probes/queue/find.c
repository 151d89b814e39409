/*
 * Which mail transport agent this host has, and the spools to watch. Called by the queue probe; runs no
 * program. The agent is the one that the configuration names, else the one whose spool the given directories
 * are, else the one that is here; when several seem to be, the one whose program is, and the others are said.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue.h"

/* In the order in which they are looked for. */
static const struct {
	enum queue_mta_id id;
	const struct queue_mta *mta;
	const char *programs[4];
} agents[] = {
    {QUEUE_POSTFIX, &queue_postfix, {"/usr/sbin/postfix", "/usr/local/sbin/postfix"}},
    {QUEUE_EXIM,
     &queue_exim,
     {"/usr/sbin/exim4", "/usr/sbin/exim", "/usr/exim/bin/exim", "/usr/local/sbin/exim"}},
    {QUEUE_OPENSMTPD, &queue_opensmtpd, {"/usr/sbin/smtpd", "/usr/local/sbin/smtpd"}},
    {QUEUE_QMAIL, &queue_qmail, {"/var/qmail/bin/qmail-send"}},
    {QUEUE_SENDMAIL,
     &queue_sendmail,
     {"/usr/libexec/sendmail/sendmail", "/usr/lib/sm.bin/sendmail", "/usr/sbin/sendmail.sendmail",
      "/usr/sbin/sendmail-mta"}},
    {QUEUE_NULLMAILER, &queue_nullmailer, {"/usr/sbin/nullmailer-send", "/usr/local/sbin/nullmailer-send"}},
};

enum { AGENTS = sizeof(agents) / sizeof(agents[0]) };

static bool has_program(size_t i)
{
	for (size_t k = 0; k < 4 && agents[i].programs[k]; k++) {
		if (access(agents[i].programs[k], F_OK) == 0)
			return true;
	}
	return false;
}

static const struct queue_mta *by_id(int id)
{
	for (size_t i = 0; i < AGENTS; i++) {
		if ((int)agents[i].id == id)
			return agents[i].mta;
	}
	return NULL;
}

/* By the look of the first directory that was given. */
static const struct queue_mta *by_spool(const struct queue_conf *conf)
{
	for (size_t i = 0; i < conf->queue_directory.n; i++) {
		const char *dir = conf->queue_directory.v[i];
		int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		const struct queue_mta *mta =
		    strpbrk(dir, "*?[") ? &queue_sendmail : NULL; /* only it has globs */

		for (size_t k = 0; fd >= 0 && !mta && k < AGENTS; k++) {
			if (agents[k].mta->is_spool(fd, dir, false))
				mta = agents[k].mta;
		}
		if (fd >= 0)
			close(fd);
		if (mta)
			return mta;
	}
	return NULL;
}

/* A configuration's name tells whose it is: FILE.cf is sendmail's, a directory with main.cf Postfix'. */
static const struct queue_mta *by_config(const struct queue_conf *conf)
{
	for (size_t i = 0; i < conf->config_directory.n; i++) {
		const char *at = conf->config_directory.v[i];
		char path[QUEUE_DIR_MAX];
		size_t n = strlen(at);

		if (n > 3 && !strcmp(at + n - 3, ".cf"))
			return &queue_sendmail;
		if (strstr(at, "exim"))
			return &queue_exim;
		snprintf(path, sizeof(path), "%s/sendmail.cf", at);
		if (access(path, F_OK) == 0)
			return &queue_sendmail;
		return &queue_postfix;
	}
	return NULL;
}

static const struct queue_mta *by_host(struct queue_seen *s)
{
	const struct queue_mta *first = NULL, *with = NULL;
	size_t len = 0;

	for (size_t i = 0; i < AGENTS; i++) {
		if (!agents[i].mta->here())
			continue;
		if (!first)
			first = agents[i].mta;
		if (!with && has_program(i))
			with = agents[i].mta;
	}
	if (with)
		first = with;
	for (size_t i = 0; first && i < AGENTS; i++) {
		if (agents[i].mta == first || !agents[i].mta->here() || len >= sizeof(s->also))
			continue;
		len += (size_t)snprintf(s->also + len, sizeof(s->also) - len, "%s%s", len ? ", " : "",
					agents[i].mta->title);
	}
	return first;
}

static void choose(struct queue_seen *s, const struct queue_conf *conf)
{
	if (conf->mta != QUEUE_AUTO)
		s->mta = by_id(conf->mta);
	else if (conf->queue_directory.n)
		s->mta = by_spool(conf);
	else if (conf->config_directory.n)
		s->mta = by_config(conf);
	else if (conf->stages.n && strchr(conf->stages.v[0], '/'))
		s->mta = &queue_sendmail; /* only its stages are given directories */
	else
		s->mta = by_host(s);
	if (!s->mta)
		s->mta = &queue_postfix;
}

static void open_dir(const struct queue_mta *mta, struct queue_instance *in)
{
	if (in->fd >= 0 || in->trouble[0])
		return;
	in->fd = open(in->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in->fd >= 0 && (errno = ENOENT, mta->is_spool(in->fd, in->dir, true) || errno == EACCES))
		return;
	if (errno == EACCES)
		queue_trouble(in, "permission", "may not open the %s queue %s: " QUEUE_GRANT, mta->title,
			      in->dir);
	else if (errno == ENOENT || errno == ENOTDIR)
		queue_trouble(in, "absent", "no %s queue at %s", mta->title, in->dir);
	else
		queue_trouble(in, "read", "cannot open the %s queue %s: %s", mta->title, in->dir,
			      strerror(errno));
	if (in->fd >= 0)
		close(in->fd);
	in->fd = -1;
}

bool queue_find(struct queue_seen *s, const struct queue_conf *conf)
{
	memset(s, 0, sizeof(*s));
	s->before = s->behind = -1;
	s->inst = calloc(QUEUE_INSTANCES_MAX, sizeof(*s->inst));
	if (!s->inst)
		return false;
	choose(s, conf);
	s->mta->find(s, conf);
	for (size_t i = 0; i < s->n; i++)
		open_dir(s->mta, &s->inst[i]);
	return true;
}
