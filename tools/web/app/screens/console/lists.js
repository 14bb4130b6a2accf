// @ts-check
// The lists behind the tiles, with what can be done about each item.
import { get } from '../../core/api.js';
import { money, time } from '../../core/format.js';
import { html, useRef, useState } from '../../core/html.js';
import { locale, t } from '../../core/i18n.js';
import { useRenewed, useResource } from '../../core/resource.js';
import { Empty, Heading, Loaded, Notice, wordsOf } from '../../parts/states.js';
import { Acts } from './act.js';
import { ALL, WITH_DIFFERENCES, age, askAll } from './services.js';

/** @import { AuditEntry, DeadLetter, Difference, OutcomeCount, ParkedMessage, Saga, UnsettledPayment, WaitingMessages } from './shapes.js' */

/** @param {{ id: string | null | undefined }} props */
const BookingLink = ({ id }) => (id ? html`<a href=${`/console/booking/${id}`}><code>${id}</code></a>` : null);

/** @param {{ item: Saga, onDone: () => void }} props */
function SagaRow({ item, onDone }) {
  const path = `/ops/booking/sagas/${item.booking_id}/resume`;
  return html`<div class="grow"><p><${BookingLink} id=${item.booking_id} /> ${item.stuck && html`<span class="badge few">${t(`console.stuck.${item.stuck}`)}</span>`}</p>
    <p><strong>${item.stage}</strong> · ${age(item.age_s, locale.value)}</p>
    <p class="fine">${t('console.waits-for')} ${item.waits_for}</p>
    ${item.last_error && html`<p class="fine failed-text">${item.last_error}</p>`}</div>
    ${item.pending.length > 0 && html`<${Acts} onDone=${onDone} acts=${[{ kind: 'resume', path, about: item.booking_id }]} />`}`;
}

/** @param {{ item: UnsettledPayment, onDone: () => void }} props */
function PaymentRow({ item, onDone }) {
  const about = `${item.booking_id} · ${money(item.amount)}`;
  const path = `/ops/payment/${item.booking_id}`;
  return html`<div class="grow"><p><${BookingLink} id=${item.booking_id} /></p>
    <p><strong>${t(`console.what.${item.what}`)}</strong> · ${money(item.amount)}${item.age_s !== null && html` · ${age(item.age_s, locale.value)}`}</p>
    ${item.refusal && html`<p class="fine failed-text">${item.refusal}</p>`}
    ${item.cancel_wanted && html`<p class="fine">${t('console.cancel-wanted')}</p>`}</div>
    <${Acts} onDone=${onDone} acts=${[{ kind: 'ask', path: `${path}/ask`, about }, { kind: 'settle', path: `${path}/settle`, about, attempt: item.attempt_id, isAttempt: item.what === 'attempt' }]} />`;
}

/** @param {{ item: OutcomeCount }} props */
const OutcomeRow = ({ item }) => html`<p class="grow"><strong>${t(`console.came.${item.outcome ?? 'open'}`)}</strong> ${item.decline_code ?? ''}</p>
  <p class="sum">${item.attempts}</p>`;

/** @param {{ item: WaitingMessages, service: string }} props */
const WaitingRow = ({ item, service }) => html`<div class="grow"><p><span class="badge">${service}</span> <strong>${item.topic}</strong></p>
  <p class="fine">${t('console.oldest', { age: age(item.oldest_age_s, locale.value) })}</p></div>
  <p class="sum">${item.messages}</p>`;

/** @param {{ item: DeadLetter, service: string, onDone: () => void }} props */
function DeadLetterRow({ item, service, onDone }) {
  const [path, about] = [`/ops/${service}/dead-letters/${item.dead_letter_id}`, `${service} · ${item.type ?? item.topic} · ${item.dead_letter_id}`];
  return html`<div class="grow"><p><span class="badge">${service}</span> <strong>${item.type ?? item.topic}</strong></p>
    <p class="failed-text">${item.error}</p>
    <p class="fine">${item.topic} · ${time(item.first_seen_at, 'moment')} – ${time(item.last_seen_at, 'moment')}</p>
    <p class="fine"><${BookingLink} id=${item.booking_id} /></p>
    ${item.body && html`<details><summary>${t('console.body')}</summary><pre tabindex="0">${item.body}</pre></details>`}</div>
    <${Acts} onDone=${onDone} acts=${[...(item.can_be_redriven ? [{ kind: 'redrive', path: `${path}/redrive`, about }] : []), { kind: 'discard', path: `${path}/discard`, about }]} />`;
}

/** @param {{ item: ParkedMessage, service: string, onDone: () => void }} props */
function ParkedRow({ item, service, onDone }) {
  const [path, about] = [`/ops/${service}/parked/${item.message_id}`, `${service} · ${item.type} · ${item.message_id}`];
  return html`<div class="grow"><p><span class="badge">${service}</span> <strong>${item.type}</strong></p>
    <p class="failed-text">${item.error}</p>
    <p class="fine">${item.topic} · ${time(item.parked_at, 'moment')}</p><p class="fine"><${BookingLink} id=${item.booking_id} /></p></div>
    <${Acts} onDone=${onDone} acts=${[{ kind: 'resend', path: `${path}/resend`, about }, { kind: 'discard', path: `${path}/discard`, about }]} />`;
}

