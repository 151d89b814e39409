# What people call: run, demo, check, bench, fuzz, soak, install. Included by the Makefile.

BINDIR := $(PREFIX)/bin
DOCDIR := $(PREFIX)/share/doc/monitord
UNITDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/lib/systemd/system,$(SYSCONFDIR)/systemd/system)
UDEVDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/lib/udev/rules.d,$(SYSCONFDIR)/udev/rules.d)
JOBS := $(shell nproc 2>/dev/null || echo 2)

.PHONY: help run demo check bench matrix fuzz soak install uninstall clean deps-test
help:
	@echo 'make            build everything into $(B)/'
	@echo 'make run        install what the build needs, build, watch this host (Ctrl-C stops)'
	@echo 'make demo       a private Postfix dies and comes back; the phone tells (about a minute)'
	@echo 'make check      install what the tests need, build, pass every test'
	@echo 'make unit       unit tests only        make e2e    end-to-end tests only'
	@echo 'make bench      the figures            make fuzz   long fuzzing (FUZZ_SECONDS=600)'
	@echo 'make check-serial   the SMS line on ttyS and ttyUSB of a real kernel, under QEMU'
	@echo 'make matrix     every fault of a line, times the process that holds the page, as a table (about 3 minutes)'
	@echo 'make soak       an hour of trouble (SOAK_MINUTES=60)'
	@echo 'sudo make install / uninstall          PREFIX=$(PREFIX) DESTDIR='

run: deps
	@$(MAKE) --no-print-directory -j$(JOBS) programs
	@exec $(B)/monitord-run

demo: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) programs
	@BUILD=$(B) test/servers $(PYTHON) test/demo.py

# test/check runs all of it, in the order in which a fault is cheapest to find
check: deps-test
	@MAKE='$(MAKE)' test/check

.PHONY: e2e
e2e: programs
	@BUILD=$(B) test/servers $(PYTHON) -m pytest -q -p no:cacheprovider test/e2e $(PYTEST_ARGS)

bench: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) programs
	@BUILD=$(B) test/servers $(PYTHON) test/bench/run

matrix: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) programs
	@BUILD=$(B) test/servers $(PYTHON) test/matrix/run $(MATRIX_ARGS)

FUZZ_SECONDS ?= 600
fuzz: deps-test
	@test/fuzz/run $(FUZZ_SECONDS)

# the SMS line on tty drivers of a real kernel, under QEMU; half a minute, not in CI
.PHONY: check-serial
check-serial: have-deps
	@dist/deps serial
	@$(MAKE) --no-print-directory -j$(JOBS) programs
	@$(PYTHON) test/serial/run $(B) build/kernel

SOAK_MINUTES ?= 60
soak: deps-test
	@$(MAKE) --no-print-directory -j$(JOBS) programs
	@BUILD=$(B) $(PYTHON) test/soak.py $(SOAK_MINUTES)

SUBST = sed -e 's|@BINDIR@|$(BINDIR)|g' -e 's|@LIBEXECDIR@|$(LIBEXECDIR)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' -e 's|@DOCDIR@|$(DOCDIR)|g'
UNITS := monitord.service monitord-pagerd.service monitord-prober-local.service monitord-policy.service monitord-modem-reset.socket monitord-modem-reset.service
BIN_PROGRAMS := monitord pagerd monitorctl monitord-run monitord-page notify-by-monitord
# definitions for other monitors, documentation
FRONTS := nagios/monitord.cfg icinga2/monitord.conf
LIBEXEC_PROGRAMS = monitord-peer monitord-policy prober simmodem modem-reset $(addprefix check_,$(CHECKS)) $(addprefix notify_,$(NOTIFIERS))

