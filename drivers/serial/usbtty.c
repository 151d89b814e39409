/*
 * USB vendor, product and serial number to a tty, by sysfs. Called by serial.c at each open.
 */
#include "usbtty.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct wanted {
	char vid[5], pid[5];
	char serial[128]; /* "": any */
	char interface[3]; /* "": the lowest */
};

struct found {
	char name[256];
	char interface[8];
	size_t n; /* how many matched */
};

bool usbtty_is_spec(const char *device)
{
	return strncmp(device, "usb:", 4) == 0;
}

static bool hex_field(const char **p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++) {
		if (!isxdigit((unsigned char)(*p)[i]))
			return false;
		out[i] = (char)tolower((unsigned char)(*p)[i]);
	}
	out[n] = '\0';
	*p += n;
	return true;
}

static bool parse(const char *spec, struct wanted *w, char *why, size_t size)
{
	const char *p = spec + 4, *at = strrchr(spec, '@'), *end = at != NULL ? at : spec + strlen(spec);

	memset(w, 0, sizeof(*w));
	snprintf(why, size, "write usb:VID:PID[:SERIAL][@INTERFACE], such as usb:12d1:1506");
	if (!usbtty_is_spec(spec) || !hex_field(&p, 4, w->vid) || *p++ != ':' || !hex_field(&p, 4, w->pid))
		return false;
	if (p < end && *p == ':') {
		size_t n = (size_t)(end - ++p);

		if (n == 0 || n >= sizeof(w->serial))
			return false;
		memcpy(w->serial, p, n);
		p = end;
	}
	if (p != end)
		return false;
	if (at != NULL) {
		p = at + 1;
		if (!hex_field(&p, 2, w->interface) || *p != '\0')
			return false;
	}
	return true;
}

bool usbtty_check(const char *spec, char *why, size_t size)
{
	struct wanted w;

	return parse(spec, &w, why, size);
}

/* The first line of dir/name, "" when there is none. */
static void attribute(const char *dir, const char *name, char *out, size_t size)
{
	char path[PATH_MAX];
	FILE *f;

	out[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
	    (f = fopen(path, "re")) == NULL)
		return;
	if (fgets(out, (int)size, f) == NULL)
		out[0] = '\0';
	fclose(f);
	out[strcspn(out, "\n")] = '\0';
}

/* Walks from the tty's device up to the USB device that owns it. */
static bool matches(const char *sys, const char *tty, const struct wanted *w, char *interface, size_t size)
{
	char link[PATH_MAX], dir[PATH_MAX], value[128], *slash;

	if (snprintf(link, sizeof(link), "%s/class/tty/%s/device", sys, tty) >= (int)sizeof(link) ||
	    realpath(link, dir) == NULL)
		return false;
	interface[0] = '\0';
	for (; (slash = strrchr(dir, '/')) != NULL && slash != dir; *slash = '\0') {
		if (interface[0] == '\0')
			attribute(dir, "bInterfaceNumber", interface, size);
		attribute(dir, "idVendor", value, sizeof(value));
		if (value[0] == '\0')
			continue;
		if (strcasecmp(value, w->vid) != 0)
			return false;
		attribute(dir, "idProduct", value, sizeof(value));
		if (strcasecmp(value, w->pid) != 0)
			return false;
		attribute(dir, "serial", value, sizeof(value));
		return (w->serial[0] == '\0' || strcmp(value, w->serial) == 0) &&
		       (w->interface[0] == '\0' || strcasecmp(interface, w->interface) == 0);
	}
	return false;
}

static bool before(const char *interface, const char *name, const struct found *f)
{
	int c = strcasecmp(interface, f->interface);
	size_t a = strlen(name), b = strlen(f->name);

	return f->n == 0 || c < 0 || (c == 0 && (a < b || (a == b && strcmp(name, f->name) < 0)));
}

bool usbtty_find(const char *sys, const char *spec, char *out, size_t outsize, char *why, size_t size)
{
	struct wanted w;
	struct found f = {.n = 0};
	char path[PATH_MAX], interface[8];
	const struct dirent *e;
	DIR *d;

	if (!parse(spec, &w, why, size))
		return false;
	snprintf(path, sizeof(path), "%s/class/tty", sys);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof(f.name) ||
		    !matches(sys, e->d_name, &w, interface, sizeof(interface)))
			continue;
		if (before(interface, e->d_name, &f)) {
			snprintf(f.name, sizeof(f.name), "%s", e->d_name);
			snprintf(f.interface, sizeof(f.interface), "%s", interface);
		}
		f.n++;
	}
	if (d != NULL)
		closedir(d);
	if (f.n == 0) {
		snprintf(why, size, "no tty of a USB device %s is there (unplugged, or no driver)", spec + 4);
		return false;
	}
	snprintf(out, outsize, "/dev/%s", f.name);
	return true;
}

bool usbtty_device(const char *sys, const char *tty, char *out, size_t size)
{
	char link[PATH_MAX], dir[PATH_MAX], value[128], *slash;
	const char *name = strrchr(tty, '/');

	if (snprintf(link, sizeof(link), "%s/class/tty/%s/device", sys, name != NULL ? name + 1 : tty) >=
		(int)sizeof(link) ||
	    realpath(link, dir) == NULL)
		return false;
	for (; (slash = strrchr(dir, '/')) != NULL && slash != dir; *slash = '\0') {
		attribute(dir, "idVendor", value, sizeof(value));
		if (value[0] != '\0')
			return snprintf(out, size, "%s", slash + 1) < (int)size;
	}
	return false;
}
