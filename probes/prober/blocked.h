/*
 * What a blocked thread of this process waits for, as far as the kernel tells:
 * the system call and the kernel function it sleeps in.
 */
#ifndef PROBES_PROBER_BLOCKED_H
#define PROBES_PROBER_BLOCKED_H

#include <stddef.h>
#include <sys/types.h>

/* "system call 137, kernel function rpc_wait_bit_killable", or "" when nothing can be read. Returns out. */
char *blocked_in_kernel(pid_t tid, char *out, size_t size);

#endif
