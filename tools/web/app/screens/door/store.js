// @ts-check
// What a door keeps on its device: the lists of its events, and what it has not reported yet. Sign-out deletes the
// lists, since who knows a ticket's code has the ticket; what is not reported stays until it is.

/** @typedef {{ code: string, ticket_type_id: string, name: string, state: 'valid' | 'used' | 'cancelled', checked_in_at: string | null, gate: string | null }} ListedTicket */
/** @typedef {{ event_id: string, title: string, venue: string, starts_at: string, time_zone: string, event_status: string, since: string | null, syncedAt: number | null, isWhole: boolean }} KeptEvent */
/**
 * A check-in that the servers have not answered yet, or that they answered otherwise than the door did.
 * @typedef {object} Report
 * @property {string} check_in_id
 * @property {string} event_id
 * @property {string} code
 * @property {string} name
 * @property {string | null} gate
 * @property {string} at
 * @property {boolean} isSent whether it was sent once, and its answer lost
 * @property {boolean} isUndone
 * @property {{ result: string, checked_in_at: string | null, gate: string | null } | null} conflict
 */

/** @type {Record<string, (database: IDBDatabase) => void>} */
const SHAPES = {
  'karcis-door': (database) => {
    database.createObjectStore('events', { keyPath: 'event_id' });
    database.createObjectStore('tickets', { keyPath: ['event_id', 'code'] });
  },
  'karcis-door-reports': (database) => { database.createObjectStore('reports', { keyPath: 'check_in_id' }); },
};

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const answered = (request) => new Promise((done, failed) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => failed(request.error);
});

/** @type {Map<string, Promise<IDBDatabase>>} */
const opened = new Map();

/** @param {string} name @returns {Promise<IDBDatabase>} */
function database(name) {
  const known = opened.get(name);
  if (known) return known;
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => SHAPES[name](request.result);
  const opening = answered(request).then((found) => {
    const forget = () => { found.close(); opened.delete(name); };
    found.onversionchange = forget;
    found.onclose = forget;
    return found;
  });
  opened.set(name, opening);
  opening.catch(() => opened.delete(name));
  return opening;
}

const LISTS = 'karcis-door';
const REPORTS = 'karcis-door-reports';

/**
 * One transaction; it has ended when this has.
 * @param {string} name @param {string[]} stores @param {(transaction: IDBTransaction) => void} write
 */
async function change(name, stores, write) {
  const transaction = (await database(name)).transaction(stores, 'readwrite');
  const ended = new Promise((done, failed) => {
    transaction.oncomplete = () => done(undefined);
    transaction.onabort = () => failed(transaction.error);
  });
  write(transaction);
  await ended;
}

/** @param {string} name @param {string} store @param {IDBKeyRange} [range] */
const all = async (name, store, range) => answered((await database(name)).transaction(store).objectStore(store).getAll(range));

/** The events whose lists are here. @returns {Promise<KeptEvent[]>} */
export const keptEvents = () => all(LISTS, 'events');

/** @param {string} id @returns {Promise<KeptEvent | null>} */
export async function keptEvent(id) {
  return (await keptEvents()).find(({ event_id }) => event_id === id) ?? null;
}

/** @param {string} id @returns {Promise<ListedTicket[]>} */
export const keptTickets = (id) => all(LISTS, 'tickets', IDBKeyRange.bound([id], [id, []]));

/** Keeps an event with what changed of its tickets, both or neither. @param {KeptEvent} event @param {ListedTicket[]} tickets */
export const keepList = (event, tickets) => change(LISTS, ['events', 'tickets'], (transaction) => {
  transaction.objectStore('events').put(event);
  for (const ticket of tickets) transaction.objectStore('tickets').put({ ...ticket, event_id: event.event_id });
});

/** @param {string} id @param {ListedTicket} ticket */
export const keepTicket = (id, ticket) => change(LISTS, ['tickets'], (transaction) => {
  transaction.objectStore('tickets').put({ ...ticket, event_id: id });
});

/** The oldest first. @returns {Promise<Report[]>} */
export const keptReports = async () => (await all(REPORTS, 'reports')).sort((a, b) => a.at.localeCompare(b.at));

/** @param {Report} report */
export const keepReport = (report) => change(REPORTS, ['reports'], (transaction) => {
  transaction.objectStore('reports').put(report);
});

/** @param {string} id */
export const dropReport = (id) => change(REPORTS, ['reports'], (transaction) => {
  transaction.objectStore('reports').delete(id);
});
