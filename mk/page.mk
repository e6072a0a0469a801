# The device's page (at/page/), embedded into the library for firmware.
PAGE_FILES := $(sort $(wildcard at/page/*))
$(BUILD)/gen/web_page.c: tools/embed_page.py $(PAGE_FILES)
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$Q$(PYTHON) tools/embed_page.py $@ $(PAGE_FILES)
$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(STD) $(ALL_CFLAGS) -c -o $@ $<
$(LIB_ESP): $(BUILD)/obj/gen/web_page.o
