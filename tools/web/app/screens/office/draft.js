// @ts-check
// An event as the editor has it: texts that were typed, what is wrong with them, and what is sent.
import { Problem } from '../../core/api.js';
import { t } from '../../core/i18n.js';
import { parseAmount, parseCount, typedAmount } from './amounts.js';
import { deviceZone, toInstant, toInstants, toLocal } from './zone.js';

/** @import { Event as KarcisEvent, FieldError } from '../../types.js' */

/**
 * @typedef {object} DraftType
 * @property {string} key
 * @property {string | null} id null: not saved yet
 * @property {string} name
 * @property {string} price
 * @property {string} capacity
 * @property {string} max_per_booking
 * @property {string} sales_start
 * @property {string} sales_end
 * @property {boolean} closed
 * @property {number} taken seats that are held or sold
 */
/**
 * @typedef {object} Draft
 * @property {string} title
 * @property {string} venue
 * @property {string} description
 * @property {string} time_zone
 * @property {string} starts_at
 * @property {string} ends_at
 * @property {'start' | 'until' | 'never'} refund
 * @property {string} refundable_until
 * @property {string} max_per_buyer
 * @property {string} currency
 * @property {DraftType[]} types
 */

/** A past `refundable_until` means that nothing is refunded. */
const NEVER = '2000-01-01T00:00:00Z';
const DECADE_MS = 10 * 365 * 86_400_000;

/** @param {Partial<DraftType>} [of] @returns {DraftType} */
export const newType = (of = {}) => ({
  key: crypto.randomUUID(), id: null, name: '', price: '', capacity: '', max_per_booking: '10', sales_start: '', sales_end: '', closed: false, taken: 0, ...of,
});

/** @param {string | null | undefined} zone @returns {Draft} */
export const emptyDraft = (zone) => ({
  title: '', venue: '', description: '', time_zone: zone || deviceZone(), starts_at: '', ends_at: '', refund: 'start', refundable_until: '',
  max_per_buyer: '', currency: 'IDR', types: [newType({ key: 'first' })],
});

/** @param {KarcisEvent} event @returns {Draft['refund']} */
function refundOf(event) {
  const [until, starts] = [Date.parse(event.refundable_until), Date.parse(event.starts_at)];
  if (until === starts) return 'start';
  return until < starts - DECADE_MS ? 'never' : 'until';
}

/** @param {KarcisEvent} event @returns {Draft} */
export function draftOf(event) {
  const zone = event.time_zone;
  const local = (/** @type {string | null} */ at) => (at ? toLocal(at, zone) : '');
  const refund = refundOf(event);
  return {
    title: event.title, venue: event.venue, description: event.description ?? '', time_zone: zone,
    starts_at: local(event.starts_at), ends_at: local(event.ends_at),
    refund, refundable_until: refund === 'until' ? local(event.refundable_until) : '',
    max_per_buyer: event.max_per_buyer ? String(event.max_per_buyer) : '', currency: event.ticket_types[0].price.currency,
    types: event.ticket_types.map((type) => ({
      key: type.ticket_type_id, id: type.ticket_type_id, name: type.name, price: typedAmount(type.price), capacity: String(type.capacity),
      max_per_booking: String(type.max_per_booking), sales_start: local(type.sales_start),
      sales_end: type.sales_end === event.starts_at ? '' : local(type.sales_end), closed: type.closed, taken: type.capacity - type.available,
    })),
  };
}

/** Whether seats of it are held or sold. @param {Draft} draft */
export const isSold = (draft) => draft.types.some(({ taken }) => taken > 0);

/** What is wrong with a ticket type. @param {DraftType} type @param {Draft} draft @param {(field: string, key: string, values?: Record<string, any>) => void} add */
function checkType(type, draft, add) {
  if (!type.name.trim()) add('name', 'editor.need-name');
  if (parseAmount(type.price, draft.currency) === null) add('price.amount', 'editor.need-price');
  const capacity = parseCount(type.capacity);
  if (!capacity || capacity > 1_000_000) add('capacity', 'editor.need-capacity');
  else if (capacity < type.taken) add('capacity', 'editor.capacity-taken', { count: type.taken });
  const most = parseCount(type.max_per_booking);
  if (!most || most > 1000) add('max_per_booking', 'editor.need-most');
  const last = draft.ends_at || draft.starts_at;
  if (type.sales_end && last && type.sales_end > last) add('sales_end', 'editor.sales-end-late');
  else if (type.sales_start && (type.sales_end || draft.starts_at) && type.sales_start >= (type.sales_end || draft.starts_at)) add('sales_start', 'editor.sales-start-late');
}

/** What is wrong, at the fields' names in the API. @param {Draft} draft @returns {FieldError[]} */
export function errorsOf(draft) {
  /** @type {FieldError[]} */
  const errors = [];
  const add = (/** @type {string} */ field, /** @type {string} */ key, values = {}) => errors.push({ field, message: t(key, values) });
  if (!draft.title.trim()) add('title', 'editor.need-title');
  if (!draft.venue.trim()) add('venue', 'editor.need-venue');
  if (!draft.starts_at) add('starts_at', 'editor.need-start');
  if (draft.ends_at && draft.starts_at && draft.ends_at <= draft.starts_at) add('ends_at', 'editor.end-early');
  if (draft.refund === 'until' && !draft.refundable_until) add('refundable_until', 'editor.need-until');
  if (draft.refund === 'until' && draft.starts_at && draft.refundable_until > draft.starts_at) add('refundable_until', 'editor.until-late');
  if (draft.max_per_buyer && !parseCount(draft.max_per_buyer)) add('max_per_buyer', 'editor.need-number');
  for (const field of /** @type {const} */ (['starts_at', 'ends_at', 'refundable_until'])) {
    if (draft[field] && !toInstant(draft[field], draft.time_zone)) add(field, 'editor.no-such-hour');
  }
  draft.types.forEach((type, at) => {
    checkType(type, draft, (field, key, values) => add(`ticket_types[${at}].${field}`, key, values));
    const name = type.name.trim();
    if (name && draft.types.findIndex((other) => other.name.trim() === name) < at) add(`ticket_types[${at}].name`, 'editor.same-name');
  });
  return errors;
}

