// @ts-check
// Wall-clock times of a time zone, as <input type="datetime-local"> has them, and back, through summer time too.

const DAY_MS = 86_400_000;

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {string} zone */
function formatOf(zone) {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit',
    });
    formats.set(zone, format);
  }
  return format;
}

/** What the clocks of a zone show, such as 2026-08-17T19:00. @param {string | number} at @param {string} zone */
export function toLocal(at, zone) {
  const parts = formatOf(zone).formatToParts(new Date(at));
  const { year, month, day, hour, minute } = /** @type {Record<string, string>} */ (
    Object.fromEntries(parts.map(({ type, value }) => [type, value])));
  return `${year.padStart(4, '0')}-${month}-${day}T${hour}:${minute}`;
}

/** How far the clocks of a zone are ahead of UTC at a moment, in ms. @param {number} at @param {string} zone */
const aheadAt = (at, zone) => Date.parse(`${toLocal(at, zone)}Z`) - Math.floor(at / 60_000) * 60_000;

/**
 * The moments at which the clocks of a zone show a time: none where they are put forward over it, two where they are
 * put back over it, else one.
 * @param {string} local @param {string} zone @returns {string[]} RFC 3339, the earlier first
 */
export function toInstants(local, zone) {
  const wall = Date.parse(`${local}Z`);
  if (Number.isNaN(wall)) return [];
  const moments = [-DAY_MS, DAY_MS].map((by) => wall - aheadAt(wall + by, zone));
  const fitting = [...new Set(moments)].filter((at) => toLocal(at, zone) === local.slice(0, 16));
  return fitting.sort((a, b) => a - b).map((at) => new Date(at).toISOString());
}

/** The moment of a wall-clock time, the first of two; null where there is none. @param {string} local @param {string} zone */
export const toInstant = (local, zone) => toInstants(local, zone)[0] ?? null;

const NEAR = ['Asia/Jakarta', 'Asia/Makassar', 'Asia/Jayapura', 'Asia/Singapore', 'Asia/Kuala_Lumpur', 'Asia/Tokyo'];

/** The zone of this device. */
export const deviceZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'Asia/Jakarta';

/** Zones to choose from: those of the neighbourhood, then all. @param {string} chosen @returns {{ near: string[], all: string[] }} */
export function zones(chosen) {
  const near = [...new Set([chosen, deviceZone(), ...NEAR])];
  return { near, all: Intl.supportedValuesOf('timeZone').filter((zone) => !near.includes(zone)) };
}

/** A zone as people read it: its place and its distance from UTC. @param {string} zone @param {string | number} at */
export function zoneName(zone, at = Date.now()) {
  const minutes = aheadAt(Date.parse(String(at)) || Date.now(), zone) / 60_000;
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const ahead = `UTC${minutes < 0 ? '−' : '+'}${hours}${rest ? `:${String(rest).padStart(2, '0')}` : ''}`;
  return `${zone.replaceAll('_', ' ')} (${ahead})`;
}
