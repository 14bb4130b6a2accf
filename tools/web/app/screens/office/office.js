// @ts-check
// The office: its screens come here.
import { html } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { Empty, Heading } from '../../parts/states.js';

export default function Office() {
  return html`<div class="wide page"><${Heading}>${t('office.title')}</><${Empty} title=${t('office.soon')} /></div>`;
}
