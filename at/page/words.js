// The page in English and Chinese. English words of fixed places stand in index.html; {x} is filled in.

const english = {
  onChip: 'Version {version} on {chip}',
  unreachable: 'The device does not answer. Is it switched on, and this browser in its network?',
  firmware: 'Firmware', reading: 'Checking the file…',
  name: 'File', size: 'Size', project: 'Project', version: 'Version', built: 'Built', chip: 'Chip', digest: 'SHA-256',
  fits: 'The file is whole and fits this device.', ready: 'Ready to send.',
  empty: 'This file is empty.',
  notImage: 'This is not a firmware image. Firmware files end in .bin and come from the build of the project.',
  compressed: 'This is a compressed image. This device takes plain images (.bin).',
  wrongChip: 'This firmware is for {there}. This device is an {here}.',
  tooLarge: 'This file is too large: {size}. There is room for {room}.',
  truncated: 'This file is cut short: it has {have} of at least {need} bytes. Download or build it again.',
  damaged: 'This file is damaged: its checksum or digest does not fit. Download or build it again.',
  unreadable: 'The browser could not read this file.',
  sendingTo: 'Sending {size}', percentDone: '{percent} % sent', rate: '{rate}/s', left: '{time} left', seconds: '{n} s', minutes: '{n} min',
  checking: 'Sent. The device is checking it…',
  sentApp: 'Version {version} is in the device and starts with the next restart.',
  sentPart: '{name} has its new content.',
  cancelled: 'Cancelled. The device keeps what it had.',
  lost: 'The connection was lost. The device keeps running its firmware. Try again when it is back.',
  lostPart: 'The connection was lost. Send the file again when it is back.',
  busy: 'Another upload is under way. Try again in a moment.',
  refused: 'The device refused it: {why}', refusedPlain: 'The device refused it.',
  running: 'running', next: 'starts next', none: 'No firmware here', writing: 'being written', damagedSlot: 'Not a whole firmware',
  'state-new': 'new', 'state-pending': 'on trial', 'state-valid': 'confirmed', 'state-invalid': 'failed', 'state-aborted': 'gave up',
  slotSize: '{used} of {size}',
  askBack: 'Go back to {version}?', askBackText: 'The device checks the firmware in {label}, then restarts into it.', yesBack: 'Go back and restart',
  askRestart: 'Restart the device?', askRestartText: 'It is away for a few seconds. Its web server has to be started again by AT+WEBSERVER.', yesRestart: 'Restart',
  restarting: 'Restarting. Waiting for the device…',
  back: 'The device is back and runs {version}.',
  backOld: 'The device is back, but runs {version} as before: the new firmware did not start, and it went back.',
  notBack: 'The device has not come back yet. Start its web server again (AT+WEBSERVER), then reload this page.',
  searching: 'Searching…', found: 'Networks found: {n}', notFound: 'No networks found. Type the name.', scanFailed: 'The search failed. Type the name.',
  other: 'Another network…', open: '{ssid} (open)',
  needSsid: 'Enter the name of the network.', longSsid: 'At most 32 bytes.', longPassword: 'At most 64 bytes.',
  connecting: 'Connecting to {ssid}…', connected: 'Connected to {ssid}.', notConnected: 'Could not connect to {ssid}. Check name and password.',
  noAnswer: 'No result after 40 seconds. If the device changed the network, this page cannot reach it any more.',
  notNow: 'Not now: another attempt is under way, or the device is not an access point (AT+CWMODE=3).',
  show: 'Show', hide: 'Hide',
};

