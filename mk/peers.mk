# Programs that nobody here wrote, for the tests named peer: zigbee-on-host and
# zigbee-herdsman from npm, and a node that is new enough for them (Debian 12 has 18).
# Tests that need them are skipped when they are not there.
PEERS := build/peers
PEERS_DONE := $(PEERS)/node_modules/.package-lock.json

.PHONY: peers-setup test-peers
peers-setup: $(PEERS_DONE) ## install the npm peers of the Zigbee tests into build/peers
$(PEERS_DONE): tests/peers/package.json tests/peers/package-lock.json
	@command -v npm >/dev/null || tools/setup.sh mk/packages-peers.txt
	@mkdir -p $(PEERS)
	@cp tests/peers/package.json tests/peers/package-lock.json $(PEERS)/
	$(call say,NPM,$(PEERS))
	$Qcd $(PEERS) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

test-peers: all peers-setup ## only the tests against npm peers
	@$(PYTHON) tests/run.py --build $(BUILD) --e2e -k peer
