/*
 * Looks up in /proc what a thread sleeps in. Called by the prober's watchdog for
 * runs that did not come back; reads only, and every failure just says less.
 */
#include "blocked.h"

#include <ctype.h>
#include <stdbool.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The first word of a file of the thread; "" when there is none. */
static void first_word(pid_t tid, const char *file, char *out, size_t size)
{
	char path[64];

	out[0] = '\0';
	snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int)tid, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, out, size - 1);
	close(fd);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, " \n")] = '\0';
	for (char *p = out; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_' && *p != '.')
			*p = '_';
}

char *blocked_in_kernel(pid_t tid, char *out, size_t size)
{
	char call[64], function[64];

	first_word(tid, "syscall", call, sizeof call);
	first_word(tid, "wchan", function, sizeof function);
	bool have_call = isdigit((unsigned char)call[0]),
	     have_function = *function && strcmp(function, "0") != 0;
	snprintf(out, size, "%s%s%s%s%s", have_call ? "system call " : "", have_call ? call : "",
		 have_call && have_function ? ", " : "", have_function ? "kernel function " : "",
		 have_function ? function : "");
	return out;
}
