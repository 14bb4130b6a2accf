// @ts-check
// One event: what it is, and the choice of tickets with its total.
import { get, post } from '../core/api.js';
import { cartOf, dropCart, readCart } from '../core/cart.js';
import { money, time } from '../core/format.js';
import { html, useEffect, useState } from '../core/html.js';
import { t, tn } from '../core/i18n.js';
import { useResource } from '../core/resource.js';
import { go, place } from '../core/router.js';
import { accessToken, renewSession, sessionState } from '../core/session.js';
import { Cover } from '../parts/cover.js';
import { Field } from '../parts/form.js';
import { Icon } from '../parts/icons.js';
import { Empty, Heading, Loaded, Notice, Skeleton } from '../parts/states.js';
import { Stepper } from '../parts/stepper.js';
import { toast } from '../parts/toasts.js';

/** @import { Event as KarcisEvent, Money, TicketType } from '../types.js' */

/** How often what is left is read again, in ms. */
const REFRESH_MS = 8000;
/** How many tickets of a type are asked for a name. */
const MOST_NAMES = 20;

/**
 * Whether a ticket type can be bought, and how many at most.
 * @param {TicketType} type @param {KarcisEvent} event
 * @returns {{ state: 'open' | 'soon' | 'over' | 'closed' | 'sold-out', max: number }}
 */
function saleOf(type, event) {
  const now = Date.now();
  const none = (/** @type {'soon' | 'over' | 'closed' | 'sold-out'} */ state) => ({ state, max: 0 });
  if (type.closed || event.status !== 'published') return none('closed');
  if (type.sales_start && Date.parse(type.sales_start) > now) return none('soon');
  if (Date.parse(type.sales_end) <= now) return none('over');
  if (type.available <= 0) return none('sold-out');
  return { state: 'open', max: Math.min(type.available, type.max_per_booking, event.max_per_buyer ?? 1000) };
}

/** @param {{ event: KarcisEvent, type: TicketType }} props */
function SaleLine({ event, type }) {
  const { state } = saleOf(type, event);
  if (state === 'soon') return html`<p class="fine">${t('event.opens', { at: time(/** @type {string} */ (type.sales_start), 'full', event.time_zone) })}</p>`;
  if (state !== 'open') return null;
  if (type.available <= 10) return html`<p class="few-left">${tn('event.left', type.available)}</p>`;
  if (type.sales_end < event.starts_at) return html`<p class="fine">${t('event.until', { at: time(type.sales_end, 'full', event.time_zone) })}</p>`;
  return null;
}

/** @param {{ event: KarcisEvent, type: TicketType, value: number, room: number, onChange: (value: number) => void }} props */
function TicketRow({ event, type, value, room, onChange }) {
  const { state, max } = saleOf(type, event);
  return html`<li class=${`ticket-row ${state === 'open' ? '' : 'unavailable'}`}>
    <div>
      <h3>${type.name}</h3>
      <p class="price">${type.price.amount === 0 ? t('free') : money(type.price)}</p>
      <${SaleLine} event=${event} type=${type} />
    </div>
    ${state === 'open'
      ? html`<${Stepper} label=${type.name} value=${value} max=${Math.min(max, value + room)} onChange=${onChange} />`
      : html`<span class="badge over">${t(`sale.${state}`)}</span>`}
  </li>`;
}

/** The choice starts with what the cart has. @param {KarcisEvent} event @returns {Record<string, number>} */
function startOf(event) {
  const kept = readCart(event.event_id)?.items.map((item) => [item.ticket_type_id, item.quantity]);
  if (kept?.length) return Object.fromEntries(kept);
  return {};
}

/** A choice within what is left now. @param {KarcisEvent} event @param {Record<string, number>} choice */
function fit(event, choice) {
  const entries = event.ticket_types.map((type) => [type.ticket_type_id, Math.min(choice[type.ticket_type_id] ?? 0, saleOf(type, event).max)]);
  return /** @type {Record<string, number>} */ (Object.fromEntries(entries));
}

/** @typedef {Record<string, string[]>} Names by ticket type, those of its tickets in their order */

/** @param {KarcisEvent} event @returns {Names} */
function namesOf(event) {
  const kept = readCart(event.event_id)?.attendees ?? [];
  return Object.fromEntries(event.ticket_types.map(({ ticket_type_id: id }) => [id, kept.filter((one) => one.ticket_type_id === id).map(({ name }) => name)]));
}

