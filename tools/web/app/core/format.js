// @ts-check
// Money and times as a person reads them: by Intl, in the event's zone and the person's language.
import { locale } from './i18n.js';

/** @import { Money } from '../types.js' */

/** What people pay with: rupiah and yen have no smaller unit, the others have cents. */
const DIGITS = { IDR: 0, JPY: 0, USD: 2, EUR: 2, SGD: 2, MYR: 2 };

/** @type {Map<string, any>} */
const formats = new Map();

/** @template T @param {string} key @param {() => T} make @returns {T} */
function cached(key, make) {
  const whole = `${locale.value} ${key}`;
  if (!formats.has(whole)) formats.set(whole, make());
  return formats.get(whole);
}

/** @param {Money} money */
export function money({ amount, currency }) {
  const digits = DIGITS[currency];
  const format = cached(`money ${currency}`, () =>
    new Intl.NumberFormat(locale.value, {
      style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: digits,
      // Several countries have dollars.
      currencyDisplay: currency === 'USD' || currency === 'SGD' ? 'symbol' : 'narrowSymbol',
    }));
  return format.format(amount / 10 ** digits);
}

/** @param {string} currency The number of digits after the point that people pay with. */
export const digitsOf = (currency) => DIGITS[/** @type {keyof DIGITS} */ (currency)] ?? 2;

/** @param {number} value */
export const number = (value) => cached('number', () => new Intl.NumberFormat(locale.value)).format(value);

/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const SHAPES = {
  day: { weekday: 'short', day: 'numeric', month: 'short' },
  long: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  time: { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' },
  clock: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  moment: { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' },
  full: { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' },
  dayOfMonth: { day: 'numeric' },
  month: { month: 'short' },
};

/**
 * A time in a shape: 'day', 'long', 'time', 'clock', 'moment', 'full', 'dayOfMonth' or 'month'.
 * @param {string} at RFC 3339
 * @param {keyof typeof SHAPES} shape
 * @param {string | null} [timeZone] the event's; without it the device's
 */
export function time(at, shape, timeZone) {
  const options = { ...SHAPES[shape], ...(timeZone ? { timeZone } : {}) };
  return cached(`${shape} ${timeZone}`, () => new Intl.DateTimeFormat(locale.value, options)).format(new Date(at));
}

/** How long ago or until: "in 3 days". @param {string} at @param {number} [now] ms */
export function relative(at, now = Date.now()) {
  const seconds = (Date.parse(at) - now) / 1000;
  const format = cached('relative', () => new Intl.RelativeTimeFormat(locale.value, { numeric: 'auto' }));
  /** @type {[Intl.RelativeTimeFormatUnit, number][]} */
  const units = [['day', 86400], ['hour', 3600], ['minute', 60]];
  for (const [unit, length] of units) {
    if (Math.abs(seconds) >= length) return format.format(Math.round(seconds / length), unit);
  }
  return format.format(Math.round(seconds), 'second');
}

/** Minutes and seconds: "14:05". @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (/** @type {number} */ part) => String(part).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${two(minutes)}:${two(rest)}`;
}
