// zigbee-on-host as a coordinator on a radio co-processor over TCP.
//
//   node coordinator.mjs '{"port": 9999, "dir": "/tmp/x", "channel": 15, "panId": 6754}'
//
// AIRLIFT_PEERS names the directory that holds node_modules. Events are JSON lines on
// stdout: {"event": "formed", ...}. Commands are JSON lines on stdin:
//   {"do": "permit", "seconds": 60}   {"do": "quit"}
import { createRequire } from "node:module";
import { connect } from "node:net";
import { createInterface } from "node:readline";

const require = createRequire(`${process.env.AIRLIFT_PEERS}/`);
const { OTRCPDriver } = require("zigbee-on-host");
const { setLogger } = require("zigbee-on-host/dist/utils/logger");

const say = (event, fields = {}) =>
    console.log(JSON.stringify({ event, ...fields }, (_, v) => (typeof v === "bigint" ? `0x${v.toString(16).padStart(16, "0")}` : v)));
const trouble = (level) => (text) => say("log", { level, text: typeof text === "function" ? text() : text });
setLogger({ debug: () => {}, info: () => {}, warning: trouble("warning"), error: trouble("error") });

const options = JSON.parse(process.argv[2]);
const channel = options.channel ?? 15;
const network = {
    eui64: 0x744dbdfffe63788an,
    panId: options.panId ?? 0x1a62,
    extendedPanId: 0x744dbdfffe63788an,
    channel,
    nwkUpdateId: 0,
    txPower: 5,
    tcKey: Buffer.from("ZigBeeAlliance09"),
    tcKeyFrameCounter: 0,
    networkKey: Buffer.from("a1b2c3d4e5f60718293a4b5c6d7e8f90", "hex"),
    networkKeyFrameCounter: 0,
    networkKeySequenceNumber: 0,
};
const callbacks = {
    onFatalError: (message) => {
        say("fatal", { message });
        process.exitCode = 1;
    },
    onMACFrame: () => {},
    onFrame: (sender16, sender64, _aps, payload) => say("frame", { sender16, sender64, payload: payload.toString("hex") }),
    onGPFrame: () => {},
    onDeviceJoined: (source16, source64) => say("joined", { source16, source64 }),
    onDeviceRejoined: (source16, source64) => say("rejoined", { source16, source64 }),
    onDeviceLeft: (source16, source64) => say("left", { source16, source64 }),
    onDeviceAuthorized: (source16, source64) => say("authorized", { source16, source64 }),
};
const transmission = {
    txChannel: channel,
    ccaBackoffAttempts: 4,
    ccaRetries: 3,
    enableCSMACA: true,
    headerUpdated: true,
    reTx: false,
    securityProcessed: true,
    txDelay: 0,
    txDelayBaseTime: 0,
    rxChannelAfterTxDone: channel,
};

const driver = new OTRCPDriver(callbacks, transmission, network, options.dir);
const socket = connect(options.port, "127.0.0.1");
socket.setNoDelay(true);
socket.on("error", (error) => {
    say("fatal", { message: `${error}` });
    process.exit(1);
});
await new Promise((resolve) => socket.once("connect", resolve));
driver.writer.pipe(socket);
socket.pipe(driver.parser);
driver.parser.on("data", (frame) => driver.onFrame(frame));

await driver.start();
await driver.formNetwork();
say("formed", { version: driver.ncpVersion, api: driver.rcpAPIVersion, panId: driver.context.netParams.panId });

let stopping = false;
const commands = {
    permit: ({ seconds }) => driver.context.allowJoins(seconds ?? 60, true),
    quit: async () => {
        if (stopping) return;
        stopping = true;
        await driver.stop();
        socket.destroy();
        say("stopped");
        process.exit(process.exitCode ?? 0);
    },
};
createInterface({ input: process.stdin })
    .on("line", async (line) => {
        const command = JSON.parse(line);
        await commands[command.do](command);
        say("done", { do: command.do });
    })
    .on("close", () => commands.quit());
