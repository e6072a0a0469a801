// Wi-Fi: searching for networks, sending name and password, waiting for the result.
import * as device from './device.js';
import {say} from './words.js';

const POLLS = 40, POLL_MS = 1000; // as the original page
const OTHER = '';
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const size = (text) => new TextEncoder().encode(text).length;

let $;

function note(text, kind = '') {
  $('wifi-note').textContent = text;
  $('wifi-note').className = `note ${kind}`;
}

function showName() {
  $('ssid-row').hidden = $('network').value !== OTHER;
}

function list(found) {
  const names = [...new Map(found.map((ap) => [ap.ssid, ap])).values()];
  const options = names.map((ap) => new Option(ap.auth_mode ? ap.ssid : say('open', {ssid: ap.ssid}), ap.ssid));
  $('network').replaceChildren(...options, new Option(say('other'), OTHER));
  showName();
}

async function search() {
  $('scan').disabled = true;
  note(say('searching'));
  try {
    const {aplist} = await device.scan();
    list(aplist);
    note(aplist.length ? say('found', {n: aplist.length}) : say('notFound'));
  } catch {
    list([]);
    note(say('scanFailed'), 'bad');
  }
  $('scan').disabled = false;
}

/** Says what is wrong at the field, and goes there. */
function wrong(id, key) {
  $(`${id}-note`).textContent = key ? say(key) : '';
  $(id).setAttribute('aria-invalid', Boolean(key));
  if (key) $(id).focus();
  return Boolean(key);
}

async function outcome() {
  for (let i = 0; i < POLLS; i++) {
    await pause(POLL_MS);
    const {state} = await device.station().catch(() => ({state: 0}));
    if (!state) continue;
    await device.fetched().catch(() => {});
    return state === 1 ? 'connected' : 'notConnected';
  }
  return 'noAnswer';
}

async function connect(event) {
  event.preventDefault();
  const ssid = $('network').value || $('ssid').value, password = $('password').value;
  if (wrong('ssid', !ssid ? 'needSsid' : size(ssid) > 32 ? 'longSsid' : '')) return;
  if (wrong('password', size(password) > 64 ? 'longPassword' : '')) return;
  $('connect').disabled = true;
  note(say('connecting', {ssid}));
  try {
    await device.setStation(ssid, password);
    const end = await outcome();
    note(say(end, {ssid}), end === 'connected' ? 'good' : 'bad');
  } catch (e) {
    note(e.status ? say('notNow') : say('unreachable'), 'bad');
  }
  $('connect').disabled = false;
}

function showPassword() {
  const shown = $('password').type === 'text';
  $('password').type = shown ? 'password' : 'text';
  $('show').textContent = say(shown ? 'show' : 'hide');
}

export function openWifi(byId) {
  $ = byId;
  list([]);
  $('network').addEventListener('change', showName);
  $('scan').addEventListener('click', search);
  $('wifi').addEventListener('submit', connect);
  $('show').addEventListener('click', showPassword);
}
