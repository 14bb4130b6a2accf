// @ts-check
// Calls the API of the same origin. Every failure is a `Problem`, an absent network too.
import { accessToken, renewSession } from './session.js';

/** @import { FieldError } from '../types.js' */

/** What went wrong, as RFC 9457 says it; slug `offline` where nothing answered. */
export class Problem extends Error {
  /** @param {number} status @param {Record<string, any>} body @param {number | null} retryAfterS */
  constructor(status, body, retryAfterS = null) {
    super(body.detail ?? body.title ?? `HTTP ${status}`);
    this.name = 'Problem';
    this.status = status;
    this.slug = String(body.type ?? '').split('/').pop() || (status ? `http-${status}` : 'offline');
    /** @type {FieldError[]} */
    this.errors = body.errors ?? [];
    this.retryAfterS = retryAfterS;
    /** @type {string | undefined} */
    this.traceId = body.trace_id;
    this.body = body;
  }

  /** Whether the same call may work later. */
  get isPassing() {
    return this.slug === 'offline' || this.status === 429 || this.status >= 500;
  }
}

let skew = 0;

/** The servers' time in ms; this device's clock may be wrong. */
export const serverNow = () => Date.now() + skew;

/** @param {Response} response */
function learnTime(response) {
  const date = Date.parse(response.headers.get('Date') ?? '');
  // The header has whole seconds: only a clock that is really wrong is corrected.
  if (Number.isFinite(date)) skew = Math.abs(date - Date.now()) > 2000 ? date - Date.now() : 0;
}

/** @param {Response} response @returns {Promise<Problem>} */
export async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  const after = Number(response.headers.get('Retry-After'));
  return new Problem(response.status, body, Number.isFinite(after) && after > 0 ? after : null);
}

/**
 * @typedef {object} CallOptions
 * @property {any} [body] sent as JSON
 * @property {Record<string, string | number | null | undefined>} [query]
 * @property {AbortSignal} [signal]
 * @property {string} [key] the Idempotency-Key
 * @property {number} [waitS] Prefer: wait=N
 * @property {Record<string, string>} [headers]
 * @property {boolean} [isPublic] sends no token
 */

/** @param {string} path @param {CallOptions['query']} query */
function withQuery(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return search ? `${path}?${search}` : path;
}

/** One request, without looking at its status. @param {string} method @param {string} path @param {CallOptions} options */
async function send(method, path, options) {
  /** @type {Record<string, string>} */
  const headers = { Accept: 'application/json', ...options.headers };
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (options.key) headers['Idempotency-Key'] = options.key;
  if (options.waitS) headers.Prefer = `wait=${options.waitS}`;
  if (accessToken.value && !options.isPublic) headers.Authorization = `Bearer ${accessToken.value}`;
  try {
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    const response = await fetch(withQuery(path, options.query), { method, headers, body, signal: options.signal });
    learnTime(response);
    return response;
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, { type: 'offline', title: String(error) });
  }
}

/**
 * The answer as it came; a 401 is tried once more with a new token.
 * @param {string} method @param {string} path @param {CallOptions} [options]
 */
export async function request(method, path, options = {}) {
  const response = await send(method, path, options);
  if (response.status !== 401 || options.isPublic || !accessToken.value) return response;
  return (await renewSession()) ? send(method, path, options) : response;
}

/**
 * The answer's JSON, null where it has none; anything but 2xx throws a Problem.
 * @param {string} method @param {string} path @param {CallOptions} [options]
 * @returns {Promise<any>}
 */
export async function call(method, path, options = {}) {
  const response = await request(method, path, options);
  if (!response.ok) throw await problemOf(response);
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

/** @param {string} path @param {CallOptions} [options] */
export const get = (path, options) => call('GET', path, options);
/** @param {string} path @param {any} [body] @param {CallOptions} [options] */
export const post = (path, body = {}, options) => call('POST', path, { ...options, body });
