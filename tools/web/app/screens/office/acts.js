// @ts-check
// What an organiser does with an event: publish, take back, copy, cancel, delete.
import { call, get, post } from '../../core/api.js';
import { money } from '../../core/format.js';
import { html, useState } from '../../core/html.js';
import { t, tn } from '../../core/i18n.js';
import { useResource } from '../../core/resource.js';
import { go } from '../../core/router.js';
import { Dialog } from '../../parts/dialog.js';
import { Field, FormProblem, Submit, useForm } from '../../parts/form.js';
import { Icon } from '../../parts/icons.js';
import { Loaded } from '../../parts/states.js';
import { toast } from '../../parts/toasts.js';
import { totalsOf } from './sales.js';
import { toInstant, toLocal } from './zone.js';

/** @import { Event as KarcisEvent } from '../../types.js' */
/** @import { Sales } from './shapes.js' */

/** @typedef {{ event: KarcisEvent, onChange: (event: KarcisEvent) => void, onClose: () => void }} ActProps */

const WEEK_MS = 7 * 86_400_000;

/** @param {{ form: any, label: string, onClose: () => void, isDanger?: boolean, isDisabled?: boolean }} props */
const Buttons = ({ form, label, onClose, isDanger, isDisabled }) => html`<div class="actions">
  <button type="button" class="button" onClick=${onClose}>${t('office.not-now')}</button>
  <${Submit} class=${isDanger ? 'danger' : ''} isBusy=${form.isBusy} disabled=${isDisabled}>${label}</></div>`;

/** How many people and how much money a cancellation concerns. @param {{ sales: Sales }} props */
function Concerned({ sales }) {
  const { sold, held } = totalsOf(sales.ticket_types);
  return html`<dl class="concerned">
    <div><dt>${t('cancel-event.people')}</dt><dd>${tn('tickets', sold)}</dd></div>
    <div><dt>${t('cancel-event.paying')}</dt><dd>${tn('tickets', held)}</dd></div>
    <div><dt>${t('cancel-event.money')}</dt><dd>${money(sales.revenue)}</dd></div>
  </dl>`;
}

/** @param {ActProps} props */
function CancelDialog({ event, onChange, onClose }) {
  const [typed, setTyped] = useState('');
  const sales = useResource((signal) => get('/event/sales', { signal, query: { event_id: event.event_id } }), [event.event_id]);
  const form = useForm(async ({ reason }) => {
    onChange(await post('/event/cancel', { event_id: event.event_id, reason: reason.trim() }));
    toast(t('cancel-event.done'));
    onClose();
  });
  const word = t('cancel-event.word');
  return html`<${Dialog} title=${t('cancel-event.title', { title: event.title })} onClose=${onClose}>
    <form onSubmit=${form.submit} novalidate>
      <${Loaded} of=${sales}>${(/** @type {Sales} */ data) => html`<${Concerned} sales=${data} />`}</>
      <p>${t('cancel-event.text')}</p>
      <${FormProblem} form=${form} fields=${['reason']} />
      <${Field} form=${form} name="reason" label=${t('cancel-event.reason')} hint=${t('cancel-event.reason-hint')} maxlength="1000" autocomplete="off" />
      <${Field} name="word" label=${t('cancel-event.type', { word })} value=${typed} autocomplete="off" autocapitalize="none" spellcheck="false"
        onInput=${(/** @type {any} */ input) => setTyped(input.currentTarget.value)} />
      <${Buttons} form=${form} onClose=${onClose} label=${t('cancel-event.do')} isDanger isDisabled=${typed.trim().toLowerCase() !== word.toLowerCase()} />
    </form>
  </>`;
}

