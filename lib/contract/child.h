/*
 * A child process with three pipes: how one is started, in a process group of its own, and how one goes.
 */
#ifndef LIB_CONTRACT_CHILD_H
#define LIB_CONTRACT_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A copy of a list that ends with NULL; child_list_free frees it. */
char **child_list(char *const *list);
void child_list_free(char **list);
/* PATH, LANG and TZ only: a child gets nothing it was not given. */
char **child_env(void);
/* ends: of its stdin, stdout and stderr, ours. -1: errno says why. By posix_spawn, which is safe with threads;
 * every descriptor of ours is close-on-exec. */
pid_t child_start(char *const *argv, char *const *env, int ends[3]);
/* Waits a moment for a killed child, never longer, whatever it is blocked in; 0: it would not go, and is reaped
 * when another one ends. */
pid_t child_reap_killed(pid_t pid, int *status);
/* "exited 1", "killed by signal 9 (Killed)" from a status of waitpid, in out. */
const char *child_end_text(int status, char *out, size_t size);

#endif
