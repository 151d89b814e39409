/*
 * The processes of this host, out of /proc (proc(5)). The parsers are pure; proc_each walks over all of them.
 * Called by the probes process, load and memory. A program may call itself anything: what leaves here is
 * printable.
 */
#ifndef PROBES_PROCESS_PROC_H
#define PROBES_PROCESS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe_run;

enum { PROC_COMM_MAX = 64, PROC_ARGS_MAX = 2048 };

struct proc {
	int64_t pid, ppid, uid; /* uid: the effective one; -1 unknown */
	char state[8];		/* as ps writes it: "Ssl" */
	char comm[PROC_COMM_MAX];
	char args[PROC_ARGS_MAX]; /* "[comm]" for who has none */
	double vsz, rss;	  /* bytes */
	double age_s, cpu;	  /* percent of one CPU over its whole life, as ps has it */
	bool kernel;
};

/* The machine's measures, beside which /proc/PID/stat makes sense. */
struct proc_units {
	double ticks, page; /* clock ticks a second, bytes a page */
	double uptime_s;
};

/* The text of /proc/PID/stat; fills all but uid and args. */
bool proc_parse_stat(const char *text, const struct proc_units *u, struct proc *out);
/* The text of /proc/PID/status: the effective user, and whether memory is locked ('L' in the state). */
void proc_parse_status(const char *text, struct proc *out);
/* The bytes of /proc/PID/cmdline. */
void proc_parse_cmdline(const char *bytes, size_t len, struct proc *out);
/* Calls f for each process; those that vanish meanwhile are left out. False with errno set (ETIMEDOUT at the
 * run's deadline). */
bool proc_each(struct probe_run *run, void (*f)(void *arg, const struct proc *p), void *arg);

#endif