/** Throws what is wrong as the API would say it. @param {Draft} draft */
export function check(draft) {
  const errors = errorsOf(draft);
  if (errors.length) throw new Problem(422, { type: '/problems/invalid-input', errors });
}

/** Whether the clocks show this time twice. @param {string} local @param {string} zone */
export const isTwice = (local, zone) => toInstants(local, zone).length > 1;

/** @param {Draft} draft @param {string} local */
const instant = (draft, local) => (local ? toInstant(local, draft.time_zone) : null);

/** @param {Draft} draft */
function refundableUntil(draft) {
  if (draft.refund === 'never') return NEVER;
  return draft.refund === 'until' ? instant(draft, draft.refundable_until) : null;
}

/** @param {DraftType} type @param {Draft} draft */
const typeBody = (type, draft) => ({
  name: type.name.trim(), price: { amount: parseAmount(type.price, draft.currency), currency: draft.currency }, capacity: parseCount(type.capacity),
  max_per_booking: parseCount(type.max_per_booking), sales_start: instant(draft, type.sales_start), sales_end: instant(draft, type.sales_end),
});

/** What POST /event/create takes. @param {Draft} draft @param {'draft' | 'published'} status */
export const createBody = (draft, status) => ({ status, ...details(draft), ticket_types: draft.types.map((type) => typeBody(type, draft)) });

/** @param {Draft} draft */
const details = (draft) => ({
  title: draft.title.trim(), venue: draft.venue.trim(), description: draft.description.trim() || null, time_zone: draft.time_zone,
  starts_at: instant(draft, draft.starts_at), ends_at: instant(draft, draft.ends_at), refundable_until: refundableUntil(draft),
  max_per_buyer: parseCount(draft.max_per_buyer),
});

/**
 * What differs of two objects, of the second.
 * @param {Record<string, any>} before @param {Record<string, any>} after
 */
const difference = (before, after) =>
  Object.fromEntries(Object.entries(after).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])));

/**
 * What PUT /event/update takes: what was changed since `before` was read, so that nothing else of a newer version is lost.
 * All ticket types are listed once one of them changed: an error's index is then that of the form.
 * @param {string} id @param {number} version @param {Draft} before @param {Draft} draft
 */
export function updateBody(id, version, before, draft) {
  const types = draft.types.map((type) => {
    const old = before.types.find((one) => one.id === type.id);
    const body = { ...typeBody(type, draft), closed: type.closed };
    return type.id && old ? { ticket_type_id: type.id, ...difference({ ...typeBody(old, before), closed: old.closed }, body) } : body;
  });
  const isChanged = types.some((type) => Object.keys(type).length > 1);
  return { event_id: id, version, ...difference(details(before), details(draft)), ...(isChanged ? { ticket_types: types } : {}) };
}

/** Whether two drafts would be sent differently. @param {Draft} one @param {Draft} other */
export const isChanged = (one, other) => JSON.stringify(one) !== JSON.stringify(other);

/** What the fields differ in, as texts' keys. @param {Draft} before @param {Draft} after @returns {string[]} */
export function changedFields(before, after) {
  const fields = /** @type {(keyof Draft)[]} */ (Object.keys(difference(before, after)));
  return fields.map((field) => ({ refundable_until: 'editor.refund', refund: 'editor.refund', types: 'editor.tickets' })[/** @type {string} */ (field)] ?? `editor.${field}`);
}

/** The event as its page would show it. @param {Draft} draft @param {KarcisEvent | null} event @returns {KarcisEvent} */
export function previewOf(draft, event) {
  const now = new Date().toISOString();
  const starts = instant(draft, draft.starts_at) ?? now;
  return {
    event_id: event?.event_id ?? 'preview', version: 1, status: 'published', cancel_reason: null, title: draft.title.trim() || t('editor.untitled'),
    venue: draft.venue.trim() || '…', description: draft.description.trim() || null, starts_at: starts, ends_at: instant(draft, draft.ends_at),
    time_zone: draft.time_zone, refundable_until: refundableUntil(draft) ?? starts, refundable_after_start: false,
    organiser_id: event?.organiser_id ?? '', max_per_buyer: parseCount(draft.max_per_buyer), as_of: now,
    ticket_types: draft.types.map((type) => ({
      ticket_type_id: type.id ?? type.key, name: type.name.trim() || '…',
      price: { amount: parseAmount(type.price, draft.currency) ?? 0, currency: /** @type {any} */ (draft.currency) },
      capacity: parseCount(type.capacity) ?? 1, available: Math.max(0, (parseCount(type.capacity) ?? 1) - type.taken),
      max_per_booking: parseCount(type.max_per_booking) ?? 10, sales_start: instant(draft, type.sales_start),
      sales_end: instant(draft, type.sales_end) ?? starts, closed: type.closed,
    })),
  };
}
