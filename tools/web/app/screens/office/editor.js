// @ts-check
// The editor: creates an event or changes one, with a preview, a checklist, and no lost words.
import { call, get, post } from '../../core/api.js';
import { html, useEffect, useRef, useState } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { go } from '../../core/router.js';
import { user } from '../../core/session.js';
import { Dialog } from '../../parts/dialog.js';
import { Field, FormProblem, Submit, useForm } from '../../parts/form.js';
import { Icon } from '../../parts/icons.js';
import { Heading, Notice } from '../../parts/states.js';
import { toast } from '../../parts/toasts.js';
import { Page } from '../event.js';
import { Checklist } from './checklist.js';
import { changedFields, check, createBody, draftOf, emptyDraft, isChanged, isSold, isTwice, previewOf, updateBody } from './draft.js';
import { dropKept, keep, readKept, useLeaving } from './kept.js';
import { TicketTypes } from './ticket-types.js';
import { zoneName, zones } from './zone.js';

/** @import { Event as KarcisEvent } from '../../types.js' */
/** @import { Draft } from './draft.js' */

/** @typedef {{ draft: Draft, form: any, onChange: (change: Partial<Draft>) => void }} PartProps */

/** @param {PartProps & { name: 'title' | 'venue' | 'description' | 'starts_at' | 'ends_at' | 'refundable_until' | 'max_per_buyer', label: string } & Record<string, any>} props */
const Text = ({ draft, form, onChange, name, ...rest }) => html`<${Field} form=${form} name=${name} value=${draft[name]}
  onInput=${(/** @type {any} */ event) => onChange({ [name]: event.currentTarget.value })} ...${rest} />`;

/** @param {PartProps} props */
const Basics = (props) => html`<section class="box stack"><h2>${t('editor.basics')}</h2>
  <${Text} ...${props} name="title" label=${t('editor.title')} maxlength="200" placeholder=${t('editor.title-hint')} />
  <${Text} ...${props} name="venue" label=${t('editor.venue')} maxlength="200" placeholder=${t('editor.venue-hint')} />
  <${Text} ...${props} name="description" label=${t('editor.description')} multiline maxlength="10000" hint=${t('editor.description-hint')} />
</section>`;

/** @param {PartProps} props */
function Times(props) {
  const { draft, form, onChange } = props;
  const { near, all } = zones(draft.time_zone);
  const option = (/** @type {string} */ zone) => html`<option key=${zone} value=${zone}>${zoneName(zone, `${draft.starts_at}Z`)}</option>`;
  const twice = (/** @type {string} */ local) => (local && isTwice(local, draft.time_zone) ? t('editor.twice') : undefined);
  return html`<section class="box stack"><h2>${t('editor.when')}</h2>
    <div class="pair">
      <${Text} ...${props} name="starts_at" type="datetime-local" label=${t('editor.starts_at')} hint=${twice(draft.starts_at)} />
      <${Text} ...${props} name="ends_at" type="datetime-local" label=${t('editor.ends_at')} hint=${twice(draft.ends_at) ?? t('editor.optional')} />
    </div>
    <${Field} form=${form} label=${t('editor.time_zone')} name="time_zone" value=${draft.time_zone} hint=${t('editor.zone-hint')}
      onInput=${(/** @type {any} */ event) => onChange({ time_zone: event.currentTarget.value })}>
      <optgroup label=${t('editor.zones-near')}>${near.map(option)}</optgroup>
      <optgroup label=${t('editor.zones-all')}>${all.map((zone) => html`<option key=${zone} value=${zone}>${zone.replaceAll('_', ' ')}</option>`)}</optgroup>
    </>
    ${isSold(draft) && html`<p class="fine">${t('editor.move-hint')}</p>`}
  </section>`;
}

/** @param {PartProps} props */
function Rules(props) {
  const { draft, onChange } = props;
  return html`<section class="box stack"><h2>${t('editor.rules')}</h2>
    <fieldset class="choices"><legend>${t('editor.refund')}</legend>
      ${/** @type {const} */ (['start', 'until', 'never']).map((rule) => html`<label key=${rule} class="choice">
        <input type="radio" name="refund" value=${rule} checked=${draft.refund === rule} onChange=${() => onChange({ refund: rule })} />
        <span>${t(`editor.refund-${rule}`)}</span></label>`)}
    </fieldset>
    ${draft.refund === 'until' && html`<${Text} ...${props} name="refundable_until" type="datetime-local" label=${t('editor.refundable_until')} />`}
    <${Text} ...${props} name="max_per_buyer" label=${t('editor.max_per_buyer')} inputmode="numeric" hint=${t('editor.max-hint')} />
  </section>`;
}

