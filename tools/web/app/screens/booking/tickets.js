// @ts-check
// The tickets of a booking, each with a QR code that is big enough for a scanner.
import { time } from '../../core/format.js';
import { html } from '../../core/html.js';
import { t, tn } from '../../core/i18n.js';

/** @import { Booking } from '../../types.js' */

/** @param {{ booking: Booking }} props */
export function Tickets({ booking }) {
  const { event, tickets } = booking;
  if (!tickets.length) return null;
  const names = [...booking.attendees];
  // Names are of a ticket type: its tickets take them in turn.
  const holders = tickets.map(({ ticket_type_id: id }) => {
    const at = names.findIndex((one) => one.ticket_type_id === id);
    return at < 0 ? null : names.splice(at, 1)[0].name;
  });
  return html`<section class="passes" aria-label=${tn('tickets', tickets.length)}>
    ${tickets.map((ticket, at) => html`<article class="pass" key=${ticket.code}>
      <div class="pass-text">
        <p class="pass-event">${event.title}</p>
        <h2>${ticket.name}</h2>
        ${holders[at] && html`<p><strong>${holders[at]}</strong></p>`}
        <p>${event.starts_at && time(event.starts_at, 'full', event.time_zone)}</p>
        <p>${event.venue}</p>
        <p class="fine">${t('ticket.of', { at: at + 1, count: tickets.length })}</p>
      </div>
      <div class="pass-code">
        <img src=${ticket.qr} width="240" height="240" alt=${t('ticket.qr', { name: ticket.name, at: at + 1 })} />
        <code>${ticket.code}</code>
      </div>
    </article>`)}
  </section>`;
}
