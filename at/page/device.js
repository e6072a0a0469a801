// The device's endpoints.

const OURS = {'X-Requested-With': 'page', 'Content-Type': 'application/json'};
const PATIENCE = 5000;
// Without the user and password that may stand in the page's own address: requests may not carry them.
const whole = (path) => location.origin + path;

async function ask(path, options = {}) {
  const answer = await fetch(whole(path), {cache: 'no-store', signal: AbortSignal.timeout(options.patience || PATIENCE), ...options});
  const json = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(answer.headers.get('Reason') || ''), {status: answer.status});
  return json;
}

const post = (path, body = {}) => ask(path, {method: 'POST', headers: OURS, body: JSON.stringify(body)});

export const slots = () => ask('/getslots');
export const rollBack = () => post('/rollback');
export const restart = () => post('/restart');
export const scan = () => ask('/getaprecord', {patience: 15000});
export const station = () => ask('/getstainfo', {headers: {Object: 'none'}});
export const setStation = (ssid, password) => {
  const length = (text) => new TextEncoder().encode(text).length;
  return post('/setstainfo', {ssid_len: length(ssid), ssid, password_len: length(password), password});
};
export const fetched = () => ask('/getresult', {
  method: 'POST', headers: {'Content-Type': 'application/x-www-form-urlencoded'}, body: 'received=1',
});

const STALL_MS = 20000;
/**
 * Sends a blob. progress(sent, total). Gives {done: promise, cancel}. The promise fails with {kind: 'cancelled' | 'lost' |
 * 'busy' | 'refused', why}. A connection on which nothing moves for STALL_MS counts as lost.
 */
export function upload(object, content, progress) {
  const request = new XMLHttpRequest();
  let watch, stalled = false;
  const moved = () => {
    clearTimeout(watch);
    watch = setTimeout(() => { stalled = true; request.abort(); }, STALL_MS);
  };
  const done = new Promise((resolve, reject) => {
    const fail = (kind, why = '') => reject({kind, why});
    request.upload.onprogress = (e) => { moved(); progress(e.loaded, e.total); };
    request.onerror = () => fail('lost');
    request.onabort = () => fail(stalled ? 'lost' : 'cancelled');
    request.onload = () => {
      if (request.status === 200) resolve();
      else fail(request.status === 409 ? 'busy' : 'refused', request.getResponseHeader('Reason') || '');
    };
    request.onloadend = () => clearTimeout(watch);
  });
  request.open('POST', whole('/setotadata'));
  request.setRequestHeader('Object', object);
  request.setRequestHeader('Content-Type', 'application/octet-stream;charset=UTF-8');
  request.setRequestHeader('X-Requested-With', 'page');
  request.send(content);
  moved();
  return {done, cancel: () => request.abort()};
}