/** Somebody saved the event meanwhile. @param {{ event: KarcisEvent, now: KarcisEvent, onKeep: () => void, onDrop: () => void }} props */
function Conflict({ event, now, onKeep, onDrop }) {
  const names = [...new Set(changedFields(draftOf(event), draftOf(now)))].map((key) => t(key)).join(', ');
  return html`<div role="alert" tabindex="-1" class="conflict"><${Notice} kind="warning">
    <p><strong>${t('editor.conflict')}</strong></p>
    <p>${names ? t('editor.conflict-fields', { names }) : ''} ${t('editor.conflict-text')}</p>
    <div class="actions"><button type="button" class="button small primary" onClick=${onKeep}>${t('editor.conflict-keep')}</button>
      <button type="button" class="button small" onClick=${onDrop}>${t('editor.conflict-drop')}</button>
      <a class="button small quiet" href=${`/e/${now.event_id}`} target="_blank" rel="noopener">${t('editor.conflict-look')}</a></div>
  </></div>`;
}

/** @param {{ url: string | null, onStay: () => void, onLeave: () => void }} props */
const Leave = ({ url, onStay, onLeave }) => url && html`<${Dialog} title=${t('editor.leave')} onClose=${onStay}>
  <p>${t('editor.leave-text')}</p>
  <div class="actions"><button type="button" class="button danger" onClick=${onLeave}>${t('editor.leave-do')}</button>
    <button type="button" class="button primary" onClick=${onStay}>${t('editor.leave-stay')}</button></div>
</>`;

/** What is saved and typed, and how it is saved. @param {KarcisEvent | null} event @param {(saved: KarcisEvent) => void} onSaved */
function useEditor(event, onSaved) {
  const id = event?.event_id ?? 'new';
  const [base, setBase] = useState(event);
  const [saved, setSaved] = useState(() => (event ? draftOf(event) : emptyDraft(user.value?.time_zone)));
  const kept = useRef(readKept(id, event?.version ?? 0));
  const [draft, setDraft] = useState(kept.current ?? saved);
  const [newer, setNewer] = useState(/** @type {KarcisEvent | null} */ (null));
  const key = useRef({ body: '', key: '' });
  const isDirty = isChanged(saved, draft);
  useEffect(() => { if (isDirty) keep(id, base?.version ?? 0, draft); else dropKept(id); }, [draft, isDirty]);

  /** @param {'draft' | 'published'} status */
  async function create(status) {
    const body = createBody(draft, status);
    // The same event is created once, also if its answer was lost.
    if (key.current.body !== JSON.stringify(body)) key.current = { body: JSON.stringify(body), key: crypto.randomUUID() };
    return post('/event/create', body, { key: key.current.key });
  }
  /** @param {KarcisEvent} before @param {number} version @param {boolean} publish */
  async function update(before, version, publish) {
    const body = updateBody(before.event_id, version, saved, draft);
    const { local, ...updated } = await call('PUT', '/event/update', { body });
    return publish ? post('/event/publish', { event_id: updated.event_id }) : updated;
  }
  /** @param {boolean} publish @param {number} [version] */
  async function save(publish, version = base?.version ?? 0) {
    check(draft);
    try {
      const next = /** @type {KarcisEvent} */ (base ? await update(base, version, publish) : await create(publish ? 'published' : 'draft'));
      dropKept(id);
      setSaved(draftOf(next));
      setDraft(draftOf(next));
      setBase(next);
      setNewer(null);
      onSaved(next);
    } catch (error) {
      if (!base || /** @type {any} */ (error).slug !== 'version-conflict') throw error;
      setNewer(await get(`/events/${base.event_id}`));
    }
  }
  const drop = () => {
    const to = newer ?? base;
    const fresh = to ? draftOf(to) : emptyDraft(user.value?.time_zone);
    setBase(to);
    setSaved(fresh);
    setDraft(fresh);
    setNewer(null);
  };
  const change = (/** @type {Partial<Draft>} */ by) => setDraft((before) => ({ ...before, ...by }));
  return { id, base, draft, change, isDirty, newer, save, drop, isRestored: kept.current !== null && isDirty };
}

