// @ts-check
// What needs somebody now: a tile for each kind of trouble, leading to its list.
import { html, useEffect } from '../../core/html.js';
import { locale, t } from '../../core/i18n.js';
import { useResource } from '../../core/resource.js';
import { Icon } from '../../parts/icons.js';
import { Heading, Loaded } from '../../parts/states.js';
import { ALL, WITH_DIFFERENCES, age, askAll } from './services.js';

/** @import { Part } from './services.js' */

const REFRESH_EVERY_MS = 10_000;

/** @typedef {{ name: string, href: string, count: number | null, isMore: boolean, detail: string }} Tile */

/** A tile of a list that several services have. @param {string} name @param {Part[]} parts @returns {Tile} */
function tileOf(name, parts) {
  const silent = parts.filter(({ problem }) => problem).map(({ service }) => service);
  const some = parts.filter(({ items }) => items.length).map(({ service, items, next }) => `${service} ${items.length}${next ? '+' : ''}`);
  return {
    name, href: `/console/${name}`, isMore: parts.some(({ next }) => next),
    count: silent.length === parts.length ? null : parts.reduce((sum, { items }) => sum + items.length, 0),
    detail: [...some, silent.length ? t('console.silent', { services: silent.join(', ') }) : ''].filter(Boolean).join(' · '),
  };
}

/** @param {AbortSignal} signal @returns {Promise<Tile[]>} */
async function load(signal) {
  const [stuck, open, unknown, dead, parked, differences] = await Promise.all([
    askAll(['booking'], 'sagas', { stuck: true }, signal),
    askAll(['booking'], 'sagas', { limit: 1 }, signal),
    askAll(['payment'], 'unknown', {}, signal),
    askAll(ALL, 'dead-letters', {}, signal),
    askAll(ALL, 'parked', {}, signal),
    askAll(WITH_DIFFERENCES, 'differences', {}, signal),
  ]);
  const oldest = open[0].items[0];
  const oldestUnknown = Math.max(0, ...unknown[0].items.map(({ age_s }) => age_s ?? 0));
  return [
    { ...tileOf('stuck', stuck), detail: stuck[0].problem ? tileOf('stuck', stuck).detail : '' },
    { ...tileOf('open', open), detail: oldest ? t('console.oldest', { age: age(oldest.age_s, locale.value) }) : '' },
    { ...tileOf('payments', unknown), detail: oldestUnknown ? t('console.oldest', { age: age(oldestUnknown, locale.value) }) : '' },
    tileOf('dead-letters', dead),
    tileOf('parked', parked),
    tileOf('differences', differences),
  ];
}

/** @param {{ tile: Tile }} props */
function TileLink({ tile: { name, href, count, isMore, detail } }) {
  // Bookings under way are work, not trouble.
  const isCalm = count === 0 || name === 'open';
  let kind = isCalm ? 'calm' : 'trouble';
  if (count === null) kind = 'unknown';
  return html`<a class=${`tile ${kind}`} href=${href}>
    <span class="tile-name"><${Icon} name=${kind === 'calm' ? 'check' : 'warning'} />${t(`console.${name}`)}</span>
    <strong>${count === null ? '?' : `${count}${isMore && name !== 'open' ? '+' : ''}`}</strong>
    <span class="fine">${detail || t(isCalm ? 'console.calm' : 'console.look')}</span>
  </a>`;
}

export function Overview() {
  const tiles = useResource(load, []);
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) tiles.retry(); }, REFRESH_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return html`<div class="stack"><${Heading}>${t('console.title')}</>
    <${Loaded} of=${tiles}>${(/** @type {Tile[]} */ all) => {
    const troubled = all.filter(({ name, count }) => name !== 'open' && count !== 0).length;
    return html`<p class="lead" role="status">${t(troubled ? 'console.troubled' : 'console.all-well')}</p>
      <div class="tiles">${all.map((tile) => html`<${TileLink} key=${tile.name} tile=${tile} />`)}</div>`;
  }}</></div>`;
}
