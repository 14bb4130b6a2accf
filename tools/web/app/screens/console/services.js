// @ts-check
// Asks several services for the same list: one that does not answer hides nothing of the others.
import { get } from '../../core/api.js';

/** @import { Problem } from '../../core/api.js' */

export const ALL = ['user', 'event', 'booking', 'payment'];
export const WITH_DIFFERENCES = ['event', 'booking', 'payment'];

/** @typedef {{ service: string, items: any[], next: string | null, problem: Problem | null }} Part */

/**
 * The first page of a list of each service.
 * @param {string[]} services @param {string} list such as `dead-letters`
 * @param {Record<string, string | number | boolean | undefined>} query @param {AbortSignal} signal
 * @returns {Promise<Part[]>}
 */
export const askAll = (services, list, query, signal) => Promise.all(services.map(async (service) => {
  try {
    const page = await get(`/ops/${service}/${list}`, { query: /** @type {any} */ ({ limit: 100, ...query }), signal });
    return { service, items: page.items, next: page.next_cursor, problem: null };
  } catch (problem) {
    if (signal.aborted) throw problem;
    return { service, items: [], next: null, problem: /** @type {Problem} */ (problem) };
  }
}));

/** Null where there is nothing (404). @param {string} path @param {AbortSignal} signal */
export const find = (path, signal) => get(path, { signal }).catch((problem) => {
  if (problem.slug === 'not-found') return null;
  throw problem;
});

/** A duration in words that one compares at a glance: "3 min". @param {number} seconds @param {string} locale */
export function age(seconds, locale) {
  /** @type {[string, number][]} */
  const units = [['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];
  const [unit, length] = units.find(([, least]) => seconds >= least) ?? units[3];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(Math.floor(seconds / length));
}
