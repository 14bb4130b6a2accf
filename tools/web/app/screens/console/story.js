// @ts-check
// One booking's whole story: what booking-service, event-service and payment-service each know of it.
import { money, time } from '../../core/format.js';
import { html } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { useRenewed, useResource } from '../../core/resource.js';
import { Empty, Heading, Loaded, Notice } from '../../parts/states.js';
import { Acts } from './act.js';
import { ALL, askAll, find } from './services.js';

/** @import { Act } from './act.js' */
/** @import { Hold, PaymentStory, SagaStory } from './shapes.js' */
/** @typedef {{ saga: SagaStory | null, hold: Hold | null, payment: PaymentStory | null, aside: { service: string, place: string, id: string, type: string | null, error: string | null, at: string }[] }} Story */

/** No service reads another's data, so each is asked. @param {string} id @param {AbortSignal} signal @returns {Promise<Story>} */
async function load(id, signal) {
  const others = ALL.filter((service) => service !== 'booking');
  const [saga, hold, payment, dead, parked] = await Promise.all([
    find(`/ops/booking/sagas/${id}`, signal), find(`/ops/event/holds/${id}`, signal), find(`/ops/payment/${id}`, signal),
    askAll(others, 'dead-letters', { booking_id: id, limit: 20 }, signal),
    askAll(others, 'parked', { booking_id: id, limit: 20 }, signal),
  ]);
  const own = (saga?.set_aside ?? []).map((/** @type {any} */ one) => ({ ...one, service: 'booking' }));
  const of = (/** @type {typeof dead} */ parts, /** @type {string} */ place, /** @type {string} */ key, /** @type {string} */ at) =>
    parts.flatMap(({ service, items }) => items.map((one) => ({ service, place, id: one[key], type: one.type, error: one.error, at: one[at] })));
  return { saga, hold, payment, aside: [...own, ...of(dead, 'dead_letter', 'dead_letter_id', 'last_seen_at'), ...of(parked, 'parked', 'message_id', 'parked_at')] };
}

/** @param {{ rows: [string, any][] }} props */
const Facts = ({ rows }) => html`<dl class="console-facts">${rows.filter(([, value]) => value !== null && value !== undefined && value !== '').map(([name, value]) => html`
  <div key=${name}><dt>${t(`console.fact.${name}`)}</dt><dd>${value}</dd></div>`)}</dl>`;

/** What it waits for; the payment knows better whether the provider has answered. @param {Story} story */
function waitsFor({ saga, payment }) {
  const [first, second] = [saga?.waits_for, payment?.waits_for];
  const asksPayment = first?.includes('payment-service') || first?.startsWith('the buyer') || first?.startsWith('an operator');
  return [first, asksPayment && second && second !== first && !second.startsWith('nothing') ? second : null].filter(Boolean).join(' · ');
}

/** @param {Story} story @param {string} id @returns {Act[]} */
function actsOf({ saga, payment }, id) {
  /** @type {Act[]} */
  const acts = [];
  const open = payment?.attempts.find(({ outcome }) => outcome === null || outcome === 'returning');
  if (saga?.pending.length) acts.push({ kind: 'resume', path: `/ops/booking/sagas/${id}/resume`, about: id });
  if (open || payment?.status === 'refunding') {
    acts.push({ kind: 'ask', path: `/ops/payment/${id}/ask`, about: id });
    acts.push({ kind: 'settle', path: `/ops/payment/${id}/settle`, about: id, attempt: open?.attempt_id ?? null, isAttempt: open?.outcome === null });
  }
  if (saga && saga.status !== 'cancelled' && saga.status !== 'rejected') acts.push({ kind: 'cancel', path: `/ops/booking/${id}/cancel`, about: id });
  return acts;
}

/** @param {{ saga: SagaStory }} props */
const Timeline = ({ saga }) => html`<section class="box"><h2>${t('console.timeline')}</h2><div class="scrolls" tabindex="0" role="region" aria-label=${t('console.timeline')}><table class="console-table">
  <thead><tr>${['at', 'input', 'from', 'to', 'sent', 'trace'].map((name) => html`<th key=${name} scope="col">${t(`console.col.${name}`)}</th>`)}</tr></thead>
  <tbody>${saga.timeline.map((step) => html`<tr key=${step.seq}><td>${time(step.at, 'clock')}</td><td><strong>${step.input}</strong></td><td>${step.from ?? '–'}</td><td>${step.to}</td>
    <td>${step.sent.join(', ')}</td><td><code>${step.trace_id?.slice(0, 8)}</code></td></tr>`)}</tbody></table></div></section>`;

