// @ts-check
// Who comes: every sold ticket with its names, a search, and the list as a file.
import { get, problemOf, request } from '../../core/api.js';
import { number, time } from '../../core/format.js';
import { html, useEffect, useMemo, useRef, useState } from '../../core/html.js';
import { t, tn } from '../../core/i18n.js';
import { useResource } from '../../core/resource.js';
import { Icon } from '../../parts/icons.js';
import { Empty, Loaded, Notice, wordsOf } from '../../parts/states.js';
import { toast } from '../../parts/toasts.js';
import { holdersOf, namesOf } from './names.js';

/** @import { Event as KarcisEvent, List } from '../../types.js' */
/** @import { ListedTicket } from './shapes.js' */

const PAGE = 50;
/** So many bookings are looked up for a name that was searched. */
const MOST_FOUND = 5;

/** @typedef {ReturnType<typeof namesOf>} Names */
/** @typedef {{ items: ListedTicket[], cursor: string | null, hasNames: boolean }} Found */

/** @param {string} eventId @param {string} q @param {string | null} cursor @param {AbortSignal} signal @returns {Promise<List<ListedTicket>>} */
const readTickets = (eventId, q, cursor, signal) => get('/event/attendees', { signal, query: { event_id: eventId, q, limit: PAGE, cursor } });

/** Tickets whose type, code or booking fits, and those of people with such a name. @param {string} eventId @param {Names} names @param {string} q @param {AbortSignal} signal @returns {Promise<Found>} */
async function find(eventId, names, q, signal) {
  const page = await readTickets(eventId, q, null, signal);
  let hasNames = true;
  const more = [];
  try {
    await (q ? names.all(signal) : names.reach(page.items.map((ticket) => ticket.booking_id), signal));
    const bookings = q ? names.matching(q).slice(0, MOST_FOUND) : [];
    for (const { booking_id: id } of bookings) more.push(...(await readTickets(eventId, id, null, signal)).items);
  } catch (error) {
    if (signal.aborted) throw error;
    hasNames = false;
  }
  const codes = new Set(more.map(({ code }) => code));
  return { items: [...more, ...page.items.filter(({ code }) => !codes.has(code))], cursor: page.next_cursor, hasNames };
}

/** A cell (RFC 4180) that no spreadsheet takes for a formula. @param {string} text */
const cell = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;

/** The file of the tickets, whose cells are all quoted, with their names where all are known. @param {string} csv @param {Names} names */
function withNames(csv, names) {
  return csv.split('\r\n').map((line, at) => {
    if (!line) return line;
    if (at === 0) return `${line},buyer,holders`;
    const [, typeId, , booking] = line.split('","');
    const { buyer, holders } = holdersOf(names.of(booking), typeId);
    return `${line},${cell(buyer)},${cell(holders)}`;
  }).join('\r\n');
}