const chinese = {
  skip: '跳到升级', title: '您的设备', asking: '正在询问设备…', upgrade: '升级', target: '升级内容', choose: '选择文件',
  drop: '或将文件拖到此处。', checked: '发送前会先检查。', send: '升级', cancel: '取消', sending: '正在发送', again: '重试', restartNow: '立即重启',
  slots: '设备中的固件', rollback: '回退到另一版本', restart: '重启', wifi: 'Wi-Fi', network: '网络', scan: '搜索', ssid: '网络名称',
  password: '密码', show: '显示', hide: '隐藏', connect: '连接',
  onChip: '{chip}，版本 {version}',
  unreachable: '设备没有响应。设备是否已开机？浏览器是否在同一网络？',
  firmware: '固件', reading: '正在检查文件…',
  name: '文件', size: '大小', project: '工程', version: '版本', built: '编译时间', chip: '芯片', digest: 'SHA-256',
  fits: '文件完整，适用于本设备。', ready: '可以发送。',
  empty: '文件为空。', notImage: '这不是固件镜像。固件文件以 .bin 结尾，由工程编译生成。',
  compressed: '这是压缩镜像。本设备只接受普通镜像（.bin）。',
  wrongChip: '此固件适用于 {there}，而本设备是 {here}。', tooLarge: '文件过大：{size}，可用空间为 {room}。',
  truncated: '文件不完整：只有 {have} 字节，至少需要 {need} 字节。请重新下载或编译。',
  damaged: '文件已损坏：校验和或摘要不符。请重新下载或编译。', unreadable: '浏览器无法读取此文件。',
  sendingTo: '正在发送 {size}', percentDone: '已发送 {percent} %', rate: '{rate}/秒', left: '剩余 {time}', seconds: '{n} 秒', minutes: '{n} 分钟',
  checking: '已发送，设备正在检查…',
  sentApp: '版本 {version} 已写入设备，下次重启后运行。', sentPart: '{name} 的内容已更新。',
  cancelled: '已取消。设备保持原状。', lost: '连接中断。设备继续运行现有固件，恢复连接后请重试。', lostPart: '连接中断。恢复连接后请重新发送文件。',
  busy: '另一个上传正在进行，请稍后重试。', refused: '设备拒绝了它：{why}', refusedPlain: '设备拒绝了它。',
  running: '正在运行', next: '下次启动', none: '此处没有固件', writing: '正在写入', damagedSlot: '固件不完整',
  'state-new': '新', 'state-pending': '试运行', 'state-valid': '已确认', 'state-invalid': '失败', 'state-aborted': '已放弃',
  slotSize: '{used} / {size}',
  askBack: '回退到 {version}？', askBackText: '设备先检查 {label} 中的固件，然后重启并运行它。', yesBack: '回退并重启',
  askRestart: '重启设备？', askRestartText: '设备将离线几秒钟，之后需用 AT+WEBSERVER 重新启动网页服务。', yesRestart: '重启',
  restarting: '正在重启，等待设备…', back: '设备已恢复，正在运行 {version}。',
  backOld: '设备已恢复，但仍运行 {version}：新固件未能启动，已回退。',
  notBack: '设备尚未恢复。请重新启动网页服务（AT+WEBSERVER），然后刷新此页。',
  searching: '正在搜索…', found: '找到 {n} 个网络', notFound: '没有找到网络，请输入名称。', scanFailed: '搜索失败，请输入名称。',
  other: '其他网络…', open: '{ssid}（无密码）',
  needSsid: '请输入网络名称。', longSsid: '最多 32 字节。', longPassword: '最多 64 字节。',
  connecting: '正在连接 {ssid}…', connected: '已连接到 {ssid}。', notConnected: '无法连接到 {ssid}。请检查名称和密码。',
  noAnswer: '40 秒后仍无结果。如果设备切换了网络，本页将无法再访问它。',
  notNow: '现在不行：另一次连接正在进行，或设备不是接入点（AT+CWMODE=3）。',
};

const isChinese = /^zh\b/i.test(navigator.language || '');
const words = isChinese ? chinese : english;

/** A text with its values. */
export function say(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

/** Fixed places of the document. */
export function translate() {
  document.documentElement.lang = isChinese ? 'zh' : 'en';
  if (!isChinese) return;
  for (const e of document.querySelectorAll('[data-t]')) e.textContent = say(e.dataset.t);
}

const number = new Intl.NumberFormat(isChinese ? 'zh' : 'en', {maximumFractionDigits: 1});

export function bytes(n) {
  if (n < 1024) return `${n} B`;
  return n < 1024 * 1024 ? `${number.format(n / 1024)} KB` : `${number.format(n / 1024 / 1024)} MB`;
}

export function time(s) {
  return s < 90 ? say('seconds', {n: Math.max(1, Math.round(s))}) : say('minutes', {n: Math.round(s / 60)});
}