/** @param {{ payment: PaymentStory | null }} props */
const PaymentBox = ({ payment }) => html`<section class="box"><h2>${t('console.payment')}</h2>
  ${payment ? html`<${Facts} rows=${[['status', payment.status], ['amount', payment.amount && money(payment.amount)], ['captured', payment.captured && money(payment.captured)],
    ['refunded', payment.refunded && money(payment.refunded)], ['pay-by', payment.pay_by && time(payment.pay_by, 'moment')], ['refusal', payment.refusal]]} />
    <ul class="rows">${payment.attempts.map((attempt) => html`<li class="row" key=${attempt.attempt_id}><div><strong>${attempt.outcome ?? t('console.no-outcome')}</strong> ${attempt.decline_code ?? attempt.refusal ?? ''}
      <p class="fine">${time(attempt.at, 'moment')} · <code>${attempt.attempt_id}</code></p></div></li>`)}</ul>` : html`<p class="fine">${t('console.none')}</p>`}</section>`;

/** @param {{ hold: Hold | null }} props */
const HoldBox = ({ hold }) => html`<section class="box"><h2>${t('console.hold')}</h2>
  ${hold ? html`<${Facts} rows=${[['status', hold.state], ['reason', hold.reason], ['since', time(hold.changed_at, 'moment')], ['items', hold.items.map(({ quantity, name }) => `${quantity} × ${name}`).join(', ')],
    ['tickets', hold.tickets], ['used', hold.used_tickets]]} />` : html`<p class="fine">${t('console.none')}</p>`}</section>`;

/** @param {{ id: string }} props */
export function BookingStory({ id }) {
  const story = useResource((signal) => load(encodeURIComponent(id), signal), [id]);
  useRenewed(story);
  return html`<div class="stack"><div><${Heading} title=${t('console.booking')}>${t('console.booking')}</><p><code>${id}</code></p></div>
    <${Loaded} of=${story}>${(/** @type {Story} */ found) => {
    const { saga, hold, payment, aside } = found;
    if (!saga && !hold && !payment) return html`<${Empty} icon="search" title=${t('console.unknown')}><p>${t('console.unknown-text')}</p></>`;
    return html`
      <${Notice} kind=${saga?.stuck ? 'warning' : 'info'}><p><strong>${saga?.stuck ? t(`console.stuck.${saga.stuck}`) : t('console.waits-for')}</strong> ${waitsFor(found)}</p></>
      <${Acts} acts=${actsOf(found, id)} onDone=${story.retry} />
      ${saga && html`<section class="box"><h2>${t('console.saga')}</h2><${Facts} rows=${[['status', saga.status], ['stage', saga.stage], ['reason', saga.reason], ['total', saga.total && money(saga.total)],
    ['tickets', saga.tickets], ['created', time(saga.created_at, 'moment')], ['pay-by', saga.pay_by && time(saga.pay_by, 'moment')], ['buyer', html`<code>${saga.user_id}</code>`],
    ['event', html`<a href=${`/e/${saga.event_id}`}><code>${saga.event_id}</code></a>`], ['trace', saga.trace_id && html`<code>${saga.trace_id}</code>`]]} /></section>`}
      <div class="pair wide-pair"><${HoldBox} hold=${hold} /><${PaymentBox} payment=${payment} /></div>
      ${aside.length > 0 && html`<section class="box danger"><h2>${t('console.aside')}</h2><ul class="rows">${aside.map((one) => html`<li class="row" key=${one.id}><div class="grow"><strong>${one.type}</strong>
        <p class="fine">${one.service} · ${t(`console.place.${one.place}`)} · ${time(one.at, 'moment')}</p><p class="failed-text">${one.error}</p></div></li>`)}</ul></section>`}
      ${saga && html`<${Timeline} saga=${saga} />`}`;
  }}</></div>`;
}
