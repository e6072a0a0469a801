# A real browser for the tests of the device's page; without it they are skipped and say so.
.PHONY: browser-setup
browser-setup: ## install Chromium for the tests of the device's page (300 MB)
	@tools/setup.sh mk/packages-browser.txt
