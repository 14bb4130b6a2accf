// @ts-check
// What needs somebody now: a tile for each kind of trouble, leading to its list.
import { html } from '../../core/html.js';
import { locale, t } from '../../core/i18n.js';
import { useRenewed, useResource } from '../../core/resource.js';
import { Icon } from '../../parts/icons.js';
import { Heading, Loaded } from '../../parts/states.js';
import { ALL, WITH_DIFFERENCES, age, askAll } from './services.js';

/** @import { Part } from './services.js' */

/** Messages wait for some milliseconds; for longer where the broker is away or behind. */
const LONG_UNSENT_S = 10;
/** A share of declines that is no longer usual, among enough payments to tell. */
const [MANY_DECLINES, FEWEST_DECIDED] = [0.4, 10];

/** @typedef {{ name: string, href: string, kind: 'calm' | 'trouble' | 'unknown', shown: string, detail: string }} Tile */

/** A tile of a list that several services have. @param {string} name @param {Part[]} parts @returns {Tile} */
function tileOf(name, parts) {
  const silent = parts.filter(({ problem }) => problem).map(({ service }) => service);
  const some = parts.filter(({ items }) => items.length).map(({ service, items, next }) => `${service} ${items.length}${next ? '+' : ''}`);
  const count = parts.reduce((sum, { items }) => sum + items.length, 0);
  let kind = /** @type {Tile['kind']} */ (count ? 'trouble' : 'calm');
  if (silent.length) kind = 'unknown';
  return {
    name, href: `/console/${name}`, kind,
    shown: silent.length === parts.length ? '?' : `${count}${parts.some(({ next }) => next) ? '+' : ''}`,
    detail: [...some, silent.length ? t('console.silent', { services: silent.join(', ') }) : ''].filter(Boolean).join(' · '),
  };
}

/** What differs from a plain list, unless not all services answered. @param {Tile} tile @param {Partial<Tile>} more @returns {Tile} */
const known = (tile, more) => (tile.kind === 'unknown' ? tile : { ...tile, ...more });

/** @param {number | null | undefined} seconds */
const oldestOf = (seconds) => (seconds ? t('console.oldest', { age: age(seconds, locale.value) }) : '');

/** How many payments were declined of those that were decided. @param {Part[]} parts @returns {Tile} */
function declines(parts) {
  /** @param {string} outcome */
  const count = (outcome) => parts[0].items.filter((item) => item.outcome === outcome).reduce((sum, { attempts }) => sum + attempts, 0);
  const [approved, declined] = [count('approved'), count('declined')];
  const [decided, share] = [approved + declined, declined / (approved + declined || 1)];
  return known(tileOf('outcomes', parts), {
    kind: decided >= FEWEST_DECIDED && share >= MANY_DECLINES ? 'trouble' : 'calm',
    shown: new Intl.NumberFormat(locale.value, { style: 'percent' }).format(share),
    detail: t('console.declined', { declined, decided }),
  });
}

/** @param {Part[]} parts @returns {Tile} */
function unsent(parts) {
  const all = parts.flatMap(({ items }) => items);
  const oldest = Math.max(0, ...all.map((item) => item.oldest_age_s));
  return known(tileOf('outbox', parts), {
    kind: oldest >= LONG_UNSENT_S ? 'trouble' : 'calm',
    shown: String(all.reduce((sum, { messages }) => sum + messages, 0)),
    detail: oldestOf(oldest),
  });
}

/** @param {AbortSignal} signal @returns {Promise<Tile[]>} */
async function load(signal) {
  const [stuck, open, unknown, outcomes, outbox, dead, parked, differences] = await Promise.all([
    askAll(['booking'], 'sagas', { stuck: true }, signal),
    askAll(['booking'], 'sagas', {}, signal),
    askAll(['payment'], 'unknown', {}, signal),
    askAll(['payment'], 'outcomes', {}, signal),
    askAll(ALL, 'outbox', {}, signal),
    askAll(ALL, 'dead-letters', {}, signal),
    askAll(ALL, 'parked', {}, signal),
    askAll(WITH_DIFFERENCES, 'differences', {}, signal),
  ]);
  const oldestUnknown = Math.max(0, ...unknown[0].items.map(({ age_s }) => age_s ?? 0));
  return [
    known(tileOf('stuck', stuck), { detail: '' }),
    // Bookings under way are work, not trouble.
    known(tileOf('open', open), { kind: 'calm', detail: oldestOf(open[0].items[0]?.age_s) }),
    known(tileOf('payments', unknown), { detail: oldestOf(oldestUnknown) }),
    declines(outcomes),
    unsent(outbox),
    tileOf('dead-letters', dead),
    tileOf('parked', parked),
    tileOf('differences', differences),
  ];
}

/** @param {{ tile: Tile }} props */
const TileLink = ({ tile: { name, href, kind, shown, detail } }) => html`<a class=${`tile ${kind}`} href=${href}>
  <span class="tile-name"><${Icon} name=${kind === 'calm' ? 'check' : 'warning'} />${t(`console.${name}`)}</span>
  <strong>${shown}</strong>
  <span class="fine">${detail || t(kind === 'calm' ? 'console.calm' : 'console.look')}</span>
</a>`;

export function Overview() {
  const tiles = useResource(load, []);
  useRenewed(tiles);
  return html`<div class="stack"><${Heading}>${t('console.title')}</>
    <${Loaded} of=${tiles}>${(/** @type {Tile[]} */ all) => {
    const troubled = all.filter(({ kind }) => kind !== 'calm').length;
    return html`<p class="lead" role="status">${t(troubled ? 'console.troubled' : 'console.all-well')}</p>
      <div class="tiles">${all.map((tile) => html`<${TileLink} key=${tile.name} tile=${tile} />`)}</div>`;
  }}</></div>`;
}
