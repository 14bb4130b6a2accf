// @ts-check
// One booking: where it stands, live; its tickets; its timeline; and what can still be done.
import { post, request, problemOf } from '../core/api.js';
import { time } from '../core/format.js';
import { html, useEffect, useState } from '../core/html.js';
import { hasText, t } from '../core/i18n.js';
import { useLive } from '../core/resource.js';
import { go, place, signInUrl } from '../core/router.js';
import { dropSeen, keepSeen, readBooking } from '../core/seen.js';
import { sessionState } from '../core/session.js';
import { Cover } from '../parts/cover.js';
import { Countdown } from '../parts/countdown.js';
import { Icon } from '../parts/icons.js';
import { Lines, priceText } from '../parts/lines.js';
import { Empty, Heading, Loaded, Notice, Skeleton, wordsOf } from '../parts/states.js';
import { toast } from '../parts/toasts.js';
import { Cancel } from './booking/cancel.js';
import { Tickets } from './booking/tickets.js';
import { Timeline } from './booking/timeline.js';

/** @import { Booking } from '../types.js' */
/** @import { Problem } from '../core/api.js' */

/** @param {Booking} booking */
const isOver = ({ status }) => status === 'cancelled' || status === 'rejected';

/** @type {Record<string, { icon: string, kind: string }>} */
const LOOKS = {
  pending: { icon: 'clock', kind: 'busy' },
  awaiting_payment: { icon: 'card', kind: 'todo' },
  confirming: { icon: 'clock', kind: 'busy' },
  confirmed: { icon: 'check', kind: 'done' },
  cancelling: { icon: 'clock', kind: 'busy' },
  refunding: { icon: 'refund', kind: 'busy' },
  cancelled: { icon: 'cross', kind: 'over' },
  rejected: { icon: 'cross', kind: 'over' },
};

/** @param {{ booking: Booking, onStale: () => void }} props */
function Status({ booking, onStale }) {
  const { icon, kind } = LOOKS[booking.status];
  const reason = booking.reason && hasText(`reason.${booking.reason}`) ? t(`reason.${booking.reason}`) : null;
  const refund = booking.refund && booking.refund.amount.amount > 0 ? booking.refund : null;
  return html`<section class=${`status ${kind}`} role="status" aria-live="polite">
    <span class="status-icon">${kind === 'busy' ? html`<span class="spinner" aria-hidden="true" />` : html`<${Icon} name=${icon} size=${24} />`}</span>
    <div><p class="status-title">${t(`status.${booking.status}`)}</p>
      <p>${reason ?? t(`status-help.${booking.status}`)}</p>
      ${refund && html`<p>${t(`refund.${refund.status}`, { amount: priceText(refund.amount) })}</p>`}
      ${booking.event.cancel_reason && html`<p>${booking.event.cancel_reason}</p>`}
    </div>
    ${booking.can.includes('pay') && html`<div class="status-act">
      ${booking.pay_by && html`<${Countdown} until=${booking.pay_by} label=${t('pay.held-for')} onOver=${onStale} />`}
      <a class="button primary" href=${`/checkout/${booking.event.event_id}?booking=${booking.booking_id}`}>${t('booking.pay')}</a></div>`}
  </section>`;
}

