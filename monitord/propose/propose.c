/*
 * The steps of `monitorctl propose`; see propose.h. What the DNS says of the subject, a draft for all that
 * might be checked, one run of each with the very options that will stand in the file, then the file. Called
 * by monitorctl.c.
 */
#include "propose.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/file.h"
#include "monitord/ctl/ask.h"
#include "monitord/ctl/paths.h"
#include "domain.h"
#include "draft.h"
#include "local.h"
#include "services.h"
#include "site.h"
#include "wish.h"
#include "write.h"

const char propose_help[] =
    "usage: monitorctl propose [OPTION...] DOMAIN|HOST|ADDRESS\n"
    "\n"
    "Looks at a domain's mail exchangers, their addresses, TLS and certificates, at SPF, DKIM, DMARC and "
    "MTA-STS,\n"
    "at the submission, IMAP and POP3 of its hosts, and at the mail system of this host; writes a "
    "configuration\n"
    "for conf.d with comments that say what was found. What is not healthy today is a check all the same, "
    "and is\n"
    "said. Nothing is sent but greetings and questions to the DNS; what would need more (a mailbox, a "
    "password,\n"
    "another host) stands there commented out.\n"
    "\n"
    "  -o FILE            write this file, which must not be there yet; without it: standard output\n"
    "  --outbound A,...   addresses or names that mail of the domain leaves from: for SPF and blocklists\n"
    "  --selector S,...   DKIM selectors in use\n"
    "  --dnsbl ZONE,...   blocklists that the outbound addresses are looked up in\n"
    "  --ports NAME=N,... where services are, if elsewhere: smtp submission smtps imap imaps pop3 pop3s\n"
    "  --resolver A[:P]   ask this name server, and have the checks ask it (but IMAP's and POP3's, which cannot)\n"
    "  --ca-file FILE     authorities of a private site, instead of the system's\n"
    "  --no-local         leave this host's own mail system alone\n"
    "  --timeout TIME     so long at most (default 60s; 5s to 10m)\n"
    "\n"
    "At most 16 MX, 24 hosts and 8 addresses a host are looked at. Run it as root where mail is: queues can "
    "be\n"
    "read by no one else. Exit: 0 written; 1 there is nothing to propose, or it could not be written; 2 "
    "usage.\n";

static char *find_prober(const struct ctl *ctl)
{
	char *given = ctl_path(ctl->config, "libexec", ""),
	     *dir = file_libexec(given && *given ? given : NULL);
	char *path = dir ? file_join(dir, "prober") : NULL;
	free(given);
	free(dir);
	return path;
}

/* A file that is there is never touched, be it made meanwhile. */
static bool write_file(const char *path, const struct buf *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0) {
		fprintf(stderr, "monitorctl: -o %s: %s\n", path,
			errno == EEXIST ? "is there already; it is not overwritten" : strerror(errno));
		return false;
	}
	bool ok = file_write_all(fd, buf_str(text), text->len) && fsync(fd) == 0;
	if (close(fd) != 0 || !ok) {
		fprintf(stderr, "monitorctl: -o %s: %s\n", path, strerror(errno));
		unlink(path);
		return false;
	}
	return true;
}

static bool put_out(const struct wish *w, const struct buf *text, size_t checks, size_t wrong)
{
	if (text->full) {
		fprintf(stderr, "monitorctl: propose: the text is too long\n");
		return false;
	}
	if (!w->out)
		return fputs(buf_str(text), stdout) >= 0 && fflush(stdout) == 0;
	if (!write_file(w->out, text))
		return false;
	printf("%s: %zu checks, %zu not OK today; look it over, then: monitord -t && monitorctl reload\n",
	       w->out, checks, wrong);
	return true;
}

static bool write_it(const struct wish *w, const struct site *s, const struct drafts *d)
{
	struct buf text;
	size_t wrong, checks = write_checks(d, &wrong);
	if (!checks) {
		fprintf(stderr, "monitorctl: %s: nothing answers there, and there is nothing to propose\n",
			w->subject);
		return false;
	}
	buf_init(&text, WRITE_MAX);
	write_all(w, s, d, &text);
	bool ok = put_out(w, &text, checks, wrong);
	buf_fini(&text);
	return ok;
}

static bool try_and_write(const struct wish *w, const struct site *s, const char *prober, struct drafts *d)
{
	char why[400];
	domain_draft(d, s, w);
	services_draft(d, s, w);
	if (w->local)
		local_draft(d);
	if (!drafts_try(d, 0, w, prober, why, sizeof why)) {
		fprintf(stderr, "monitorctl: %s: %s\n", prober, why);
		return false;
	}
	domain_choose(d, w);
	services_choose(d, s, w);
	local_choose(d);
	return write_it(w, s, d);
}

static bool propose(const struct wish *w, const char *prober)
{
	struct site *s = calloc(1, sizeof *s);
	struct drafts *d = calloc(1, sizeof *d);
	bool ok = false;
	if (!s || !d)
		fprintf(stderr, "monitorctl: out of memory\n");
	else if (isatty(STDERR_FILENO))
		fprintf(stderr, "looking at %s ...\n", w->subject);
	if (s && d && site_find(s, w, prober))
		ok = try_and_write(w, s, prober, d);
	if (s)
		site_fini(s);
	if (d)
		drafts_fini(d);
	free(s);
	free(d);
	return ok;
}

int ctl_do_propose(struct ctl *ctl)
{
	struct wish w;
	int rc = EXIT_USAGE;
	char *prober = NULL;
	if (wish_read(&w, ctl)) {
		prober = find_prober(ctl);
		rc = EXIT_REFUSED;
		if (w.out && access(w.out, F_OK) == 0)
			fprintf(stderr, "monitorctl: -o %s: is there already; it is not overwritten\n",
				w.out);
		else if (!prober || access(prober, X_OK) != 0)
			fprintf(stderr, "monitorctl: %s: %s\n", prober ? prober : "prober", strerror(errno));
		else if (propose(&w, prober))
			rc = EXIT_DONE;
	}
	free(prober);
	wish_fini(&w);
	return rc;
}