/** @param {{ item: Difference, service: string, onDone: () => void }} props */
function DifferenceRow({ item, service, onDone }) {
  const path = `/ops/${service}/differences/${item.difference_id}/close`;
  return html`<div class="grow"><p><span class="badge">${service}</span> <strong>${item.kind}</strong></p><p>${item.detail}</p>
    <p class="fine">${time(item.first_seen_at, 'moment')} – ${time(item.last_seen_at, 'moment')}</p>
    <p class="fine">${item.kind === 'stock' ? html`<code>${item.subject_id}</code>` : html`<${BookingLink} id=${item.subject_id} />`}</p></div>
    <${Acts} onDone=${onDone} acts=${[{ kind: 'close', path, about: `${service} · ${item.kind} · ${item.subject_id}` }]} />`;
}

/** @param {{ item: AuditEntry, service: string }} props */
const AuditRow = ({ item, service }) => html`<div class="grow"><p><span class="badge">${service}</span> <strong>${item.action}</strong> ${item.detail ?? ''}</p>
  ${item.reason && html`<p>“${item.reason}”</p>`}
  <p class="fine">${time(item.at, 'moment')} · ${t('console.by')} <code>${item.actor_id ?? t('console.deployment')}</code></p>
  <p class="fine">${t('console.to')} <code>${item.subject_id}</code></p></div>`;

/** @type {Record<string, { services: string[], list: string, query?: Record<string, any>, id: string, row: any }>} */
export const LISTS = {
  stuck: { services: ['booking'], list: 'sagas', query: { stuck: true }, id: 'booking_id', row: SagaRow },
  open: { services: ['booking'], list: 'sagas', id: 'booking_id', row: SagaRow },
  payments: { services: ['payment'], list: 'unknown', id: 'attempt_id', row: PaymentRow },
  outcomes: { services: ['payment'], list: 'outcomes', id: 'outcome', row: OutcomeRow },
  outbox: { services: ALL, list: 'outbox', id: 'topic', row: WaitingRow },
  'dead-letters': { services: ALL, list: 'dead-letters', id: 'dead_letter_id', row: DeadLetterRow },
  parked: { services: ALL, list: 'parked', id: 'message_id', row: ParkedRow },
  differences: { services: WITH_DIFFERENCES, list: 'differences', id: 'difference_id', row: DifferenceRow },
  audit: { services: ALL, list: 'audit', id: 'audit_id', row: AuditRow },
};

/** One service's part of a list, of which more can be shown. @param {{ part: import('./services.js').Part, name: string, onMore: () => void, onDone: () => void }} props */
function PartRows({ part, name, onMore, onDone }) {
  const { list, query, id, row: Row } = LISTS[name];
  const [more, setMore] = useState({ items: /** @type {any[]} */ ([]), next: part.next, isBusy: false });
  async function showMore() {
    onMore();
    setMore({ ...more, isBusy: true });
    try {
      const page = await get(`/ops/${part.service}/${list}`, { query: { limit: 100, ...query, cursor: more.next } });
      setMore({ items: [...more.items, ...page.items], next: page.next_cursor, isBusy: false });
    } catch {
      setMore({ ...more, isBusy: false });
    }
  }
  return html`<section class="box console-part" aria-label=${`${part.service}-service`}>
    <ul class="rows">${[...part.items, ...more.items].map((item) => html`<li class="row" key=${`${item[id]} ${item.booking_id} ${item.decline_code}`}><${Row} item=${item} service=${part.service} onDone=${onDone} /></li>`)}</ul>
    ${more.next && html`<button type="button" class="button" aria-disabled=${more.isBusy} onClick=${() => void showMore()}>${t('more')}</button>`}
  </section>`;
}

/** @param {{ name: string }} props */
export function OpsList({ name }) {
  const { services, list, query = {} } = LISTS[name];
  const [round, setRound] = useState(0);
  const hasMore = useRef(false);
  const parts = useResource((signal) => askAll(services, list, query, signal), [name, round]);
  // What an operator has paged to stays where it is.
  useRenewed(parts, () => hasMore.current);
  const onDone = () => {
    hasMore.current = false;
    setRound(round + 1);
  };
  return html`<div class="stack"><div class="stack-tight"><${Heading}>${t(`console.${name}`)}</><p class="lead">${t(`console.${name}.text`)}</p></div>
    <${Loaded} of=${parts}>${(/** @type {import('./services.js').Part[]} */ all) => html`
      ${all.filter(({ problem }) => problem).map(({ service, problem }) => html`<${Notice} key=${service} kind="failed" role="alert"><p>${service}-service: ${wordsOf(/** @type {any} */ (problem))}</p></>`)}
      ${all.filter(({ items }) => items.length).map((part) => html`<${PartRows} key=${`${part.service} ${part.next} ${round}`} part=${part} name=${name} onMore=${() => { hasMore.current = true; }} onDone=${onDone} />`)}
      ${all.every(({ items, problem }) => !items.length && !problem) && html`<${Empty} icon="check" title=${t('console.nothing')} />`}`}</>
  </div>`;
}
