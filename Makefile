# Airlift. `make help` lists what can be made.
#
#   BUILD=dir   where everything goes        (build)
#   CC=clang    another compiler             (gcc)
#   SAN=1       with address and undefined-behaviour sanitizers
#   V=1         show the commands
BUILD ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
PYTHON ?= /usr/bin/python3
PREFIX ?= /usr/local

# All cores, unless -j says otherwise.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:

include mk/compile.mk
include mk/setup.mk
-include $(filter-out mk/compile.mk mk/setup.mk,$(sort $(wildcard mk/*.mk)))

.PHONY: all lib clean help
all: setup ## build the programs and libraries (default)
	@$(MAKE) --no-print-directory programs

clean: ## remove what was built
	rm -rf build build-*

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | sort -u | expand -t 22
	@sed -n '2,/^BUILD/s/^#   /  /p' Makefile
