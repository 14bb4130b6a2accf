// @ts-check
// Server-sent events over fetch, since EventSource cannot send a token. Reconnects with Last-Event-ID.
import { request } from './api.js';

/**
 * @typedef {object} WatchOptions
 * @property {number | string} [from] the version that is known already
 * @property {(data: any) => void} onData
 * @property {(connection: 'live' | 'waiting' | 'off') => void} [onConnection]
 */

/**
 * The next events of a buffer, and what is left of it.
 * @param {string} buffer
 * @returns {{ events: { id: string | null, data: string }[], rest: string }}
 */
export function parseEvents(buffer) {
  const blocks = buffer.replace(/\r\n?/g, '\n').split('\n\n');
  const rest = blocks.pop() ?? '';
  const events = [];
  for (const block of blocks) {
    let id = null;
    const data = [];
    for (const line of block.split('\n')) {
      const at = line.indexOf(':');
      const [field, value] = at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1).replace(/^ /, '')];
      if (field === 'id') id = value;
      if (field === 'data') data.push(value);
    }
    if (data.length) events.push({ id, data: data.join('\n') });
  }
  return { events, rest };
}

/** @param {number} ms @param {AbortSignal} signal */
const pause = (ms, signal) => new Promise((done) => {
  const timer = setTimeout(done, ms);
  // The network's return ends the wait.
  const now = () => { clearTimeout(timer); removeEventListener('online', now); done(undefined); };
  addEventListener('online', now);
  signal.addEventListener('abort', now);
});

/**
 * Follows a resource until the returned function is called, or the server says that it is gone.
 * @param {string} path @param {WatchOptions} options
 * @returns {() => void}
 */
export function watch(path, { from, onData, onConnection = () => {} }) {
  const abort = new AbortController();
  let last = from === undefined ? null : String(from);
  let failures = 0;

  async function readOnce() {
    /** @type {Record<string, string>} */
    const headers = { Accept: 'text/event-stream' };
    if (last !== null) headers['Last-Event-ID'] = last;
    const response = await request('GET', path, { headers, signal: abort.signal });
    if (response.status === 204 || response.status === 404 || response.status === 401) return false;
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
    onConnection('live');
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      failures = 0;
      const { events, rest } = parseEvents(buffer + value);
      buffer = rest;
      for (const event of events) {
        last = event.id ?? last;
        onData(JSON.parse(event.data));
      }
    }
  }

  async function run() {
    while (!abort.signal.aborted) {
      try {
        if (!(await readOnce())) break;
      } catch {
        if (abort.signal.aborted) break;
      }
      onConnection('waiting');
      failures += 1;
      const longest = Math.min(30_000, 500 * 2 ** failures);
      await pause(longest / 2 + (Math.random() * longest) / 2, abort.signal);
    }
    onConnection('off');
  }
  void run();
  return () => abort.abort();
}
