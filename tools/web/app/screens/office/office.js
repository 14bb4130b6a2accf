// @ts-check
// The organiser's and admin's office: its stylesheet, and which of its screens is meant.
import { html } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { place } from '../../core/router.js';
import { hasRole } from '../../core/session.js';
import { Empty, Heading } from '../../parts/states.js';
import NotFound from '../not-found.js';
import { Editor } from './editor.js';
import { EventOffice } from './event-office.js';
import { Events } from './events.js';
import { People } from './people.js';

const TABS = [undefined, 'attendees', 'edit'];

/** Adds the office's stylesheet, and waits for it. */
await new Promise((done) => {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = new URL('../../css/office.css', import.meta.url).href;
  link.onload = link.onerror = done;
  document.head.append(link);
});

const Refused = () => html`<div class="wide page"><${Heading} class="hidden">${t('office.title')}</>
  <${Empty} icon="shield" title=${t('office.refused')}><p>${t('office.refused-text')}</p><a class="button" href="/">${t('event.others')}</a></></div>`;

export default function Office() {
  const rest = place.value.params.rest ?? '';
  const [first, id, tab, more] = rest.split('/');
  if (!hasRole('organiser', 'admin')) return html`<${Refused} />`;
  if (rest === '') return html`<${Events} />`;
  if (rest === 'new') return html`<${Editor} key="new" event=${null} />`;
  if (rest === 'people' && hasRole('admin')) return html`<${People} />`;
  if (first === 'e' && id && TABS.includes(tab) && more === undefined) return html`<${EventOffice} key=${id} id=${id} tab=${tab ?? ''} />`;
  return html`<${NotFound} />`;
}
