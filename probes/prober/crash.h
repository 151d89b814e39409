/*
 * Who brought the prober down: when a thread dies of a signal, the run that it was in is named before the
 * process ends, so that the supervisor need not suspect all that ran beside it. Called by runner.c; prober.c
 * installs it.
 */
#ifndef PROBES_PROBER_CRASH_H
#define PROBES_PROBER_CRASH_H

enum { CRASH_STACK_BYTES = 16384 };

/* Once per process. The signals' usual end (a core file, the exit status) stays. */
void crash_install(void);
/* The calling thread's own stack for the handler, so that a stack that is used up can be told, too. memory:
 * CRASH_STACK_BYTES, for as long as the thread lives. */
void crash_thread(void *memory);
/* The calling thread begins a run; tell is called from the signal handler, and may do only what is allowed
 * there. */
void crash_begin(void (*tell)(void *session, const char *id, int signal), void *session, const char *id);
void crash_end(void);

#endif
