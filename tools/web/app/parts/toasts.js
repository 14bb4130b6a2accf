// @ts-check
// Short notes at the edge of the screen, read out by screen readers.
import { html, signal } from '../core/html.js';
import { t } from '../core/i18n.js';
import { Icon } from './icons.js';

/** @type {import('@preact/signals').Signal<{ id: number, text: string, kind: 'done' | 'failed' }[]>} */
const toasts = signal([]);
let last = 0;

/** @param {number} id */
const drop = (id) => { toasts.value = toasts.value.filter((toast) => toast.id !== id); };

/** @param {string} text @param {'done' | 'failed'} [kind] */
export function toast(text, kind = 'done') {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-2), { id, text, kind }];
  setTimeout(() => drop(id), 6000);
}

export function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map(({ id, text, kind }) => html`<p key=${id} class=${`toast ${kind}`}>
      <${Icon} name=${kind === 'done' ? 'check' : 'warning'} /><span>${text}</span>
      <button class="plain" type="button" onClick=${() => drop(id)} aria-label=${t('close')}><${Icon} name="cross" size=${16} /></button>
    </p>`)}
  </div>`;
}
