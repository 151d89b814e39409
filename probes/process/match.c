/* Filters and limits of the process probe; see match.h. */
#include "match.h"

#include <stdio.h>
#include <string.h>

enum { KERNEL_COMM = 15 }; /* what the kernel keeps of a name */

static bool command_is(const struct proc *p, const char *want)
{
	size_t n = strlen(want), argv0 = strcspn(p->args, " ");
	const char *base = p->args;

	if (n <= KERNEL_COMM)
		return strcmp(p->comm, want) == 0;
	for (size_t i = 0; i < argv0; i++)
		if (p->args[i] == '/')
			base = p->args + i + 1;
	return strncmp(p->comm, want, KERNEL_COMM) == 0 && strncmp(base, want, n) == 0 &&
	       (base[n] == '\0' || base[n] == ' ' || base[n] == ':');
}

bool process_matches(const struct process_filter *f, const struct proc *p)
{
	return (!f->state || strstr(p->state, f->state)) && (!f->user || p->uid == f->uid) &&
	       (!f->args || strstr(p->args, f->args)) && (!f->command || command_is(p, f->command)) &&
	       (!f->pattern || pattern_finds(f->pattern, p->args, NULL, 0)) &&
	       (f->ppid < 0 || p->ppid == f->ppid) &&
	       (f->vsz_kib < 0 || p->vsz / 1024 >= (double)f->vsz_kib) &&
	       (f->rss_kib < 0 || p->rss / 1024 >= (double)f->rss_kib) && (f->cpu < 0 || p->cpu >= f->cpu) &&
	       !(f->no_kernel && p->kernel);
}

void process_describe(const struct process_filter *f, struct buf *out)
{
	size_t start = out->len;
#define ADD(cond, ...)                                                                                       \
	if (cond) {                                                                                          \
		buf_puts(out, out->len == start ? " with " : ", ");                                          \
		buf_printf(out, __VA_ARGS__);                                                                \
	}
	ADD(f->state, "STATE = %s", f->state)
	ADD(f->user, "UID = %lld (%s)", (long long)f->uid, f->user)
	ADD(f->ppid >= 0, "PPID = %lld", (long long)f->ppid)
	ADD(f->vsz_kib >= 0, "VSZ >= %lld", (long long)f->vsz_kib)
	ADD(f->rss_kib >= 0, "RSS >= %lld", (long long)f->rss_kib)
	ADD(f->cpu >= 0, "PCPU >= %.2f", f->cpu)
	ADD(f->command, "command name '%s'", f->command)
	ADD(f->args, "args '%s'", f->args)
	ADD(f->regex, "regex args '%s'", f->regex)
	ADD(f->no_kernel, "no kernel threads")
#undef ADD
}

bool process_range(const char *text, struct range *out, const char **why)
{
	char turned[96];
	const char *colon = strchr(text, ':');
	double low, high;
	char first[48];

	if (colon == text) {
		snprintf(turned, sizeof turned, "~%s", text);
		return units_range(turned, out, why);
	}
	if (colon && (size_t)(colon - text) < sizeof first) {
		snprintf(first, sizeof first, "%.*s", (int)(colon - text), text);
		if (units_number(first, &low, NULL) && units_number(colon + 1, &high, NULL) && low > high) {
			*out = (struct range){.set = true, .inside = true, .start = high, .end = low};
			return true;
		}
	}
	return units_range(text, out, why);
}
