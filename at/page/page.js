// What a person sees and does: choosing a file, sending it, the slots, restarting.
import * as device from './device.js';
import {Refusal, readImage, sha256} from './image.js';
import {bytes, say, time, translate} from './words.js';
import {openWifi} from './wifi.js';

const $ = (id) => document.getElementById(id);
const HEAR_EVERY = 25; // percent, for screen readers
const AWAY_LIMIT_S = 90;
const RETRY_S = 3; // until the device answers for the first time, or another person's upload is over

let known; // the last /getslots
let picked; // the file, whatever it is
let chosen; // {content, object, image} that was found good: what was checked is what is sent
let sending; // the upload under way
let again; // the timer of the next look at the slots
let choice = 0; // counts files chosen: a slow reading of an earlier one is forgotten

function note(element, text, kind = '') {
  element.textContent = text;
  element.className = `note ${kind}`;
}

// --- slots ---

function badge(text, kind = '') {
  const e = document.createElement('span');
  e.className = `badge ${kind}`;
  e.textContent = text;
  return e;
}

function pairs(list, rows) {
  list.replaceChildren();
  for (const [key, value] of rows) {
    if (!value) continue;
    const term = document.createElement('dt'), text = document.createElement('dd');
    term.textContent = say(key);
    if (key === 'digest') text.append(Object.assign(document.createElement('code'), {textContent: value}));
    else text.textContent = value;
    list.append(term, text);
  }
}

function slotCard(slot) {
  const card = document.createElement('li'), title = document.createElement('h3'), badges = document.createElement('div');
  const list = document.createElement('dl');
  const bad = slot.state === 'invalid' || slot.state === 'aborted' || slot.state === 'damaged';
  badges.className = 'badges';
  badges.append(badge(slot.label));
  if (slot.running) badges.append(badge(say('running'), 'on'));
  if (slot.boot && !slot.running) badges.append(badge(say('next'), 'next'));
  if (slot.version && slot.state !== 'undefined') badges.append(badge(say(`state-${slot.state}`), bad ? 'bad' : ''));
  card.classList.toggle('running', slot.running);
  title.textContent = slot.version
      || say(slot.state === 'writing' ? 'writing' : slot.state === 'empty' ? 'none' : 'damagedSlot');
  pairs(list, [
    ['project', slot.project], ['chip', slot.chip],
    ['size', slot.image_len ? say('slotSize', {used: bytes(slot.image_len), size: bytes(slot.size)}) : bytes(slot.size)],
    ['digest', slot.sha256],
  ]);
  card.append(badges, title, list);
  return card;
}

const running = () => known?.slots.find((s) => s.running);
const other = () => known?.slots.find((s) => s.label === known.other && s.version);

/** May a person go back? Not to what starts next anyway. */
const allowBack = () => { $('rollback').disabled = Boolean(sending) || !other() || other().boot; };

function showPartitions() {
  const before = $('partition').value;
  $('partition').replaceChildren(...known.partitions.map(({name}) => new Option(name === 'ota' ? say('firmware') : name, name)));
  if (known.partitions.some((p) => p.name === before)) $('partition').value = before;
  $('partition-row').hidden = known.partitions.length < 2;
}

/** The line under the title, heard only when it changes. */
function headline(text, kind) {
  if ($('subtitle').textContent !== text) $('subtitle').textContent = text;
  $('subtitle').className = kind;
}

async function showSlots() {
  try {
    known = await device.slots();
  } catch {
    headline(say('unreachable'), 'bad');
    return false;
  }
  const now = running();
  $('title').textContent = document.title = now?.project || known.chip;
  headline(say('onChip', {version: now?.version || '', chip: known.chip}), 'quiet');
  $('slots').replaceChildren(...known.slots.map(slotCard));
  allowBack();
  showPartitions();
  clearTimeout(again);
  if (known.upload && !sending) again = setTimeout(showSlots, RETRY_S * 1000);
  return true;
}