/** @param {Booking} booking */
async function addToCalendar(booking) {
  const response = await request('GET', `/bookings/${booking.booking_id}/calendar.ics`, { headers: { Accept: 'text/calendar, application/problem+json' } });
  if (!response.ok) throw await problemOf(response);
  const url = URL.createObjectURL(await response.blob());
  const link = Object.assign(document.createElement('a'), { href: url, download: 'karcis.ics' });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** @param {{ booking: Booking, onChange: (booking: Booking) => void, isKept: boolean }} props */
function Actions({ booking, onChange, isKept }) {
  const isConfirmed = booking.status === 'confirmed';
  const failed = (/** @type {Problem} */ problem) => toast(wordsOf(problem), 'failed');
  return html`<div class="actions booking-actions">
    ${isConfirmed && html`<button type="button" class="button" onClick=${() => print()}><${Icon} name="print" />${t('booking.print')}</button>`}
    ${isConfirmed && !isKept && html`<button type="button" class="button" onClick=${() => void addToCalendar(booking).catch(failed)}><${Icon} name="calendar" />${t('booking.calendar')}</button>
      <button type="button" class="button" onClick=${() => void post(`/bookings/${booking.booking_id}/resend`, {}).then(() => toast(t('booking.sent')), failed)}><${Icon} name="mail" />${t('booking.resend')}</button>`}
    ${!isKept && booking.can.includes('cancel') && html`<${Cancel} booking=${booking} onChange=${onChange} />`}
  </div>`;
}

/** @param {{ booking: Booking, connection: string, isKept: boolean, onChange: (booking: Booking) => void, onStale: () => void }} props */
function Page({ booking, connection, isKept, onChange, onStale }) {
  const { event } = booking;
  const zone = event.time_zone;
  return html`<div class="medium page stack booking">
    ${isKept && html`<${Notice} icon="offline" role="status"><p>${t('booking.kept')}</p></>`}
    <${Status} booking=${booking} onStale=${onStale} />
    <section class="booking-head">
      <div class="booking-art"><${Cover} id=${event.event_id} /></div>
      <div>
        <${Heading}>${event.title ?? t('booking.title')}</>
        ${event.starts_at && html`<p class="lead"><time datetime=${event.starts_at}>${time(event.starts_at, 'long', zone)} · ${time(event.starts_at, 'time', zone)}</time></p>`}
        ${event.venue && html`<p>${event.venue}</p>`}
        <p class="fine"><a href=${`/e/${event.event_id}`}>${t('booking.event')}</a></p>
      </div>
    </section>
    <${Tickets} booking=${booking} />
    <${Actions} booking=${booking} onChange=${onChange} isKept=${isKept} />
    <div class="pair wide-pair">
      <section class="box"><h2>${t('booking.paid')}</h2><${Lines} booking=${booking} />
        ${booking.refundable_until && ['awaiting_payment', 'confirmed'].includes(booking.status)
          && html`<p class="fine">${t(Date.parse(booking.refundable_until) > Date.now() ? 'event.refund-until' : 'event.final-why', { at: time(booking.refundable_until, 'full', zone) })}</p>`}
        <p class="fine">${t('booking.number')} <code>${booking.booking_id}</code></p></section>
      ${!isKept && html`<${Timeline} booking=${booking} connection=${connection} />`}
    </div>
  </div>`;
}

/** @param {{ id: string }} props */
function Live({ id }) {
  const [isKept, setKept] = useState(false);
  /** @param {Booking} data */
  const onData = (data) => {
    if (isKept) return;
    if (data.status === 'confirmed') void keepSeen(data).catch(() => null);
    else void dropSeen(data.booking_id);
  };
  const booking = useLive(`/bookings/${encodeURIComponent(id)}`, isOver, onData, async (_, signal) => {
    const read = await readBooking(id, signal);
    setKept(read.isKept);
    return read.booking;
  });
  // The network is back: what was kept may be old.
  useEffect(() => { if (isKept && sessionState.value === 'in') booking.retry(); }, [isKept, sessionState.value]);
  if (booking.status === 'failed' && booking.problem && [404, 422].includes(booking.problem.status)) {
    return html`<div class="wide page"><${Heading} class="hidden">${t('booking.unknown')}</><${Empty} title=${t('booking.unknown')}><p>${t('booking.unknown-text')}</p><a class="button" href="/b">${t('nav.bookings')}</a></></div>`;
  }
  const bones = html`<div class="medium page"><${Skeleton} lines=${8} /></div>`;
  return html`<${Loaded} of=${booking} skeleton=${bones}>${(/** @type {Booking} */ data) => html`<${Page} booking=${data} connection=${booking.connection}
    isKept=${isKept} onChange=${booking.set} onStale=${booking.retry} />`}</>`;
}

export default function BookingScreen() {
  const state = sessionState.value;
  useEffect(() => { if (state === 'out') go(signInUrl(), { replace: true }); }, [state]);
  if (state === 'unknown' || state === 'out') return html`<div class="medium page"><${Skeleton} lines=${8} /></div>`;
  return html`<${Live} id=${place.value.params.booking_id} />`;
}
