// @ts-check
// The operators' console: what needs somebody, lists of it, and one booking's whole story.
import { html } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { go, place } from '../../core/router.js';
import { hasRole } from '../../core/session.js';
import { Icon } from '../../parts/icons.js';
import { Empty, Heading } from '../../parts/states.js';
import { useStyle } from '../../parts/style.js';
import { LISTS, OpsList } from './lists.js';
import { Overview } from './overview.js';
import { BookingStory } from './story.js';

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

function Search() {
  /** @param {SubmitEvent} submitted */
  function submit(submitted) {
    submitted.preventDefault();
    const form = /** @type {HTMLFormElement} */ (submitted.currentTarget);
    const id = ID.exec(String(new FormData(form).get('booking')))?.[0];
    const input = /** @type {HTMLInputElement} */ (form.elements.namedItem('booking'));
    input.setCustomValidity(id ? '' : t('console.search-wrong'));
    if (!id) form.reportValidity();
    else { form.reset(); go(`/console/booking/${id.toLowerCase()}`); }
  }
  return html`<form class="console-search" role="search" onSubmit=${submit} noValidate>
    <label class="hidden" for="console-booking">${t('console.search')}</label>
    <input id="console-booking" name="booking" type="search" placeholder=${t('console.search')} autocomplete="off" spellcheck="false"
      onInput=${(/** @type {any} */ typed) => typed.currentTarget.setCustomValidity('')} />
    <button class="button" type="submit" aria-label=${t('console.search-do')}><${Icon} name="search" /></button>
  </form>`;
}

/** @param {{ rest: string }} props */
function Tabs({ rest }) {
  return html`<nav class="console-tabs" aria-label=${t('console.title')}>${['', ...Object.keys(LISTS)].map((name) => html`
    <a key=${name} href=${name ? `/console/${name}` : '/console'} aria-current=${rest === name ? 'page' : undefined}>${t(name ? `console.${name}` : 'console.overview')}</a>`)}</nav>`;
}

export default function Console() {
  const isStyled = useStyle('console');
  const rest = place.value.params.rest ?? '';
  if (!hasRole('operator', 'admin')) {
    return html`<div class="wide page"><${Heading}>${t('console.title')}</><${Empty} icon="shield" title=${t('console.not-yours')} /></div>`;
  }
  if (!isStyled) return null;
  const booking = rest.startsWith('booking/') ? rest.slice('booking/'.length) : null;
  let content = html`<${Overview} key="overview" />`;
  if (booking) content = html`<${BookingStory} key=${booking} id=${booking} />`;
  else if (rest in LISTS) content = html`<${OpsList} key=${rest} name=${rest} />`;
  return html`<div class="wide page console"><div class="console-top"><${Tabs} rest=${rest} /><${Search} /></div>${content}</div>`;
}