// --- choosing a file ---

async function look(file, object) {
  const room = known.partitions.find((p) => p.name === object).size;
  if (file.size === 0) throw new Refusal('empty');
  if (file.size > room) throw new Refusal('tooLarge', {size: bytes(file.size), room: bytes(room)});
  const content = new Uint8Array(await file.arrayBuffer().catch(() => { throw new Refusal('unreadable'); }));
  const image = object === 'ota' ? await readImage(content, {chip: known.chip, chipId: known.chip_id})
                                 : {sha256: await sha256(content)};
  return {content: new Blob([content]), object, image};
}

function unchoose() {
  chosen = undefined;
  $('send').disabled = true;
  $('details').hidden = true;
  note($('file-note'), '');
}

/** It was sent: nothing is left to do with it. */
function forget() {
  picked = undefined;
  $('file').value = '';
  unchoose();
}

async function choose() {
  const mine = ++choice, object = $('partition').value || 'ota';
  const file = picked = $('file').files[0] || picked;
  unchoose();
  $('result').hidden = true;
  if (!file || !(known || await showSlots())) return;
  note($('file-note'), say('reading'));
  try {
    const found = await look(file, object), {image} = found;
    if (mine !== choice) return;
    pairs($('details'), [
      ['name', file.name], ['size', `${bytes(file.size)} (${file.size})`], ['project', image.project], ['version', image.version],
      ['chip', image.chip], ['built', image.built], ['digest', image.sha256],
    ]);
    $('details').hidden = false;
    chosen = found;
    $('send').disabled = false;
    note($('file-note'), say(object === 'ota' ? 'fits' : 'ready'), 'good');
  } catch (why) {
    if (mine !== choice) return;
    note($('file-note'), why instanceof Refusal ? say(why.key, why.values) : say('unreadable'), 'bad');
  }
}

function openDrop() {
  const drop = $('drop');
  const over = (on) => (e) => { drop.classList.toggle('over', on && !sending); if (sending) e.preventDefault(); };
  drop.addEventListener('dragover', over(true));
  drop.addEventListener('dragleave', over(false));
  drop.addEventListener('drop', over(false));
  // A file that misses the field must not replace the page.
  for (const kind of ['dragover', 'drop']) {
    addEventListener(kind, (e) => { if (e.target !== $('file')) e.preventDefault(); });
  }
}

// --- sending it ---

function result(text, kind, buttons = []) {
  $('sending').hidden = true;
  $('result').className = `result ${kind}`;
  $('result-text').textContent = text;
  for (const id of ['again', 'restart-new']) $(id).hidden = !buttons.includes(id);
  $('result').hidden = false;
  $('result').focus();
}

function meter(total) {
  const began = performance.now();
  let heard = 0;
  return (sent) => {
    const s = (performance.now() - began) / 1000, percent = Math.floor(sent / total * 100);
    $('progress').value = sent / total * 100;
    $('percent').textContent = `${percent} %`;
    if (s > 0.5 && sent) {
      $('rate').textContent = say('rate', {rate: bytes(Math.round(sent / s))});
      $('left').textContent = say('left', {time: time((total - sent) / (sent / s))});
    }
    if (percent >= heard + HEAR_EVERY && percent < 100) {
      heard = percent - percent % HEAR_EVERY;
      $('heard').textContent = say('percentDone', {percent: heard});
    }
    if (sent === total) {
      $('rate').textContent = $('left').textContent = '';
      $('progress-label').textContent = $('heard').textContent = say('checking');
    }
  };
}

function setSending(on) {
  $('send').hidden = $('file').disabled = $('partition').disabled = on;
  $('cancel').hidden = $('sending').hidden = !on;
  $('restart').disabled = on;
  allowBack();
}

function failure({kind, why}, object) {
  if (kind === 'lost') return say(object === 'ota' ? 'lost' : 'lostPart');
  if (kind === 'refused') return why ? say('refused', {why}) : say('refusedPlain');
  return say(kind);
}

