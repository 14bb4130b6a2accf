// @ts-check
// What an event sells, as it happens: tiles, ticket types, and money per day.
import { call } from '../../core/api.js';
import { money, number, time } from '../../core/format.js';
import { html, useState } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { useLive } from '../../core/resource.js';
import { Empty, Loaded, Notice, wordsOf } from '../../parts/states.js';
import { toast } from '../../parts/toasts.js';
import { shortMoney } from './amounts.js';
import { Checklist } from './checklist.js';
import { draftOf } from './draft.js';
import { DayBars, StackedBar } from './plots.js';
import { toLocal } from './zone.js';

/** @import { Event as KarcisEvent, Money } from '../../types.js' */
/** @import { DaySales, Sales, TypeSales } from './shapes.js' */

const DAY_MS = 86_400_000;
const LONGEST_DAYS = 60;

/** @param {TypeSales[]} types */
export const totalsOf = (types) => {
  const sum = (/** @type {'capacity' | 'free' | 'held' | 'sold' | 'used'} */ name) => types.reduce((all, type) => all + type[name], 0);
  return { capacity: sum('capacity'), free: sum('free'), held: sum('held'), sold: sum('sold'), used: sum('used') };
};

/** @param {{ name: string, value: any, more?: any }} props */
const Tile = ({ name, value, more }) => html`<div class="tile"><dt>${name}</dt><dd>${value}</dd>${more && html`<dd class="fine">${more}</dd>`}</div>`;

/** @param {{ sales: Sales, connection: 'live' | 'waiting' | 'off' }} props */
function Tiles({ sales, connection }) {
  const { capacity, free, held, sold, used } = totalsOf(sales.ticket_types);
  const share = capacity ? sold / capacity : 0;
  return html`<section aria-label=${t('sales.title')}>
    <div class="section-head"><h2>${t('sales.title')}</h2>${connection !== 'off' && html`<span class=${`live ${connection}`} role="status">${t(`live.${connection}`)}</span>`}</div>
    <dl class="tiles">
      <${Tile} name=${t('sales.revenue')} value=${money(sales.revenue)} />
      <${Tile} name=${t('sales.sold')} value=${number(sold)} more=${t('sales.of', { capacity: number(capacity), percent: Math.floor(share * 100) })} />
      <${Tile} name=${t('sales.held')} value=${number(held)} more=${t('sales.held-more')} />
      <${Tile} name=${t('sales.free')} value=${number(free)} />
      <${Tile} name=${t('sales.used')} value=${number(used)} more=${sold ? t('sales.used-of', { sold: number(sold) }) : null} />
    </dl>
  </section>`;
}

/** Stops or goes on with the sale of a ticket type at once. @param {KarcisEvent} event @param {string} id @param {boolean} closed */
async function setClosed(event, id, closed) {
  const { local, ...updated } = await call('PUT', '/event/update', { body: { event_id: event.event_id, ticket_types: [{ ticket_type_id: id, closed }] } });
  toast(t(closed ? 'sales.is-paused' : 'sales.is-open'));
  return updated;
}

/** @param {{ event: KarcisEvent, sales: Sales, onChange: (event: KarcisEvent) => void }} props */
function Types({ event, sales, onChange }) {
  const canPause = ['draft', 'published'].includes(event.status);
  const toggle = (/** @type {string} */ id, /** @type {boolean} */ closed) =>
    setClosed(event, id, closed).then(onChange, (problem) => toast(wordsOf(problem), 'failed'));
  return html`<section class="box"><h2>${t('sales.types')}</h2>
    <ul class="legend" aria-hidden="true">${['sold', 'held', 'free'].map((name) => html`<li key=${name}><i class=${`key-${name}`} />${t(`sales.${name}`)}</li>`)}</ul>
    <ul class="rows">${sales.ticket_types.map((type) => {
      const isClosed = event.ticket_types.find((one) => one.ticket_type_id === type.ticket_type_id)?.closed ?? false;
      return html`<li key=${type.ticket_type_id} class="type-sales">
        <div class="type-head"><h3>${type.name}</h3>${isClosed && html`<span class="badge over">${t('editor.paused')}</span>`}
          ${canPause && html`<button type="button" class="link" aria-label=${`${t(isClosed ? 'editor.reopen' : 'editor.pause')}: ${type.name}`}
            onClick=${() => void toggle(type.ticket_type_id, !isClosed)}>${t(isClosed ? 'editor.reopen' : 'editor.pause')}</button>`}
          <strong>${money(type.revenue)}</strong></div>
        <${StackedBar} total=${type.capacity} parts=${[{ name: 'sold', value: type.sold }, { name: 'held', value: type.held }]} />
        <p class="fine">${t('sales.type-line', { sold: number(type.sold), held: number(type.held), free: number(type.free), capacity: number(type.capacity) })}</p>
      </li>`;
    })}</ul>
  </section>`;
}

/** Every day from the first sale to now, or to the event's end: also those on which nothing happened. @param {Sales} sales @returns {DaySales[]} */
function allDays(sales) {
  const known = new Map(sales.days.map((day) => [day.day, day]));
  const dates = [...known.keys()].sort();
  const zero = { amount: 0, currency: sales.revenue.currency };
  const today = toLocal(Date.now(), sales.time_zone).slice(0, 10);
  const last = [today, dates[dates.length - 1]].sort()[1];
  const first = new Date(Math.max(Date.parse(dates[0]), Date.parse(last) - (LONGEST_DAYS - 1) * DAY_MS));
  const days = [];
  for (let at = Math.min(first.getTime(), Date.parse(last) - 6 * DAY_MS); at <= Date.parse(last); at += DAY_MS) {
    const day = new Date(at).toISOString().slice(0, 10);
    days.push(known.get(day) ?? { day, sold: 0, refunded: 0, revenue: zero, refunds: zero });
  }
  return days;
}

