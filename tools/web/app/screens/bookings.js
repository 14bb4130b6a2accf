// @ts-check
// All bookings of a person, newest first; without a network, those that are kept on the device.
import { get } from '../core/api.js';
import { time } from '../core/format.js';
import { html, useState } from '../core/html.js';
import { t, tn } from '../core/i18n.js';
import { useResource } from '../core/resource.js';
import { allSeen } from '../core/seen.js';
import { Cover } from '../parts/cover.js';
import { Empty, Heading, Loaded, Notice } from '../parts/states.js';
import { priceText } from '../parts/lines.js';

/** @import { Booking, List } from '../types.js' */

/** @type {Record<string, string>} */
const KINDS = { confirmed: 'done', awaiting_payment: 'few', cancelled: 'over', rejected: 'over' };

/** @param {{ booking: Booking }} props */
function Row({ booking }) {
  const { event } = booking;
  return html`<li><a class="box booking-row" href=${`/b/${booking.booking_id}`}>
    <${Cover} id=${event.event_id} class="thumb" />
    <div><h2>${event.title ?? t('booking.title')}</h2>
      ${event.starts_at && html`<p><time datetime=${event.starts_at}>${time(event.starts_at, 'full', event.time_zone)}</time></p>`}
      <p class="fine">${tn('tickets', booking.ticket_count)}${booking.total ? ` · ${priceText(booking.total)}` : ''}</p></div>
    <span class=${`badge ${KINDS[booking.status] ?? ''}`}>${t(`status.${booking.status}`)}</span>
  </a></li>`;
}

/** As many pages as were asked for. @param {number} pages @param {AbortSignal} signal */
async function load(pages, signal) {
  /** @type {Booking[]} */
  const items = [];
  let cursor = null;
  try {
    for (let page = 0; page < pages; page += 1) {
      /** @type {List<Booking>} */
      const list = await get('/bookings', { signal, query: { limit: 20, cursor } });
      items.push(...list.items);
      cursor = list.next_cursor;
      if (!cursor) break;
    }
    return { items, cursor, isKept: false };
  } catch (error) {
    const kept = /** @type {any} */ (error).slug === 'offline' ? await allSeen() : [];
    if (!kept.length) throw error;
    return { items: kept, cursor: null, isKept: true };
  }
}

export default function Bookings() {
  const [pages, setPages] = useState(1);
  const bookings = useResource((signal) => load(pages, signal), [pages]);
  return html`<div class="medium page stack">
    <${Heading}>${t('nav.bookings')}</>
    <${Loaded} of=${bookings}>${(/** @type {{ items: Booking[], cursor: string | null, isKept: boolean }} */ { items, cursor, isKept }) => html`
      ${isKept && html`<${Notice} icon="offline"><p>${t('bookings.kept')}</p></>`}
      ${items.length
        ? html`<ul class="stack">${items.map((booking) => html`<${Row} key=${booking.booking_id} booking=${booking} />`)}</ul>`
        : html`<${Empty} title=${t('bookings.none')}><a class="button primary" href="/">${t('event.others')}</a></>`}
      ${cursor && html`<div class="more"><button type="button" class="button" onClick=${() => setPages(pages + 1)}>${t('more')}</button></div>`}
    `}</>
  </div>`;
}
