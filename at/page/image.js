// What a firmware file says about itself, and whether it is whole. Formats: ESP-IDF's application image (header,
// segments, checksum, appended SHA-256) and its description. The browser's own SHA-256 is there on https pages only.

const CHIPS = {
  0: 'ESP32', 2: 'ESP32-S2', 5: 'ESP32-C3', 9: 'ESP32-S3', 12: 'ESP32-C2', 13: 'ESP32-C6', 16: 'ESP32-H2', 18: 'ESP32-P4',
  20: 'ESP32-C61', 23: 'ESP32-C5', 25: 'ESP32-H21', 28: 'ESP32-H4', 32: 'ESP32-S31',
};
const HEADER = 24, SEGMENT = 8, DESCRIPTION = 32, DESCRIPTION_LENGTH = 256, DIGEST = 32, MAX_SEGMENTS = 16;
const PIECE = 256 * 1024; // hashed at once; then the page may breathe

const K = new Uint32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
  0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
  0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
  0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
  0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
  0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2]);

function compress(state, bytes, at, w) {
  for (let i = 0; i < 16; i++, at += 4) w[i] = bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15], y = w[i - 2];
    const s0 = (x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3;
    const s1 = (y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1 | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const s1 = (e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7);
    const t1 = h + s1 + (e & f ^ ~e & g) + K[i] + w[i] | 0;
    const s0 = (a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10);
    const t2 = s0 + (a & b ^ a & c ^ b & c) | 0;
    h = g; g = f; f = e; e = d + t1 | 0; d = c; c = b; b = a; a = t1 + t2 | 0;
  }
  const add = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i++) state[i] = state[i] + add[i] | 0;
}

const breathe = () => new Promise((done) => setTimeout(done));
const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

/** SHA-256 of bytes, as hex. */
export async function sha256(bytes) {
  const state = new Int32Array([0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]);
  const w = new Int32Array(64), whole = bytes.length - bytes.length % 64;
  for (let at = 0; at < whole; at += 64) {
    if (at % PIECE === 0) await breathe();
    compress(state, bytes, at, w);
  }
  const rest = bytes.length - whole, last = new Uint8Array(rest < 56 ? 64 : 128);
  last.set(bytes.subarray(whole));
  last[rest] = 0x80;
  const view = new DataView(last.buffer);
  view.setUint32(last.length - 8, Math.floor(bytes.length / 0x20000000));
  view.setUint32(last.length - 4, bytes.length * 8 >>> 0);
  for (let at = 0; at < last.length; at += 64) compress(state, last, at, w);
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => out.setInt32(i * 4, word));
  return hex(new Uint8Array(out.buffer));
}

function text(bytes, at, length) {
  const field = bytes.subarray(at, at + length), end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** Why an image is refused: a key of words.js and its values. */
export class Refusal extends Error {
  constructor(key, values = {}) {
    super(key);
    Object.assign(this, {key, values});
  }
}

/** Positions in an image: {end of segments' data, checksum, length}. */
function layout(bytes, view) {
  const count = bytes[1], short = (need) => new Refusal('truncated', {have: bytes.length, need});
  if (count === 0 || count > MAX_SEGMENTS) throw new Refusal('damaged');
  let at = HEADER;
  for (let i = 0; i < count; i++) {
    if (at + SEGMENT > bytes.length) throw short(at + SEGMENT);
    const length = view.getUint32(at + 4, true);
    if (length % 4 || length > 0x1000000) throw new Refusal('damaged');
    at += SEGMENT + length;
    if (at > bytes.length) throw short(at);
  }
  const checksum = at | 15, length = checksum + 1 + (bytes[23] ? DIGEST : 0);
  if (length > bytes.length) throw short(length);
  return {checksum, length};
}

function segmentsXor(bytes, view) {
  let at = HEADER, sum = 0xef;
  for (let i = 0; i < bytes[1]; i++) {
    const end = at + SEGMENT + view.getUint32(at + 4, true);
    for (at += SEGMENT; at < end; at++) sum ^= bytes[at];
  }
  return sum;
}

/**
 * Reads and checks an application image. device: {chip, chipId}. Gives {chip, project, version, built, idf, sha256, length};
 * sha256: the appended digest, or that of the file when it has none. Throws a Refusal.
 */
export async function readImage(bytes, device) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (text(bytes, 0, 3) === 'ESP') throw new Refusal('compressed');
  if (bytes[0] !== 0xe9) throw new Refusal('notImage');
  if (bytes.length < DESCRIPTION + DESCRIPTION_LENGTH) throw new Refusal('truncated', {have: bytes.length, need: DESCRIPTION + DESCRIPTION_LENGTH});
  const id = view.getUint16(12, true), chip = CHIPS[id] || `#${id}`;
  if (id !== device.chipId) throw new Refusal('wrongChip', {there: chip, here: device.chip});
  const {checksum, length} = layout(bytes, view);
  if (segmentsXor(bytes, view) !== bytes[checksum]) throw new Refusal('damaged');
  const digest = await sha256(bytes.subarray(0, bytes[23] ? checksum + 1 : bytes.length));
  if (bytes[23] && digest !== hex(bytes.subarray(checksum + 1, length))) throw new Refusal('damaged');
  const described = view.getUint32(DESCRIPTION, true) === 0xabcd5432;
  const field = (at, n) => described ? text(bytes, DESCRIPTION + at, n) : '';
  return {
    chip, length, sha256: digest, version: field(16, 32), project: field(48, 32),
    built: `${field(96, 16)} ${field(80, 16)}`.trim(), idf: field(112, 32),
  };
}
