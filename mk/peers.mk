# Programs that nobody here wrote, for the tests named peer: zigbee-on-host and
# zigbee-herdsman from npm, and a node that is new enough for them (Debian 12 has 18);
# zigbee2mqtt and an MQTT broker. Tests that need them are skipped when they are not there.
PEERS := build/peers
ZIGBEE2MQTT := build/peers-zigbee2mqtt

.PHONY: peers-setup peers-setup-zigbee2mqtt test-peers
peers-setup: $(PEERS)/node_modules/.package-lock.json ## install the npm peers of the Zigbee tests into build/peers (200 MB, with a node)
peers-setup-zigbee2mqtt: $(ZIGBEE2MQTT)/node_modules/.package-lock.json ## install zigbee2mqtt (81 MB) and mosquitto for the longest of them
	@tools/setup.sh mk/packages-zigbee2mqtt.txt

# $(call npm_ci,package directory): installs exactly what its lock file says; npm trusts whom
# this machine trusts.
define npm_ci
	@command -v npm >/dev/null || tools/setup.sh mk/packages-peers.txt
	@mkdir -p $(@D)/..
	@cp $(1)/package.json $(1)/package-lock.json $(@D)/../
	$(call say,NPM,$(@D))
	$Qcd $(@D)/.. && NODE_EXTRA_CA_CERTS="$${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
endef
$(PEERS)/node_modules/.package-lock.json: tests/peers/package.json tests/peers/package-lock.json
	$(call npm_ci,tests/peers)
$(ZIGBEE2MQTT)/node_modules/.package-lock.json: $(wildcard tests/peers/zigbee2mqtt/package*.json)
	$(call npm_ci,tests/peers/zigbee2mqtt)

test-peers: all peers-setup peers-setup-zigbee2mqtt ## only the tests against npm peers
	@$(PYTHON) tests/run.py --build $(BUILD) --e2e -k peer
