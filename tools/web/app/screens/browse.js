// @ts-check
// Browse: the events to come, by words and dates. What is searched stands in the address.
import { get } from '../core/api.js';
import { money, time } from '../core/format.js';
import { html, useEffect, useRef } from '../core/html.js';
import { t, tn } from '../core/i18n.js';
import { useResource } from '../core/resource.js';
import { go, place } from '../core/router.js';
import { Cover } from '../parts/cover.js';
import { Icon } from '../parts/icons.js';
import { Empty, Failure, Heading } from '../parts/states.js';

/** @import { List, ListedEvent } from '../types.js' */

const PAGE = 12;

/** The start of a local day as the API takes it. @param {string} day @param {number} [plusDays] */
function startOf(day, plusDays = 0) {
  if (!/^\d{4}-\d\d-\d\d$/.test(day)) return undefined;
  const [year, month, date] = day.split('-').map(Number);
  const at = new Date(year, month - 1, date + plusDays);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** A day as `<input type="date">` has it. @param {Date} date */
const dayOf = (date) =>
  `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`;

/** @param {'week' | 'weekend' | 'month'} name @returns {[string, string]} */
function preset(name) {
  const now = new Date();
  const day = (/** @type {number} */ plus) => dayOf(new Date(now.getFullYear(), now.getMonth(), now.getDate() + plus));
  const untilSunday = (7 - now.getDay()) % 7;
  if (name === 'week') return [day(0), day(6)];
  if (name === 'weekend') return [day(Math.max(0, untilSunday - 1)), day(untilSunday)];
  return [day(0), day(30)];
}

/** @param {Record<string, string>} change */
function search(change) {
  const query = new URLSearchParams(place.value.query);
  query.delete('pages');
  for (const [name, value] of Object.entries(change)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  go(text ? `/?${text}` : '/', { keepsPlace: true, replace: 'q' in change && place.value.query.has('q') });
}

function Filters() {
  const { query } = place.value;
  const [from, to] = [query.get('from') ?? '', query.get('to') ?? ''];
  const timer = useRef(/** @type {any} */ (null));
  // Who has left is not brought back by the words just typed.
  useEffect(() => () => clearTimeout(timer.current), []);
  /** @param {any} event */
  const onWords = (event) => {
    const q = event.currentTarget.value.trim();
    clearTimeout(timer.current);
    timer.current = setTimeout(() => search({ q }), 300);
  };
  return html`<form role="search" class="filters" onSubmit=${(/** @type {any} */ event) => {
    event.preventDefault();
    clearTimeout(timer.current);
    search({ q: event.currentTarget.q.value.trim() });
  }}>
    <div class="search">
      <${Icon} name="search" />
      <label class="hidden" for="q">${t('browse.search')}</label>
      <input id="q" name="q" type="search" maxlength="200" autocomplete="off" placeholder=${t('browse.placeholder')}
        value=${query.get('q') ?? ''} onInput=${onWords} />
    </div>
    <div class="chips" role="group" aria-label=${t('browse.dates')}>
      <button type="button" class="chip" aria-pressed=${!from && !to} onClick=${() => search({ from: '', to: '' })}>${t('browse.any')}</button>
      ${/** @type {const} */ (['weekend', 'week', 'month']).map((name) => {
        const [first, last] = preset(name);
        return html`<button key=${name} type="button" class="chip" aria-pressed=${from === first && to === last}
          onClick=${() => search({ from: first, to: last })}>${t(`browse.${name}`)}</button>`;
      })}
      <span class="dates">
        <label for="from" class="hidden">${t('browse.from')}</label>
        <input id="from" type="date" value=${from} max=${to || undefined} onChange=${(/** @type {any} */ event) => search({ from: event.currentTarget.value })} />
        <span aria-hidden="true">–</span>
        <label for="to" class="hidden">${t('browse.to')}</label>
        <input id="to" type="date" value=${to} min=${from || undefined} onChange=${(/** @type {any} */ event) => search({ to: event.currentTarget.value })} />
      </span>
    </div>
  </form>`;
}

/** @param {{ event: ListedEvent }} props */
function Availability({ event }) {
  const opens = event.on_sale_at && Date.parse(event.on_sale_at) > Date.now() ? event.on_sale_at : null;
  if (event.availability === 'sold_out') return html`<span class="badge over">${t('sold-out')}</span>`;
  if (opens) return html`<span class="badge">${t('browse.opens', { at: time(opens, 'day', event.time_zone) })}</span>`;
  if (event.availability === 'few') return html`<span class="badge few">${t('few')}</span>`;
  return null;
}

/** @param {{ event: ListedEvent }} props */
function Card({ event }) {
  const price = event.from_price;
  const isFree = price?.amount === 0;
  return html`<li class="card"><a href=${`/e/${event.event_id}`} class="card-link">
    <div class="card-art">
      <${Cover} id=${event.event_id} />
      <span class="date-block" aria-hidden="true"><b>${time(event.starts_at, 'dayOfMonth', event.time_zone)}</b>${time(event.starts_at, 'month', event.time_zone)}</span>
      <${Availability} event=${event} />
    </div>
    <div class="card-text">
      <h2>${event.title}</h2>
      <p class="card-when"><time datetime=${event.starts_at}>${time(event.starts_at, 'day', event.time_zone)} · ${time(event.starts_at, 'time', event.time_zone)}</time></p>
      <p class="card-where">${event.venue}</p>
      ${price && html`<p class="card-price">${isFree ? t('free') : t('browse.price', { price: money(price) })}</p>`}
    </div>
  </a></li>`;
}

const Bones = () => html`<ul class="grid" aria-busy="true">
  ${Array.from({ length: 6 }, (_, at) => html`<li class="card" key=${at}><div class="card-art bone" /><div class="card-text"><span class="bone line" /><span class="bone line short" /></div></li>`)}
</ul>`;

/** As many pages as the address says, so that back returns to the same list. @param {AbortSignal} signal @param {number} pages */
async function loadEvents(signal, pages) {
  const { query } = place.value;
  /** @type {ListedEvent[]} */
  const items = [];
  let cursor = null;
  for (let page = 0; page < pages; page += 1) {
    /** @type {List<ListedEvent>} */
    const list = await get('/events', {
      signal, isPublic: true,
      query: { q: query.get('q'), from: startOf(query.get('from') ?? ''), to: startOf(query.get('to') ?? '', 1), limit: PAGE, cursor },
    });
    items.push(...list.items);
    cursor = list.next_cursor;
    if (!cursor) break;
  }
  return { items, cursor };
}

export default function Browse() {
  const { query } = place.value;
  const pages = Math.min(40, Math.max(1, Number(query.get('pages')) || 1));
  const events = useResource((signal) => loadEvents(signal, pages), [query.get('q'), query.get('from'), query.get('to'), pages]);
  const list = events.data;
  const isFiltered = ['q', 'from', 'to'].some((name) => query.has(name));
  const more = () => {
    const next = new URLSearchParams(query);
    next.set('pages', String(pages + 1));
    go(`/?${next}`, { replace: true, keepsPlace: true });
  };
  return html`<div class="wide page browse">
    <${Heading} class="display" title=${t('browse.tab')}>${t('browse.title')}</>
    <${Filters} />
    <p class="hidden" role="status">${events.status === 'ready' && list ? tn('browse.found', list.items.length) : ''}</p>
    ${!list && events.status === 'loading' && html`<${Bones} />`}
    ${events.status === 'failed' && html`<${Failure} problem=${events.problem} onRetry=${events.retry} />`}
    ${list && events.status !== 'failed' && (list.items.length
      ? html`<ul class=${`grid ${events.status === 'loading' ? 'stale' : ''}`}>${list.items.map((event) => html`<${Card} key=${event.event_id} event=${event} />`)}</ul>`
      : html`<${Empty} icon="search" title=${t(isFiltered ? 'browse.none-found' : 'browse.none')}>
          ${isFiltered && html`<button class="button" type="button" onClick=${() => search({ q: '', from: '', to: '' })}>${t('browse.reset')}</button>`}
        </>`)}
    ${list?.cursor && html`<div class="more"><button type="button" class="button" aria-disabled=${events.status === 'loading'} onClick=${more}>${t('more')}</button></div>`}
  </div>`;
}
