/* The log when nobody reads it. */
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

static void a_reader_that_has_stopped_stops_nobody(void **state)
{
	(void)state;
	int p[2], err = dup(STDERR_FILENO);
	static char bytes[1 << 17];
	assert_int_equal(pipe(p), 0);
	fcntl(p[1], F_SETFL, O_NONBLOCK);
	memset(bytes, '\n', sizeof bytes);
	assert_true(write(p[1], bytes, sizeof bytes) > 0);
	fcntl(p[1], F_SETFL, 0);
	dup2(p[1], STDERR_FILENO);
	alarm(20); /* it would wait for ever */
	int64_t begin = clock_boot_ms();
	for (int i = 0; i < 100; i++)
		log_err("nobody reads this");
	int64_t took = clock_boot_ms() - begin;
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	while (read(p[0], bytes, sizeof bytes) > 0)
		;
	log_err("somebody reads this");
	alarm(0);
	ssize_t n = read(p[0], bytes, sizeof bytes - 1);
	dup2(err, STDERR_FILENO);
	assert_true(n > 0);
	bytes[n] = '\0';
	assert_true(took < 5000);
	assert_non_null(strstr(bytes, "100 lines"));
	assert_non_null(strstr(bytes, "somebody reads this"));
	assert_null(strstr(bytes, "nobody"));
	close(err);
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_that_has_stopped_stops_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