async function send() {
  const {content, object, image} = chosen;
  $('result').hidden = true;
  for (const id of ['rate', 'left', 'heard']) $(id).textContent = '';
  $('progress-label').textContent = say('sendingTo', {size: bytes(content.size)});
  const progress = meter(content.size);
  progress(0);
  sending = device.upload(object, content, progress);
  setSending(true);
  $('cancel').focus();
  $('sending').scrollIntoView({block: 'nearest'});
  const failed = await sending.done.then(() => undefined, (fault) => fault);
  sending = undefined;
  setSending(false);
  const reached = await showSlots();
  // The answer may have been lost, with everything else there.
  const arrived = failed?.kind === 'lost' && reached && object === 'ota' && other()?.boot && other().sha256 === image.sha256;
  if (failed && !arrived) {
    result(failure(failed, object), '', ['again']);
    return;
  }
  forget();
  if (object === 'ota') result(say('sentApp', {version: image.version}), 'good', ['restart-new']);
  else result(say('sentPart', {name: object}), 'good');
}

// --- restarting ---

async function confirmed(title, text, yes) {
  $('ask-title').textContent = title;
  $('ask-text').textContent = text;
  $('ask-yes').textContent = yes;
  const dialog = $('ask');
  dialog.returnValue = '';
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener('close', closed, {once: true}));
  return dialog.returnValue === 'yes';
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Until another start of the device answers; expected: the label of the slot that should run. */
async function waitForReturn(expected) {
  const before = known.start;
  for (let s = 0; s < AWAY_LIMIT_S; s++) {
    await pause(1000);
    const there = await device.slots().catch(() => undefined);
    if (!there || there.start === before) continue;
    await showSlots();
    const fine = running().label === expected;
    return note($('waiting'), say(fine ? 'back' : 'backOld', {version: running().version}), fine ? 'good' : 'bad');
  }
  return note($('waiting'), say('notBack'), 'bad');
}

async function restartNow() {
  const buttons = ['restart', 'rollback', 'send', 'restart-new'].map($), were = buttons.map((b) => b.disabled);
  buttons.forEach((b) => { b.disabled = true; });
  $('result').hidden = true;
  note($('waiting'), say('restarting'));
  $('waiting').focus(); // the button that was pressed is gone or disabled
  try {
    if (!await showSlots()) throw new Error();
    $('rollback').disabled = true;
    const expected = known.slots.find((s) => s.boot)?.label;
    await device.restart();
    await waitForReturn(expected);
  } catch (e) {
    note($('waiting'), e.message ? say('refused', {why: e.message}) : say('unreachable'), 'bad');
  }
  buttons.forEach((b, i) => { b.disabled = were[i]; });
  allowBack();
}

async function goBack() {
  const {label, version} = other();
  if (!await confirmed(say('askBack', {version}), say('askBackText', {label}), say('yesBack'))) return;
  try {
    await device.rollBack();
  } catch (e) {
    note($('waiting'), e.message ? say('refused', {why: e.message}) : say('unreachable'), 'bad');
    return;
  }
  await restartNow();
}

translate();
openDrop();
openWifi($);
// Choosing the same file again, built anew, must be a change.
$('file').addEventListener('click', () => { $('file').value = ''; });
$('file').addEventListener('change', choose);
$('partition').addEventListener('change', choose);
$('form').addEventListener('submit', (e) => { e.preventDefault(); if (chosen && !sending) send(); });
$('cancel').addEventListener('click', () => sending?.cancel());
$('again').addEventListener('click', () => send());
$('restart-new').addEventListener('click', restartNow);
$('rollback').addEventListener('click', goBack);
$('restart').addEventListener('click', async () => {
  if (await confirmed(say('askRestart'), say('askRestartText'), say('yesRestart'))) restartNow();
});
for (let s = 0; !await showSlots() && s < AWAY_LIMIT_S; s += RETRY_S) await pause(RETRY_S * 1000);