/** @param {string} day */
const dayName = (day) => time(`${day}T12:00:00Z`, 'day', 'UTC');
/** @param {string} day */
const shortDay = (day) => ['dayOfMonth', 'month'].map((shape) => time(`${day}T12:00:00Z`, shape, 'UTC')).join(' ');

/** @param {{ days: DaySales[] }} props */
const DaysTable = ({ days }) => html`<details class="numbers"><summary>${t('sales.as-table')}</summary>
  <div class="table-frame" tabindex="0" role="region" aria-label=${t('sales.days')}><table class="table">
    <caption class="hidden">${t('sales.days')}</caption>
    <thead><tr>${['day', 'sold', 'refunded', 'revenue', 'refunds'].map((name) => html`<th key=${name} scope="col">${t(`sales.${name}`)}</th>`)}</tr></thead>
    <tbody>${days.map((day) => html`<tr key=${day.day}><th scope="row">${dayName(day.day)}</th><td>${number(day.sold)}</td><td>${number(day.refunded)}</td>
      <td>${money(day.revenue)}</td><td>${money(day.refunds)}</td></tr>`)}</tbody>
  </table></div></details>`;

/** @param {{ sales: Sales }} props */
function Days({ sales }) {
  const [what, setWhat] = useState(/** @type {'money' | 'tickets'} */ ('money'));
  if (!sales.days.length) return html`<section class="box"><h2>${t('sales.days')}</h2><p class="fine">${t('sales.no-days')}</p></section>`;
  const { currency } = sales.revenue;
  const bars = allDays(sales).map((day) => {
    const [up, down] = what === 'money' ? [day.revenue.amount, day.refunds.amount] : [day.sold, day.refunded];
    const title = `${dayName(day.day)}: ${money(day.revenue)}, ${t('sales.sold')} ${number(day.sold)}; ${t('sales.refunds')} ${money(day.refunds)}`;
    return { label: shortDay(day.day), up, down, title };
  });
  const format = (/** @type {number} */ value) => (what === 'money' ? shortMoney({ amount: value, currency }) : number(value));
  return html`<section class="box"><div class="section-head"><h2>${t('sales.days')}</h2>
      <div class="chips" role="group" aria-label=${t('sales.days')}>${/** @type {const} */ (['money', 'tickets']).map((name) => html`<button key=${name} type="button"
        class="chip" aria-pressed=${what === name} onClick=${() => setWhat(name)}>${t(`sales.by-${name}`)}</button>`)}</div></div>
    <ul class="legend" aria-hidden="true"><li><i class="key-sold" />${t(what === 'money' ? 'sales.revenue' : 'sales.sold')}</li><li><i class="key-down" />${t(what === 'money' ? 'sales.refunds' : 'sales.refunded')}</li></ul>
    <${DayBars} days=${bars} format=${format} />
    <${DaysTable} days=${sales.days} />
  </section>`;
}

/** What a draft still needs. @param {{ event: KarcisEvent }} props */
const Drafted = ({ event }) => html`<section class="box draft-box"><h2>${t('checklist.title')}</h2><${Checklist} draft=${draftOf(event)} />
  <div class="actions"><a class="button" href=${`/office/e/${event.event_id}/edit`}>${t('office.edit')}</a></div></section>`;

/** The event with what is free now: which fields are locked and what can be done follows from it. @param {KarcisEvent} event @param {Sales} sales */
function withFree(event, sales) {
  const free = new Map(sales.ticket_types.map((type) => [type.ticket_type_id, type.free]));
  const types = event.ticket_types.map((type) => ({ ...type, available: free.get(type.ticket_type_id) ?? type.available }));
  return types.some(({ available }, at) => available !== event.ticket_types[at].available) ? { ...event, ticket_types: types } : event;
}

/** @param {{ event: KarcisEvent, onChange: (event: KarcisEvent) => void }} props */
export function SalesTab({ event, onChange }) {
  /** @param {Sales} data */
  const follow = (data) => {
    const now = withFree(event, data);
    if (now !== event) onChange(now);
  };
  const sales = useLive(`/event/sales?event_id=${event.event_id}`, () => false, follow);
  if (sales.status === 'failed' && sales.problem?.status === 404) return html`<${Empty} icon="search" title=${t('office.not-yours')} />`;
  return html`<div class="stack">
    ${event.status === 'draft' && html`<${Drafted} event=${event} />`}
    ${event.status === 'cancelled' && html`<${Notice} kind="failed"><p><strong>${t('office.is-cancelled')}</strong></p><p>${event.cancel_reason}</p></>`}
    <${Loaded} of=${sales}>${(/** @type {Sales} */ data) => html`<div class="stack">
      <${Tiles} sales=${data} connection=${sales.connection} />
      <div class="plots"><${Types} event=${event} sales=${data} onChange=${onChange} /><${Days} sales=${data} /></div>
    </div>`}</>
  </div>`;
}