# An administrator's files are never overwritten: examples go to the documentation. Users, groups and the
# spool directory are made by systemd-sysusers and systemd-tmpfiles when this is a live system (no DESTDIR).
install: have-deps
	@$(MAKE) --no-print-directory -j$(JOBS) programs
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBEXECDIR)' '$(DESTDIR)$(DOCDIR)/conf.d' '$(DESTDIR)$(DOCDIR)/doc' '$(DESTDIR)$(UNITDIR)' \
		'$(DESTDIR)$(UDEVDIR)' '$(DESTDIR)$(SYSCONFDIR)/monitord/conf.d' '$(DESTDIR)$(PREFIX)/lib/sysusers.d' \
		'$(DESTDIR)$(PREFIX)/lib/tmpfiles.d'
	install -m 755 $(addprefix $(B)/,$(BIN_PROGRAMS)) '$(DESTDIR)$(BINDIR)'
	install -m 755 $(addprefix $(B)/,$(LIBEXEC_PROGRAMS)) '$(DESTDIR)$(LIBEXECDIR)'
	for a in $(ALIASES); do cp -P $(B)/$$a '$(DESTDIR)$(LIBEXECDIR)'/ || exit 1; done
	install -m 755 $(B)/prober '$(DESTDIR)$(BINDIR)/monitord-prober'
	install -m 644 README.md '$(DESTDIR)$(DOCDIR)'
	install -m 644 doc/*.md '$(DESTDIR)$(DOCDIR)/doc'
	install -m 644 conf.d/*.yaml '$(DESTDIR)$(DOCDIR)/conf.d'
	for u in $(UNITS); do $(SUBST) dist/systemd/$$u.in > '$(DESTDIR)$(UNITDIR)'/$$u && chmod 644 '$(DESTDIR)$(UNITDIR)'/$$u || exit 1; done
	install -d '$(DESTDIR)$(DOCDIR)/nagios' '$(DESTDIR)$(DOCDIR)/icinga2'
	for f in $(FRONTS); do $(SUBST) dist/$$f.in > '$(DESTDIR)$(DOCDIR)'/$$f && chmod 644 '$(DESTDIR)$(DOCDIR)'/$$f || exit 1; done
	install -m 644 dist/60-monitord-modem.rules '$(DESTDIR)$(UDEVDIR)'
	install -m 644 dist/sysusers.conf '$(DESTDIR)$(PREFIX)/lib/sysusers.d/monitord.conf'
	install -m 644 dist/tmpfiles.conf '$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/monitord.conf'
	@[ -n '$(DESTDIR)' ] || dist/post-install '$(PREFIX)' '$(SYSCONFDIR)' '$(DOCDIR)'

# On a remote host nothing else is needed (doc/remote.md).
.PHONY: install-prober
install-prober: have-deps
	@$(MAKE) --no-print-directory -j$(JOBS) $(B)/prober
	install -d '$(DESTDIR)$(BINDIR)'
	install -m 755 $(B)/prober '$(DESTDIR)$(BINDIR)/monitord-prober'

# Configuration, state, the spool and the users stay; they are named so that they can be removed by hand. Only what was
# installed is removed, file by file: a directory may be shared.
uninstall:
	@[ -n '$(DESTDIR)' ] || [ ! -d /run/systemd/system ] || systemctl disable --now $(UNITS) || :
	rm -f $(addprefix '$(DESTDIR)$(BINDIR)'/,$(BIN_PROGRAMS) monitord-prober) $(addprefix '$(DESTDIR)$(LIBEXECDIR)'/,$(LIBEXEC_PROGRAMS) $(ALIASES)) \
		$(addprefix '$(DESTDIR)$(UNITDIR)'/,$(UNITS)) '$(DESTDIR)$(UDEVDIR)/60-monitord-modem.rules' \
		'$(DESTDIR)$(PREFIX)/lib/sysusers.d/monitord.conf' '$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/monitord.conf' \
		$(addprefix '$(DESTDIR)$(DOCDIR)'/,README.md $(FRONTS) $(wildcard doc/*.md conf.d/*.yaml))
	-@rmdir '$(DESTDIR)$(DOCDIR)/nagios' '$(DESTDIR)$(DOCDIR)/icinga2' '$(DESTDIR)$(DOCDIR)/conf.d' '$(DESTDIR)$(DOCDIR)/doc' '$(DESTDIR)$(DOCDIR)' '$(DESTDIR)$(LIBEXECDIR)' 2>/dev/null || :
	@[ -n '$(DESTDIR)' ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload
	@echo 'left in place: $(SYSCONFDIR)/monitord /var/lib/monitord /var/lib/monitord-pagerd /var/spool/monitord'
	@echo '               and the users monitord, monitord-pager, monitord-prober'

clean:
	rm -rf $(B) build-asan build-clang build-tsan build-fuzz
