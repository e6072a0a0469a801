# Packages of Debian 12 that the project builds and tests with.
.PHONY: setup
setup: ## install the Debian packages that are missing (asks for sudo only then)
	@tools/setup.sh mk/packages.txt
