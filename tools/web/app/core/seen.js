// @ts-check
// Confirmed bookings that were seen stay on the device, for a door without a network. sw.js serves the rest.
import { get } from './api.js';

/** @import { Booking } from '../types.js' */

const SEEN = 'karcis-seen';
const SHELL = 'karcis-shell';

/** @param {string} id */
const pathOf = (id) => `/seen/${id}`;

/** When nothing else is to be done, or after three seconds; not every browser knows when. */
const idle = () => new Promise((done) => {
  if ('requestIdleCallback' in globalThis) requestIdleCallback(done, { timeout: 3_000 });
  else setTimeout(done, 1_000);
});

/** Keeps a booking, its QR codes and the app's own files; the page comes first. @param {Booking} booking */
export async function keepSeen(booking) {
  if (!('caches' in globalThis)) return;
  const seen = await caches.open(SEEN);
  await seen.put(pathOf(booking.booking_id), new Response(JSON.stringify(booking)));
  await idle();
  const codes = booking.tickets.map(({ qr }) => qr);
  await Promise.all(codes.map(async (code) => (await seen.match(code)) ?? seen.add(code)));
  await keepShell();
}

/** @param {string} id */
export async function dropSeen(id) {
  if ('caches' in globalThis) await (await caches.open(SEEN)).delete(pathOf(id));
}

/** @param {string} id @returns {Promise<Booking | null>} */
export async function readSeen(id) {
  if (!('caches' in globalThis)) return null;
  const kept = await caches.match(pathOf(id), { cacheName: SEEN });
  return kept ? kept.json() : null;
}

/** All that are kept, those that start soonest first. @returns {Promise<Booking[]>} */
export async function allSeen() {
  if (!('caches' in globalThis)) return [];
  const seen = await caches.open(SEEN);
  const keys = (await seen.keys()).filter(({ url }) => new URL(url).pathname.startsWith('/seen/'));
  const bookings = await Promise.all(keys.map(async (key) => (await seen.match(key))?.json()));
  return bookings.sort((a, b) => String(a.event.starts_at).localeCompare(b.event.starts_at));
}

/** The page and the modules that are loaded, of this release only. */
export async function keepShell() {
  await import('../screens/bookings.js');
  const base = new URL('..', import.meta.url).href;
  const loaded = performance.getEntriesByType('resource').map(({ name }) => name).filter((url) => url.startsWith(base));
  const shell = await caches.open(SHELL);
  for (const key of await shell.keys()) {
    if (new URL(key.url).pathname.startsWith('/a/') && !key.url.startsWith(base)) await shell.delete(key);
  }
  const missing = [];
  for (const url of new Set(loaded)) if (!(await shell.match(url))) missing.push(url);
  await shell.addAll(missing);
  await shell.add('/');
}

/**
 * A booking from the server, or the one kept on this device where there is no network.
 * @param {string} id @param {AbortSignal} signal
 * @returns {Promise<{ booking: Booking, isKept: boolean }>}
 */
export async function readBooking(id, signal) {
  try {
    return { booking: await get(`/bookings/${encodeURIComponent(id)}`, { signal }), isKept: false };
  } catch (error) {
    const kept = /** @type {any} */ (error).slug === 'offline' ? await readSeen(id) : null;
    if (!kept) throw error;
    return { booking: kept, isKept: true };
  }
}
