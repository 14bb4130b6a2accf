// @ts-check
// Names of buyers and holders, which booking-service knows: read as far as the shown bookings need them.
import { get } from '../../core/api.js';

/** @import { List } from '../../types.js' */
/** @import { NamedBooking } from './shapes.js' */

const PAGE = 100;
/** Searching by name reads at most so many pages. */
const MOST_PAGES = 50;

/** The names of an event's bookings, newest booking first. @param {string} eventId */
export function namesOf(eventId) {
  /** @type {Map<string, NamedBooking>} */
  const known = new Map();
  /** @type {string | null} */
  let cursor = null;
  let pages = 0;
  let isWhole = false;

  /** @param {AbortSignal} [signal] */
  async function readPage(signal) {
    /** @type {List<NamedBooking>} */
    const page = await get('/bookings/attendees', { signal, query: { event_id: eventId, limit: PAGE, cursor } });
    for (const item of page.items) known.set(item.booking_id, item);
    cursor = page.next_cursor;
    pages += 1;
    isWhole = cursor === null;
    return page.items[page.items.length - 1]?.booking_id ?? '';
  }
  let last = '\uffff';
  /** Reads until these bookings are known, or have no names. @param {string[]} ids @param {AbortSignal} [signal] */
  async function reach(ids, signal) {
    // Ids rise with time: behind the last one that was read come only older ones.
    const oldest = ids.reduce((least, id) => (id < least ? id : least), '\uffff');
    while (!isWhole && pages < MOST_PAGES && last > oldest) last = await readPage(signal);
  }
  return {
    reach,
    /** Reads all of them; false: there are too many. @param {AbortSignal} [signal] */
    all: async (signal) => { await reach([''], signal); return isWhole; },
    /** @param {string} id */
    of: (id) => known.get(id) ?? null,
    /** Bookings of people with such a name. @param {string} text */
    matching: (text) => [...known.values()].filter(({ buyer_name: buyer, attendees }) =>
      [buyer ?? '', ...attendees.map(({ name }) => name)].some((name) => name.toLowerCase().includes(text.toLowerCase()))),
  };
}

/** Who holds a ticket of this type: the named holders, and the buyer. @param {NamedBooking | null} named @param {string} typeId */
export const holdersOf = (named, typeId) => ({
  buyer: named?.buyer_name ?? '', holders: (named?.attendees ?? []).filter((one) => one.ticket_type_id === typeId).map(({ name }) => name).join(', '),
});
