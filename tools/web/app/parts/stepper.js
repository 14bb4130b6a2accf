// @ts-check
// A number that goes up and down by one.
import { html } from '../core/html.js';
import { t } from '../core/i18n.js';
import { Icon } from './icons.js';

/** @param {{ label: string, value: number, max: number, onChange: (value: number) => void }} props */
export function Stepper({ label, value, max, onChange }) {
  return html`<div class="stepper" role="group" aria-label=${label}>
    <button type="button" disabled=${value <= 0} onClick=${() => onChange(value - 1)} aria-label=${t('stepper.less', { label })}><${Icon} name="minus" /></button>
    <output aria-live="polite">${value}</output>
    <button type="button" disabled=${value >= max} onClick=${() => onChange(value + 1)} aria-label=${t('stepper.more', { label })}><${Icon} name="plus" /></button>
  </div>`;
}
