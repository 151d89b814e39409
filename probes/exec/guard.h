/*
 * One guard process for each run of a foreign program: it starts the program in a session
 * of its own, is the reaper of whatever that leaves behind, and kills all of it when the
 * program ends, when the prober says so, or when the prober is gone.
 */
#ifndef PROBES_EXEC_GUARD_H
#define PROBES_EXEC_GUARD_H

/* What the guard tells on its control socket, one message each. */
enum guard_kind {
	GUARD_NOT_STARTED, /* value: errno; step says what failed: "exec", "chdir" ... */
	GUARD_EXITED,	   /* value: exit status */
	GUARD_SIGNALLED,   /* value: signal */
	GUARD_BEGAN	   /* first of all: from here on the program may have run */
};

struct guard_message {
	int kind, value;
	int left;   /* processes that did not die of SIGKILL within a few seconds (blocked in the kernel) */
	int killed; /* processes it had left behind */
	double cpu_ms; /* of the program and all it started */
	char step[16];
};

/* What to run. Strings are borrowed. */
struct guard_job {
	char *const *argv; /* NULL-terminated, argv[0] absolute */
	char *const *env;
	const char *directory;
	int control, out, err;
};

/* Runs in a process of its own, single-threaded; calls only what is allowed after a fork. Never returns. */
_Noreturn void guard_run(const struct guard_job *job);

#endif
