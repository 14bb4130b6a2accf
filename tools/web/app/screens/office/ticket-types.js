// @ts-check
// The editor's ticket types: what they cost, how many there are, and when they are on sale.
import { money } from '../../core/format.js';
import { html } from '../../core/html.js';
import { t, tn } from '../../core/i18n.js';
import { Field } from '../../parts/form.js';
import { Icon } from '../../parts/icons.js';
import { CURRENCIES, parseAmount } from './amounts.js';
import { isSold, newType } from './draft.js';

/** @import { Draft, DraftType } from './draft.js' */

const MOST_TYPES = 20;

/** The price as buyers read it, so that a wrong number of zeros is seen. @param {DraftType} type @param {string} currency */
function priceHint(type, currency) {
  const amount = parseAmount(type.price, currency);
  if (amount === null) return t('editor.price-hint');
  return amount ? money(/** @type {any} */ ({ amount, currency })) : t('free');
}

/** @param {{ type: DraftType, at: number, draft: Draft, form: any, isOnly: boolean, onChange: (change: Partial<DraftType>) => void, onRemove: () => void }} props */
function TypeFields({ type, at, draft, form, isOnly, onChange, onRemove }) {
  const field = (/** @type {keyof DraftType} */ name) => ({
    form, value: type[name], name: `ticket_types[${at}].${name === 'price' ? 'price.amount' : name}`,
    onInput: (/** @type {any} */ event) => onChange({ [name]: event.currentTarget.value }),
  });
  const label = type.name.trim() || t('editor.type', { number: at + 1 });
  const wrongMore = ['max_per_booking', 'sales_start', 'sales_end'].some((name) => form.errorOf(`ticket_types[${at}].${name}`));
  const isMore = wrongMore || type.sales_start || type.sales_end || type.max_per_booking !== '10';
  return html`<fieldset class=${`type ${type.closed ? 'paused' : ''}`}>
    <legend class="hidden">${label}</legend>
    <div class="type-head"><h3>${label}</h3>
      ${type.closed && html`<span class="badge over">${t('editor.paused')}</span>`}
      ${!type.id && !isOnly && html`<button type="button" class="plain" onClick=${onRemove} aria-label=${t('editor.remove', { name: label })}><${Icon} name="cross" /></button>`}
      ${type.id && html`<button type="button" class="link" onClick=${() => onChange({ closed: !type.closed })}>${t(type.closed ? 'editor.reopen' : 'editor.pause')}</button>`}
    </div>
    <div class="type-fields">
      <${Field} ...${field('name')} label=${t('editor.type-name')} maxlength="200" placeholder=${t('editor.type-name-hint')} />
      <${Field} ...${field('price')} label=${t('editor.price', { currency: draft.currency })} inputmode="decimal" hint=${priceHint(type, draft.currency)} />
      <${Field} ...${field('capacity')} label=${t('editor.capacity')} inputmode="numeric" hint=${type.taken ? tn('editor.taken', type.taken) : t('editor.capacity-hint')} />
    </div>
    <details open=${isMore || undefined}><summary>${t('editor.more')}</summary>
      <div class="type-fields">
        <${Field} ...${field('max_per_booking')} label=${t('editor.most')} inputmode="numeric" />
        <${Field} ...${field('sales_start')} label=${t('editor.sales-start')} type="datetime-local" hint=${t('editor.sales-start-hint')} />
        <${Field} ...${field('sales_end')} label=${t('editor.sales-end')} type="datetime-local" hint=${t('editor.sales-end-hint')} />
      </div>
    </details>
  </fieldset>`;
}

/** @param {{ draft: Draft, form: any, onChange: (change: Partial<Draft>) => void }} props */
export function TicketTypes({ draft, form, onChange }) {
  const { types } = draft;
  const change = (/** @type {string} */ key, /** @type {Partial<DraftType>} */ by) =>
    onChange({ types: types.map((type) => (type.key === key ? { ...type, ...by } : type)) });
  const isLocked = isSold(draft);
  const wrongCurrency = types.map((_, at) => form.errorOf(`ticket_types[${at}].price.currency`)).find(Boolean);
  return html`<section class="box stack"><h2>${t('editor.tickets')}</h2>
    <div class="currency"><${Field} label=${t('editor.currency')} name="currency" value=${draft.currency} disabled=${isLocked} error=${wrongCurrency}
      hint=${t(isLocked ? 'editor.currency-locked' : 'editor.currency-hint')}
      onInput=${(/** @type {any} */ event) => onChange({ currency: event.currentTarget.value })}>
      ${CURRENCIES.map((name) => html`<option key=${name} value=${name}>${t(`currency.${name}`)}</option>`)}
    </></div>
    ${types.map((type, at) => html`<${TypeFields} key=${type.key} type=${type} at=${at} draft=${draft} form=${form} isOnly=${types.length === 1}
      onChange=${(/** @type {Partial<DraftType>} */ by) => change(type.key, by)}
      onRemove=${() => onChange({ types: types.filter(({ key }) => key !== type.key) })} />`)}
    ${types.some(({ id }) => id) && html`<p class="fine">${t('editor.no-removal')}</p>`}
    ${types.length < MOST_TYPES && html`<div><button type="button" class="button" onClick=${() => onChange({ types: [...types, newType()] })}>
      <${Icon} name="plus" />${t('editor.add-type')}</button></div>`}
  </section>`;
}
