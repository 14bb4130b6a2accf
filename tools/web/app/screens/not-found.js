// @ts-check
// A page that does not exist.
import { html } from '../core/html.js';
import { t } from '../core/i18n.js';
import { Empty, Heading } from '../parts/states.js';

export default function NotFound() {
  return html`<div class="wide page"><${Heading} class="hidden">${t('not-found.title')}</>
    <${Empty} icon="search" title=${t('not-found.title')}><p>${t('not-found.text')}</p><a class="button" href="/">${t('event.others')}</a></>
  </div>`;
}
