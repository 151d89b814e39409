/* The dying process names the run: by a signal, by a stack used up, and only between begin and end. Each dies in a child. */
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probes/prober/crash.h"

static int out;

static void tell(void *session, const char *id, int signal)
{
	(void)session;
	(void)!write(out, id, strlen(id));
	(void)!write(out, signal == SIGSEGV ? " SEGV" : " ABRT", 5);
}

/* Without end as it is called; each call needs a piece of the stack. */
static int deeper(volatile char *above, int n)
{
	volatile char here[4096];

	here[0] = (char)(above ? above[0] + 1 : n);
	return n < 0 ? here[0] : deeper(here, n + 1) + here[n % 4096];
}

enum { OVERFLOWS, ABORTS, ENDED_BEFORE };

static void *dying(void *arg)
{
	_Alignas(16) char memory[CRASH_STACK_BYTES];
	int how = *(int *)arg;

	crash_thread(memory);
	crash_begin(tell, NULL, "run 7");
	if (how == OVERFLOWS)
		deeper(NULL, 0);
	if (how == ENDED_BEFORE)
		crash_end();
	abort();
}

/* What the dying child told; *status is its end. */
static char *dies(int how, int *status)
{
	static char told[100];
	int p[2];
	ssize_t n;

	assert_int_equal(pipe(p), 0);
	pid_t pid = fork();
	if (pid == 0) {
		pthread_t t;
		pthread_attr_t a;

		out = p[1];
		dup2(open("/dev/null", O_WRONLY), 2); /* a sanitizer may have its say */
		pthread_attr_init(&a);
		pthread_attr_setstacksize(&a, 256 * 1024); /* as the prober's */
		crash_install();
		pthread_create(&t, &a, dying, &how);
		pthread_join(t, NULL);
		_exit(0);
	}
	close(p[1]);
	memset(told, 0, sizeof(told));
	for (size_t at = 0; (n = read(p[0], told + at, sizeof(told) - 1 - at)) > 0; at += (size_t)n)
		;
	close(p[0]);
	assert_int_equal(waitpid(pid, status, 0), pid);
	return told;
}

static void a_stack_used_up(void **state)
{
	int status;

	(void)state;
	assert_string_equal(dies(OVERFLOWS, &status), "run 7 SEGV");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void by_its_own_hand(void **state)
{
	int status;

	(void)state;
	assert_string_equal(dies(ABORTS, &status), "run 7 ABRT");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void nobody_is_named_afterwards(void **state)
{
	int status;

	(void)state;
	assert_string_equal(dies(ENDED_BEFORE, &status), "");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stack_used_up),
		cmocka_unit_test(by_its_own_hand),
		cmocka_unit_test(nobody_is_named_afterwards),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