/** @param {KarcisEvent} event @param {Record<string, number>} choice @param {Names} names */
async function toCheckout(event, choice, names) {
  const items = event.ticket_types.filter((type) => choice[type.ticket_type_id] > 0).map((type) => (
    { ticket_type_id: type.ticket_type_id, name: type.name, quantity: choice[type.ticket_type_id], unit_price: type.price }));
  const amount = items.reduce((sum, item) => sum + item.quantity * item.unit_price.amount, 0);
  const before = readCart(event.event_id);
  const attendees = items.flatMap(({ ticket_type_id, quantity }) => (names[ticket_type_id] ?? []).slice(0, quantity)
    .map((name) => ({ ticket_type_id, name: (name ?? '').trim() })).filter(({ name }) => name));
  const cart = cartOf(event.event_id, { items, attendees, total: { amount, currency: items[0].unit_price.currency } });
  // Another choice than before: the seats that the old one holds go back.
  if (before?.booking_id && before.key !== cart.key && sessionState.value === 'in') {
    void post('/booking/cancel', { booking_id: before.booking_id }).catch(() => null);
  }
  go(`/checkout/${event.event_id}`);
}

/** Who uses the tickets, if the buyer likes to say so. @param {{ event: KarcisEvent, choice: Record<string, number>, names: Names, onChange: (names: Names) => void }} props */
function NameFields({ event, choice, names, onChange }) {
  const [isOpen, open] = useState(() => Object.values(names).some((of) => of.length > 0));
  return html`<details open=${isOpen} onToggle=${(/** @type {any} */ toggle) => open(toggle.currentTarget.open)}>
    <summary>${t('event.names')}</summary>
    <p class="fine">${t('event.names-hint')}</p>
    ${isOpen && event.ticket_types.flatMap(({ ticket_type_id: id, name }) => Array.from({ length: Math.min(choice[id] ?? 0, MOST_NAMES) }, (_, at) => html`<${Field}
      key=${`${id} ${at}`} name=${`${id} ${at}`} label=${t('event.name-of', { name, number: at + 1 })} maxlength="200" autocomplete="off" value=${names[id]?.[at] ?? ''}
      onInput=${(/** @type {any} */ input) => onChange({ ...names, [id]: Object.assign([...(names[id] ?? [])], { [at]: input.currentTarget.value }) })} />`))}
  </details>`;
}

/** @param {{ event: KarcisEvent }} props */
function Tickets({ event }) {
  const [names, setNames] = useState(() => namesOf(event));
  const [choice, setChoice] = useState(() => fit(event, startOf(event)));
  useEffect(() => {
    const fitting = fit(event, choice);
    const lost = event.ticket_types.find((type) => (choice[type.ticket_type_id] ?? 0) > fitting[type.ticket_type_id]);
    if (lost) {
      setChoice(fitting);
      toast(t(lost.available ? 'event.fewer' : 'event.gone', { name: lost.name }), 'failed');
    }
  }, [event]);
  const count = Object.values(choice).reduce((sum, quantity) => sum + quantity, 0);
  const room = Math.max(0, (event.max_per_buyer ?? 1000) - count);
  const amount = event.ticket_types.reduce((sum, type) => sum + type.price.amount * (choice[type.ticket_type_id] ?? 0), 0);
  /** @type {Money} */
  const total = { amount, currency: event.ticket_types[0].price.currency };
  const canBuy = event.ticket_types.some((type) => saleOf(type, event).state === 'open');
  return html`<form class="box tickets" id="tickets" aria-label=${t('event.tickets')} onSubmit=${(/** @type {any} */ submit) => {
    submit.preventDefault();
    if (count) void toCheckout(event, choice, names);
  }}>
    <h2>${t('event.tickets')}</h2>
    <ul class="rows">${event.ticket_types.map((type) => html`<${TicketRow} key=${type.ticket_type_id} event=${event} type=${type} room=${room}
      value=${choice[type.ticket_type_id] ?? 0} onChange=${(/** @type {number} */ value) => setChoice({ ...choice, [type.ticket_type_id]: value })} />`)}</ul>
    ${event.max_per_buyer && html`<p class="fine">${tn('event.per-buyer', event.max_per_buyer)}</p>`}
    ${count > 0 && html`<${NameFields} event=${event} choice=${choice} names=${names} onChange=${setNames} />`}
    ${canBuy && html`<div class="buy">
      <p class="total" aria-live="polite"><span>${count ? tn('tickets', count) : t('event.choose')}</span><strong>${count ? (amount ? money(total) : t('free')) : ''}</strong></p>
      <button class="button primary big" type="submit" disabled=${!count}>${t(amount || !count ? 'event.buy' : 'event.take')}</button>
    </div>`}
  </form>`;
}

