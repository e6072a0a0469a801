# What `make install` puts where. The programs find idf/ and the libraries for firmware
# relative to themselves:
#
#   bin/airlift airliftd              lib/airlift/   libraries and their flags
#   include/airlift/{core,host}/      share/airlift/ idf/ esp-idf/ esp-zigbee/ esp-adf/ (the vendor's headers) at/
#   share/man/, bash completion, lib/pkgconfig/airlift.pc, lib/systemd/system/airliftd.service
INSTALL_DIRS = bin lib/airlift lib/pkgconfig lib/systemd/system include/airlift/core \
	include/airlift/host share/airlift share/man/man1 share/man/man8 share/bash-completion/completions
VERSION = $(shell sed -n 's/^\#define AIRLIFT_VERSION "\(.*\)"/\1/p' host/version.h)
TO = $(DESTDIR)$(PREFIX)
FILL_IN = sed 's|@PREFIX@|$(PREFIX)|g; s|@VERSION@|$(VERSION)|g'

.PHONY: install install-files uninstall
install: all ## install under PREFIX=/usr/local (DESTDIR= for packages)
	@$(MAKE) --no-print-directory install-files

# Only copies what was built.
install-files:
	install -d $(addprefix $(TO)/,$(INSTALL_DIRS))
	install -m 755 $(BUILD)/bin/airlift $(BUILD)/bin/airliftd $(TO)/bin
	install -m 644 $(LIB_BASE) $(LIB_ESP) $(BUILD)/lib/airlift-flags.cmake $(TO)/lib/airlift
	install -m 644 core/*.h $(TO)/include/airlift/core
	install -m 644 host/*.h $(TO)/include/airlift/host
	rm -rf $(addprefix $(TO)/share/airlift/,idf esp-idf esp-zigbee esp-adf)
	cp -R --no-preserve=ownership idf $(TO)/share/airlift/idf
	find $(TO)/share/airlift/idf -name __pycache__ -prune -exec rm -rf {} +
	install -d $(TO)/share/airlift/esp-idf
	cp -R --no-preserve=ownership esp/esp-idf/include $(TO)/share/airlift/esp-idf/include
	install -m 644 esp/esp-idf/*.h $(TO)/share/airlift/esp-idf
	install -d $(TO)/share/airlift/esp-zigbee $(TO)/share/airlift/esp-adf
	cp -R --no-preserve=ownership esp/esp-zigbee/include $(TO)/share/airlift/esp-zigbee/include
	cp -R --no-preserve=ownership esp/esp-adf/include $(TO)/share/airlift/esp-adf/include
	install -d $(TO)/share/airlift/at
	install -m 644 at/at.h $(TO)/share/airlift/at
	$(BUILD)/bin/airlift man $(TO)/share/man/man1
	$(PYTHON) tools/man_from_help.py $(BUILD)/bin/airliftd 'serves firmware to devices over HTTPS' \
	  > $(TO)/share/man/man8/airliftd.8
	$(BUILD)/bin/airlift completion bash > $(TO)/share/bash-completion/completions/airlift
	$(FILL_IN) packaging/airlift.pc.in > $(TO)/lib/pkgconfig/airlift.pc
	$(FILL_IN) packaging/airliftd.service > $(TO)/lib/systemd/system/airliftd.service

uninstall: ## remove what install put there
	rm -f $(TO)/bin/airlift $(TO)/bin/airliftd $(TO)/share/man/man1/airlift.1 \
	  $(TO)/share/man/man1/airlift-*.1 $(TO)/share/man/man8/airliftd.8 \
	  $(TO)/share/bash-completion/completions/airlift \
	  $(TO)/lib/pkgconfig/airlift.pc $(TO)/lib/systemd/system/airliftd.service
	rm -rf $(TO)/lib/airlift $(TO)/include/airlift $(TO)/share/airlift
