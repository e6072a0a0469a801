// Loaded before zigbee2mqtt: its tests stay on this machine.
globalThis.fetch = async (url) => {
    throw new Error(`${url}: not in a test`);
};
