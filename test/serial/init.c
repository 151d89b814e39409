/*
 * The first and only process of the machine that `make check-serial` boots: mounts what is needed, loads the modules of
 * /modules in their order, and becomes notify_sms with the first serial port as its two pipes. Linked statically.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void load_modules(void)
{
	FILE *list = fopen("/modules/list", "re");
	char name[256], path[300];

	while (list != NULL && fscanf(list, "%255s", name) == 1) {
		int fd;

		snprintf(path, sizeof(path), "/modules/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0)
			perror(path);
		if (fd >= 0)
			close(fd);
	}
	if (list != NULL)
		fclose(list);
}

static int control_port(void)
{
	int fd = open("/dev/ttyS0", O_RDWR | O_NOCTTY);
	struct termios t;

	if (fd < 0 || tcgetattr(fd, &t) != 0)
		return -1;
	cfmakeraw(&t);
	cfsetspeed(&t, B115200);
	t.c_cflag |= CLOCAL | CREAD;
	return tcsetattr(fd, TCSANOW, &t) == 0 ? fd : -1;
}

int main(void)
{
	int control, console;
	pid_t pid;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/tmp", 0777);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	console = open("/dev/console", O_RDWR);
	dup2(console, 1);
	dup2(console, 2);
	load_modules();
	control = control_port();
	if (control < 0) {
		perror("/dev/ttyS0");
		return 1;
	}
	pid = fork();
	if (pid == 0) {
		dup2(control, 0);
		dup2(control, 1);
		setenv("PATH", "/usr/bin:/bin", 1);
		setenv("TZ", "UTC", 1);
		execl("/notify_sms", "notify_sms", (char *)NULL);
		perror("/notify_sms");
		_exit(1);
	}
	while (wait(NULL) >= 0)
		;
	for (;;)
		pause();
}
