/* Finding a modem by what it is, in a sysfs built for the test; and the memory of PINs. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/serial/usbtty.h"
#include "lib/file.h"
#include "notifiers/sms/pin.h"

static char sys[64];

static void put(const char *dir, const char *name, const char *value)
{
	char *path = file_join(dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, value, strlen(value)), strlen(value));
	close(fd);
	free(path);
}

/* One USB device with one tty on one interface, as the kernel lays it out. */
static void add(const char *bus, const char *vid, const char *pid, const char *serial, const char *interface,
		const char *tty)
{
	char dir[256], link[300], target[256];

	snprintf(dir, sizeof(dir), "%s/devices/%s/%s:1.%s/%s", sys, bus, bus, interface, tty);
	assert_true(file_mkdirs(dir, 0755));
	snprintf(dir, sizeof(dir), "%s/devices/%s", sys, bus);
	put(dir, "idVendor", vid);
	put(dir, "idProduct", pid);
	if (serial != NULL)
		put(dir, "serial", serial);
	snprintf(dir, sizeof(dir), "%s/devices/%s/%s:1.%s", sys, bus, bus, interface);
	put(dir, "bInterfaceNumber", interface);
	snprintf(dir, sizeof(dir), "%s/class/tty/%s", sys, tty);
	assert_true(file_mkdirs(dir, 0755));
	snprintf(link, sizeof(link), "%s/device", dir);
	snprintf(target, sizeof(target), "%s/devices/%s/%s:1.%s/%s", sys, bus, bus, interface, tty);
	assert_int_equal(symlink(target, link), 0);
}

static int make_sysfs(void **state)
{
	(void)state;
	strcpy(sys, "/tmp/usbtty-XXXXXX");
	assert_non_null(mkdtemp(sys));
	add("1-1", "12d1\n", "1506\n", "AAA\n", "02\n", "ttyUSB2");
	add("1-1", "12d1\n", "1506\n", "AAA\n", "00\n", "ttyUSB0");
	add("1-2", "12d1\n", "1506\n", "BBB\n", "00\n", "ttyUSB10");
	add("1-3", "0403\n", "6001\n", NULL, "00\n", "ttyUSB3");
	return 0;
}

static int remove_sysfs(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", sys);
	return system(command);
}

static void find(void **state)
{
	(void)state;
	static const struct {
		const char *spec, *path;
	} t[] = {
		{"usb:0403:6001", "/dev/ttyUSB3"}, {"usb:12d1:1506", "/dev/ttyUSB0"},
		{"usb:12D1:1506:AAA", "/dev/ttyUSB0"},
		{"usb:12d1:1506:AAA@02", "/dev/ttyUSB2"}, {"usb:12d1:1506@02", "/dev/ttyUSB2"},
		{"usb:12d1:1506:BBB", "/dev/ttyUSB10"},
		{"usb:12d1:1506:CCC", NULL}, {"usb:12d1:1507", NULL}, {"usb:0403:6001:X", NULL},
		{"usb:12d1:1506:BBB@01", NULL},
	};
	char path[64], why[200];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		bool ok = usbtty_find(sys, t[i].spec, path, sizeof(path), why, sizeof(why));

		assert_int_equal(ok, t[i].path != NULL);
		if (ok)
			assert_string_equal(path, t[i].path);
		else
			assert_non_null(strstr(why, "no tty"));
	}
	assert_false(usbtty_find("/nonexistent", "usb:0403:6001", path, sizeof(path), why, sizeof(why)));
}

static void specs(void **state)
{
	(void)state;
	static const struct {
		const char *spec;
		bool ok;
	} t[] = {{"usb:12d1:1506", true}, {"usb:12D1:1506:SER/1 2", true}, {"usb:12d1:1506:S@03", true},
	{"usb:12d1:1506@03", true}, {"usb:", false},
		 {"usb:12d1", false}, {"usb:12d1:15067", false}, {"usb:12d1:1506:", false},
		{"usb:12g1:1506", false}, {"usb:12d1:1506@3", false},
		 {"usb:12d1:1506@033", false}, {"/dev/ttyUSB0", false}};
	char why[200];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(usbtty_check(t[i].spec, why, sizeof(why)), t[i].ok);
}

static void pin_tries(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		int n;
	} t[] = {{"+CPINR: SIM PIN,3,3", 3}, {"+CPINR: \"SIM PIN\",2", 2}, {"+CPINR: SIM PUK,10,10", -1},
	{"^CPIN: SIM PIN,,10,3,10,3", 3},
		 {"+QPINC: \"SC\",1,10", 1}, {"+SPIC: 3,10,0,10", 3}, {"#PCT: 2", 2}, {"^SPIC: 0", 0},
		{"+CPINR: SIM PIN,x", -1}, {"OK", -1},
		 {"+SPIC: 300", -1}, {"+CPINR: SIM PIN", -1}};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(sms_pin_tries(t[i].line), t[i].n);
}

static void pin_memory(void **state)
{
	(void)state;
	char dir[80], why[400];

	snprintf(dir, sizeof(dir), "%s/state", sys);
	assert_true(sms_pin_allowed(dir, "modem/1", "1234", why, sizeof(why)));
	assert_true(sms_pin_trying(dir, "modem/1", "1234", why, sizeof(why)));
	assert_false(sms_pin_allowed(dir, "modem/1", "1234", why, sizeof(why)));
	assert_non_null(strstr(why, "tried before"));
	assert_true(sms_pin_allowed(dir, "modem/1", "1235", why, sizeof(why)));
	assert_true(sms_pin_allowed(dir, "modem2", "1234", why, sizeof(why)));
	sms_pin_accepted(dir, "modem/1");
	assert_true(sms_pin_allowed(dir, "modem/1", "1234", why, sizeof(why)));
	put(dir, "sms-modem3.pin", "garbage");
	assert_false(sms_pin_allowed(dir, "modem3", "1234", why, sizeof(why)));
	/* what cannot be remembered is not tried */
	assert_false(sms_pin_trying("/proc/nowhere", "modem1", "1234", why, sizeof(why)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(find), cmocka_unit_test(specs),
	 cmocka_unit_test(pin_tries), cmocka_unit_test(pin_memory)};

	return cmocka_run_group_tests(tests, make_sysfs, remove_sysfs);
}
