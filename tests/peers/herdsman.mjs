// zigbee-herdsman's Controller (zigbee2mqtt's heart) on a radio co-processor over TCP.
//
//   node herdsman.mjs '{"port": 9999, "dir": "/tmp/x", "channel": 15, "panId": 6754}'
//
// AIRLIFT_PEERS names the directory that holds node_modules; dir keeps database and network
// state, so that a second run resumes. Events are JSON lines on stdout:
//   started, deviceJoined, deviceInterview, deviceAnnounce, deviceLeave, message,
//   permitJoinChanged, adapterDisconnected, progress, log, done, failed, stopped
// Commands are JSON lines on stdin, each answered by done or failed with its "do":
//   {"do": "permit", "seconds": 60}
//   {"do": "devices"}
//   {"do": "read", "device": "0x744d...", "cluster": "genBasic", "attributes": ["modelId"]}
//   {"do": "ota", "device": "0x744d...", "file": "/tmp/image.ota", "downgrade": false, "blockSize": 50}
//   {"do": "abort", "device": "0x744d..."}
//   {"do": "quit"}
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.env.AIRLIFT_PEERS}/`);
const { Controller, setLogger } = require("zigbee-herdsman");

const plain = (_, v) => (typeof v === "bigint" ? `0x${v.toString(16).padStart(16, "0")}` : v);
const say = (event, fields = {}) => console.log(JSON.stringify({ event, ...fields }, plain));
const trouble = (level) => (text, namespace) => say("log", { level, text: typeof text === "function" ? text() : text, namespace });
setLogger({ debug: () => {}, info: () => {}, warning: trouble("warning"), error: trouble("error") });

const describe = (device) => ({
    ieeeAddr: device.ieeeAddr,
    networkAddress: device.networkAddress,
    type: device.type,
    manufacturerName: device.manufacturerName,
    modelID: device.modelID,
    interview: device.interviewState,
    endpoints: device.endpoints.map((e) => ({
        id: e.ID,
        profile: e.profileID,
        inputClusters: e.inputClusters,
        outputClusters: e.outputClusters,
    })),
});

const options = JSON.parse(process.argv[2]);
const controller = new Controller({
    network: {
        panID: options.panId ?? 0x1a62,
        extendedPanID: [0x74, 0x4d, 0xbd, 0xff, 0xfe, 0x63, 0x78, 0x8a],
        channelList: [options.channel ?? 15],
        networkKey: [...Buffer.from("a1b2c3d4e5f60718293a4b5c6d7e8f90", "hex")],
        networkKeyDistribute: false,
    },
    serialPort: { adapter: "zoh", path: options.path ?? `tcp://127.0.0.1:${options.port}` },
    databasePath: `${options.dir}/database.db`,
    databaseBackupPath: `${options.dir}/database.db.backup`,
    backupPath: `${options.dir}/coordinator_backup.json`,
    adapter: { disableLED: true },
    acceptJoiningDeviceHandler: async () => true,
});
for (const event of ["deviceJoined", "deviceAnnounce"])
    controller.on(event, ({ device }) => say(event, { device: describe(device) }));
controller.on("deviceInterview", ({ device, status }) => say("deviceInterview", { status, device: describe(device) }));
controller.on("deviceLeave", ({ ieeeAddr }) => say("deviceLeave", { ieeeAddr }));
controller.on("permitJoinChanged", (data) => say("permitJoinChanged", data));
controller.on("adapterDisconnected", () => say("adapterDisconnected"));
controller.on("message", ({ type, device, endpoint, cluster, data }) =>
    say("message", { type, ieeeAddr: device.ieeeAddr, endpoint: endpoint.ID, cluster, data }),
);

const deviceOf = ({ device }) => {
    const found = controller.getDeviceByIeeeAddr(device);
    if (!found) throw new Error(`no device ${device}`);
    return found;
};
const ota = async (command) => {
    const onProgress = (percent, remaining) => say("progress", { ieeeAddr: command.device, percent, remaining });
    const [from, to] = await deviceOf(command).updateOta(
        { url: command.file, downgrade: command.downgrade ?? false },
        undefined,
        undefined,
        {},
        onProgress,
        { requestTimeout: 10000, responseDelay: 0, baseSize: command.blockSize ?? 50 },
    );
    return { from, to };
};
const read = async (command) => {
    const endpoint = deviceOf(command).endpoints.find((e) => e.supportsInputCluster(command.cluster));
    return { values: await endpoint.read(command.cluster, command.attributes) };
};
const commands = {
    permit: async ({ seconds }) => controller.permitJoin(seconds ?? 60),
    devices: async () => ({ devices: controller.getDevices().map(describe) }),
    read,
    ota,
    abort: async (command) => deviceOf(command).abortOta(),
};

let stopping = false;
const quit = async () => {
    if (stopping) return;
    stopping = true;
    await controller.stop();
    say("stopped");
    process.exit(0);
};

const result = await controller.start();
const network = await controller.getNetworkParameters();
say("started", { result, network, coordinator: await controller.getCoordinatorVersion() });
createInterface({ input: process.stdin })
    .on("line", async (line) => {
        const command = JSON.parse(line);
        if (command.do === "quit") return quit();
        try {
            say("done", { do: command.do, ...(await commands[command.do](command)) });
        } catch (error) {
            say("failed", { do: command.do, message: `${error.message ?? error}` });
        }
    })
    .on("close", quit);
