# Unit tests are programs: tests/<folder>/test_<file>.c, linked with every
# library and cmocka. End-to-end tests are tests/e2e/test_*.py (pytest).
UNIT_SRCS := $(filter-out tests/support/%,$(wildcard tests/*/test_*.c))
UNIT_BINS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(UNIT_SRCS))
# An archive: a program takes what it uses, and may bring its own in place of a layer.
LIB_TEST := $(BUILD)/lib/libairlift-tests.a
$(LIB_TEST): $(call objs,$(wildcard tests/support/*.c)); $(archive)
.PHONY: unit-bins unit e2e test
unit-bins: $(UNIT_BINS)

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(LIB_TEST) $(LIB_ESP) $(LIB_CLI) $(LIB_SERVER) $(LIB_BASE)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIB_TEST) $(LIB_CLI) $(LIB_SERVER) $(LIB_ESP) $(LIB_BASE) -lcmocka $(LIBS)

unit: all ## run the unit tests
	@$(MAKE) --no-print-directory unit-bins
	@$(PYTHON) tests/run.py --build $(BUILD) --unit

e2e: all ## run the end-to-end tests
	@$(PYTHON) tests/run.py --build $(BUILD) --e2e

test: all ## build and run all tests
	@$(MAKE) --no-print-directory unit-bins
	@$(PYTHON) tests/run.py --build $(BUILD)

.PHONY: test-san
test-san: ## all tests again under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory BUILD=build-san SAN=1 CFLAGS='-O1 -g' test
