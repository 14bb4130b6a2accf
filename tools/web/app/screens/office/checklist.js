// @ts-check
// What an event needs before it can be sold, and what helps it.
import { html } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { Icon } from '../../parts/icons.js';
import { parseAmount, parseCount } from './amounts.js';
import { toInstant } from './zone.js';

/** @import { Draft } from './draft.js' */

/** @param {Draft} draft @returns {{ key: string, isDone: boolean, isOptional?: boolean }[]} */
function points(draft) {
  const starts = toInstant(draft.starts_at, draft.time_zone);
  const open = draft.types.filter(({ closed }) => !closed);
  return [
    { key: 'name', isDone: draft.title.trim() !== '' },
    { key: 'venue', isDone: draft.venue.trim() !== '' },
    { key: 'start', isDone: starts !== null && Date.parse(starts) > Date.now() },
    { key: 'types', isDone: open.length > 0 && open.every((type) => type.name.trim() && parseAmount(type.price, draft.currency) !== null && parseCount(type.capacity)) },
    { key: 'description', isDone: draft.description.trim().length >= 40, isOptional: true },
    { key: 'end', isDone: draft.ends_at !== '', isOptional: true },
  ];
}

/** Whether nothing that is needed is missing. @param {Draft} draft */
export const isReady = (draft) => points(draft).every(({ isDone, isOptional }) => isDone || isOptional);

/** @param {{ draft: Draft }} props */
export function Checklist({ draft }) {
  return html`<ul class="checklist">${points(draft).map(({ key, isDone, isOptional }) => html`<li key=${key} class=${isDone ? 'done' : ''}>
    <span class="tick"><${Icon} name=${isDone ? 'check' : 'minus'} size=${16} /></span>
    <span>${t(`checklist.${key}`)}${isOptional && !isDone ? html` <em>${t('checklist.optional')}</em>` : null}
      <span class="hidden">${t(isDone ? 'checklist.done' : 'checklist.missing')}</span></span>
  </li>`)}</ul>`;
}