/** @param {KarcisEvent} event @param {Names} names */
async function download(event, names) {
  const response = await request('GET', `/event/attendees?event_id=${event.event_id}`, { headers: { Accept: 'text/csv' } });
  if (!response.ok) throw await problemOf(response);
  const csv = await response.text();
  const isNamed = await names.all().catch(() => false);
  // The mark tells spreadsheets that it is UTF-8.
  const blob = new Blob(['\ufeff', isNamed ? withNames(csv, names) : csv], { type: 'text/csv' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `${event.title.replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 60)}-attendees.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  toast(t(isNamed ? 'attendees.saved' : 'attendees.saved-without-names'));
}

/** @param {{ ticket: ListedTicket, names: Names, zone: string }} props */
function Row({ ticket, names, zone }) {
  const { buyer, holders } = holdersOf(names.of(ticket.booking_id), ticket.ticket_type_id);
  return html`<tr>
    <th scope="row"><strong>${holders || buyer || t('attendees.unnamed')}</strong>${holders && buyer && html`<span class="fine">${t('attendees.bought-by', { buyer })}</span>`}</th>
    <td data-label=${t('attendees.type')}>${ticket.name}</td>
    <td data-label=${t('attendees.code')}><code>${ticket.code.slice(0, 8)}…</code></td>
    <td data-label=${t('attendees.door')}>${ticket.state === 'used' && ticket.checked_in_at
      ? html`<span class="badge done">${time(ticket.checked_in_at, 'moment', zone)}${ticket.gate ? ` · ${ticket.gate}` : ''}</span>`
      : html`<span class="badge over">${t(`attendees.${ticket.state}`)}</span>`}</td>
  </tr>`;
}

/** @param {{ value: string, onSearch: (text: string) => void }} props */
function Search({ value, onSearch }) {
  const timer = useRef(/** @type {any} */ (null));
  const onInput = (/** @type {any} */ event) => {
    const text = event.currentTarget.value.trim();
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onSearch(text), 350);
  };
  return html`<form role="search" class="search" onSubmit=${(/** @type {any} */ event) => { event.preventDefault(); clearTimeout(timer.current); onSearch(event.currentTarget.q.value.trim()); }}>
    <${Icon} name="search" /><label class="hidden" for="attendee">${t('attendees.search')}</label>
    <input id="attendee" name="q" type="search" maxlength="200" autocomplete="off" placeholder=${t('attendees.search')} value=${value} onInput=${onInput} />
  </form>`;
}

/** @param {{ event: KarcisEvent }} props */
export function AttendeesTab({ event }) {
  const id = event.event_id;
  const names = useMemo(() => namesOf(id), [id]);
  const [q, setQ] = useState('');
  const [isBusy, setBusy] = useState(false);
  const found = useResource((signal) => find(id, names, q, signal), [id, q]);
  const abort = useRef(/** @type {AbortController | null} */ (null));
  useEffect(() => () => abort.current?.abort(), [q]);
  /** @param {() => Promise<void>} act */
  const once = (act) => async () => {
    if (isBusy) return;
    setBusy(true);
    await act().catch((problem) => { if (problem.slug) toast(wordsOf(problem), 'failed'); });
    setBusy(false);
  };
  const more = once(async () => {
    const { items, cursor, hasNames } = /** @type {Found} */ (found.data);
    abort.current = new AbortController();
    const page = await readTickets(id, q, cursor, abort.current.signal);
    if (hasNames) await names.reach(page.items.map((ticket) => ticket.booking_id)).catch(() => null);
    const codes = new Set(items.map(({ code }) => code));
    found.set({ items: [...items, ...page.items.filter(({ code }) => !codes.has(code))], cursor: page.next_cursor, hasNames });
  });
  return html`<div class="stack">
    <div class="list-head"><${Search} value=${q} onSearch=${setQ} />
      <button type="button" class="button" aria-disabled=${isBusy ? 'true' : undefined} onClick=${once(() => download(event, names))}><${Icon} name="down" />${t('attendees.csv')}</button></div>
    <${Loaded} of=${found}>${(/** @type {Found} */ { items, cursor, hasNames }) => (items.length ? html`<div class="stack">
      ${!hasNames && html`<${Notice} kind="warning"><p>${t('attendees.no-names')}</p></>`}
      <p class="hidden" role="status">${tn('attendees.found', items.length)}</p>
      <div class="box table-box"><table class=${`table people ${found.status === 'loading' ? 'stale' : ''}`}>
        <caption class="hidden">${t('attendees.title')}</caption>
        <thead><tr>${['name', 'type', 'code', 'door'].map((name) => html`<th key=${name} scope="col">${t(`attendees.${name}`)}</th>`)}</tr></thead>
        <tbody>${items.map((ticket) => html`<${Row} key=${ticket.code} ticket=${ticket} names=${names} zone=${event.time_zone} />`)}</tbody>
      </table></div>
      ${cursor && html`<div class="more"><button type="button" class="button" aria-disabled=${isBusy ? 'true' : undefined} onClick=${more}>${t('more')}</button></div>`}
      <p class="fine centred">${tn('attendees.found', items.length)}${cursor ? ` · ${t('attendees.and-more')}` : ''}</p>
    </div>` : html`<${Empty} icon="user" title=${t(q ? 'attendees.none-found' : 'attendees.none')}><p>${t(q ? 'attendees.none-found-text' : 'attendees.none-text', { count: number(0) })}</p></>`)}</>
  </div>`;
}
