// @ts-check
// The organiser's events: all stages, a search, and the way to a new one.
import { get } from '../../core/api.js';
import { number, time } from '../../core/format.js';
import { html, useRef } from '../../core/html.js';
import { t, tn } from '../../core/i18n.js';
import { useResource } from '../../core/resource.js';
import { go, place } from '../../core/router.js';
import { hasRole } from '../../core/session.js';
import { Cover } from '../../parts/cover.js';
import { Icon } from '../../parts/icons.js';
import { Empty, Heading, Loaded } from '../../parts/states.js';
import { StackedBar } from './plots.js';

/** @import { List, ListedEvent } from '../../types.js' */

const PAGE = 20;
const STATUSES = ['', 'published', 'draft', 'ended', 'cancelled'];

/** @param {{ event: { status: string } }} props */
export function StatusBadge({ event }) {
  const kind = { published: 'done', draft: 'few', cancelled: 'over', ended: 'over' }[event.status] ?? '';
  return html`<span class=${`badge ${kind}`}>${t(`office.status-${event.status}`)}</span>`;
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
  go(text ? `/office?${text}` : '/office', { keepsPlace: true, replace: true });
}

/** @param {AbortSignal} signal @param {number} pages @returns {Promise<{ items: ListedEvent[], cursor: string | null }>} */
async function loadEvents(signal, pages) {
  const { query } = place.value;
  const isAll = query.get('of') === 'all';
  const items = [];
  let cursor = null;
  for (let page = 0; page < pages; page += 1) {
    /** @type {List<ListedEvent>} */
    const list = await get('/events', { signal, query: { organiser: isAll ? null : 'me', status: query.get('status'), q: query.get('q'), limit: PAGE, cursor } });
    items.push(...list.items);
    cursor = list.next_cursor;
    if (!cursor) break;
  }
  return { items, cursor };
}

function Filters() {
  const { query } = place.value;
  const timer = useRef(/** @type {any} */ (null));
  const onInput = (/** @type {any} */ event) => {
    const q = event.currentTarget.value.trim();
    clearTimeout(timer.current);
    timer.current = setTimeout(() => search({ q }), 300);
  };
  const status = query.get('status') ?? '';
  const isAll = query.get('of') === 'all';
  return html`<form role="search" class="office-filters" onSubmit=${(/** @type {any} */ event) => { event.preventDefault(); clearTimeout(timer.current); search({ q: event.currentTarget.q.value.trim() }); }}>
    <div class="search"><${Icon} name="search" /><label class="hidden" for="own">${t('office.search')}</label>
      <input id="own" name="q" type="search" maxlength="200" autocomplete="off" placeholder=${t('office.search')} value=${query.get('q') ?? ''} onInput=${onInput} /></div>
    <div class="chips" role="group" aria-label=${t('office.status')}>
      ${STATUSES.filter((name) => name || !isAll).map((name) => html`<button key=${name} type="button" class="chip" aria-pressed=${status === name || (isAll && !status && name === 'published')}
        onClick=${() => search({ status: name })}>${t(name ? `office.status-${name}` : 'office.status-all')}</button>`)}
      ${hasRole('admin') && html`<label class="switch">${t('office.of')}
        <select value=${isAll ? 'all' : ''} onChange=${(/** @type {any} */ event) => search({ of: event.currentTarget.value })}>
          <option value="">${t('office.of-me')}</option><option value="all">${t('office.of-all')}</option></select></label>`}
    </div>
  </form>`;
}

/** @param {{ event: ListedEvent }} props */
function Row({ event }) {
  const [capacity, free] = ['capacity', 'available'].map((name) => event.ticket_types.reduce((sum, type) => sum + /** @type {any} */ (type)[name], 0));
  const taken = capacity - free;
  return html`<li><a class="box office-row" href=${`/office/e/${event.event_id}`}>
    <div class="thumb"><${Cover} id=${event.event_id} /></div>
    <div class="office-row-text"><h2>${event.title}</h2><p class="fine">${time(event.starts_at, 'full', event.time_zone)}</p><p class="fine">${event.venue}</p></div>
    <div class="office-row-seats"><p><strong>${number(taken)}</strong> <span class="fine">${t('office.of-seats', { capacity: number(capacity) })}</span></p>
      <${StackedBar} total=${capacity} parts=${[{ name: 'sold', value: taken }]} /></div>
    <${StatusBadge} event=${event} />
  </a></li>`;
}

/** What there is to do before anything is there. @param {{ isFiltered: boolean }} props */
const None = ({ isFiltered }) => (isFiltered
  ? html`<${Empty} icon="search" title=${t('office.none-found')}><button type="button" class="button" onClick=${() => search({ q: '', status: '', of: '' })}>${t('office.reset')}</button></>`
  : html`<${Empty} icon="calendar" title=${t('office.none')}><p>${t('office.none-text')}</p>
      <ol class="steps">${[1, 2, 3].map((step) => html`<li key=${step}><b aria-hidden="true">${step}</b><span>${t(`office.step-${step}`)}</span></li>`)}</ol>
      <a class="button primary big" href="/office/new"><${Icon} name="plus" />${t('office.create')}</a></>`);

export function Events() {
  const { query } = place.value;
  const pages = Math.min(25, Math.max(1, Number(query.get('pages')) || 1));
  const events = useResource((signal) => loadEvents(signal, pages), [query.get('q'), query.get('status'), query.get('of'), pages]);
  const isFiltered = ['q', 'status', 'of'].some((name) => query.has(name));
  const more = () => {
    const next = new URLSearchParams(query);
    next.set('pages', String(pages + 1));
    go(`/office?${next}`, { replace: true, keepsPlace: true });
  };
  const isEmpty = events.data?.items.length === 0 && !isFiltered;
  return html`<div class="wide page stack">
    <div class="title-row"><div><${Heading}>${t('office.title')}</><p class="lead">${t('office.lead')}</p></div>
      <div class="actions">${hasRole('admin') && html`<a class="button" href="/office/people"><${Icon} name="user" />${t('people.title')}</a>`}
        ${!isEmpty && html`<a class="button primary big" href="/office/new"><${Icon} name="plus" />${t('office.create')}</a>`}</div></div>
    ${!isEmpty && html`<${Filters} />`}
    <${Loaded} of=${events}>${(/** @type {{ items: ListedEvent[], cursor: string | null }} */ { items, cursor }) => (items.length ? html`<div>
      <p class="hidden" role="status">${tn('browse.found', items.length)}</p>
      <ul class=${`office-list ${events.status === 'loading' ? 'stale' : ''}`}>${items.map((event) => html`<${Row} key=${event.event_id} event=${event} />`)}</ul>
      ${cursor && html`<div class="more"><button type="button" class="button" aria-disabled=${events.status === 'loading'} onClick=${more}>${t('more')}</button></div>`}
    </div>` : html`<${None} isFiltered=${isFiltered} />`)}</>
  </div>`;
}
