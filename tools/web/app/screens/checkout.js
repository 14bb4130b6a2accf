// @ts-check
// Checkout: holds the seats once, then pays. It survives a reload, the back button and a second tab.
import { get, post } from '../core/api.js';
import { dropCart, readCart, saveCart } from '../core/cart.js';
import { html, useEffect } from '../core/html.js';
import { t } from '../core/i18n.js';
import { useLive, useResource } from '../core/resource.js';
import { go, place, signInUrl } from '../core/router.js';
import { renewSession, sessionState, user } from '../core/session.js';
import { Lines } from '../parts/lines.js';
import { Empty, Failure, Heading, Loaded, Skeleton } from '../parts/states.js';
import { Pay } from './checkout/pay.js';

/** @import { Booking, List } from '../types.js' */

/** @param {Booking} booking */
const isOver = ({ status }) => ['confirmed', 'cancelled', 'rejected'].includes(status);

/**
 * The booking of what was chosen. The cart's key makes it one booking however often this runs.
 * @param {string} eventId
 * @returns {Promise<string | null>} its id; null if nothing was chosen
 */
async function bookingOf(eventId) {
  const cart = readCart(eventId);
  if (cart?.booking_id) return cart.booking_id;
  if (cart) {
    const items = cart.items.map(({ ticket_type_id, quantity }) => ({ ticket_type_id, quantity }));
    /** @type {Booking} */
    const booking = await post('/booking/create', { event_id: eventId, items, attendees: cart.attendees, expected_total: cart.total }, { key: cart.key, waitS: 10 });
    // The choice may have changed while this was on its way.
    if (readCart(eventId)?.key === cart.key) saveCart({ ...cart, booking_id: booking.booking_id });
    return booking.booking_id;
  }
  /** @type {List<Booking>} */
  const open = await get('/bookings', { query: { status: 'awaiting_payment', limit: 100 } });
  return open.items.find((booking) => booking.event.event_id === eventId)?.booking_id ?? null;
}

/** What was refused or ended, and what one can do now. @param {{ booking: Booking }} props */
function Ended({ booking }) {
  const reason = booking.reason ?? 'cancelled_by_buyer';
  return html`<${Empty} icon="warning" title=${t(`reason.${reason}`)}>
    <p>${t(`reason-help.${reason}`)}</p>
    <a class="button primary" href=${`/e/${booking.event.event_id}`}>${t('checkout.choose-again')}</a>
  </>`;
}

function Holding() {
  return html`<div class="state" role="status"><span class="spinner big" aria-hidden="true" />
    <h2>${t('checkout.holding')}</h2><p>${t('checkout.holding-text')}</p></div>`;
}

/** @param {{ booking: Booking, onChange: (booking: Booking) => void, onStale: () => void }} props */
function Step({ booking, onChange, onStale }) {
  const isPaid = ['confirming', 'confirmed'].includes(booking.status);
  useEffect(() => {
    if (!isPaid) return;
    dropCart(booking.event.event_id);
    go(`/b/${booking.booking_id}`, { replace: true });
  }, [isPaid]);
  useEffect(() => {
    if (['cancelled', 'rejected'].includes(booking.status)) dropCart(booking.event.event_id);
  }, [booking.status]);
  if (booking.status === 'pending') return html`<${Holding} />`;
  if (isPaid) return html`<${Skeleton} lines=${5} />`;
  if (booking.status !== 'awaiting_payment') return html`<${Ended} booking=${booking} />`;
  return html`<div class="checkout">
    <section class="checkout-main"><${Pay} booking=${booking} onChange=${onChange} onStale=${onStale} /></section>
    <aside class="box summary" aria-label=${t('checkout.summary')}>
      <h2>${booking.event.title}</h2>
      <${Lines} booking=${booking} />
    </aside>
  </div>`;
}

/** @param {{ bookingId: string }} props */
function Existing({ bookingId }) {
  const booking = useLive(`/bookings/${encodeURIComponent(bookingId)}`, isOver);
  return html`<${Loaded} of=${booking}>${(/** @type {Booking} */ data) => html`<${Step} booking=${data} onChange=${booking.set} onStale=${booking.retry} />`}</>`;
}

/** @param {{ eventId: string }} props */
function Created({ eventId }) {
  const created = useResource(() => bookingOf(eventId), [eventId]);
  const id = created.data;
  useEffect(() => { if (id) go(`/checkout/${eventId}?booking=${id}`, { replace: true, keepsPlace: true }); }, [id]);
  if (created.status === 'failed') return html`<${Failure} problem=${created.problem} onRetry=${created.retry} />`;
  if (created.status === 'ready' && !id) {
    return html`<${Empty} title=${t('checkout.empty')}><a class="button primary" href=${`/e/${eventId}`}>${t('checkout.choose')}</a></>`;
  }
  return html`<${Holding} />`;
}

export default function Checkout() {
  const { params, query } = place.value;
  const bookingId = query.get('booking');
  useEffect(() => {
    if (sessionState.value === 'out') go(signInUrl(), { replace: true });
  }, [sessionState.value]);
  let step = html`<${Skeleton} lines=${5} />`;
  if (user.value) step = bookingId ? html`<${Existing} key=${bookingId} bookingId=${bookingId} />` : html`<${Created} eventId=${params.event_id} />`;
  else if (sessionState.value === 'away') step = html`<${Failure} problem=${{ slug: 'offline', isPassing: true }} onRetry=${() => void renewSession()} />`;
  return html`<div class="wide page"><${Heading}>${t('checkout.title')}</>${step}</div>`;
}
