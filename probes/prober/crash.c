/* Who brought the prober down; see crash.h. */
#include "crash.h"

#include <signal.h>
#include <stddef.h>

static _Thread_local struct {
	void (*volatile tell)(void *session, const char *id, int signal);
	void *session;
	const char *id;
} now;

static void on_signal(int signal)
{
	if (now.tell)
		now.tell(now.session, now.id, signal);
	now.tell = NULL;
	raise(signal); /* SA_RESETHAND: it ends the process this time, as soon as the handler returns */
}

void crash_install(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = (int)(SA_RESETHAND | SA_ONSTACK)};
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		sigaction(signals[i], &sa, NULL);
}

void crash_thread(void *memory)
{
	stack_t own = {.ss_sp = memory, .ss_size = CRASH_STACK_BYTES};
	sigaltstack(&own, NULL); /* refused: then on the usual stack, as good as it goes */
}

void crash_begin(void (*tell)(void *session, const char *id, int signal), void *session, const char *id)
{
	now.session = session;
	now.id = id;
	now.tell = tell;
}

void crash_end(void)
{
	now.tell = NULL;
}
