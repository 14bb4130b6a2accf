// @ts-check
// Amounts as people type them and as the API takes them.
import { digitsOf } from '../../core/format.js';
import { locale } from '../../core/i18n.js';

export const CURRENCIES = /** @type {const} */ (['IDR', 'USD', 'EUR', 'SGD', 'MYR', 'JPY']);

/**
 * What was typed, in the smallest unit; null if that is no amount. Dots and commas between thousands are fine; the
 * last one is the decimal point if one or two digits follow it and the currency has cents.
 * @param {string} text @param {string} currency @returns {number | null}
 */
export function parseAmount(text, currency) {
  const digits = digitsOf(currency);
  const plain = text.replace(/[\s\u00a0]/g, '');
  const decimal = digits ? /^([\d.,]*)[.,](\d{1,2})$/.exec(plain) : null;
  const whole = (decimal ? decimal[1] : plain).replace(/[.,]/g, '');
  if (!/^\d{1,12}$/.test(whole || (decimal ? '0' : ''))) return null;
  return Number(whole || 0) * 10 ** digits + Number((decimal?.[2] ?? '').padEnd(digits, '0'));
}

/** An amount as a field has it. @param {{ amount: number, currency: string }} price */
export function typedAmount({ amount, currency }) {
  const digits = digitsOf(currency);
  return digits && amount % 10 ** digits ? (amount / 10 ** digits).toFixed(digits) : String(amount / 10 ** digits);
}

/** A whole number that was typed; null if it is none. @param {string} text */
export const parseCount = (text) => (/^\d{1,9}$/.test(text.trim()) ? Number(text) : null);

/** An amount on an axis: "Rp 1,5 jt". @param {{ amount: number, currency: string }} price */
export const shortMoney = ({ amount, currency }) => new Intl.NumberFormat(locale.value, {
  style: 'currency', currency, notation: 'compact', maximumFractionDigits: 1, minimumFractionDigits: 0, currencyDisplay: 'narrowSymbol',
}).format(amount / 10 ** digitsOf(currency));
