# make lint: what reviewers should not have to look for.
LINT_SRCS = $(shell git ls-files -co --exclude-standard 'core/*.c' 'zigbee/*.c' 'host/*.c' 'radio/*.c' \
              'net/*.c' 'device/*.c' 'esp/*.c' 'at/*.c' 'server/*.c' 'cli/*.c' 'tests/*.c' 'bench/*.c' ':!bench/firmware')
FORMAT_SRCS = $(shell git ls-files -co --exclude-standard '*.c' '*.h')
LINT_BUILD := build-lint

.PHONY: lint lint-setup lint-house lint-format lint-bare lint-clang lint-cppcheck lint-tidy
lint: setup lint-setup ## formatting, house order, warnings of two compilers, cppcheck, clang-tidy
	@$(MAKE) --no-print-directory lint-house lint-format lint-bare lint-clang
	@$(MAKE) --no-print-directory lint-cppcheck lint-tidy
	@echo "lint: clean"

lint-setup:
	@tools/setup.sh mk/packages-lint.txt

lint-house:
	@$(PYTHON) tools/lint/house.py

lint-format:
	@clang-format --dry-run -Werror $(FORMAT_SRCS)

lint-bare:
	@$(MAKE) -s --no-print-directory BUILD=$(LINT_BUILD) $(patsubst %.c,$(LINT_BUILD)/obj/%.o,$(call srcs,$(CORE_DIRS)))
	@tools/lint/bare.sh $(patsubst %.c,$(LINT_BUILD)/obj/%.o,$(call srcs,$(CORE_DIRS)))

# Every source through clang with warnings as errors; gcc does the same in the build.
lint-clang:
	@$(MAKE) -s --no-print-directory BUILD=$(LINT_BUILD)-clang CC=clang CFLAGS=-O1 lint-objects
lint-objects: $(call objs,$(filter-out tests/fuzz/%,$(wildcard $(LINT_SRCS))))

lint-cppcheck:
	@cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability,performance \
	  --inline-suppr --suppressions-list=tools/lint/cppcheck.txt --library=posix -j2 -I. \
	  $(filter-out tests/% esp/% bench/%,$(LINT_SRCS))

TIDY_SRCS = $(filter-out tests/% bench/%,$(LINT_SRCS))
lint-tidy: $(patsubst %.c,$(LINT_BUILD)/tidy/%.ok,$(TIDY_SRCS))
$(LINT_BUILD)/tidy/%.ok: %.c .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet --warnings-as-errors='*' $< -- -std=gnu17 -D_GNU_SOURCE -I. $(if $(filter esp/% at/%,$<),$(ESP_INCLUDES)) > $@.log 2>/dev/null \
	  || { cat $@.log; exit 1; }
	@touch $@