/** @param {{ event: KarcisEvent }} props */
function Facts({ event }) {
  const zone = event.time_zone;
  const map = `https://www.openstreetmap.org/search?query=${encodeURIComponent(event.venue)}`;
  const canRefund = Date.parse(event.refundable_until) > Date.now();
  return html`<dl class="facts">
    <div><dt><${Icon} name="calendar" /><span class="hidden">${t('event.when')}</span></dt><dd>
      <strong><time datetime=${event.starts_at}>${time(event.starts_at, 'long', zone)}</time></strong>
      <span>${time(event.starts_at, 'time', zone)}${event.ends_at ? ` – ${time(event.ends_at, 'time', zone)}` : ''}</span></dd></div>
    <div><dt><${Icon} name="pin" /><span class="hidden">${t('event.where')}</span></dt><dd>
      <strong>${event.venue}</strong><a href=${map} target="_blank" rel="noreferrer">${t('event.map')}</a></dd></div>
    <div><dt><${Icon} name="refund" /><span class="hidden">${t('event.refund')}</span></dt><dd>
      <strong>${t(canRefund ? 'event.refundable' : 'event.final')}</strong>
      <span>${canRefund ? t('event.refund-until', { at: time(event.refundable_until, 'full', zone) }) : t('event.final-why')}</span></dd></div>
  </dl>`;
}

/** @param {{ event: KarcisEvent }} props */
function StatusNotice({ event }) {
  if (event.status === 'published') return null;
  const kind = event.status === 'cancelled' ? 'failed' : 'info';
  return html`<${Notice} kind=${kind}><p><strong>${t(`event.${event.status}`)}</strong></p>${event.cancel_reason && html`<p>${event.cancel_reason}</p>`}</>`;
}

/** @param {{ event: KarcisEvent }} props */
export function Page({ event }) {
  const paragraphs = (event.description ?? '').split(/\n{2,}/).filter(Boolean);
  const isOn = event.status === 'published' || event.status === 'draft';
  return html`<article class="event">
    <div class="event-art"><${Cover} id=${event.event_id} /></div>
    <div class="wide event-columns">
      <div class="event-main">
        <${Heading} class="display">${event.title}</>
        <${StatusNotice} event=${event} />
        <${Facts} event=${event} />
      </div>
      ${isOn && html`<aside class="event-side"><${Tickets} event=${event} /></aside>`}
      ${paragraphs.length > 0 && html`<section class="prose"><h2>${t('event.about')}</h2>${paragraphs.map((text, at) => html`<p key=${at}>${text}</p>`)}</section>`}
    </div>
  </article>`;
}

/** An event; a draft is there only for its organiser, whose session may just be beginning. @param {string} path @param {AbortSignal} signal */
async function load(path, signal) {
  const isAnonymous = !accessToken.value;
  try {
    return await get(path, { signal });
  } catch (error) {
    const mayBeDraft = /** @type {any} */ (error).status === 404 && isAnonymous && sessionState.value !== 'out';
    if (mayBeDraft && (accessToken.value || await renewSession())) return get(path, { signal });
    throw error;
  }
}

export default function EventScreen() {
  const { event_id: id } = place.value.params;
  const path = `/events/${encodeURIComponent(id)}`;
  const event = useResource((signal) => load(path, signal), [path]);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) get(path).then(event.set, () => null);
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, [path]);
  useEffect(() => { if (['cancelled', 'ended'].includes(event.data?.status)) dropCart(id); }, [event.data?.status]);
  if (event.status === 'failed' && event.problem && [404, 422].includes(event.problem.status)) {
    return html`<div class="wide page"><${Heading} class="hidden">${t('event.unknown')}</><${Empty} icon="search" title=${t('event.unknown')}><a class="button" href="/">${t('event.others')}</a></></div>`;
  }
  const bones = html`<div><div class="event-art bone" /><div class="wide page"><${Skeleton} lines=${6} /></div></div>`;
  return html`<${Loaded} of=${event} skeleton=${bones}>${(/** @type {KarcisEvent} */ data) => html`<${Page} event=${data} />`}</>`;
}
