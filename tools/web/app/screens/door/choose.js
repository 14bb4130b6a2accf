// @ts-check
// Which event is at this door, and what the door is called.
import { get } from '../../core/api.js';
import { time } from '../../core/format.js';
import { html, useState } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { useResource } from '../../core/resource.js';
import { go } from '../../core/router.js';
import { Cover } from '../../parts/cover.js';
import { Field } from '../../parts/form.js';
import { Icon } from '../../parts/icons.js';
import { Empty, Heading, Loaded } from '../../parts/states.js';
import { allowSound } from './feedback.js';
import { keptEvents } from './store.js';

/** @import { Problem } from '../../core/api.js' */
/** @import { KeptEvent } from './store.js' */

/** Doors are open before an event and long after its start. */
const STARTED_WITHIN_MS = 24 * 3600 * 1000;

/** @typedef {Pick<KeptEvent, 'event_id' | 'title' | 'venue' | 'starts_at' | 'time_zone'> & { isKept: boolean }} Choice */

/**
 * The events of the servers; without a network those whose lists are here.
 * @param {string} text @param {AbortSignal} signal
 * @returns {Promise<{ items: Choice[] }>}
 */
async function load(text, signal) {
  const kept = await keptEvents();
  const from = new Date(Date.now() - STARTED_WITHIN_MS).toISOString();
  try {
    const { items } = await get('/events', { query: { q: text, from, limit: 50 }, signal });
    return { items: items.map((/** @type {any} */ item) => ({ ...item, isKept: kept.some(({ event_id, isWhole }) => isWhole && event_id === item.event_id) })) };
  } catch (error) {
    const isOffline = /** @type {Problem} */ (error).isPassing;
    if (!isOffline || !kept.length) throw error;
    return { items: kept.filter(({ isWhole }) => isWhole).map((item) => ({ ...item, isKept: true })) };
  }
}

/** @param {{ gate: string, onGate: (name: string) => void, next?: string }} props next: the event that is chosen already */
export function Choose({ gate, onGate, next }) {
  const [name, setName] = useState(gate);
  const [text, setText] = useState('');
  const [isMissing, setMissing] = useState(false);
  const events = useResource((signal) => load(text, signal), [text]);
  /** @param {string} id */
  function open(id) {
    if (!name.trim()) {
      setMissing(true);
      document.querySelector('input')?.focus();
      return;
    }
    allowSound();
    onGate(name.trim());
    go(`/door/${id}`);
  }
  return html`<div class="medium page stack door-choose">
    <div class="stack-tight"><${Heading}>${t('door.title')}</><p class="lead">${t('door.choose-text')}</p></div>
    <form class="box" onSubmit=${(/** @type {Event} */ submitted) => { submitted.preventDefault(); if (next) open(next); }}>
      <${Field} label=${t('door.gate')} name="gate" value=${name} maxlength="60" required autocomplete="off" hint=${t('door.gate-hint')}
        error=${isMissing && !name.trim() ? t('door.gate-missing') : null}
        onInput=${(/** @type {any} */ typed) => setName(typed.currentTarget.value)} />
      ${next && html`<button class="button primary" type="submit">${t('door.open')}</button>`}
    </form>
    ${!next && html`<section class="stack-tight" aria-label=${t('door.events')}>
      <${Field} label=${t('door.search')} name="q" type="search" value=${text} onInput=${(/** @type {any} */ typed) => setText(typed.currentTarget.value)} />
      <${Loaded} of=${events}>${(/** @type {{ items: Choice[] }} */ { items }) => (items.length ? html`
        <ul class="door-events">${items.map((item) => html`<li key=${item.event_id}>
          <button type="button" class="door-event" onClick=${() => open(item.event_id)}>
            <${Cover} id=${item.event_id} class="thumb" />
            <span><strong>${item.title}</strong><span class="fine">${time(item.starts_at, 'full', item.time_zone)} · ${item.venue}</span>
              ${item.isKept && html`<span class="badge done">${t('door.kept')}</span>`}</span>
            <${Icon} name="right" />
          </button></li>`)}</ul>`
        : html`<${Empty} icon="calendar" title=${t(text ? 'door.none-found' : 'door.none')} />`)}</>
    </section>`}
  </div>`;
}
