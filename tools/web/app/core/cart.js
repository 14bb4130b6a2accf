// @ts-check
// What a person chose of an event, kept in this tab with the keys that make each step happen once.

/** @import { Money } from '../types.js' */

/**
 * @typedef {object} Cart
 * @property {string} event_id
 * @property {{ ticket_type_id: string, name: string, quantity: number, unit_price: Money }[]} items
 * @property {{ ticket_type_id: string, name: string }[]} attendees who uses the tickets, as far as that was said
 * @property {Money} total
 * @property {string} key the Idempotency-Key of the booking
 * @property {string | null} booking_id once it was created
 */

/** @param {string} eventId */
const name = (eventId) => `karcis.cart.${eventId}`;

/** @param {string} eventId @returns {Cart | null} */
export function readCart(eventId) {
  try {
    return JSON.parse(sessionStorage.getItem(name(eventId)) ?? 'null');
  } catch {
    return null;
  }
}

/** @param {Cart} cart @returns {Cart} */
export function saveCart(cart) {
  sessionStorage.setItem(name(cart.event_id), JSON.stringify(cart));
  return cart;
}

/** @param {string} eventId */
export const dropCart = (eventId) => sessionStorage.removeItem(name(eventId));

/**
 * The cart of a choice: the one that is kept if it is the same choice, or a new one with a new key.
 * @param {string} eventId @param {Pick<Cart, 'items' | 'attendees' | 'total'>} choice
 */
export function cartOf(eventId, { items, attendees, total }) {
  const before = readCart(eventId);
  if (before && JSON.stringify([before.items, before.attendees, before.total]) === JSON.stringify([items, attendees, total])) return before;
  return saveCart({ event_id: eventId, items, attendees, total, key: crypto.randomUUID(), booking_id: null });
}

/** @param {string} bookingId */
const attemptName = (bookingId) => `karcis.attempt.${bookingId}`;

/** The key of a payment attempt: the same one until its answer is known. @param {string} bookingId @param {string} method */
export function attemptKey(bookingId, method) {
  const kept = sessionStorage.getItem(attemptName(bookingId))?.split(' ');
  if (kept?.[0] === method) return kept[1];
  const key = crypto.randomUUID();
  sessionStorage.setItem(attemptName(bookingId), `${method} ${key}`);
  return key;
}

/** @param {string} bookingId */
export const dropAttempt = (bookingId) => sessionStorage.removeItem(attemptName(bookingId));