/** @param {ActProps} props */
function DuplicateDialog({ event, onClose }) {
  const zone = event.time_zone;
  const form = useForm(async ({ starts_at }) => {
    const copy = await post('/event/duplicate', { event_id: event.event_id, starts_at: toInstant(starts_at, zone) });
    toast(t('duplicate.done'));
    go(`/office/e/${copy.event_id}/edit`);
  });
  const [starts, setStarts] = useState(toLocal(Math.max(Date.parse(event.starts_at), Date.now()) + WEEK_MS, zone).slice(0, 11) + toLocal(event.starts_at, zone).slice(11));
  return html`<${Dialog} title=${t('duplicate.title')} onClose=${onClose}>
    <form onSubmit=${form.submit} novalidate>
      <p>${t('duplicate.text')}</p>
      <${FormProblem} form=${form} fields=${['starts_at']} />
      <${Field} form=${form} name="starts_at" type="datetime-local" label=${t('duplicate.starts')} hint=${zone.replaceAll('_', ' ')} value=${starts}
        onInput=${(/** @type {any} */ input) => setStarts(input.currentTarget.value)} />
      <${Buttons} form=${form} onClose=${onClose} label=${t('duplicate.do')} isDisabled=${!toInstant(starts, zone)} />
    </form>
  </>`;
}

/** An act that needs no more than a yes. @param {ActProps & { kind: 'publish' | 'unpublish' | 'delete', send: () => Promise<any> }} props */
function SureDialog({ event, kind, send, onClose }) {
  const form = useForm(async () => {
    await send();
    toast(t(`${kind}.done`));
  });
  return html`<${Dialog} title=${t(`${kind}.title`)} onClose=${onClose}>
    <form onSubmit=${form.submit}>
      <p>${t(`${kind}.text`, { title: event.title })}</p>
      <${FormProblem} form=${form} />
      <${Buttons} form=${form} onClose=${onClose} label=${t(`${kind}.do`)} isDanger=${kind === 'delete'} />
    </form>
  </>`;
}

/** Copies the page's address. @param {string} id */
async function share(id) {
  try {
    await navigator.clipboard.writeText(`${location.origin}/e/${id}`);
    toast(t('copied'));
  } catch {
    toast(t('office.share-failed'), 'failed');
  }
}

/** Which acts an event allows. @param {KarcisEvent} event @returns {string[]} */
function actsOf(event) {
  const taken = event.ticket_types.some(({ capacity, available }) => capacity > available);
  return {
    draft: ['duplicate', 'delete'], published: ['duplicate', ...(taken ? [] : ['unpublish']), 'cancel', ...(taken ? [] : ['delete'])],
    cancelled: ['duplicate'], ended: ['duplicate'],
  }[event.status] ?? [];
}

/** @param {{ event: KarcisEvent, isEdited: boolean, onChange: (event: KarcisEvent) => void }} props isEdited: the editor is open and has acts of its own */
export function Acts({ event, isEdited, onChange }) {
  const [act, setAct] = useState('');
  const close = () => setAct('');
  const id = event.event_id;
  const props = { event, onChange, onClose: close };
  /** @param {'publish' | 'unpublish'} kind */
  const change = (kind) => async () => { onChange(await post(`/event/${kind}`, { event_id: id })); close(); };
  const remove = async () => { await call('DELETE', '/event/delete', { query: { event_id: id } }); go('/office', { replace: true }); };
  return html`<div class="acts">
    ${event.status === 'draft' && !isEdited && html`<button type="button" class="button primary" onClick=${() => setAct('publish')}>${t('publish.do')}</button>`}
    <a class="button" href=${`/e/${id}`} target="_blank" rel="noopener">${t(event.status === 'draft' ? 'office.preview' : 'office.page')}</a>
    ${event.status === 'published' && html`<button type="button" class="button" onClick=${() => void share(id)}><${Icon} name="copy" size=${18} />${t('office.share')}</button>`}
    ${actsOf(event).filter((kind) => !isEdited || kind === 'cancel' || kind === 'delete').map((kind) => html`<button key=${kind} type="button" class=${`button quiet ${['cancel', 'delete'].includes(kind) ? 'danger' : ''}`}
      onClick=${() => setAct(kind)}>${t(`office.act-${kind}`)}</button>`)}
    ${act === 'publish' && html`<${SureDialog} ...${props} kind="publish" send=${change('publish')} />`}
    ${act === 'unpublish' && html`<${SureDialog} ...${props} kind="unpublish" send=${change('unpublish')} />`}
    ${act === 'delete' && html`<${SureDialog} ...${props} kind="delete" send=${remove} />`}
    ${act === 'duplicate' && html`<${DuplicateDialog} ...${props} />`}
    ${act === 'cancel' && html`<${CancelDialog} ...${props} />`}
  </div>`;
}
