/*
 * Glue over libevent for the daemons: one base per process, signals, timers in
 * milliseconds of CLOCK_BOOTTIME deadlines, line-wise JSON connections. libevent
 * is included only by the .c files of lib.
 */
#ifndef LIB_LOOP_H
#define LIB_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct loop_timer;
struct loop_fd;

/* One per process. SIGPIPE is ignored from here on. */
struct event_base *loop_new(void);
void loop_run(struct event_base *base);   /* until loop_stop */
void loop_stop(struct event_base *base);
void loop_free(struct event_base *base);
/* Calls f(arg, signal) in the loop. */
bool loop_signal(struct event_base *base, int sig, void (*f)(void *arg, int sig), void *arg);

struct loop_timer *loop_timer_new(struct event_base *base, void (*f)(void *arg), void *arg);
/* Fires once, ms from now (0: in the next turn); setting again replaces. */
void loop_timer_in(struct loop_timer *t, int64_t ms);
void loop_timer_off(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t);

/* Calls f(arg) whenever fd is readable. */
struct loop_fd *loop_fd_new(struct event_base *base, int fd, void (*f)(void *arg), void *arg);
void loop_fd_free(struct loop_fd *f); /* does not close fd */

#endif