/** The fields that have a place for their error. @param {Draft} draft */
const fieldsOf = (draft) => ['title', 'venue', 'description', 'starts_at', 'ends_at', 'time_zone', 'refundable_until', 'max_per_buyer',
  ...draft.types.flatMap((_, at) => ['name', 'price.amount', 'price.currency', 'capacity', 'max_per_booking', 'sales_start', 'sales_end'].map((field) => `ticket_types[${at}].${field}`))];

/** @param {{ draft: Draft, event: KarcisEvent | null, onClose: () => void }} props */
const Preview = ({ draft, event, onClose }) => html`<div class="preview">
  <div class="preview-bar"><div class="wide"><p><strong>${t('editor.preview')}</strong> ${t('editor.preview-text')}</p>
    <button type="button" class="button small primary" onClick=${onClose}>${t('editor.preview-close')}</button></div></div>
  <div onSubmitCapture=${(/** @type {Event} */ event) => { event.preventDefault(); event.stopPropagation(); toast(t('editor.preview-buy')); }}>
    <${Page} event=${previewOf(draft, event)} /></div>
</div>`;

/** @param {{ event: KarcisEvent | null, onSaved?: (event: KarcisEvent) => void }} props */
export function Editor({ event, onSaved }) {
  const [isPreview, preview] = useState(false);
  const publishes = useRef(false);
  const isDone = useRef(false);
  const editor = useEditor(event, (saved) => {
    toast(t(publishes.current ? 'editor.published' : 'saved'));
    onSaved?.(saved);
    if (!event || publishes.current) { isDone.current = true; go(`/office/e/${saved.event_id}`); }
  });
  const { draft, change, base, isDirty, newer } = editor;
  const form = useForm(() => editor.save(publishes.current));
  const [leaving, setLeaving] = useLeaving(isDirty && !isDone.current);
  const isPublished = base?.status === 'published';
  const props = { draft, form, onChange: change };
  if (isPreview) return html`<${Preview} draft=${draft} event=${base} onClose=${() => preview(false)} />`;
  /** @param {boolean} publish */
  const intend = (publish) => () => { publishes.current = publish; };
  return html`<div class="wide page stack">
    ${!event && html`<div><a class="back" href="/office"><${Icon} name="left" size=${16} />${t('office.events')}</a><${Heading}>${t('editor.create')}</><p class="lead">${t('editor.create-text')}</p></div>`}
    <form class="editor" onSubmit=${form.submit} novalidate>
      <div class="stack">
        ${editor.isRestored && html`<${Notice}><p>${t('editor.restored')} <button type="button" class="link" onClick=${editor.drop}>${t('editor.discard')}</button></p></>`}
        <${Basics} ...${props} /><${Times} ...${props} /><${TicketTypes} ...${props} /><${Rules} ...${props} />
      </div>
      <aside class="box stack editor-side">
        <h2>${t(isPublished ? 'editor.changes' : 'checklist.title')}</h2>
        ${isPublished ? html`<p class="fine">${t('editor.published-hint')}</p>` : html`<${Checklist} draft=${draft} />`}
        ${newer && base ? html`<${Conflict} event=${base} now=${newer} onDrop=${editor.drop} onKeep=${() => { void editor.save(publishes.current, newer.version).catch(form.setProblem); }} />` : null}
        <${FormProblem} form=${form} fields=${fieldsOf(draft)} />
        ${form.problem?.errors.length ? html`<p class="error" role="alert"><${Icon} name="warning" size=${16} />${t('problem.invalid-input')}</p>` : null}
        <div class="editor-acts">
          ${!isPublished && html`<${Submit} class="big full" isBusy=${form.isBusy} onClick=${intend(true)}>${t('editor.publish')}</>`}
          <${Submit} class=${`full ${isPublished ? 'big' : 'second'}`} isBusy=${form.isBusy && isPublished} onClick=${intend(false)}>${t(isPublished ? 'editor.save-changes' : 'editor.save-draft')}</>
          <button type="button" class="button full" onClick=${() => { preview(true); scrollTo(0, 0); }}>${t('editor.preview')}</button>
        </div>
        <p class="fine" role="status">${isDirty ? t('editor.unsaved') : ''}</p>
      </aside>
    </form>
    <${Leave} url=${leaving} onStay=${() => setLeaving(null)} onLeave=${() => { dropKept(editor.id); isDone.current = true; go(/** @type {string} */ (leaving)); }} />
  </div>`;
}
