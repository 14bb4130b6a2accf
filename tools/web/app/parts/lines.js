// @ts-check
// What a booking costs, line by line.
import { money } from '../core/format.js';
import { html } from '../core/html.js';
import { t } from '../core/i18n.js';

/** @import { Booking } from '../types.js' */

/** @param {import('../types.js').Money} price */
export const priceText = (price) => (price.amount ? money(price) : t('free'));

/** @param {{ booking: Booking }} props */
export function Lines({ booking }) {
  return html`<table class="lines">
    <caption class="hidden">${t('lines.caption')}</caption>
    <thead class="hidden"><tr><th>${t('lines.what')}</th><th>${t('lines.price')}</th></tr></thead>
    <tbody>${booking.items.map((item) => html`<tr key=${item.ticket_type_id}>
      <td>${item.quantity} × ${item.name ?? '…'}</td>
      <td>${item.unit_price ? priceText({ ...item.unit_price, amount: item.unit_price.amount * item.quantity }) : ''}</td>
    </tr>`)}</tbody>
    ${booking.total && html`<tfoot><tr><th scope="row">${t('lines.total')}</th><td>${priceText(booking.total)}</td></tr></tfoot>`}
  </table>`;
}
