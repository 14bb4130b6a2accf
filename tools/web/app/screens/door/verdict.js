// @ts-check
// The answer for the person at the door: a colour, a sign and a word over the whole screen.
import { time } from '../../core/format.js';
import { html, useEffect, useRef } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { Icon } from '../../parts/icons.js';

/** @import { Verdict } from './check-in.js' */

/** How long a green screen stays; all others wait for a touch. */
const ADMITTED_FOR_MS = 2500;
const SIGNS = { admitted: 'check', already: 'warning', cancelled: 'cross', unknown: 'cross' };

/** When and where a ticket was used. @param {{ checked_in_at: string | null, gate: string | null }} of @param {string | null} zone */
export function whenAndWhere({ checked_in_at, gate }, zone) {
  const at = checked_in_at && time(checked_in_at, 'clock', zone);
  if (at && gate) return t('door.at-gate', { at, gate });
  return at ? t('door.at', { at }) : '';
}

/** @param {{ verdict: Verdict, zone: string | null, onClose: () => void, onUndo: () => void }} props */
export function VerdictScreen({ verdict, zone, onClose, onUndo }) {
  const next = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const { result, name, isByList } = verdict;
  useEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    next.current?.focus();
    const timer = result === 'admitted' ? setTimeout(onClose, ADMITTED_FOR_MS) : undefined;
    const onKey = (/** @type {KeyboardEvent} */ pressed) => { if (pressed.key === 'Escape') onClose(); };
    addEventListener('keydown', onKey);
    return () => {
      clearTimeout(timer);
      removeEventListener('keydown', onKey);
      before?.focus({ preventScroll: true });
    };
  }, [verdict]);
  const detail = result === 'already' ? whenAndWhere(verdict, zone) : t(`door.${result}-text`);
  return html`<div class=${`verdict ${result}`} role="alertdialog" aria-modal="true" aria-labelledby="verdict-word" aria-describedby="verdict-detail" onClick=${onClose}>
    <span class="verdict-sign"><${Icon} name=${SIGNS[result]} size=${120} /></span>
    <p class="verdict-word" id="verdict-word">${t(`door.${result}`)}</p>
    ${name && html`<p class="verdict-name">${name}</p>`}
    <p class="verdict-detail" id="verdict-detail">${detail}</p>
    ${isByList && html`<p class="verdict-detail"><${Icon} name="offline" /> ${t('door.by-list')}</p>`}
    <div class="verdict-acts">
      <button type="button" class="button big" ref=${next} onClick=${onClose}>${t('door.next')}</button>
      ${result === 'admitted' && html`<button type="button" class="button big quiet" onClick=${(/** @type {Event} */ clicked) => { clicked.stopPropagation(); onUndo(); }}>${t('door.undo')}</button>`}
    </div>
  </div>`;
}
